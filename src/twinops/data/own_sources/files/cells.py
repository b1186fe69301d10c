"""What any reader of your own sources hands on: text cells of the columns that may enter, and records it refused."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.own_sources.declared import DeclaredSource
from twinops.data.reading.reading import Fault, RefusedRow, as_table
from twinops.errors import DataError

KEPT_BYTES = 4_096
"""So much of a record that cannot be cut into cells goes to quarantine; `size` says how long it was."""

MAX_CELL = 4_096
"""Characters; no column of ours needs more."""

AS_CELLS = "cells"
"""Stands for the encoding of a refused record that was cut into cells: its `raw` is JSON, and it can be replayed."""

AT_ONCE = 100_000
"""Records that are held as text at one time."""


@dataclass(frozen=True)
class TextCells:
    """Some records of a file: `place` (the line or row, counted on over files), columns as text; empty is null.

    `plain` are columns whose text we wrote ourselves (numbers with a point, ISO times), as the file holds typed values.
    `digest` is the SHA-256 of the whole file of this name, `before` the places that earlier files took, `dropped` the
    columns that stayed outside, `left_out` what is no record of ours, by reason.
    """

    table: pa.Table
    plain: frozenset[str] = frozenset()
    refused: tuple[RefusedRow, ...] = ()
    dropped: tuple[str, ...] = ()
    digest: str = ""
    file: str = ""
    before: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    lost: Mapping[str, int] = field(default_factory=dict)
    """Of how many records something was not understood that counts all the same, by reason."""

    @property
    def records(self) -> int:
        """All that came."""
        return int(self.table.num_rows) + len(self.refused) + sum(self.left_out.values())

    @property
    def last(self) -> int:
        """The highest place."""
        return max([pc.max(self.table["place"]).as_py() or 0, *(int(r.place) for r in self.refused)])

    def behind(self, before: int, file: str) -> TextCells:
        """The same, counted on behind other files."""
        table = self.table.set_column(0, "place", pc.add(self.table["place"], before))
        refused = tuple(r._replace(place=str(int(r.place) + before)) for r in self.refused)
        return replace(self, table=table, refused=refused, before=before, file=file)


@dataclass
class Gathering:
    """Collects records until there are more than the parameters allow; hands them on in parts."""

    source: DeclaredSource
    columns: tuple[str, ...]
    dropped: tuple[str, ...] = ()
    digest: str = ""
    rows: list[tuple[int | str, ...]] = field(default_factory=list)
    refused: list[RefusedRow] = field(default_factory=list)
    total: int = 0
    foreign: int = 0
    """Records with bytes that are no text."""
    ascii: bool = True
    """Nothing but ASCII was taken."""

    @property
    def full(self) -> bool:
        """It is time to hand on."""
        return len(self.rows) + len(self.refused) >= AT_ONCE

    def take(self, place: int, cells: Iterable[str]) -> None:
        """One record's cells, in the order of `columns`."""
        self.rows.append((place, *cells))
        self._counted()

    def take_table(self, table: pa.Table) -> Iterator[TextCells]:
        """Records that were cut together (`place`, cells in the order of `columns`), behind those taken before."""
        if self.rows or self.refused:
            yield self.part()
        self.total += table.num_rows
        self._bounded()
        yield self._handed(table.rename_columns(["place", *self.columns]), ())

    def refuse(self, place: int, raw: str, reason: str) -> None:
        """A record that cannot be cut into cells. Undecodable bytes are kept as they came, as Latin-1."""
        kept, size = raw[:KEPT_BYTES], len(raw)
        try:
            kept.encode("utf-8")
            encoding = "utf-8"
        except UnicodeEncodeError:
            kept = kept.encode("utf-8", "surrogateescape").decode("latin-1")
            encoding = "latin-1"
        self.foreign += reason == Fault.NOT_UTF8.value
        self.refused.append(RefusedRow(str(place), reason, kept, encoding, size))
        self._counted()

    def part(self) -> TextCells:
        """What was taken since the last part, as Arrow, which is a tenth of its size."""
        columns = list(zip(*self.rows, strict=True)) or [()] * (1 + len(self.columns))
        arrays = [pa.array(c, pa.string() if i else pa.int64()) for i, c in enumerate(columns)]
        table, refused = pa.table(arrays, names=["place", *self.columns]), tuple(self.refused)
        self.rows.clear()
        self.refused.clear()
        return self._handed(table, refused)

    def _handed(self, table: pa.Table, refused: tuple[RefusedRow, ...]) -> TextCells:
        texts = table.columns[1:]
        self.ascii = self.ascii and all(pc.all(pc.string_is_ascii(a), min_count=0).as_py() for a in texts)
        return TextCells(table, frozenset(), refused, self.dropped, self.digest)

    def _counted(self) -> None:
        self.total += 1
        self._bounded()

    def _bounded(self) -> None:
        if self.total > self.source.max_rows:
            raise too_many(self.source)


def too_many(source: DeclaredSource) -> DataError:
    """The error of a source with more rows than allowed."""
    return DataError(
        f"{source.where} holds more rows than sources.max_rows ({source.max_rows:,}).",
        hint="Raise sources.max_rows if that is right.",
    )


def known_as(source: DeclaredSource, header: Iterable[str]) -> list[str]:
    """The columns' names as they are declared: a file may call some of them otherwise, if it says which."""
    there = list(header)
    others = {n: one for one, names in source.said.renamed.items() if one not in there for n in names}
    once = {n for n in others if sum(others.get(m) == others[n] for m in there) == 1}
    return [others[n] if n in once else n for n in there]


def asked_columns(source: DeclaredSource, header: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Their columns that enter, and those of the file that stay outside.

    Raises:
        DataError: a mapped column is not there.
    """
    there = list(header)
    wanted = source.said.read
    lost = [c for c in wanted if c not in there]
    twice = [c for c in wanted if there.count(c) > 1]
    if twice:
        raise DataError(
            f"{source.where}: the column {', '.join(map(printable, twice))} stands twice in the header.",
            hint="Nobody can tell which one is meant; rename one of them.",
        )
    if lost:
        raise DataError(
            f"{source.where}: there is no column {', '.join(lost)}.",
            hint=f"The columns are {', '.join(printable(c) for c in there[:40])}; check own.{source.name}.columns, or "
            f"say under own.{source.name}.renamed what it is called here.",
        )
    return wanted, tuple(dict.fromkeys(c for c in there if c and c not in wanted))


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
