"""Weeks and months are random too: intervals that carry how days differ, beside how households do.

Random effects by moments (DerSimonian and Laird, Controlled Clinical Trials 7, 1986), with Satterthwaite's degrees of
freedom (Biometrics Bulletin 2, 1946), because days are few. Variance between days that luck alone explains is taken
off, and never below nothing, which errs towards wider.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

FEWEST_CALM = 3
"""With fewer days beside it nothing can be said of how a quantity moves from week to week."""

_UPPER = 0.975


class Noisy(NamedTuple):
    """A quantity on one day, and its variance over draws of households."""

    value: float
    variance: float


def ends_of_mean(days: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of the mean over days like these: `days` is days x (as it is, then draws), two days at least.

    Draws are of whole households, the same on every day, so what a household does on several days stays together.
    """
    many, found = len(days), days[:, 0]
    drawn = days[:, 1:][:, np.isfinite(days[:, 1:]).all(axis=0)]
    by_households = float(drawn.mean(axis=0).var(ddof=1))
    by_luck = float((drawn - found[:, None]).var(axis=0, ddof=1).mean())
    apart = max(float(found.var(ddof=1)), by_luck)
    total = by_households + (apart - by_luck) / many
    half = _half_width(total, freedom=(many - 1) * (many * total) ** 2 / apart**2 if apart else np.inf)
    return float(found.mean()) - half, float(found.mean()) + half


def ends_of_day(day: Noisy, calm: Sequence[Noisy], *, usual: float) -> tuple[float, float]:
    """The 95 % interval of what lasts beyond a day's own week, by how far `calm` days lay from what is usual.

    What was usual on all of them is known, so none of the degrees of freedom is spent on it.

    >>> low, high = ends_of_day(Noisy(1.1, 0.0), [Noisy(v, 0.0) for v in (0.9, 1.1, 0.9, 1.1)], usual=1.0)
    >>> round(low, 3), round(high, 3)
    (0.822, 1.378)
    """
    apart, luck = (np.array(v) for v in zip(*(((c.value - usual) ** 2, c.variance) for c in calm), strict=True))
    weeks = max(float((apart - luck).mean()), 0.0)
    total, noise = day.variance + weeks, float(((weeks + luck) ** 2).sum())
    half = _half_width(total, freedom=(len(calm) * total) ** 2 / noise if noise else np.inf)
    return day.value - half, day.value + half


def _half_width(variance: float, *, freedom: float) -> float:
    """So many standard deviations of a t distribution; 1e10 degrees of freedom are as good as normal."""
    return float(stdtrit(min(max(freedom, 1.0), 1e10), _UPPER) * variance**0.5)
