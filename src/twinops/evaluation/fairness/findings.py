"""Write down what the fairness assessment found, as measures and facts; small cells are left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from twinops.entities import shown
from twinops.entities.canonical import rounded
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.entities.legal import DataSheet
from twinops.entities.measure import Measure
from twinops.entities.shown import Section
from twinops.entities.small_cells import SMALLEST_CELL
from twinops.evaluation.fairness.decision import RankedHouseholds
from twinops.evaluation.fairness.declaration import Declaration
from twinops.evaluation.fairness.disparity import POWER
from twinops.evaluation.fairness.measures import AssessedGroup, AttributeComparison
from twinops.evaluation.fairness.mitigation import HALF_WAY, Mitigated
from twinops.evaluation.statistics.estimate import Estimate
from twinops.params import FairnessParams

SHOWN = shown.pictures(
    {
        "selection_rates": "How often each group was selected for the offer",
        "fairness_ratios": "How often each group was selected compared with the rest, with simultaneous intervals",
    },
    section=Section.REACH,
)

RATIO = (
    "each group against the rest of its attribute, the lower selection rate over the higher; the smallest of those "
    "beyond chance and below the limit, else the smallest of all; groups merged by the declared rule; interval "
    "simultaneous over all groups of all attributes (max-t bootstrap of households, doi:10.1002/bimj.200810425)"
)
SMALLEST = (
    "each group against the rest, the lower selection rate over the higher, smallest over the groups; interval "
    "simultaneous over the groups (max-t bootstrap of households)"
)
BLEND = "offers chosen again by the mean of overall rank and rank within the group; offered, not applied"
MITIGATION = (
    "Needs the attribute of every household when the decision is made. Whether it may be used so is a legal question "
    "for the controller and the data protection officer. Computed for households that declared something; not applied."
)


@dataclass(frozen=True)
class ReplayedDecision:
    """The declared decision, replayed with these parameters on the data of whom the sheet says."""

    declared: Declaration
    params: FairnessParams
    sheet: DataSheet


def fairness_findings(
    people: RankedHouseholds,
    comparisons: Sequence[AttributeComparison],
    mitigated: Sequence[Mitigated],
    *,
    replayed: ReplayedDecision,
) -> Findings:
    """Everything the gate, the cards and the notebook need; `people` are all who were ranked."""
    replay = replayed.params
    source = f"decision replayed for day {replay.cutoff} on held-out predictions; demographics of {replayed.sheet.whom}"
    facts = {
        "fairness_decision": _decision(people, comparisons, replayed),
        "fairness_tests": {c.attribute: _test(c) for c in comparisons},
        "fairness_groups": [_group_row(g) for c in comparisons for g in c.groups],
        "fairness_mitigation": {"words": MITIGATION, "rows": [_mitigation_row(m) for m in mitigated]},
    }
    told = [c for c in comparisons if c.groups]
    ratios = [c.ratio.measure(f"fairness_ratio.{c.attribute}", c.n, source, RATIO, seed=replay.seed) for c in told]
    # of the three blends only the half-way one is priced; the others are its ends
    prices = [p for m in mitigated if m.blend == HALF_WAY for p in _prices(m, source, replay.seed)]
    return Findings(
        measures=(*ratios, *prices),
        facts=tuple(Fact(name, value, Kind.MEASURED, source) for name, value in facts.items()),
        shown=SHOWN,
    )


def _prices(m: Mitigated, source: str, seed: int) -> tuple[Measure, Measure]:
    """What the half-way blend would change, as two measures."""
    share = f"part of the actual spend of the compared households that the selected made; {BLEND}"
    return (
        m.ratio.measure(f"mitigation_ratio.{m.attribute}", m.n, source, f"{SMALLEST}; {BLEND}", seed=seed),
        m.spend_share.measure(f"mitigation_spend_share.{m.attribute}", m.n, source, share, seed=seed),
    )


def _decision(
    people: RankedHouseholds, comparisons: Sequence[AttributeComparison], replayed: ReplayedDecision
) -> dict[str, Any]:
    """What was decided for how many, and how far the assessment reaches."""
    declared = replayed.declared
    assessable = int(people.assessable.sum())
    attributes = declared.fairness.attributes
    with_demographics = max((c.n + c.too_few for c in comparisons if c.attribute in attributes), default=0)
    return {
        "name": declared.decision.name,
        "population": declared.decision.population,
        "effect": declared.decision.effect,
        "score": declared.decision.score,
        "share": declared.decision.share,
        "ties": "the smaller subject id first; subject ids are random",
        "day": replayed.params.cutoff,
        "ranked": _shown(len(people)),
        "offers": _shown(int(people.offered.sum())),
        "assessed": _shown(assessable),
        "left_out_without_consent_to_bias_assessment": _shown(len(people) - assessable),
        "assessed_with_demographics": _shown(with_demographics),
        "rule": declared.fairness.model_dump(mode="json", exclude={"attributes"}),
        "power_of_detectable_ratio": POWER,
        "detectable_ratio_by": "normal approximation, each test at alpha over the number of tests",
        "test": "exact two-sided permutation test of group against rest, Holm-adjusted over all groups; "
        "how often it errs and what it finds: docs/gates.md",
        "provenance": replayed.sheet.whom,
    }


FOUND = (
    "worst_group",
    "ratio",
    "holm_p",
    "simultaneous_low",
    "simultaneous_high",
    "detectable_ratio",
    "lowest_over_highest_rate",
)


def _test(c: AttributeComparison) -> dict[str, Any]:
    """What `governance.gates.fairness` reads; None: nothing could be compared."""
    if not c.groups:
        return {"n": c.n, "too_few": _shown(c.too_few), "groups": {}, **dict.fromkeys(FOUND)}
    return {
        "n": c.n,
        "too_few": _shown(c.too_few),
        "groups": {g.label: _shown(g.n) for g in c.groups},
        "worst_group": c.worst.reached_less,
        "ratio": rounded(c.ratio.value),
        "holm_p": rounded(c.worst.p_adjusted),
        "simultaneous_low": rounded(c.ratio.low),
        "simultaneous_high": rounded(c.ratio.high),
        "detectable_ratio": _number(c.detectable_ratio),
        "lowest_over_highest_rate": _number(c.lowest_over_highest),
    }


def _group_row(g: AssessedGroup) -> dict[str, Any]:
    """One line of the table of groups. Rates are shown, counts below ten are not."""
    return {
        "attribute": g.attribute,
        "group": g.label,
        "n": _shown(g.n),
        "offers": _shown(g.selected),
        "selection_rate": _interval(g.selection_rate),
        "true_positive_rate": _interval(g.true_positive_rate),
        "false_positive_rate": _interval(g.false_positive_rate),
        "predicted_over_actual_spend": _interval(g.calibration),
        "rate_over_rest": _interval(g.to_rest),
        "ratio": rounded(g.ratio.value, 4),
        "p": rounded(g.p),
        "holm_p": rounded(g.p_adjusted),
        "detectable_ratio": _number(g.detectable_ratio),
    }


def _mitigation_row(m: Mitigated) -> dict[str, Any]:
    estimates = {name: _interval(getattr(m, name)) for name in ("ratio", "spend_share", "spend_change")}
    return {"attribute": m.attribute, "blend": m.blend, "n": m.n, **estimates}


def _interval(estimate: Estimate | None) -> dict[str, float] | None:
    return None if estimate is None else {k: rounded(v, 4) for k, v in estimate._asdict().items()}


def _number(value: float | None) -> float | None:
    return None if value is None else rounded(value, 4)


def _shown(count: int) -> int | None:
    """Counts from 1 to 9 are not shown."""
    return count if count == 0 or count >= SMALLEST_CELL else None
