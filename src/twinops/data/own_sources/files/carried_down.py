"""Exports with one head a receipt: its customer, moment or state stand on its first line, and on no other."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.own_sources.files.cells import TextCells
from twinops.own_params import OwnSource


@dataclass
class CarriedDown:
    """Fills the cells that a receipt's later lines leave empty, from part to part of one file."""

    said: OwnSource
    before: dict[str, str] = field(default_factory=dict)
    """The last row that was seen, by column."""

    def onto(self, cells: TextCells) -> TextCells:
        """The same rows; an empty cell of `carried_down` has what stands above it, if that is of the same receipt."""
        names = self.said.carried_down
        if not names or not cells.table.num_rows:
            return cells
        table, key = cells.table, self.said.entering["basket_id"]
        receipts = _texts(table, key)
        above = pa.concat_arrays([pa.array([self.before.get(key, "")], pa.string()), receipts[:-1]])
        # a line without a receipt is nobody's later line
        later = pc.and_(pc.equal(receipts, above), pc.not_equal(receipts, ""))
        for name in names:
            mine = _texts(table, name)
            held = pc.if_else(pc.and_(pc.equal(mine, ""), later), pa.scalar(None, pa.string()), mine)
            held = pa.concat_arrays([pa.array([self.before.get(name, "")], pa.string()), held])
            filled = pc.fill_null_forward(held)[1:]
            self.before[name] = filled[-1].as_py()
            known = pc.if_else(pc.equal(filled, ""), pa.scalar(None, pa.string()), filled)
            table = table.set_column(table.column_names.index(name), name, known)
        self.before[key] = receipts[-1].as_py()
        return replace(cells, table=table)


def _texts(table: pa.Table, name: str) -> pa.Array:
    column = table[name].combine_chunks()
    return pc.utf8_trim_whitespace(pc.fill_null(column, ""))
