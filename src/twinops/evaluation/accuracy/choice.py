"""Who speaks for each head of the twin, decided on days before any held-out one, by a rule that was written down first.

Each head is judged by a score that is best where the head is right (Gneiting and Raftery, JASA 102, 2007). Of what is
told in some twenty numbers the simplest within one standard error of the best speaks (Breiman et al., Classification
and Regression Trees, 1984, section 3.4): the regressions, unless something else is better by more. Trees remember rows,
so they join only where that was shown: their paired gain excludes zero. So does whatever the project brings of its own.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.entities.measure import NORMAL_95, Measure
from twinops.errors import DataError
from twinops.evaluation.accuracy.measures import About, Accuracy
from twinops.evaluation.statistics.bootstrap import Resampled
from twinops.twin.model.families import CLASSIC, HEADS, HURDLE, REGRESSION, TREES, Speakers
from twinops.twin.own_heads._shelf import own_heads

RECALIBRATED = "recalibrated"
SCORES = {"activity": "active_log_loss", "baskets": "baskets_poisson_deviance", "spend": "spend_deviance"}
"""The proper score of each head. Median and ranges follow from the heads (`outcomes`), so nobody is chosen for them."""

FACT = "champion"
JOINED = "+"
SIMPLE = (REGRESSION, HURDLE, CLASSIC, f"{REGRESSION}{JOINED}{CLASSIC}", f"{HURDLE}{JOINED}{CLASSIC}")
"""Candidates by name, the simplest first; families that are joined speak as their mean."""


@dataclass(frozen=True)
class Choice:
    """Who speaks for each head and why, and whether the regression's chances are recalibrated."""

    speakers: Speakers
    recalibrate: bool
    why: dict[str, str]


def with_own(champion: str, own: Iterable[str]) -> tuple[str, ...]:
    """What is asked at last, of each family of the project's own: its mean with the champion, and itself alone."""
    return tuple(c for family in sorted(own) for c in (f"{champion}{JOINED}{family}", family))


def with_trees(simple: str) -> tuple[str, str]:
    """What is asked after this one was chosen: its mean with the trees, and the trees alone."""
    return f"{simple}{JOINED}{TREES}", TREES


def families(candidate: str, head: str) -> tuple[str, ...]:
    """Whose mean it is. A hurdle has no chance of its own: the regression's stands for it.

    >>> families("hurdle+classic", "activity")
    ('regression', 'classic')
    """
    said = candidate.split(JOINED)
    return tuple(REGRESSION if f == HURDLE and head == "activity" else f for f in said)


def speakers_of(candidates: dict[str, str]) -> Speakers:
    """The speakers that a candidate for each head makes; for what a family does not foretell the others speak."""
    unsaid = {(h.family, head) for h in own_heads() for head in HEADS if head not in h.foretells}
    said = {
        head: tuple(f for f in families(candidates[head], head) if (f, head) not in unsaid) or (REGRESSION,)
        for head in HEADS
    }
    return Speakers(**said)


def choose_by(accuracy: Accuracy) -> Choice:
    """Apply the rule to what was measured, head by head."""
    chosen = {head: _for_head(accuracy, head) for head in HEADS}
    return Choice(
        speakers_of({head: name for head, (name, _) in chosen.items()}),
        _interval(accuracy.gain("active_brier", of=RECALIBRATED, over=REGRESSION))[0] > 0,
        {head: why for head, (_, why) in chosen.items()},
    )


def _for_head(accuracy: Accuracy, head: str) -> tuple[str, str]:
    """Who speaks for one head, and why."""
    score = SCORES[head]
    known = [name for name in SIMPLE if (name, score) in accuracy.over_days and not _double(name, head)]
    best = min(known, key=lambda name: accuracy.over_days[name, score].value)
    name = next(n for n in known if n == best or _within(accuracy.gain(score, of=best, over=n)))
    why = "best of those told in few numbers" if name == best else f"simplest within one standard error of {best}"
    name, why = _unless_shown(accuracy, score, (name, why), with_trees(name))
    own = [h.family for h in own_heads() if head in h.foretells and (h.family, score) in accuracy.over_days]
    asked = sorted(with_own(name, own), key=lambda more: accuracy.over_days[more, score].value)
    return _unless_shown(accuracy, score, (name, why), asked) if asked else (name, why)


def _unless_shown(accuracy: Accuracy, score: str, champion: tuple[str, str], asked: Iterable[str]) -> tuple[str, str]:
    """The first of these whose paired gain over the champion excludes zero; else the champion, with what was asked."""
    name, why = champion
    doubts = []
    for more in asked:
        gain = accuracy.gain(score, of=more, over=name)
        if _interval(gain)[0] > 0:
            return more, f"shown better than {name}, which was {why}"
        doubts.append(f"{more} {_said(gain)}")
    return name, f"{why}; not shown better: {', '.join(doubts)}"


def _double(name: str, head: str) -> bool:
    """The hurdle's chance is the regression's: of the two the plainer name is asked."""
    return head == "activity" and HURDLE in name.split(JOINED)


def choice_findings(choice: Choice, accuracy: Accuracy, about: About) -> Findings:
    """Every figure the rule looked at, and what it decided."""
    measures: list[Measure] = []
    for score in SCORES.values():
        measures.append(about.measure(f"choice.{score}.{REGRESSION}", accuracy.over_days[REGRESSION, score], score))
        for other in candidates_of(accuracy, score):
            gain = accuracy.gain(score, of=other, over=REGRESSION)
            measures.append(about.measure(gain_name(score, other), gain, score, better=other, than=REGRESSION))
    gain, brier = accuracy.gain("active_brier", of=RECALIBRATED, over=REGRESSION), "active_brier"
    name = "choice.active_brier.gain_of_recalibration"
    measures.append(about.measure(name, gain, brier, better=RECALIBRATED, than=REGRESSION))
    said = {
        **asdict(choice),
        "cutoffs": about.cutoffs,
        "rule": "for each head, of regressions, a hurdle, BG/NBD with gamma-gamma and their means the simplest whose "
        "proper score is within one standard error of the best; its mean with trees, or trees alone, only if their "
        "paired gain over it excludes zero. Chances are recalibrated if that lowers the Brier score, zero excluded",
    }
    if own_heads():
        said["rule"] += f"; last, by the rule for trees: {', '.join(h.family for h in own_heads())}"
    return Findings(tuple(measures), (Fact(FACT, said, Kind.MEASURED, f"choose: {about.source}"),))


def candidates_of(accuracy: Accuracy, score: str) -> Iterable[str]:
    """All that were measured by a score beside the regressions."""
    return [m for m, q in accuracy.over_days if q == score and m not in (REGRESSION, RECALIBRATED)]


def gain_name(score: str, candidate: str) -> str:
    """How a candidate's gain over the regressions is filed.

    >>> gain_name("active_log_loss", "regression+trees")
    'choice.active_log_loss.gain_of_regression_and_trees'
    """
    return f"choice.{score}.gain_of_{candidate.replace(JOINED, '_and_')}"


def read_choice(path: Path) -> Choice:
    """What `choose` decided.

    Raises:
        DataError: it has not been run, or its file says something else.
    """
    try:
        said = json.loads(path.read_text(encoding="utf-8"))["facts"][FACT]["value"]
        speakers = Speakers(**{head: tuple(said["speakers"][head]) for head in HEADS})
        return Choice(speakers, bool(said["recalibrate"]), {h: str(said["why"][h]) for h in HEADS})
    except (OSError, ValueError, KeyError, TypeError):
        raise DataError("Nobody has chosen who speaks for the twin yet.", hint="Run `dvc repro choose`.") from None


def _interval(gain: Resampled) -> tuple[float, float]:
    return gain.interval("A gain")


def _within(gain: Resampled) -> bool:
    """The best is ahead by no more than one standard error of that."""
    low, high = _interval(gain)
    return gain.value <= (high - low) / 2 / NORMAL_95


def _said(gain: Resampled) -> str:
    low, high = _interval(gain)
    return f"{gain.value:+.2g} [{low:+.2g}, {high:+.2g}]"
