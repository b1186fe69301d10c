"""How a month of receipt lines looks beside what is held: as it did, or as if its columns or units were others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.own_sources.cell_values import shape

LEAST_LINES = 100
"""Fewer lines have no middle to speak of."""
MOST_KNOWN, HARDLY_KNOWN = 0.5, 0.05
"""Where at least half of the lines named somebody or something known before, one in twenty is another column."""
RECENT_DAYS = 31
AMOUNTS = ("quantity", "sales_cents")
NAMES = {"product_id": "product", "sid": "buyer"}


@dataclass(frozen=True)
class Oddity:
    """A column that looks otherwise than before, and how: shapes and proportions, no value. Empty: lines as such."""

    column: str
    looks: str


def oddities(held: pa.Table, came: pa.Table, *, factor: float) -> tuple[Oddity, ...]:
    """What of a month's lines looks far from those held; nothing where either is short.

    Both have `sid, day, product_id, quantity, sales_cents`. A middle may move by `factor`, the highest hundredth by its
    square, as few large orders move it. What half of the newest lines held did not know of those before, none must.
    """
    found = [*_rate(held, came, factor)]
    if min(held.num_rows, came.num_rows) >= LEAST_LINES:
        found += [odd for name in AMOUNTS for odd in _amount(held, came, name, factor)]
        found += [odd for name in NAMES for odd in _known(held, came, name)]
    return tuple(found)


def _rate(held: pa.Table, came: pa.Table, factor: float) -> Iterator[Oddity]:
    """Lines on a day with any."""
    if not held.num_rows or not came.num_rows:
        return
    days = pc.count_distinct(came["day"]).as_py()
    expected = held.num_rows / pc.count_distinct(held["day"]).as_py() * days
    ratio = came.num_rows / expected
    if max(expected, came.num_rows) >= LEAST_LINES and not 1 / factor <= ratio <= factor:
        yield Oddity("", f"a day has {_times(ratio)} the lines it had")


def _amount(held: pa.Table, came: pa.Table, name: str, factor: float) -> Iterator[Oddity]:
    before, now = (np.quantile(np.maximum(t[name].to_numpy(), 1), (0.5, 0.99)) for t in (held, came))
    for ratio, limit, of in zip(now / before, (factor, factor**2), ("middle", "highest hundredth"), strict=True):
        if not 1 / limit <= ratio <= limit:
            yield Oddity(name, f"its {of} is {_times(ratio)} what it was")
            return


def _known(held: pa.Table, came: pa.Table, name: str) -> Iterator[Oddity]:
    newest = pc.greater(held["day"], pc.subtract(pc.max(held["day"]), RECENT_DAYS))
    recent, earlier = held.filter(newest), held.filter(pc.invert(newest))
    if min(recent.num_rows, earlier.num_rows) < LEAST_LINES:
        return
    before, now = _share(recent, earlier, name), _share(came, held, name)
    if before >= MOST_KNOWN and now <= HARDLY_KNOWN:
        looked, looks = _commonest(held[name]), _commonest(came[name])
        shapes = f", and most look like {looks}, not {looked}" if name != "sid" and looks != looked else ""
        yield Oddity(name, f"{now:.0%} of lines name a known {NAMES[name]}, {before:.0%} did{shapes}")


def _share(lines: pa.Table, known: pa.Table, name: str) -> float:
    return float(pc.mean(pc.is_in(lines[name], known[name].unique()).cast(pa.float64())).as_py())


def _commonest(names: pa.ChunkedArray) -> str:
    counts: dict[str, int] = {}
    for row in pc.value_counts(names).to_pylist():
        looks = shape(str(row["values"]))
        counts[looks] = counts.get(looks, 0) + row["counts"]
    return min(counts, key=lambda looks: (-counts[looks], looks))


def _times(ratio: float) -> str:
    return f"{ratio:,.0f} times" if ratio >= 1 else f"one {1 / ratio:,.0f}th of"
