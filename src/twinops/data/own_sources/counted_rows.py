"""Which rows of a file count: goods and no deposits, people who were contacted and not those held back to compare."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.own_sources.cells import TextCells, printable
from twinops.own_params import OwnSource


def counted(cells: TextCells, said: OwnSource) -> TextCells:
    """The rows with a word under `only`; the others are counted by their column, and go no further."""
    left, table = Counter(cells.left_out), cells.table
    for theirs, among in said.only.items():
        trimmed = pc.utf8_trim_whitespace(pc.fill_null(table[theirs], ""))
        here = pc.is_in(trimmed, pa.array(among, pa.string()))
        out = table.num_rows - pc.sum(here, min_count=0).as_py()
        table = table.filter(here)
        left += Counter({f"not counted by {printable(theirs)}": out} if out else {})
    return replace(cells, table=table, left_out=dict(left)) if said.only else cells
