"""Test which groups a decision reaches unevenly, and which are shown to be reached evenly."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twinops.evaluation.fairness import disparity
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
