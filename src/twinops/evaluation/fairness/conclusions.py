"""Say what the fairness assessment found, in sentences computed from it."""

from collections.abc import Mapping, Sequence
from typing import Any

from twinops.entities.evenness import GroupReach
from twinops.entities.small_cells import HIDDEN, hidden
from twinops.entities.verdict import Outcome
from twinops.entities.wording import MANY
from twinops.evaluation.fairness.family import DECLARED, PLAIN, SHARE, Member
from twinops.evaluation.fairness.measures import AttributeComparison
from twinops.evaluation.statistics.estimate import Estimate

_COUNTS = ("offers", "ranked", "assessed", "assessed_with_demographics")
_SAID = {
    Outcome.FAILED: "shown to be below {limit:g}",
    Outcome.PASSED: "shown to be above {limit:g}",
    Outcome.INCONCLUSIVE: "it cannot be told on which side of {limit:g} it lies",
}


def sentences(comparisons: Sequence[AttributeComparison]) -> tuple[str, ...]:
    """What was found about each attribute, in words: what decides first, and the worst of it first."""
    told = sorted(comparisons, key=lambda c: (not c.decides, not c.groups, c.reach.ratio.value if c.groups else 0))
    return tuple(_sentence(c) for c in told)


def decided(decision: Mapping[str, Any]) -> str:
    """What was decided and for whom it can be assessed, from the fact `fairness_decision`."""
    said = {name: "fewer than ten" if decision[name] is None else f"{decision[name]:,}" for name in _COUNTS}
    return (
        f"**{decision['name']}**, replayed for day {decision['day']}: {said['offers']} of {said['ranked']} {MANY} "
        f"that allow offers would receive one. {said['assessed']} of them allow bias assessment, and for "
        f"{said['assessed_with_demographics']} of those demographics are held. Provenance: {decision['provenance']}."
    )


def prices(family: Sequence[Member]) -> tuple[str, ...]:
    """A table of the family in Markdown, line by line: what each would reach, cost, and be answered."""
    head = ("| decision | needs to know | offers | smallest ratio | lost of the score's worth | would be |",)
    rows = tuple(_row(m) for m in family if m.ratio is not None)
    return (*head, "|---|---|---|---|---|---|", *rows) if rows else ("No other decision could be compared.",)


def _row(m: Member) -> str:
    ratio, outcome = m.ratio or Estimate(0, 0, 0), m.outcome(tuple(m.reach)).value
    price = "nothing" if m.kind in (PLAIN, SHARE) else _points(m.price)
    offers = "fewer than ten" if m.offers < 10 else f"{m.offers:,}"
    return f"| {named(m)} | {m.needs or 'nothing more'} | {offers} | {_interval(ratio)} | {price} | {outcome} |"


def named(m: Member) -> str:
    """A member of the family, for people."""
    how = m.how.mitigation
    if m.kind == DECLARED:
        return "**as declared**"
    if m.kind in (PLAIN, SHARE):
        return f"plain score, top {m.how.share:.0%}"
    more = f" with {how.toward}" if how.toward else ""
    strength = f" at {how.strength:g}" if m.kind != "threshold_optimizer" else " (Fairlearn)"
    return f"{m.kind}{more}{strength}".replace("_", " ")


def _sentence(c: AttributeComparison) -> str:
    aside = _aside(c)
    said = "" if c.decides else " (for information: the policy does not name it)"
    if not c.groups:
        return f"{c.attribute}{said}: no two groups are large enough to compare.{aside}"
    worst = c.reach.worst
    who = f"‘{worst.reached_less}’ ({worst.n_reached_less:,} {MANY})"
    outcome = _SAID[worst.reach.outcome(c.rule.ratio)].format(limit=c.rule.ratio)
    found = f"{c.attribute}{said}: {who} would have received an offer {_interval(worst.ratio)} times as often as others"
    return f"{found}; {outcome}{_shoppers(c)}.{_settled(c)}{aside}"


def _shoppers(c: AttributeComparison) -> str:
    """The same among those who could have used an offer."""
    worst = next(g for g in c.groups if g.label == c.reach.worst.label)
    if worst.among_shoppers is None or not worst.among_shoppers.value:
        return ""
    turned = worst.among_shoppers.value if worst.to_rest.value <= 1 else 1 / worst.among_shoppers.value
    return f", among those who came to shop {turned:.2f} times"


def _settled(c: AttributeComparison) -> str:
    if c.outcome is not Outcome.INCONCLUSIVE:
        return ""
    number = c.reach.households_to_settle
    if number is None:
        return ""
    if number > 1e7:
        return f" No number of {MANY} in sight would settle it: the ratio lies at the limit."
    return f" About {float(f'{number:.1e}'):,.0f} {MANY}, reached as these, would settle it."


def _aside(c: AttributeComparison) -> str:
    """Who cannot be told by themselves."""
    small = [g.reach for g in c.groups if not g.enough and g.reach.outcome(c.rule.ratio) is Outcome.INCONCLUSIVE]
    aside = [f"‘{level}’ ({n or HIDDEN})" for level, n in hidden(c.set_aside).items()]
    each = [*map(_sized, small), *aside]
    return f" Too small to be told by themselves: {', '.join(each)}." if each else ""


def _sized(g: GroupReach) -> str:
    return f"‘{g.group}’ ({g.n:,})"


def _interval(e: Estimate) -> str:
    return f"{e.value:.2f} [{e.low:.2f}, {e.high:.2f}]"


def _points(e: Estimate) -> str:
    return f"{100 * e.value:.1f} [{100 * e.low:.1f}, {100 * e.high:.1f}] points"
