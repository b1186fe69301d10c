"""Say what the fairness assessment found, in sentences computed from it."""

from collections.abc import Mapping, Sequence
from typing import Any

from twinops.evaluation.fairness.measures import AttributeComparison
from twinops.evaluation.fairness.mitigation import AS_IS, HALF_WAY, Mitigated
from twinops.evaluation.statistics.estimate import Estimate

_COUNTS = ("offers", "ranked", "assessed", "assessed_with_demographics")


def sentences(comparisons: Sequence[AttributeComparison]) -> tuple[str, ...]:
    """What was found about each attribute, in words, worst first."""
    told = sorted(comparisons, key=lambda c: (not c.groups, c.ratio.value if c.groups else 0))
    return tuple(_sentence(c) for c in told)


def decided(decision: Mapping[str, Any]) -> str:
    """What was decided and for whom it can be assessed, from the fact `fairness_decision`."""
    said = {name: "fewer than ten" if decision[name] is None else f"{decision[name]:,}" for name in _COUNTS}
    return (
        f"**{decision['name']}**, replayed for day {decision['day']}: {said['offers']} of {said['ranked']} households "
        f"that allow offers would receive one. {said['assessed']} of them allow bias assessment, and for "
        f"{said['assessed_with_demographics']} of those demographics are held. Provenance: {decision['provenance']}."
    )


def prices(mitigated: Sequence[Mitigated]) -> tuple[str, ...]:
    """What each half-way blend would change, in words."""
    as_is = {m.attribute: m for m in mitigated if m.blend == AS_IS}
    return tuple(_price(as_is[m.attribute], m) for m in mitigated if m.blend == HALF_WAY)


def short_p(p: float) -> str:
    """A p-value as it is shown."""
    return f"{p:.2g}" if p >= 0.0001 else "< 0.0001"


def _price(before: Mitigated, after: Mitigated) -> str:
    ratio, change = after.ratio, Estimate(*(100 * x for x in after.spend_change))
    return (
        f"{after.attribute}: the smallest ratio would go from {before.ratio.value:.2f} to {ratio.value:.2f} "
        f"[{ratio.low:.2f}, {ratio.high:.2f}], and the selected would account for {after.spend_share.value:.1%} "
        f"instead of {before.spend_share.value:.1%} of what these {after.n:,} households spent ({change.value:+.1f} "
        f"[{change.low:+.1f}, {change.high:+.1f}] percentage points)."
    )


def _sentence(c: AttributeComparison) -> str:
    limit = c.rule.ratio_limit
    if not c.groups:
        return f"{c.attribute}: no two groups are large enough to compare."
    who = f"‘{c.worst.reached_less}’ ({c.worst.n_reached_less:,} households)"
    found = (
        f"{c.attribute}: {who} would have received an offer {c.ratio.value:.2f} times as often as the others "
        f"[{c.ratio.low:.2f}, {c.ratio.high:.2f}], Holm-adjusted p {short_p(c.worst.p_adjusted)}"
    )
    if c.uneven:
        return f"{found}: less often than {limit:g} times, and beyond chance."
    if c.shown_even:
        return f"{found}: shown to be above {limit:g}."
    if c.detectable_ratio is None:
        return f"{found}: too few households to tell, whatever the disparity."
    seen = f"a true ratio of {c.detectable_ratio:.2f} or less would probably have been found"
    return f"{found}: too few households to tell; {seen}."
