"""What data leave open about two things never observed together: bounds that hold whatever their true dependence.

Fréchet bounds within cells of the shared variables (Ridder and Moffitt 2007, doi:10.1016/S1573-4412(07)06075-8), and
the range of a correlation that keeps the joint matrix a correlation matrix (Kiesl and Rässler 2006, IAB Discussion
Paper 15).
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


def correlation(y: np.ndarray, y_x: np.ndarray, z: np.ndarray, z_x: np.ndarray) -> tuple[float, float, float]:
    """Low end, value under conditional independence, and high end of corr(y, z), never seen together.

    y comes with the shared variables `y_x` (recipients), z with `z_x` (donors); both have a constant in column 0.
    """
    from twinops.data.fusion.predictive_mean_matching import regression

    of_y, rest_y = regression(y_x, y[:, None])
    of_z, rest_z = regression(z_x, z[:, None])
    by_x = np.cov((y_x @ of_y)[:, 0], (y_x @ of_z)[:, 0])
    whole_y, whole_z = np.sqrt(by_x[0, 0] + rest_y[0] ** 2), np.sqrt(by_x[1, 1] + rest_z[0] ** 2)
    middle, slack = by_x[0, 1] / (whole_y * whole_z), rest_y[0] * rest_z[0] / (whole_y * whole_z)
    return float(max(middle - slack, -1)), float(middle), float(min(middle + slack, 1))
