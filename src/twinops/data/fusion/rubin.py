"""Several draws brought together: doubt within each and doubt between (Rubin 1987, doi:10.1002/9780470316696)."""

from __future__ import annotations

import numpy as np
from scipy import stats


def combined(values: np.ndarray, variances: np.ndarray, level: float = 0.95) -> tuple[float, float, float]:
    """Value, low and high of several draws by Rubin's rules (1987, section 3.1); few draws widen the interval.

    >>> tuple(round(v, 3) for v in combined(np.array([1.0, 1.0]), np.array([0.25, 0.25])))
    (1.0, 0.02, 1.98)
    """
    m, within, between = len(values), float(variances.mean()), float(values.var(ddof=1)) if len(values) > 1 else 0.0
    extra = (1 + 1 / m) * between
    freedom = (m - 1) * (1 + within / extra) ** 2 if extra > 0 else 1e9
    half = float(stats.t.ppf((1 + level) / 2, freedom)) * float(np.sqrt(within + extra))
    middle = float(values.mean())
    return middle, middle - half, middle + half
