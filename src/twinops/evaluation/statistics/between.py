"""Weeks and months are random too: intervals that carry how days differ, beside how households do.

A variance of two parts: how few days were seen to differ, with Student's t for so few, and what households alone add,
which many draws have told. The half widths are added as squares (Howe, JASA 69, 1974). No interval is narrower than
households alone make it: that few days lay near one another by luck is no knowledge.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from twinops.entities.measure import NORMAL_95

FEWEST_CALM = 3
"""With fewer days beside it nothing can be said of how a quantity moves from week to week."""


class Noisy(NamedTuple):
    """A quantity on one day, and its variance over draws of households."""

    value: float
    variance: float


def ends_of_mean(days: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of the mean over days like these: `days` is days x (as it is, then draws), two days at least.

    Draws are of whole households, the same on every day, so what lasts with a household is the same on all days, and
    shows in the variance of the mean alone.
    """
    many, found = len(days), days[:, 0]
    drawn = days[:, 1:][:, np.isfinite(days[:, 1:]).all(axis=0)]
    luck = float((drawn - found[:, None]).var(axis=0, ddof=1).mean())
    households = float(drawn.mean(axis=0).var(ddof=1))
    apart, lasting = float(found.var(ddof=1)) / many, max(households - luck / many, 0.0)
    half = max(_half_width(apart, many - 1, known=lasting), NORMAL_95 * households**0.5)
    return float(found.mean()) - half, float(found.mean()) + half


def ends_of_day(day: Noisy, calm: Sequence[Noisy], *, usual: float) -> tuple[float, float]:
    """The 95 % interval of what lasts beyond a day's own week, by how far `calm` days lay from what is usual.

    What was usual on all of them is known, so none of the degrees of freedom is spent on it.

    >>> low, high = ends_of_day(Noisy(1.1, 0.0), [Noisy(v, 0.0) for v in (0.9, 1.1, 0.9, 1.1)], usual=1.0)
    >>> round(low, 3), round(high, 3)
    (0.822, 1.378)
    """
    apart = float(np.mean([(c.value - usual) ** 2 for c in calm]))
    # fewer households than on the calm days, or more
    known = day.variance - float(np.mean([c.variance for c in calm]))
    told = _half_width(max(apart + min(known, 0.0), 0.0), len(calm), known=max(known, 0.0))
    half = max(told, NORMAL_95 * day.variance**0.5)
    return day.value - half, day.value + half


def _half_width(variance: float, freedom: int, *, known: float) -> float:
    """Of a variance that so many degrees of freedom tell, and one that is known."""
    from scipy.special import stdtrit  # many stages draw households, and few have several days

    t = float(stdtrit(freedom, 0.975))
    return float((t**2 * variance + NORMAL_95**2 * known) ** 0.5)
