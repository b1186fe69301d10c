"""What data leave open about two things never observed together: bounds that hold whatever their true dependence.

Fréchet bounds within cells of the shared variables (Ridder and Moffitt 2007, doi:10.1016/S1573-4412(07)06075-8).
"""

from __future__ import annotations

import numpy as np


def mean_within(share: np.ndarray, weight: np.ndarray, values: list[np.ndarray]) -> tuple[float, float]:
    """Bounds of the mean answer within a segment.

    Cell c holds `weight[c]` recipients, of whom `share[c]` belong to the segment, and the donors' answers `values[c]`.
    The segment might hold the lowest answers of every cell, or the highest.

    >>> mean_within(np.array([0.5]), np.array([10]), [np.array([0.0, 1.0])])
    (0.0, 1.0)
    """
    members = share * weight
    lows = [_tail(np.sort(v), s) for v, s in zip(values, share, strict=True)]
    highs = [-_tail(np.sort(-v), s) for v, s in zip(values, share, strict=True)]
    return float(members @ np.array(lows) / members.sum()), float(members @ np.array(highs) / members.sum())


def _tail(ordered: np.ndarray, share: float) -> float:
    """Mean of the first `share` of ordered values; the value at the edge counts in part."""
    if share <= 0 or not len(ordered):
        return 0.0
    room = share * len(ordered)
    counted = np.clip(room - np.arange(len(ordered)), 0, 1)
    return float(ordered @ counted / room)
