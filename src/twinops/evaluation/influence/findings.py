"""Say what was found of contacts and of whom the choice falls on; aggregates only, small counts hidden."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twinops.entities import shown
from twinops.entities.canonical import rounded
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.entities.measure import Measure
from twinops.entities.shown import Section
from twinops.entities.small_cells import SMALLEST_CELL, hidden
from twinops.entities.wording import MANY, ONE
from twinops.evaluation.influence.measures import Definition, GroupChoice
from twinops.evaluation.statistics.estimate import Estimate

SHOWN = (
    *shown.measures(
        {
            "influence_contacts.past": f"Contacts per {ONE} in the window before the day",
            "influence_on_top.past": "Share of past contacts that came on top of what the policy allows",
            "influence_refused.by_score": "Share of those chosen by the score alone whom the guard does not let "
            "through",
            "influence_against_guard": "Offers of the proposal that go against the guard",
        },
        section=Section.PRESSURE,
    ),
    *shown.pictures(
        {
            "influence": "How often groups that are easily exploited are chosen, beside past campaigns and a choice by "
            "lot"
        },
        section=Section.PRESSURE,
    ),
)

BY_HOUSEHOLD = f"percentile bootstrap of {MANY}"
RATIO = "share of a group that is chosen over that of the rest; interval by Walter 1975 on the scale of logarithms"
PAST = f"contacts per {ONE} of a group over those of the rest; {BY_HOUSEHOLD}"


@dataclass(frozen=True)
class Pressure:
    """Contacts against the cap: per household in the window before the day, in the past, and as proposed.

    `before` counts households by how often they were contacted in the window; `refused` counts, by reason, households
    that the score alone would choose and the guard does not let through.
    """

    cap: int
    window_days: int
    households: int
    before: Mapping[str, int]
    per_household: Estimate | None
    past_over: Estimate | None
    offers: int
    refused: Mapping[str, int]
    refused_share: Estimate | None
    against_guard: int


@dataclass(frozen=True)
class MeasuredInfluence:
    """What was found. `signs`: of each declared sign of vulnerability, whether it can be known here at all."""

    day: int
    past_days: int
    pressure: Pressure
    signs: Mapping[str, bool]
    groups: Mapping[str, Definition]
    chosen: Mapping[str, GroupChoice | None]
    seed: int
    nobody: frozenset[str] = frozenset()
    """Groups that none of those belongs to of whom it is known."""


def influence_findings(found: MeasuredInfluence) -> Findings:
    """A group too small to be measured has no measure: missing is missing, not one."""
    groups = {g: {a: list(levels) for a, levels in d.items()} for g, d in found.groups.items()}
    source = _source(found)
    control = [_control(g, c, found.nobody) for g, c in found.chosen.items()]
    facts = (
        Fact("influence_groups", groups, Kind.DECLARED, "compliance/policy.yaml, the gate influence"),
        Fact("influence_pressure", _pressure(found), Kind.MEASURED, source),
        Fact("influence_control", control, Kind.MEASURED, source),
    )
    ratios = [m for g, c in found.chosen.items() if c is not None for m in _ratios(g, c, found)]
    return Findings((*_of_pressure(found), *ratios), facts, SHOWN)


def influence_sentence(found: MeasuredInfluence) -> str:
    """The conclusion, in words."""
    p = found.pressure
    if p.refused_share is None:
        return "Nobody may receive an offer, so there is no campaign that could fall on anybody."
    over = "no past contact" if p.past_over is None else f"{p.past_over.value:.1%} of past contacts"
    ratios = [f"{g.replace('_', ' ')} {_with_interval(c.ratio)}" for g, c in found.chosen.items() if c is not None]
    said = "; ".join(ratios) or "none could be measured"
    return (
        f"{over[0].upper()}{over[1:]} came on top of {p.cap} in {p.window_days} days. The score alone would send "
        f"{p.refused_share.value:.0%} of {p.offers:,} offers against the guard; of the proposal {p.against_guard} are. "
        f"How often a group is chosen, in times as often as the rest: {said}."
    )


def _of_pressure(found: MeasuredInfluence) -> list[Measure]:
    """Contacts per household, and how many the guard turns away."""
    p, source = found.pressure, _source(found)
    per = f"contacts that began in the {p.window_days} days before; {BY_HOUSEHOLD}"
    top = f"share of contacts on top of {p.cap} in the {p.window_days} days before each; {BY_HOUSEHOLD}"
    alone = "share of those whom the score alone would choose that the guard does not let through; Wilson's interval"
    counted = "offers of the proposal that the guard refuses, each asked; counted in full"
    made = [Measure("influence_against_guard", p.against_guard, p.offers, source, counted, unit_of_n="offers")]
    if p.per_household is not None:
        made.append(p.per_household.measure("influence_contacts.past", p.households, source, per, seed=found.seed))
    if p.refused_share is not None:
        made.append(p.refused_share.measure("influence_refused.by_score", p.offers, source, alone, unit_of_n="offers"))
    if p.past_over is not None:
        past = f"campaigns of the {found.past_days} days before day {found.day}, {MANY} that allow offers"
        made.append(p.past_over.measure("influence_on_top.past", p.households, past, top, seed=found.seed))
    return made


def _ratios(group: str, c: GroupChoice, found: MeasuredInfluence) -> list[Measure]:
    source, name = f"{_source(found)} and assessment, demographics declared", f"influence_ratio.{group}"
    past = [c.past.measure(f"{name}.past", c.known, source, PAST, seed=found.seed)] if c.past is not None else []
    return [c.ratio.measure(name, c.known, source, RATIO), *past]


def _source(found: MeasuredInfluence) -> str:
    return f"the declared decision replayed for day {found.day}, {MANY} that allow offers"


def _pressure(found: MeasuredInfluence) -> dict[str, Any]:
    p = found.pressure
    return {
        "cap": p.cap,
        "window_days": p.window_days,
        "households_by_contacts": hidden(p.before),
        "refused_by_reason": {reason: n if n == 0 or n >= SMALLEST_CELL else None for reason, n in p.refused.items()},
        "signs_known": dict(found.signs),
    }


def _control(group: str, c: GroupChoice | None, nobody: frozenset[str]) -> dict[str, Any]:
    """What stands beside a ratio to read it by: a choice by lot, and whether the score tells the group."""
    if c is None:
        if group in nobody:
            return {"group": group, "not_measured": f"no {ONE} who may be assessed is in it", "households": 0}
        return {"group": group, "not_measured": f"fewer than ten {MANY} in the group or in the rest, or no offer"}
    return {
        "group": group,
        "households": c.members,
        "offers": c.chosen if c.chosen >= SMALLEST_CELL else None,
        "ratio_by_lot": [rounded(v) for v in c.by_lot],
        "score_auc": rounded(c.auc),
    }


def _with_interval(ratio: Estimate) -> str:
    return f"{ratio.value:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]"
