"""Test and tell which groups the judged decision reaches less often, with what the data can and cannot show."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twinops.entities.canonical import rounded
from twinops.evaluation.fairness import disparity, group_rates
from twinops.evaluation.fairness.decision import RankedHouseholds
from twinops.evaluation.fairness.declaration import Assessed
from twinops.evaluation.fairness.disparity import Bounds, GroupMatrix, Reach
from twinops.evaluation.fairness.groups import Grouping
from twinops.evaluation.statistics import bootstrap
from twinops.evaluation.statistics.estimate import Estimate


@dataclass(frozen=True)
class GroupComparison:
    """One group of one attribute against the rest of that attribute.

    `to_rest` is its selection rate over that of the rest; its interval and `p_adjusted` hold for all groups of all
    attributes together.
    """

    attribute: str
    label: str
    to_rest: Estimate
    p: float
    p_adjusted: float

    @property
    def ratio(self) -> Estimate:
        """What is judged: the lower selection rate over the higher, of group and rest."""
        return disparity.evenness(self.to_rest)

    def uneven(self, rule: Assessed) -> bool:
        """The ratio is below the limit, and beyond chance."""
        return self.p_adjusted < rule.alpha and self.ratio.value < rule.ratio_limit

    def shown_even(self, rule: Assessed) -> bool:
        """The ratio is shown to be above the limit."""
        return self.ratio.low > rule.ratio_limit


@dataclass(frozen=True)
class TestedGroups:
    """All groups of all attributes tested together; arrays have one place per group. `tests` were asked."""

    names: tuple[tuple[str, str], ...]
    cells: GroupMatrix
    counts: Reach
    bounds: Bounds
    p: np.ndarray
    p_adjusted: np.ndarray
    tests: int

    def each(self) -> tuple[GroupComparison, ...]:
        """Group by group, in order."""
        return tuple(
            GroupComparison(attribute, label, to_rest(self.counts, self.bounds, i), float(self.p[i]), float(adjusted))
            for i, ((attribute, label), adjusted) in enumerate(zip(self.names, self.p_adjusted, strict=True))
        )


def tested(offered: np.ndarray, grouped: Sequence[Grouping], *, draws: np.ndarray) -> TestedGroups:
    """Test every group of attributes with at least two. `offered` is the decision, one boolean per household.

    `draws` says how often each household is drawn (`bootstrap.counts`).
    """
    names = tuple((g.attribute, label) for g in grouped for label in g.groups)
    each = [g.cells for g in grouped]
    cells = GroupMatrix(np.hstack([c.inside for c in each]), np.hstack([c.rest for c in each]))
    counts, drawn = disparity.reach(cells, offered, draws)
    p = disparity.permutation_p(counts)
    adjusted, tests = _adjusted(p, [attribute for attribute, _ in names])
    bounds = disparity.simultaneous(counts, drawn, level=bootstrap.LEVEL)
    return TestedGroups(names, cells, counts, bounds, p, adjusted, tests)


def _adjusted(p: np.ndarray, attributes: Sequence[str]) -> tuple[np.ndarray, int]:
    """Holm over all tests, and how many there are. Two groups are one test: each is the other's rest."""
    pair = [attributes.count(a) == 2 for a in attributes]
    same_as = [i - 1 if pair[i] and i and attributes[i - 1] == attributes[i] else i for i in range(len(p))]
    asked = sorted(set(same_as))
    adjusted = dict(zip(asked, disparity.holm(p[asked]), strict=True))
    return np.array([adjusted[i] for i in same_as]), len(asked)


def to_rest(counts: Reach, bounds: Bounds, i: int) -> Estimate:
    """The group's ratio; when nobody of the rest was selected, the one with half a household added to each side."""
    value = counts.ratio[i] if np.isfinite(counts.ratio[i]) else np.exp(counts.log_ratio[i])
    return Estimate(float(value), float(bounds.low[i]), float(bounds.high[i]))


@dataclass(frozen=True)
class AssessedGroup(GroupComparison):
    """One group of one attribute: how many, how often selected, and compared with the rest of that attribute.

    `true_positive_rate` and `false_positive_rate` take "in the top share by actual spend" as the truth; `calibration`
    is predicted over actual spend. None: too few households to say, or nothing spent.
    """

    n: int
    n_rest: int
    selected: int
    selection_rate: Estimate
    true_positive_rate: Estimate | None
    false_positive_rate: Estimate | None
    calibration: Estimate | None
    detectable_ratio: float | None

    @property
    def reached_less(self) -> str:
        """Which side is reached less often."""
        return self.label if self.to_rest.value <= 1 else f"all but {self.label}"

    @property
    def n_reached_less(self) -> int:
        """How many households that side has."""
        return self.n if self.to_rest.value <= 1 else self.n_rest


@dataclass(frozen=True)
class AttributeComparison:
    """What was found about one attribute; without at least two groups there is nothing to compare.

    `n` households are in a group, `too_few` in one that stays too small. `overall` is the selection rate of the former.
    """

    attribute: str
    n: int
    too_few: int
    overall: float
    groups: tuple[AssessedGroup, ...]
    rule: Assessed

    @property
    def uneven(self) -> tuple[AssessedGroup, ...]:
        """The groups whose ratio is below the limit, and beyond chance."""
        return tuple(g for g in self.groups if g.uneven(self.rule))

    @property
    def shown_even(self) -> bool:
        """Every group's ratio is shown to be above the limit."""
        return bool(self.groups) and all(g.shown_even(self.rule) for g in self.groups)

    @property
    def worst(self) -> AssessedGroup:
        """The group with the smallest ratio; among the uneven ones, if there are any.

        Of two groups, each the other's rest, the one that is reached less often.
        """
        return min(self.uneven or self.groups, key=lambda g: (rounded(g.ratio.value, 12), g.to_rest.value))

    @property
    def ratio(self) -> Estimate:
        """The worst group's ratio; where none is uneven, its interval reaches to the smallest end of any group's."""
        return self.worst.ratio if self.uneven else smallest([g.ratio for g in self.groups])

    @property
    def lowest_over_highest(self) -> float | None:
        """The lowest group's selection rate over the highest's (29 CFR 1607.4(D)): shown, too jumpy to judge by."""
        rates = [g.selection_rate.value for g in self.groups]
        return min(rates) / max(rates) if max(rates) > 0 else None

    @property
    def detectable_ratio(self) -> float | None:
        """A true ratio of this or less would be found in any of the groups with a chance of .8."""
        each = [g.detectable_ratio for g in self.groups if g.detectable_ratio is not None]
        return min(each) if len(each) == len(self.groups) else None


def smallest(ratios: Sequence[Estimate]) -> Estimate:
    """The smallest of several ratios whose intervals hold together."""
    return Estimate(*(min(ends) for ends in zip(*ratios, strict=True)))


def assess(
    people: RankedHouseholds, grouped: Sequence[Grouping], rule: Assessed, *, draws: np.ndarray
) -> tuple[AttributeComparison, ...]:
    """Compare every group with the rest of its attribute; p-values and intervals hold for all of them together.

    `draws` says how often each of the `people` is drawn (`bootstrap.counts`).
    """
    comparable = [g for g in grouped if len(g.groups) > 1]
    found = _groups(people, comparable, rule, draws) if comparable else []
    return tuple(
        AttributeComparison(
            attribute=g.attribute,
            n=int(g.inside.sum()),
            too_few=g.too_few,
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
    test = tested(people.offered, grouped, draws=draws)
    counts = test.counts
    detectable = disparity.detectable_ratio(counts, alpha=rule.alpha / test.tests, limit=rule.ratio_limit)
    rates = group_rates.error_rates(people, grouped)
    calibrations = group_rates.calibrations(people, test.cells, draws)
    return [
        AssessedGroup(
            **vars(found),
            n=int(counts.n[i]),
            n_rest=int(counts.n_rest[i]),
            selected=int(counts.selected[i]),
            selection_rate=rates[name].selection_rate,
            true_positive_rate=rates[name].true_positive_rate,
            false_positive_rate=rates[name].false_positive_rate,
            calibration=calibrations[i],
            detectable_ratio=float(detectable[i]) if np.isfinite(detectable[i]) else None,
        )
        for i, (name, found) in enumerate(zip(test.names, test.each(), strict=True))
    ]
