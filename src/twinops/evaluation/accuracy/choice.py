"""Who speaks for the twin, decided on days before any held-out one, by a rule that was written down first.

The regressions ship unless something was better: their terms are the exact explanation, and a stream's state can serve
them. So the mean of both must beat them on every head, the whole paired interval above zero; the trees alone must be
better by a margin, and worse in nothing.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.entities.measure import Measure
from twinops.errors import DataError
from twinops.evaluation.accuracy.measures import About, Accuracy
from twinops.evaluation.statistics.bootstrap import Resampled
from twinops.params import ChooseParams
from twinops.twin.model.model import AVERAGE, CHAMPIONS, GLM, LIGHTGBM

RECALIBRATED = "recalibrated"
HEADS = ("active_auc", "baskets_poisson_deviance", "spend_mae")
QUANTITIES = ("active_auc", "active_brier", "baskets_poisson_deviance", "spend_mae")
FACT = "champion"


@dataclass(frozen=True)
class Choice:
    """Who speaks, whether its chances are recalibrated, and why."""

    name: str
    recalibrate: bool
    why: str


def choose_by(accuracy: Accuracy, margins: ChooseParams) -> Choice:
    """Apply the rule to what was measured; models are named `glm`, `lightgbm`, `average`, `recalibrated`."""
    average = {q: accuracy.gain(q, of=AVERAGE, over=GLM) for q in HEADS}
    trees = {q: accuracy.gain(q, of=LIGHTGBM, over=GLM) for q in QUANTITIES}
    recalibrate = _above_zero(accuracy.gain("active_brier", of=RECALIBRATED, over=GLM))
    if all(_above_zero(g) for g in average.values()):
        return Choice(AVERAGE, recalibrate, "the mean of both beat the regressions on every head")
    ahead = trees["active_auc"].value > margins.better_by_auc or trees["spend_mae"].value > margins.better_by_usd
    if ahead and not any(_below_zero(g) for g in trees.values()):
        return Choice(LIGHTGBM, recalibrate, "the trees were better by more than the margin, and worse in nothing")
    if ahead:
        return Choice(GLM, recalibrate, "the trees were ahead by the margin on one head and shown worse on another")
    return Choice(GLM, recalibrate, "neither the trees nor the mean of both were better by what the rule asks")


def choice_findings(choice: Choice, accuracy: Accuracy, about: About, margins: ChooseParams) -> Findings:
    """Every figure the rule looked at, and what it decided."""
    measures: list[Measure] = []
    for quantity in QUANTITIES:
        own = accuracy.over_days[GLM, quantity]
        measures.append(about.measure(f"choice.{quantity}.{GLM}", own, quantity))
        for other in (LIGHTGBM, AVERAGE):
            gain = accuracy.gain(quantity, of=other, over=GLM)
            name = f"choice.{quantity}.gain_of_{other}"
            measures.append(about.measure(name, gain, quantity, better=other, than=GLM))
    name, gain = "choice.active_brier.gain_of_recalibration", accuracy.gain("active_brier", of=RECALIBRATED, over=GLM)
    measures.append(about.measure(name, gain, "active_brier", better=RECALIBRATED, than=GLM))
    said = {
        **asdict(choice),
        "cutoffs": about.cutoffs,
        "rule": "the mean of both if its paired gain excludes zero on every head; else the trees if better by more "
        f"than {margins.better_by_auc:g} AUC or {margins.better_by_usd:g} USD and shown worse in nothing; else the "
        "regressions. Chances are recalibrated if that lowers the Brier score, zero excluded",
    }
    return Findings(tuple(measures), (Fact(FACT, said, Kind.MEASURED, f"choose: {about.source}"),))


def read_choice(path: Path) -> Choice:
    """What `choose` decided.

    Raises:
        DataError: it has not been run, or its file says something else.
    """
    try:
        said = json.loads(path.read_text(encoding="utf-8"))["facts"][FACT]["value"]
        choice = Choice(str(said["name"]), bool(said["recalibrate"]), str(said["why"]))
    except (OSError, ValueError, KeyError, TypeError):
        raise DataError("Nobody has chosen a champion yet.", hint="Run `dvc repro choose`.") from None
    if choice.name not in CHAMPIONS:
        raise DataError("The chosen champion is not known.", hint="Run `dvc repro choose`.")
    return choice


def _above_zero(gain: Resampled) -> bool:
    return gain.interval("A gain")[0] > 0


def _below_zero(gain: Resampled) -> bool:
    return gain.interval("A gain")[1] < 0
