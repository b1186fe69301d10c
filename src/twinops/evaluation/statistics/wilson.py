"""A share of households with its interval."""

from twinops.entities.measure import NORMAL_95
from twinops.evaluation.statistics.estimate import Estimate


def share(hits: int, n: int) -> Estimate:
    """Share, and Wilson's 95 % interval (JASA 22, 1927), which stays honest near 0 and 1.

    >>> [round(v, 4) for v in share(8, 10)]
    [0.8, 0.4902, 0.9433]
    """
    p, z2 = hits / n, NORMAL_95**2
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = NORMAL_95 / (1 + z2 / n) * (p * (1 - p) / n + z2 / (4 * n * n)) ** 0.5
    return Estimate(p, max(middle - half, 0.0), min(middle + half, 1.0))
