"""What a twin is measured beside: plain baselines, of which the best counts, and a challenger that reads what it reads.

A baseline is plain when it needs less of the households' data than the twin: only over such a one does a gain say that
the data are needed. The challenger's gain is told beside it, and decides nothing.
"""

from collections.abc import Iterable

from twinops.entities.measure import Measure

GAIN = ".gain_over_"
BEST, CHALLENGER = "best", "lightgbm"


def plain_gains(quantity: str, measures: Iterable[Measure]) -> dict[str, Measure]:
    """The paired gain over each plain baseline that was measured, by its name."""
    start = quantity + GAIN
    found = {m.name.removeprefix(start): m for m in measures if m.name.startswith(start)}
    return {name: gain for name, gain in found.items() if name not in (BEST, CHALLENGER)}


def best_baseline(quantity: str, measures: Iterable[Measure]) -> str | None:
    """The plain baseline over which the gain is smallest; None: none was measured.

    >>> best_baseline("q", [Measure(f"q.gain_over_{n}", v, 9, "s", "m") for n, v in (("a", 2), ("b", 1), ("best", 1))])
    'b'
    """
    gains = plain_gains(quantity, measures)
    return min(gains, key=lambda name: (gains[name].value, name), default=None)
