"""Refuse a twin whose figures do not hold for households that chose nothing, or whose looks were not counted.

Whoever looks at a figure and then chooses makes it too good by what chance gave (Dwork et al. 2015). So a share of the
households stands apart and is looked at once a release. *Failed*: the final interval excludes the figure shown, on the
worse side. Where both are alike that happens by chance about 4 times of 100 for each quantity: the shown figure has
half the standard error of the final one, and 1.96 of those are 1.75 of the difference's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from markupsafe import Markup
from pydantic import Field

from twinops.entities.evidence import Evidence
from twinops.entities.measure import Measure
from twinops.entities.shown import Section
from twinops.entities.verdict import Verdict, about, failed, inconclusive, missing, passed
from twinops.entities.wording import MANY
from twinops.governance.citations import said
from twinops.governance.looks import FACT, REMEMBERED
from twinops.governance.reading import Record, Text

RULE = "Dwork et al. 2015, doi:10.1126/science.aaa9375: a hold-out that was chosen by is none"
QUESTION = f"Do the figures hold for {MANY} that chose nothing, looked at once?"
SPLIT, LOOKS = "holdout.split", FACT
PREFIX = "holdout_"
LOWER_IS_BETTER = ("active_brier", "baskets_poisson_deviance", "spend_mae")
SECTION = Section.ACCURACY
SPEAKS_TO = {"dpia.accuracy": (PREFIX,), "annex_iv.2g": (PREFIX, LOOKS)}


class Limits(Record):
    """`looks_at_most`: openings on the days a release is judged by; `quantities` must hold on the hold-out."""

    looks_at_most: Annotated[int, Field(ge=1, le=10)] = 1
    quantities: Annotated[tuple[Text, ...], Field(min_length=1)] = ("active_auc", "spend_mae")


def needs(limits: Limits) -> tuple[str, ...]:
    """Names of the evidence without which the gate answers *missing*."""
    return (SPLIT, LOOKS, *(name for q in limits.quantities for name in (PREFIX + q, q)))


def check(evidence: Evidence, limits: Limits) -> Verdict:
    """The ledger first, then the figures, then how often they were looked at."""
    split, looks = evidence.table(SPLIT), evidence.table(LOOKS)
    if not _whole(split, looks):
        return missing("Nobody was set apart, or no looks were counted.", "Run `dvc repro holdout`.")
    figures: dict[str, Any] = {**about(evidence.fact(LOOKS), limit=limits.looks_at_most), "n": split["households"]}
    if evidence.fact(REMEMBERED) is not None:
        return failed(
            "The ledger of looks was shortened or written anew: a line that this registry remembers is not in it.",
            "Restore reports/looks.jsonl from git, run, and hand in evidence again.",
            **figures,
        )
    if not looks["declared"]:
        return failed(
            f"Other {MANY} stand apart than the ledger of looks declares. {counted(evidence)}",
            "Declare the split (`twinops holdout split`), or put `holdout` in params.yaml back.",
            **figures,
        )
    if split["why_not"]:
        return inconclusive(
            f"Not applicable: {split['why_not']} {counted(evidence)}",
            f"Collect more {MANY}; until then a person named by the policy decides in writing.",
            **figures,
        )
    return _figures(evidence, limits, figures)


def _figures(evidence: Evidence, limits: Limits, figures: dict[str, Any]) -> Verdict:
    pairs = [(evidence.measure(PREFIX + q), evidence.measure(q)) for q in limits.quantities]
    whole = [(f, s) for f, s in pairs if f is not None and s is not None and _bounded(f) and _bounded(s)]
    if len(whole) < len(pairs) or not _opened_for_this(evidence):
        return missing(
            f"The final hold-out was not opened for this candidate. {counted(evidence)}",
            "When nothing is chosen any more: `twinops holdout open --by ... --why ...`, `make run`, commit.",
            **figures,
        )
    told = [(_sentence(final, shown), _worse(final, shown), final) for final, shown in whole]
    sentence, first = "; ".join(s for s, _, _ in told), told[0][2]
    figures = {**about(first, limit=limits.looks_at_most), "evidence": first.id}
    if any(worse for _, worse, _ in told):
        return failed(
            f"What was shown does not hold for {MANY} that chose nothing: {sentence}. {counted(evidence)}",
            "Choose less on the held-out days (see notebooks/evaluate.py); the next release needs days nobody saw.",
            **figures,
        )
    if len(evidence.table(LOOKS)["openings"]) > limits.looks_at_most:
        return inconclusive(
            f"{sentence}. {counted(evidence)} A hold-out that is looked at more often than agreed tells less.",
            "Wait for held-out days nobody saw (`months`, evaluate.cutoffs), or a named person decides in writing.",
            **figures,
        )
    return passed(f"{sentence}. {counted(evidence)}", **figures)


def counted(evidence: Evidence) -> str:
    """How often these days and these households were looked at, in a sentence; nothing where nobody counted."""
    split, looks = evidence.table(SPLIT), evidence.table(LOOKS)
    if not _whole(split, looks):
        return ""
    tried, openings = looks["tried"], len(looks["openings"])
    apart = "nobody stands" if split["why_not"] else f"{split['households']} of {split['of']} {MANY} stand"
    return (
        f"{tried} candidate{'s were' if tried != 1 else ' was'} measured on the held-out days; {apart} apart, "
        f"and looks at them are: on these days {openings or 'none'}, on any days {looks['of_this_split'] or 'none'}."
    )


IN_BRIEF = counted
"""What the page of ten minutes says of it."""


def told(evidence: Evidence) -> Iterator[Markup]:
    """The same in the card, beside the figures."""
    facts = [fact for name in (SPLIT, LOOKS) if (fact := evidence.fact(name))]
    if sentence := counted(evidence):
        yield said(sentence, *facts)


def _whole(split: dict[str, Any], looks: dict[str, Any]) -> bool:
    """Both facts are there, with everything that is judged by."""
    numbers = (split.get("households"), split.get("of"), looks.get("tried"), looks.get("of_this_split"))
    return (
        all(type(number) is int for number in numbers)
        and isinstance(split.get("why_not"), str)
        and isinstance(looks.get("openings"), (list, tuple))
        and type(looks.get("declared")) is bool
    )


def _bounded(measure: Measure) -> bool:
    return measure.low is not None and measure.high is not None


def _opened_for_this(evidence: Evidence) -> bool:
    """Whether the ledger says so; figures of another candidate are nobody's."""
    openings = evidence.table(LOOKS)["openings"]
    return any(isinstance(one, dict) and one.get("of_this") is True for one in openings)


def _worse(final: Measure, shown: Measure) -> bool:
    """Whether the final interval lies wholly on the worse side of the figure that was shown."""
    if shown.name in LOWER_IS_BETTER:
        return final.low is not None and final.low > shown.value
    return final.high is not None and final.high < shown.value


def _sentence(final: Measure, shown: Measure) -> str:
    return f"{shown.name} is {final} on the final hold-out beside {shown.value:.4g} shown (n={shown.n:,})"
