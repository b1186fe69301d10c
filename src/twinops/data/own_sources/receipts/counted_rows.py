"""Which rows of a file count: goods and no deposits, people who were contacted and not those held back to compare."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.own_sources.files.cells import TextCells, printable
from twinops.data.reading.plain_letters import plain
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
    if said.holding:
        here = [_holding(table[theirs], among) for theirs, among in said.holding.items()]
        listed = pa.array(np.logical_or.reduce(here), pa.bool_())
        out = table.num_rows - pc.sum(listed, min_count=0).as_py()
        table, left = table.filter(listed), left + Counter({NOT_LISTED: out} if out else {})
    return replace(cells, table=table, left_out=dict(left)) if said.only or said.holding else cells


NOT_LISTED = "no_such_word"
"""People of whom a list that stands in another file says nothing."""


def _holding(column: pa.ChunkedArray, among: Sequence[str]) -> np.ndarray:
    words = [text for text in pc.unique(column).to_pylist() if text and any(holds(text, word) for word in among)]
    return np.asarray(pc.is_in(column, pa.array(words, pa.string())))


def holds(cell: str, word: str) -> bool:
    """These words stand in it, one behind the other; any case, with or without accents, `*` for any ending.

    >>> holds("Zmarł(a) 2024", "zmarl*"), holds("NPC - fâché", "npc"), holds("provisoire", "pro")
    (True, True, False)
    """
    there, wanted = _PARTS.findall(plain(cell)), _PARTS.findall(plain(word))
    ends = [w.endswith("*") for w in wanted]
    return bool(wanted) and any(
        all(
            part.startswith(w[:-1]) if open_ else part == w
            for part, w, open_ in zip(there[at : at + len(wanted)], wanted, ends, strict=True)
        )
        for at in range(len(there) - len(wanted) + 1)
    )


_PARTS = re.compile(r"\w+\*?")
