"""Refuse a candidate whose first week after the as-of day went otherwise than expected; warn when it may have.

Labels of a whole horizon come late. What households did in the first days over what was expected is known after a week:
above one there was more than expected, below one less. Both ways count.

Weeks move by themselves, those of a small shop more than of a large one. The policy's limits hold unless calm weeks of
the shop lay farther off (`early_warning_limits`); then theirs do, up to `MOST`. An alarm must lie beyond what calm
weeks do; to pass, this week must be seen as well as calm weeks are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, NamedTuple, Self

from markupsafe import Markup
from pydantic import Field, model_validator

from twinops.entities.evidence import Evidence
from twinops.entities.measure import Measure
from twinops.entities.shown import Section
from twinops.entities.verdict import Outcome, Verdict, about, failed, inconclusive, missing, passed
from twinops.entities.wording import MANY
from twinops.governance.citations import said
from twinops.governance.reading import Record

RULE = "House rule: what is served is watched; AI Act art. 72 (Reg. (EU) 2024/1689) asks it of high-risk systems"
QUESTION = f"Did {MANY} do in the first days after the as-of day what was expected of them?"
MEASURES = ("early_baskets_ratio", "early_active_ratio")
"""With how far calm weeks lie from one in their intervals."""

WEEKS = tuple(f"{name}.week" for name in MEASURES)
"""The same ratios with the doubt of this week's households alone."""

PICTURES = ("early_warning",)
WATCHED = ("early_",)
SPEAKS_TO = {"dpia.accuracy": WATCHED, "annex_iv.9": WATCHED}
SECTION = Section.MONITORING
PLANTED = "early_warning_planted"
OWN_LIMITS = "early_warning_limits"
MOST = 0.5
"""A shop whose calm weeks move by more is not watched by this gate: it warns."""
Share = Annotated[float, Field(gt=0, le=0.5)]


class Limits(Record):
    """How far actual over expected may lie from one, either way, before it warns and before it is an alarm."""

    warn: Share
    alarm: Share

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.warn >= self.alarm:
            raise ValueError("warn must be below alarm")
        return self


def needs(_limits: Limits) -> tuple[str, ...]:
    """Names of the evidence without which the gate answers *missing*."""
    return (*MEASURES, *WEEKS)


class Bounds(NamedTuple):
    """How far off a ratio may be before it warns, before it is an alarm, and how far its week's interval may end."""

    warn: float
    alarm: float
    wide: float

    @classmethod
    def of(cls, limits: Limits, calm: Mapping[str, object]) -> Bounds:
        """The policy's, or where calm weeks lay farther off theirs, but never beyond `MOST`."""

        def wider(policy: float, name: str) -> float:
            own = calm.get(name)
            return max(policy, min(own, MOST)) if isinstance(own, (int, float)) else policy

        warn, alarm = wider(limits.warn, "warn"), wider(limits.alarm, "alarm")
        return cls(warn, max(alarm, warn), max(wider(limits.alarm, "wide"), alarm))


def answer(
    ratios: Sequence[Measure], weeks: Sequence[Measure], limits: Limits, calm: Mapping[str, object] | None = None
) -> Outcome:
    """Alarm: one lies as far off as the alarm, and neither households nor weeks do that by chance. All nearer than the
    warning, and this week's households put no end farther off than calm weeks have it: passed. Else a warning.

    >>> near, far = (Measure("r", v, n=900, source="s", method="m", low=v - 0.03, high=v + 0.03) for v in (0.99, 0.85))
    >>> [answer([r], [r], Limits(warn=0.07, alarm=0.1)).value for r in (near, far)]
    ['passed', 'failed']
    """
    bounds = Bounds.of(limits, calm or {})
    if any(_off(r.value) >= bounds.alarm and _beyond_chance(r) for r in ratios):
        return Outcome.FAILED
    if weeks and all(_off(w.value) < bounds.warn and _farthest(w) < bounds.wide for w in weeks):
        return Outcome.PASSED
    return Outcome.INCONCLUSIVE


def check(evidence: Evidence, limits: Limits) -> Verdict:
    """Both ratios are judged, and the one farther from one is shown."""
    found = [evidence.measure(name) for name in needs(limits)]
    both = [m for m in found if m is not None and m.low is not None and m.high is not None]
    if len(both) < len(found):
        why = evidence.value("early_warning_days", "not_measured")
        told = f": {why}." if isinstance(why, str) and why else "."
        return missing(
            f"What {MANY} did in the first days was not measured with its intervals{told}",
            "Run `dvc repro drift`; it needs the days after drift.current_cutoff, and three weeks or more before it.",
            **about(evidence.fact("early_warning_days"), limit=limits.alarm),
        )
    known, weeks = both[: len(MEASURES)], both[len(MEASURES) :]
    worst, calm = max(known, key=lambda m: _off(m.value)), _calm(evidence)
    bounds = Bounds.of(limits, calm)
    figures = about(worst, limit=f"warn at {bounds.warn:.0%}, alarm at {bounds.alarm:.0%}")
    sentence = f"Actual over expected in the first days: {'; '.join(f'{_spoken(m)} {m}' for m in known)}"
    if bounds != Bounds.of(limits, {}):
        sentence += f" (limits as calm weeks of this shop set them, {bounds.warn:.0%} and {bounds.alarm:.0%})"
    outcome = answer(known, weeks, limits, calm)
    if outcome is Outcome.PASSED:
        alone = "; ".join(f"{_spoken(m)} {m}" for m in weeks)
        return passed(
            f"{sentence}: none off by {bounds.warn:.0%}. By this week's {MANY} alone, {alone}: all of it within "
            f"{bounds.wide:.0%}.",
            **figures,
        )
    if outcome is Outcome.FAILED:
        return failed(
            f"{sentence}: an alarm, off by {bounds.alarm:.0%} or more and beyond what calm weeks do.",
            f"See notebooks/drift.py: is a feed silent, did {MANY} leave, did the world change? Hold the offers.",
            **figures,
        )
    return inconclusive(
        f"{sentence}: a warning, {bounds.warn:.0%} or more off, or seen too badly to exclude {bounds.wide:.0%}.",
        "See notebooks/drift.py; look again in a week, and wait for the labels before anything is promoted.",
        **figures,
    )


def told(evidence: Evidence) -> Iterator[Markup]:
    """What it found of each change that was planted, in words."""
    fact = evidence.fact(PLANTED)
    for r in fact.value if fact and isinstance(fact.value, (list, tuple)) else ():
        if fact and isinstance(r, dict):
            found = f"an alarm on {r.get('alarms')}, a warning on {r.get('warnings')} of {r.get('days')} days"
            yield said(f"What the warning of the first days finds when it is planted: {r.get('what')}: {found}", fact)


def _calm(evidence: Evidence) -> Mapping[str, object]:
    """What calm weeks set, if enough of them were seen."""
    fact = evidence.fact(OWN_LIMITS)
    own = fact.value.get("calm_weeks") if fact and isinstance(fact.value, dict) else None
    return own if isinstance(own, dict) else {}


def _off(value: float) -> float:
    return abs(value - 1)


def _farthest(m: Measure) -> float:
    return max(_off(end) for end in (m.low, m.high) if end is not None)


def _beyond_chance(m: Measure) -> bool:
    return m.low is not None and m.high is not None and (m.low > 1 or m.high < 1)


def _spoken(m: Measure) -> str:
    return {"early_baskets_ratio": "baskets", "early_active_ratio": f"{MANY} that came"}.get(
        m.name.removesuffix(".week"), m.name
    )
