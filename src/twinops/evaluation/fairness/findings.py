"""Write down what the fairness assessment found, as measures and facts; small cells are left out."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

from twinops.entities import shown
from twinops.entities.canonical import rounded
from twinops.entities.evenness import TOLD_SHARE
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.entities.legal import DataSheet
from twinops.entities.measure import Measure
from twinops.entities.shown import Section
from twinops.entities.small_cells import hidden
from twinops.entities.small_cells import shown as shown_count
from twinops.entities.wording import MANY
from twinops.evaluation.fairness.decision import RankedHouseholds
from twinops.evaluation.fairness.declaration import Assessed, Decision
from twinops.evaluation.fairness.disparity import POWER
from twinops.evaluation.fairness.family import SHARE, Member
from twinops.evaluation.fairness.measures import AssessedGroup, AttributeComparison
from twinops.evaluation.statistics.estimate import Estimate
from twinops.params import FairnessParams

SHOWN = shown.pictures(
    {
        "selection_rates": "How often each group was selected for the offer",
        "fairness_ratios": "How often each group was selected compared with the rest, and what is shown of it",
        "reach_against_price": "What other decisions would reach, and what they would cost",
    },
    section=Section.REACH,
)

RATIO = (
    "each group against the rest of its attribute, the lower selection rate over the higher; the smallest of those "
    "shown below the limit, else the smallest of all; groups merged by the declared rule; score bounds "
    "(doi:10.1002/sim.4780040211), the low end one-sided for one group alone, the high end for all judged together"
)
ALTERNATIVE = (
    "the same smallest ratio over the attributes that the policy names, had this other decision been taken; not applied"
)
FAMILY = (
    "Each is another decision that could be declared in compliance/intended_use.yaml; none is applied. What needs an "
    "attribute when the decision is made is marked: whether it may be used so is a legal question for the controller "
    "and the data protection officer. Fairlearn's ThresholdOptimizer cannot decide without the attribute and chooses "
    "the number of offers itself, so it can be measured and not declared."
)
SMALLEST = (
    "levels are merged until a group reached half as often as the limit allows would be found with a chance of "
    "{power:g}; a group "
    "tells by itself when an exactly even decision would be shown even, with a chance of {power:g} for all judged "
    "groups together; smaller ones cannot be told by themselves, and attributes with less than {told:.0%} of the "
    f"{MANY} in groups that are shown even stay open"
)


@dataclass(frozen=True)
class ReplayedDecision:
    """The declared decision and its rule, replayed with these parameters on the data of whom the sheet says."""

    decision: Decision
    rule: Assessed
    params: FairnessParams
    sheet: DataSheet


@dataclass(frozen=True)
class AssessedReach:
    """All who were ranked, what was found of every attribute, and what other decisions would reach."""

    people: RankedHouseholds
    comparisons: Sequence[AttributeComparison]
    family: Sequence[Member]


def fairness_findings(found: AssessedReach, *, replayed: ReplayedDecision) -> Findings:
    """Everything the gate, the cards and the notebook need."""
    replay, comparisons = replayed.params, found.comparisons
    source = f"decision replayed for day {replay.cutoff} on held-out predictions; demographics of {replayed.sheet.whom}"
    facts = {
        "fairness_decision": _decision(found, replayed),
        "fairness_tests": {c.attribute: _test(c) for c in comparisons},
        "fairness_groups": [_group_row(g) for c in comparisons for g in c.groups],
        "fairness_family": {"words": FAMILY, "rows": [_member(m, replayed.rule) for m in found.family]},
    }
    told = [c for c in comparisons if c.groups]
    ratios = [c.reach.ratio.measure(f"fairness_ratio.{c.attribute}", c.n, source, RATIO) for c in told]
    return Findings(
        measures=(*ratios, *(m for one in found.family for m in _alternative(one, source))),
        facts=tuple(Fact(name, value, Kind.MEASURED, source) for name, value in facts.items()),
        shown=SHOWN,
    )


def _alternative(m: Member, source: str) -> list[Measure]:
    """What a justification may cite; only where something could be compared."""
    n = max((r.too_few + sum(g.n for g in r.groups) for r in m.reach.values()), default=0)
    return [] if m.ratio is None else [m.ratio.measure(f"alternative_reach.{m.name}", n, source, ALTERNATIVE)]


def _decision(found: AssessedReach, replayed: ReplayedDecision) -> dict[str, Any]:
    """What was decided for how many, and how far the assessment reaches."""
    decision, people, attributes = replayed.decision, found.people, replayed.rule.attributes
    assessable = int(people.assessable.sum())
    with_demographics = max((c.n + c.too_few for c in found.comparisons if c.attribute in attributes), default=0)
    return {
        "name": decision.name,
        "population": decision.population,
        "effect": decision.effect,
        **decision.parts,
        "ties": "the smaller subject id first; subject ids are random",
        "day": replayed.params.cutoff,
        "ranked": shown_count(len(people)),
        "offers": shown_count(int(people.offered.sum())),
        "assessed": shown_count(assessable),
        "left_out_without_consent_to_bias_assessment": shown_count(len(people) - assessable),
        "assessed_with_demographics": shown_count(with_demographics),
        "rule": replayed.rule.rule,
        "smallest_group": SMALLEST.format(power=POWER, told=TOLD_SHARE),
        "test": "score bounds of the ratio of group to rest: below the limit for all judged groups together (failed), "
        "above it for each group at the full level (passed); how often it errs and what it finds: docs/gates.md",
        "provenance": replayed.sheet.whom,
    }


def _test(c: AttributeComparison) -> dict[str, Any]:
    """What `governance.gates.fairness` reads; no groups: nothing could be compared."""
    told = {
        "n": c.n,
        "set_aside": shown_count(c.too_few),
        "levels_set_aside": hidden(c.set_aside),
        "decides": c.decides,
    }
    if not c.groups:
        return {
            **told,
            "groups": [],
            "worst_group": None,
            "households_to_settle": None,
            "lowest_over_highest_rate": None,
        }
    return {
        **told,
        "groups": [_reach_row(g) for g in c.groups],
        "worst_group": c.reach.worst.reached_less,
        "households_to_settle": _households(c.reach.households_to_settle),
        "lowest_over_highest_rate": _number(c.lowest_over_highest),
    }


def _reach_row(g: AssessedGroup) -> dict[str, Any]:
    reach = g.reach
    ends = {"ratio": rounded(reach.ratio), "low": rounded(reach.low), "high": rounded(reach.high)}
    return {**asdict(reach), **ends, "to_settle": _households(g.times_to_settle * (g.n + g.n_rest))}


def _households(number: float | None) -> int | None:
    """Two digits are as much as can be said; None: no number is in sight."""
    if number is None or not isfinite(number) or number > 1e7:
        return None
    return int(float(f"{number:.1e}"))


def _group_row(g: AssessedGroup) -> dict[str, Any]:
    """One line of the table of groups. Rates are shown, counts below ten are not."""
    return {
        "attribute": g.attribute,
        "group": g.label,
        "n": shown_count(g.n),
        "offers": shown_count(g.selected),
        "selection_rate": _interval(g.selection_rate),
        "true_positive_rate": _interval(g.true_positive_rate),
        "false_positive_rate": _interval(g.false_positive_rate),
        "predicted_over_actual_spend": _interval(g.calibration),
        "rate_over_rest": _interval(g.to_rest),
        "shoppers": shown_count(g.shoppers),
        "rate_over_rest_among_shoppers": _interval(g.among_shoppers),
        "ratio": rounded(g.ratio.value, 4),
        "tells_by_itself": g.enough,
    }


def _member(m: Member, rule: Assessed) -> dict[str, Any]:
    return {
        "name": m.name,
        "kind": m.kind,
        "declare": m.how.parts,
        "needs_attribute": m.needs,
        "same_offers": m.kind != SHARE,
        "offers": shown_count(m.offers),
        "ratios": {a: rounded(r.ratio.value, 4) for a, r in m.reach.items()},
        "ratio": _interval(m.ratio),
        "worth": _interval(m.worth),
        "price": _interval(m.price),
        "outcome": m.outcome(rule.deciding).value,
    }


def _interval(estimate: Estimate | None) -> dict[str, float] | None:
    if estimate is None or not all(map(isfinite, estimate)):
        return None
    return {k: rounded(v, 4) for k, v in estimate._asdict().items()}


def _number(value: float | None) -> float | None:
    return None if value is None else rounded(value, 4)
