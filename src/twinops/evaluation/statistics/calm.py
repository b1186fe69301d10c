"""A limit from what calm days did: how far one may lie before so few like it would."""

from collections.abc import Sequence
from math import ceil


def upper(calm: Sequence[float], *, rate: float) -> float | None:
    """A value that another day like these exceeds with a probability of at most `rate`; None: too few days to tell.

    The smallest of them that holds this, whatever their distribution is, if the days may be put in any order (order
    statistics; Wilks, Ann. Math. Stat. 12, 1941). It is never the largest: one strange day sets no limit.

    >>> upper([0.01, 0.03, 0.02, 0.05, 0.04, 0.08, 0.06, 0.07], rate=1 / 4), upper([0.1] * 6, rate=1 / 4)
    (0.07, None)
    """
    place = ceil((len(calm) + 1) * (1 - rate))
    return sorted(calm)[place - 1] if place < len(calm) else None
