"""Test and tell which groups the judged decision reaches less often, with what the data can and cannot show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from twinops.entities.canonical import rounded
from twinops.entities.evenness import GroupReach, attribute_outcome, telling
from twinops.entities.small_cells import shown
from twinops.entities.verdict import Outcome
from twinops.evaluation.fairness import disparity, group_rates
from twinops.evaluation.fairness.decision import RankedHouseholds
from twinops.evaluation.fairness.declaration import Assessed
from twinops.evaluation.fairness.disparity import Bounds, GroupMatrix, Reach
from twinops.evaluation.fairness.groups import Grouping
from twinops.evaluation.statistics.estimate import Estimate


@dataclass(frozen=True)
class GroupComparison:
    """One group of one attribute against the rest of that attribute.

    `to_rest` is its selection rate over that of the rest, its interval holds for all judged groups together. `ratio` is
    what is judged, the lower rate over the higher: its low end is a one-sided bound of this group alone, its high end
    one of all groups together. `enough`: so many households that an exactly even decision would probably be shown even.
    """

    attribute: str
    label: str
    n: int
    n_rest: int
    selected: int
    to_rest: Estimate
    ratio: Estimate
    enough: bool
    times_to_settle: float

    @property
    def reach(self) -> GroupReach:
        """What the rule asks about."""
        return GroupReach(self.label, self.n, *self.ratio, self.enough)

    @property
    def reached_less(self) -> str:
        """Which side is reached less often."""
        return self.label if self.to_rest.value <= 1 else f"all but {self.label}"

    @property
    def n_reached_less(self) -> int:
        """How many households that side has."""
        return self.n if self.to_rest.value <= 1 else self.n_rest


@dataclass(frozen=True)
class TestedGroups:
    """All groups of all attributes tested together; arrays have one place per group. `tests` are the judged ones."""

    names: tuple[tuple[str, str], ...]
    cells: GroupMatrix
    counts: Reach
    rule: Assessed
    tests: int

    @property
    def together(self) -> float:
        """The level of one test, so that all judged ones together keep the declared level (Bonferroni)."""
        return self.rule.alpha / self.tests

    @property
    def alone(self) -> float:
        """The level at which a group by itself is shown above the limit, so that the declared one is never exceeded."""
        return self.rule.alpha * disparity.KEPT

    @cached_property
    def alone_bounds(self) -> Bounds:
        """Each group for itself."""
        return disparity.bounds(self.counts, alpha=self.alone)

    @cached_property
    def joint_bounds(self) -> Bounds:
        """All groups together."""
        return disparity.bounds(self.counts, alpha=self.together)

    @cached_property
    def enough(self) -> np.ndarray:
        """Whether an exactly even decision would be shown even; with .8 for all judged groups together."""
        even = disparity.expected(self.counts, self.counts.overall)
        chance = disparity.chance_to_show(even, alpha=self.alone, limit=self.rule.ratio)
        return np.asarray(chance >= 1 - (1 - disparity.POWER) / self.tests)

    def each(self) -> tuple[GroupComparison, ...]:
        """Group by group, in order."""
        levels = {"alpha": self.alone, "together": self.together, "limit": self.rule.ratio}
        times = disparity.to_settle(self.counts, **levels)
        return tuple(self._one(i, float(times[i])) for i in range(len(self.names)))

    def _one(self, i: int, times: float) -> GroupComparison:
        value = float(self.counts.ratio[i])
        alone, joint = (Estimate(value, float(b.low[i]), float(b.high[i])) for b in self._bounds)
        ratio = Estimate(disparity.evenness(alone).value, disparity.evenness(alone).low, disparity.evenness(joint).high)
        n, n_rest, of = (int(x[i]) for x in (self.counts.n, self.counts.n_rest, self.counts.selected))
        return GroupComparison(*self.names[i], n, n_rest, of, joint, ratio, bool(self.enough[i]), times)

    @property
    def _bounds(self) -> tuple[Bounds, Bounds]:
        return self.alone_bounds, self.joint_bounds


def tested(offered: np.ndarray, grouped: Sequence[Grouping], rule: Assessed) -> TestedGroups:
    """Test every group of attributes that can be compared. `offered` is the decision, one boolean per household."""
    names = tuple((g.attribute, label) for g in grouped for label in g.groups)
    each = [g.cells for g in grouped]
    cells = GroupMatrix(np.hstack([c.inside for c in each]), np.hstack([c.rest for c in each]))
    return TestedGroups(names, cells, disparity.reach(cells, offered), rule, questions(grouped, rule))


def questions(grouped: Sequence[Grouping], rule: Assessed) -> int:
    """How many groups are judged. Two groups are one question: each is the other's rest."""
    judged = (len(g.groups) for g in grouped if g.attribute in rule.deciding)
    return max(1, sum(1 if n == 2 else n for n in judged))


def comparable(offered: np.ndarray, grouping: Grouping) -> bool:
    """Whether there are two groups, and somebody of them was selected."""
    return len(grouping.groups) > 1 and bool(offered[grouping.inside].any())


def outcomes(offered: np.ndarray, grouped: Sequence[Grouping], rule: Assessed) -> Mapping[str, "AttributeReach"]:
    """How each deciding attribute would be judged under a decision; what cannot be compared is left out."""
    judged = [g for g in grouped if g.attribute in rule.deciding and comparable(offered, g)]
    found = tested(offered, judged, rule).each() if judged else ()
    aside = {g.attribute: g.too_few for g in judged}
    return {
        name: AttributeReach(tuple(g for g in found if g.attribute == name), too_few, rule)
        for name, too_few in aside.items()
    }


@dataclass(frozen=True)
class AttributeReach:
    """The groups of one attribute, and how many households are in none."""

    groups: Sequence[GroupComparison]
    too_few: int
    rule: Assessed

    @property
    def outcome(self) -> Outcome:
        """What the rule says."""
        groups = [g.reach for g in self.groups]
        return attribute_outcome(groups, set_aside=shown(self.too_few), limit=self.rule.ratio)

    @property
    def telling(self) -> tuple[GroupComparison, ...]:
        """The groups by which the outcome is what it is."""
        told = telling([g.reach for g in self.groups], self.outcome, limit=self.rule.ratio)
        return tuple(g for g in self.groups if g.reach in told)

    @property
    def worst(self) -> GroupComparison:
        """Of those, the one with the smallest ratio; of two mirrored ones the side reached less often."""
        return min(self.telling, key=lambda g: (rounded(g.ratio.value, 12), g.to_rest.value))

    @property
    def ratio(self) -> Estimate:
        """Of the worst group; where none fails, its interval reaches to the smallest ends of any that tells."""
        if self.outcome is Outcome.FAILED:
            return self.worst.ratio
        return Estimate(*(min(ends) for ends in zip(*(g.ratio for g in self.telling), strict=True)))

    @property
    def households_to_settle(self) -> float | None:
        """About how many households, reached as now, would settle every group that is open; None: all are settled."""
        open_ = [g for g in self.groups if g.reach.outcome(self.rule.ratio) is Outcome.INCONCLUSIVE]
        households = sum(g.n for g in self.groups) + self.too_few
        return max(g.times_to_settle for g in open_) * households if open_ else None


@dataclass(frozen=True)
class AssessedGroup(GroupComparison):
    """One group of one attribute: how many, how often selected, and compared with the rest of that attribute.

    `among_shoppers` is its ratio to the rest among those who came to shop, so could have used an offer.
    `true_positive_rate` and `false_positive_rate` take "in the top share by actual spend" as the truth; `calibration`
    is predicted over actual spend. None: too few households to say, or nothing spent.
    """

    shoppers: int
    among_shoppers: Estimate | None
    selection_rate: Estimate
    true_positive_rate: Estimate | None
    false_positive_rate: Estimate | None
    calibration: Estimate | None


@dataclass(frozen=True)
class AttributeComparison:
    """What was found about one attribute; without at least two groups there is nothing to compare.

    `n` households are in a group, `too_few` in one that stays too small: `set_aside` by level. `overall` is the
    selection rate of the former.
    """

    attribute: str
    n: int
    too_few: int
    set_aside: Mapping[str, int]
    overall: float
    groups: tuple[AssessedGroup, ...]
    rule: Assessed

    @property
    def decides(self) -> bool:
        """Whether the policy names it; what it does not name is shown."""
        return self.attribute in self.rule.deciding

    @property
    def reach(self) -> AttributeReach:
        """What the rule asks about; only where there are groups."""
        return AttributeReach(self.groups, self.too_few, self.rule)

    @property
    def outcome(self) -> Outcome:
        """What the rule says; nothing can be said where nothing can be compared."""
        return self.reach.outcome if self.groups else Outcome.INCONCLUSIVE

    @property
    def lowest_over_highest(self) -> float | None:
        """The lowest group's selection rate over the highest's: shown, too jumpy to judge by."""
        rates = [g.selection_rate.value for g in self.groups]
        return min(rates) / max(rates) if rates and max(rates) > 0 else None


def assess(
    people: RankedHouseholds, grouped: Sequence[Grouping], rule: Assessed, *, draws: np.ndarray
) -> tuple[AttributeComparison, ...]:
    """Compare every group with the rest of its attribute.

    `draws` says how often each of the `people` is drawn (`bootstrap.counts`); for predicted against actual spend.
    """
    compared = [g for g in grouped if comparable(people.offered, g)]
    found = _groups(people, compared, rule, draws) if compared else []
    return tuple(
        AttributeComparison(
            attribute=g.attribute,
            n=int(g.inside.sum()),
            too_few=g.too_few,
            set_aside=g.set_aside,
            overall=float(people.offered[g.inside].mean()) if g.inside.any() else 0.0,
            groups=tuple(f for f in found if f.attribute == g.attribute),
            rule=rule,
        )
        for g in grouped
    )


def _groups(
    people: RankedHouseholds, grouped: Sequence[Grouping], rule: Assessed, draws: np.ndarray
) -> list[AssessedGroup]:
    """Every group of every comparable attribute, tested together."""
    test = tested(people.offered, grouped, rule)
    rates = group_rates.error_rates(people, grouped)
    calibrations = group_rates.calibrations(people, test.cells, draws)
    came = disparity.reach(test.cells.among(people.shopped), people.offered)
    of_shoppers = group_rates.shown_ratios(came, alpha=test.together)
    return [
        AssessedGroup(
            **vars(found),
            shoppers=int(came.n[i]),
            among_shoppers=of_shoppers[i],
            selection_rate=rates[name].selection_rate,
            true_positive_rate=rates[name].true_positive_rate,
            false_positive_rate=rates[name].false_positive_rate,
            calibration=calibrations[i],
        )
        for i, (name, found) in enumerate(zip(test.names, test.each(), strict=True))
    ]
