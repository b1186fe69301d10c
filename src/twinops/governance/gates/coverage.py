"""Refuse a twin whose ranges do not hold what they promise, overall or for households of one tier of activity.

A range of 80 % that holds less than promised claims to be surer than it is, one that holds more hides what is known:
both ends have limits. Tiers are judged too, because a range can be right on average and wrong for those who shop seldom
(Vovk 2012, Conditional validity of inductive conformal predictors, arXiv:1209.2673).

Whole numbers cannot be cut at 80 of 100: 0 or 1 basket may hold nine in ten, and nothing narrower holds eight. So
whether a range is too wide is judged by what a narrower one would hold, where that was measured (`.attainable`,
docs/adr/0022).
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from twinops.entities.evidence import Evidence
from twinops.entities.measure import Measure
from twinops.entities.verdict import Verdict, about, failed, inconclusive, missing, passed
from twinops.governance.reading import Record

RULE = "House rule: a stated range holds what it says; Vovk 2012, arXiv:1209.2673; Romano et al. 2019, arXiv:1905.03222"
QUESTION = "Do the 80 % ranges hold 80 of 100 outcomes, overall and in every tier of activity?"
QUANTITIES = ("baskets", "spend")
TIERS = ("low", "mid", "high")
NAME, ATTAINABLE = "interval_coverage_80", ".attainable"
PROMISED = 0.8
Share = Annotated[float, Field(gt=0, lt=1)]


class Limits(Record):
    """Between which shares of outcomes a range of 80 % must hold: overall, and in each tier."""

    at_least: Share
    at_most: Share
    tier_at_least: Share
    tier_at_most: Share

    @model_validator(mode="after")
    def _ends_in_order(self) -> Self:
        if self.at_least >= self.at_most or self.tier_at_least >= self.tier_at_most:
            raise ValueError("at_least must be below at_most")
        return self


def needs(_limits: Limits) -> tuple[str, ...]:
    """Names of the evidence without which the gate answers *missing*."""
    return tuple(f"{NAME}.{q}{tier}" for q in QUANTITIES for tier in ("", *(f".tier_{t}" for t in TIERS)))


def check(evidence: Evidence, limits: Limits) -> Verdict:
    """All intervals inside the limits: passed; one wholly outside: failed; else the data cannot tell."""
    found = {name: evidence.measure(name) for name in needs(limits)}
    known = {name: m for name, m in found.items() if m is not None and m.low is not None and m.high is not None}
    if len(known) < len(found):
        absent = sorted(set(found) - set(known))
        return missing(
            f"Coverage with its interval was not measured under {', '.join(absent)}.",
            "Run `dvc repro scorecard`.",
            limit=_limits_in_words(limits),
        )
    wide = {name: _attainable(evidence, m) for name, m in known.items()}
    judged = {name: (m, wide[name], _ends(name, limits)) for name, m in known.items()}
    outside = [m if _narrow(m, ends) else w for m, w, ends in judged.values() if _narrow(m, ends) or _wide(w, ends)]
    settled = {m.name.removesuffix(ATTAINABLE) for m in outside}
    across = [m for name, (m, w, ends) in judged.items() if not _inside(m, w, ends) and name not in settled]
    if outside:
        return failed(
            f"{_in_words(outside)}: the whole interval lies outside {_limits_in_words(limits)}.",
            "See notebooks/scorecard.py; calibrate on later months, or look at what changed, never at the limits.",
            **about(_worst(outside), limit=_limits_in_words(limits)),
        )
    if across:
        return inconclusive(
            f"{_in_words(across)}: each interval crosses an end of {_limits_in_words(limits)}; this may be luck.",
            "Collect further months (`months` in params.yaml) and `make run`; else a risk officer decides in writing.",
            **about(_worst(across), limit=_limits_in_words(limits)),
        )
    whole = [known[f"{NAME}.{q}"] for q in QUANTITIES]
    limit = _limits_in_words(limits)
    return passed(f"{_in_words(whole)}: inside {limit}, as is every tier.", **about(_worst(whole), limit=limit))


def _ends(name: str, limits: Limits) -> tuple[float, float]:
    tier = ".tier_" in name
    return (limits.tier_at_least, limits.tier_at_most) if tier else (limits.at_least, limits.at_most)


def _attainable(evidence: Evidence, held: Measure) -> Measure:
    """What counts against too wide a range; what was held itself, where nothing else was measured."""
    found = evidence.measure(held.name + ATTAINABLE)
    return held if found is None or found.low is None or found.high is None else found


def _inside(held: Measure, attainable: Measure, ends: tuple[float, float]) -> bool:
    low, high = held.low, attainable.high
    return low is not None and high is not None and ends[0] <= low and high <= ends[1]


def _narrow(held: Measure, ends: tuple[float, float]) -> bool:
    return held.high is not None and held.high < ends[0]


def _wide(attainable: Measure, ends: tuple[float, float]) -> bool:
    return attainable.low is not None and attainable.low > ends[1]


def _worst(measures: list[Measure]) -> Measure:
    """The one farthest from what is promised."""
    return max(measures, key=lambda m: abs(m.value - PROMISED))


def _in_words(measures: list[Measure]) -> str:
    return "; ".join(f"{m.name.removeprefix(NAME + '.').replace('.', ', ').replace('_', ' ')} {m}" for m in measures)


def _limits_in_words(limits: Limits) -> str:
    overall, tier = (limits.at_least, limits.at_most), (limits.tier_at_least, limits.tier_at_most)
    return f"{overall[0]:g} to {overall[1]:g} overall, {tier[0]:g} to {tier[1]:g} by tier"
