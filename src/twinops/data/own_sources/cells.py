"""What any reader of your own sources hands on: text cells of the columns that may enter, and records it refused."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.own_sources.declared import DeclaredSource
from twinops.data.reading.reading import RefusedRow, as_table
from twinops.errors import DataError

KEPT_BYTES = 4_096
"""So much of a record that cannot be cut into cells goes to quarantine; `size` says how long it was."""

MAX_CELL = 4_096
"""Characters; no column of ours needs more."""

AS_CELLS = "cells"
"""Stands for the encoding of a refused record that was cut into cells: its `raw` is JSON, and it can be replayed."""

_AT_ONCE = 50_000


@dataclass(frozen=True)
class TextCells:
    """One row per record: `place` (its number in the file, from 1) and their columns as text; empty is null.

    `plain` are columns whose text we wrote ourselves (numbers with a point, ISO times), as the file holds typed values.
    `records` counts all of the file's, `digest` is its SHA-256, `dropped` are the columns that stayed outside.
    """

    table: pa.Table
    plain: frozenset[str] = frozenset()
    refused: tuple[RefusedRow, ...] = ()
    dropped: tuple[str, ...] = ()
    digest: str = ""

    @property
    def records(self) -> int:
        """All that the file holds."""
        return int(self.table.num_rows) + len(self.refused)


@dataclass
class Gathering:
    """Collects records until there are more than the parameters allow."""

    source: DeclaredSource
    columns: tuple[str, ...]
    rows: list[tuple[int | str, ...]] = field(default_factory=list)
    chunks: list[pa.Table] = field(default_factory=list)
    refused: list[RefusedRow] = field(default_factory=list)
    taken: int = 0
    ascii: bool = True
    """Nothing but ASCII was taken."""

    def take(self, place: int, cells: Iterable[str]) -> None:
        """One record's cells, in the order of `columns`."""
        self.rows.append((place, *cells))
        self.taken += 1
        if len(self.rows) == _AT_ONCE:
            self._pack()
        self._bounded()

    def refuse(self, place: int, raw: str, reason: str) -> None:
        """A record that cannot be cut into cells. Undecodable bytes are kept as they came, as Latin-1."""
        kept, size = raw[:KEPT_BYTES], len(raw)
        try:
            kept.encode("utf-8")
            encoding = "utf-8"
        except UnicodeEncodeError:
            kept = kept.encode("utf-8", "surrogateescape").decode("latin-1")
            encoding = "latin-1"
        self.refused.append(RefusedRow(str(place), reason, kept, encoding, size))
        self._bounded()

    def cells(self) -> pa.Table:
        """Everything that was taken."""
        self._pack()
        return pa.concat_tables(self.chunks)

    def _pack(self) -> None:
        """Rows as Arrow, which is a tenth of their size."""
        columns = list(zip(*self.rows, strict=True)) or [()] * (1 + len(self.columns))
        arrays = [pa.array(c, pa.string() if i else pa.int64()) for i, c in enumerate(columns)]
        self.chunks.append(pa.table(arrays, names=["place", *self.columns]))
        self.ascii = self.ascii and all(pc.all(pc.string_is_ascii(a), min_count=0).as_py() for a in arrays[1:])
        self.rows.clear()

    def _bounded(self) -> None:
        if self.taken + len(self.refused) > self.source.max_rows:
            raise too_many(self.source)


def too_many(source: DeclaredSource) -> DataError:
    """The error of a source with more rows than allowed."""
    return DataError(
        f"{source.where} holds more rows than sources.max_rows ({source.max_rows:,}).",
        hint="Raise sources.max_rows if that is right.",
    )


def asked_columns(source: DeclaredSource, header: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Their columns that enter, and those of the file that stay outside.

    Raises:
        DataError: a mapped column is not there.
    """
    there = list(header)
    wanted = tuple(dict.fromkeys(source.said.entering.values()))
    lost = [c for c in wanted if c not in there]
    if lost:
        raise DataError(
            f"{source.where}: there is no column {', '.join(lost)}.",
            hint=f"The columns are {', '.join(printable(c) for c in there[:40])}; check own.{source.name}.columns.",
        )
    return wanted, tuple(c for c in there if c not in wanted)


def printable(text: str) -> str:
    """A text that a terminal shows and a spreadsheet does not run (CWE-1236): neutralised, without controls, short.

    >>> printable('=cmd|x'), printable("Ahre")
    ("'=cmd|x", 'Ahre')
    """
    clean = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:60])
    return f"'{clean}" if clean.lstrip()[:1] in ("=", "+", "-", "@") else clean


def as_refusals(table: pa.Table, plain: frozenset[str], reasons: dict[int, str]) -> list[RefusedRow]:
    """Records with cells that break the schema, by place, as they came."""
    named = table.column_names[1:]
    written = sorted(plain & set(named))
    out = []
    for row in table.to_pylist():
        raw = json.dumps({"cells": {c: row[c] for c in named}, "plain": written}, ensure_ascii=False)
        out.append(RefusedRow(str(row["place"]), reasons[row["place"]], raw, AS_CELLS, len(raw)))
    return out


def from_refusals(refused: pa.Table, columns: tuple[str, ...]) -> TextCells:
    """The records of a quarantine that have cells for all of these columns; the inverse of `as_refusals`."""
    rows, plain = [], frozenset[str]()
    for row in refused.to_pylist():
        if row["encoding"] != AS_CELLS:
            continue
        said = json.loads(row["raw"])
        if set(columns) <= set(said["cells"]):
            rows.append((int(row["place"]), *(said["cells"][c] for c in columns)))
            plain |= frozenset(said["plain"])
    schema = pa.schema([("place", pa.int64()), *((c, pa.string()) for c in columns)])
    return TextCells(as_table(rows, schema), plain)
