"""How well the twin predicts households that chose nothing, beside what was shown while it was chosen."""

from __future__ import annotations

import numpy as np

from twinops.entities import shown
from twinops.entities.findings import Findings
from twinops.entities.shown import Section
from twinops.entities.wording import MANY, MONEY
from twinops.evaluation.accuracy.measures import TWIN, About, ScoredDay, measure_accuracy
from twinops.evaluation.statistics.bootstrap import counts
from twinops.params import EvaluateParams

PREFIX = "holdout_"
_MEANINGS = {
    "active_auc": f"tells {MANY} that will shop from those that will not, on the final hold-out",
    "active_brier": "squared error of the chance to shop, on the final hold-out",
    "baskets_poisson_deviance": "misfit of the number of baskets, on the final hold-out",
    "spend_mae": f"mean absolute error of predicted spend in {MONEY}, on the final hold-out",
}
SHOWN = shown.measures({PREFIX + name: says for name, says in _MEANINGS.items()}, section=Section.ACCURACY,
                       headlines=(f"{PREFIX}active_auc", f"{PREFIX}spend_mae"))  # fmt: skip


def final_findings(days: list[ScoredDay], held_out: EvaluateParams, *, looks: int) -> Findings:
    """`holdout_active_auc` and its like, with the number of looks at these households in every source line."""
    who = np.unique(np.concatenate([day.household for day in days]))
    placed = [
        ScoredDay(d.cutoff, np.searchsorted(who, d.household), d.active, d.baskets, d.spend, d.predictions)
        for d in days
    ]
    accuracy = measure_accuracy(placed, counts(len(who), draws=held_out.draws, seed=held_out.seed))
    which = f"final hold-out, look {looks} at {MANY} that chose nothing,"
    about = About.these(placed, accuracy, seed=held_out.seed, which=which)
    found = (about.measure(PREFIX + name, accuracy.over_days[TWIN, name], name) for name in _MEANINGS)
    return Findings(tuple(found), (), SHOWN)
