"""How a measure is written for people, and how measures stand side by side in a Markdown table."""

import math
from collections.abc import Iterable

from twinops.entities.measure import Measure
from twinops.evaluation.statistics.estimate import Estimate


def written(m: Measure | Estimate) -> str:
    """Value and interval with as many decimals as the interval deserves: two significant digits of its width.

    >>> written(Estimate(0.87791, low=0.86762, high=0.88861))
    '0.878 [0.868, 0.889]'
    """
    if m.low is None or m.high is None:
        return f"{m.value:.4g}"
    width = m.high - m.low
    decimals = max(0, 1 - math.floor(math.log10(width))) if width > 0 else 3
    return f"{m.value:.{decimals}f} [{m.low:.{decimals}f}, {m.high:.{decimals}f}]"


def with_unit(m: Measure) -> str:
    """The same, and in what unit."""
    return written(m) + (f" {m.unit}" if m.unit else "")


def against(baseline: str, claim: str, gain: Measure) -> str:
    """Whether the twin is better than a baseline, by the interval of its paired gain alone."""
    if not gain.excludes_zero:
        return f"In {claim} the twin and {baseline} **cannot be told apart**: gain {with_unit(gain)}."
    better = "better" if gain.value > 0 else "worse"
    return f"In {claim} the twin is **{better}** than {baseline}: gain {with_unit(gain)}."


def written_gain(m: Measure | None, *, missing: str) -> str:
    """In bold where the interval excludes zero."""
    if m is None:
        return missing
    return f"**{written(m)}**" if m.excludes_zero else written(m)


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
