"""Who speaks for the twin, decided on days before any held-out one, by a rule that was written down first.

The regressions ship unless something was better: their terms are the exact explanation, and a stream's state can serve
them. Each head is judged by a score that is best where the head is right (Gneiting and Raftery, JASA 102, 2007): what
speaks instead must be shown better on one head at least, and shown worse on none. The mean of both is asked first.
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
from twinops.twin.model.model import AVERAGE, CHAMPIONS, GLM, LIGHTGBM

RECALIBRATED = "recalibrated"
HEADS = {
    "active_log_loss": "activity",
    "baskets_poisson_deviance": "baskets",
    "spend_deviance": "mean of spend",
    "spend_mae": "median of spend",
}
"""The proper score of each head."""

FACT = "champion"


@dataclass(frozen=True)
class Choice:
    """Who speaks, whether its chances are recalibrated, and why."""

    name: str
    recalibrate: bool
    why: str


def choose_by(accuracy: Accuracy) -> Choice:
    """Apply the rule to what was measured; models are named `glm`, `lightgbm`, `average`, `recalibrated`."""
    recalibrate = _above_zero(accuracy.gain("active_brier", of=RECALIBRATED, over=GLM))
    doubts = []
    for candidate, said in {AVERAGE: "the mean of both", LIGHTGBM: "the trees"}.items():
        gains = {head: accuracy.gain(q, of=candidate, over=GLM) for q, head in HEADS.items()}
        better, worse = ([h for h, g in gains.items() if shown(g)] for shown in (_above_zero, _below_zero))
        if better and not worse:
            return Choice(
                candidate, recalibrate, f"{said} was shown better on {', '.join(better)}, and worse on nothing"
            )
        told = f"shown better on {', '.join(better) or 'no head'}"
        doubts.append(f"{said}: {told}" + (f", and worse on {', '.join(worse)}" if worse else ""))
    return Choice(GLM, recalibrate, f"nothing else was better without being worse ({'; '.join(doubts)})")


def choice_findings(choice: Choice, accuracy: Accuracy, about: About) -> Findings:
    """Every figure the rule looked at, and what it decided."""
    measures: list[Measure] = []
    for quantity in (*HEADS, "active_brier"):
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
        "rule": "the mean of both if its paired gain in the proper score excludes zero above on one head at least and "
        "below on none; else the trees by the same rule; else the regressions. Chances are recalibrated if that lowers "
        "the Brier score, zero excluded",
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
