"""The table of inferred segments: every row says that it is inferred, how, from whom, and what had to be assumed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from twinops.data.fusion.panel_shift import Shift
from twinops.data.fusion.plan import Plan
from twinops.data.fusion.rubin import combined
from twinops.data.fusion.segment_bounds import Ends
from twinops.params import FusionParams

STATUS = "inferred"
FIGURES = ("value", "drawn_low", "drawn_high", "low", "high", "bound_low", "bound_high")
ALIKE = (
    "panelists and customers who are alike in what was matched on answer alike, but for a shift as large as they "
    "differ in what was matched on ({size:.2f} standard deviations), by which the intervals are widened"
)
APART = "; and, that given, answers do not depend on the segment (only the bounds do without this)"
RESULT = pa.schema(
    [
        *((c, pa.string()) for c in ("variable", "segment", "scale", "figure")),
        ("recipients", pa.int64()),
        ("donors", pa.int64()),
        *((c, pa.float64()) for c in ("value", "low", "high", "drawn_low", "drawn_high", "bound_low", "bound_high")),
        ("suppressed", pa.bool_()),
        *((c, pa.string()) for c in ("status", "method", "donor_panel")),
        ("draws", pa.int64()),
        ("conditional_independence", pa.string()),
        ("assumption", pa.string()),
    ]
)


class Figure(NamedTuple):
    """One figure: recipients, the fewest donors of any draw, value and interval."""

    recipients: int
    donors: int
    value: float
    low: float
    high: float


Key = tuple[str, str, str, str]


@dataclass(frozen=True)
class UnseenDoubt:
    """What draws do not tell of: bounds of every variable that needs them, and the shift the panel may have."""

    open_ends: Mapping[str, Mapping[Ends, tuple[float, float]]]
    shift: Shift


def figures_of(sums: Sequence[Mapping[str, Any]]) -> dict[Key, Figure]:
    """Figures per segment and scale, from the sums of every draw."""
    draws: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for row in sums:
        draws.setdefault((str(row["variable"]), str(row["segment"]), str(row["scale"])), []).append(row)
    out: dict[Key, Figure] = {}
    for key, rows in draws.items():
        n, donors = int(rows[0]["recipients"]), min(int(r["donors"]) for r in rows)
        for figure, total, squares in (("mean", "points", "squares"), ("share_high", "high", "high")):
            first, second = (np.array([r[name] for r in rows], dtype=float) for name in (total, squares))
            out[(*key, figure)] = Figure(
                n, donors, *combined(first / n, (second / n - (first / n) ** 2).clip(0) / max(n - 1, 1))
            )
    return out


def method(params: FusionParams) -> str:
    """How values came about, in words."""
    lot = f"one of {params.donors} nearest donors, {params.draws} draws with resampled donors"
    return f"predictive mean matching, {lot}, Rubin's rules, widened for a shift of the panel"


def table(figures: Mapping[Key, Figure], doubt: UnseenDoubt, plan: Plan, params: FusionParams) -> pa.Table:
    """One row per (variable, segment, scale, figure), small cells emptied; doubt widens intervals and bounds."""
    open_ends, shift, rows = doubt.open_ends, doubt.shift, []
    for (variable, segment, scale, figure), found in figures.items():
        most, place = 1.0 if figure == "share_high" else 100.0, plan.scales.index(scale)
        wide = shift.half(place, figure)
        low, high = widened(found, wide)
        ends = open_ends.get(variable, {}).get((segment, place, figure))
        bounds = (None, None) if ends is None else (ends[0] - wide, ends[1] + wide)
        shut = [None if v is None else round(float(np.clip(v, 0, most)), 4) for v in (*found[2:], low, high, *bounds)]
        rows.append(
            {
                "variable": variable,
                "segment": segment,
                "scale": scale,
                "figure": figure,
                "recipients": found.recipients,
                "donors": found.donors,
                **dict(zip(FIGURES, shut, strict=True)),
                "suppressed": False,
                "status": STATUS,
                "method": method(params),
                "donor_panel": plan.panel,
                "draws": params.draws,
                "conditional_independence": "assumed" if variable in open_ends else "not needed",
                "assumption": ALIKE.format(size=shift.size) + (APART if variable in open_ends else ""),
            }
        )
    return pa.Table.from_pylist(_suppressed(rows, params.smallest_cell), schema=RESULT)


def widened(found: Figure, half: float) -> tuple[float, float]:
    """Low and high with one more source of doubt, independent of the others.

    >>> widened(Figure(10, 10, 50.0, 47.0, 53.0), 4.0)
    (45.0, 55.0)
    """
    return (
        found.value - float(np.hypot(found.value - found.low, half)),
        found.value + float(np.hypot(found.high - found.value, half)),
    )


def _suppressed(rows: Sequence[dict[str, Any]], smallest: int) -> list[dict[str, Any]]:
    """The same rows, in order, small cells emptied; where one segment alone would be, the next smallest goes too."""
    size = {(r["variable"], r["segment"]): (r["recipients"], r["donors"]) for r in rows}
    small = {k for k, (n, d) in size.items() if min(n, d) < smallest}
    for variable in sorted({v for v, _ in small}):
        mine = sorted((k for k in size if k[0] == variable), key=lambda k: (size[k], k[1]))
        # one empty cell alone could be had back from the total
        if sum(k in small for k in mine) == 1 and len(mine) > 1:
            small.add(next(k for k in mine if k not in small))
    empty = dict.fromkeys(("recipients", "donors", *FIGURES))
    out = [r | (empty | {"suppressed": True} if (r["variable"], r["segment"]) in small else {}) for r in rows]
    return sorted(out, key=lambda r: (r["variable"], r["segment"], r["scale"], r["figure"]))
