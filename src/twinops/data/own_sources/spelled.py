"""How a shop's own files spell the codes of some rows: receipts, shops and articles that are no plain numbers.

What is kept of such a code is a number that stands for it and tells nobody anything; the files still say what it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pyarrow.compute as pc

from twinops.data.own_sources import cell_values as notation
from twinops.data.own_sources.cell_values import Unreadable
from twinops.data.own_sources.codes import STANDS_FROM
from twinops.data.own_sources.declared import DeclaredSource
from twinops.data.own_sources.declared_law import WHOLE
from twinops.data.own_sources.files import opening
from twinops.data.own_sources.files.cells import TextCells
from twinops.data.own_sources.reading import cells_of

Spelling = dict[str, dict[int, str]]
"""Column of ours -> number -> the text it stands for."""


def spelled(source: DeclaredSource, wanted: Mapping[str, frozenset[int]]) -> Spelling:
    """The texts of the wanted numbers, column by column; one that the files do not have any more is left out.

    Reads the files until all are found.

    Raises:
        DataError, ParamsError, ServiceError: as reading does.
    """
    said, found = source.said, {ours: dict[int, str]() for ours in wanted}
    asked = {ours: {n for n in numbers if n >= STANDS_FROM} for ours, numbers in wanted.items()}
    for ours, numbers in asked.items():
        if ours in said.constants:
            _take(found[ours], numbers, [said.constants[ours]], {})
    read = [ours for ours in asked if ours in said.entering and said.form.columns.get(ours) == "code"]
    for cells in _all_cells(source):
        left = [ours for ours in read if asked[ours] - found[ours].keys()]
        if not left:
            break
        for ours in left:
            texts = pc.unique(cells.table[said.theirs(ours)]).to_pylist()
            _take(found[ours], asked[ours], texts, said.codes.get(ours, {}))
    return {ours: texts for ours, texts in found.items() if texts}


def _all_cells(source: DeclaredSource) -> Iterator[TextCells]:
    for batch in opening.batches(source) if source.said.reads == "folder" else [WHOLE]:
        yield from cells_of(source, batch)


def _take(found: dict[int, str], asked: set[int], texts: list[str | None], codes: Mapping[str, str]) -> None:
    for text in texts:
        if text is None:
            continue
        try:
            number = notation.code(codes.get(text.strip(), text))
        except Unreadable:
            continue
        if number in asked:
            found.setdefault(number, text.strip())
