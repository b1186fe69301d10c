"""Personal attributes as numbers a regression can use, one block of columns each. For necessity tests only."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from twinops.entities.demographics import CODES

ATTRIBUTES = tuple(CODES)
ORDERED = ("age", "income", "household_size", "kids_count")
"""Their levels run from little to much: place and its square say nearly all, and cost two columns instead of twelve."""


def attribute_columns(demographics: pa.Table, sids: Sequence[str]) -> dict[str, np.ndarray]:
    """Attribute -> one row per sid, in order; every sid must be among the demographics."""
    place = {sid: i for i, sid in enumerate(demographics["sid"].to_pylist())}
    rows = [place[sid] for sid in sids]
    return {
        name: _columns([answers[i] for i in rows], CODES[name], ordered=name in ORDERED)
        for name in ATTRIBUTES
        for answers in (demographics[name].to_pylist(),)
    }


def _columns(answers: list[str | None], levels: Sequence[str], *, ordered: bool) -> np.ndarray:
    """Place and its square for ordered levels, else a column per level; not stated is a column of its own."""
    if ordered:
        place = np.array([levels.index(a) if a is not None else -1 for a in answers], dtype=float)
        stated = place >= 0
        scaled = np.where(stated, place / max(len(levels) - 1, 1) - 0.5, 0.0)
        return _telling(np.column_stack([scaled, scaled**2, ~stated]))
    seen = sorted({a for a in answers if a is not None})
    return _telling(np.column_stack([np.array([a == level for a in answers], dtype=float) for level in (*seen, None)]))


def _telling(x: np.ndarray) -> np.ndarray:
    """Without columns that say the same of everyone; at least one stays."""
    differs = x.std(axis=0) > 0
    return x[:, differs] if differs.any() else x[:, :1]
