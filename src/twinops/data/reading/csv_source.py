"""What a source of strangers' records declares: its file, what is read of it, and what takes one record in.

The loop is here, once: every record is taken or goes to quarantine with its line and its reason; nothing is lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from twinops.data.door import BatchRequest
from twinops.data.reading import contact_cells, csv_records, strict_json
from twinops.data.reading.dates import Calendar
from twinops.data.reading.reading import Collector, Reading, Refused, folder_of
from twinops.errors import DataError
from twinops.ports import Engine

Take = Callable[[dict[str, Any], Collector, Calendar], None]
"""Looks at one record by its file's own names and admits a row, or raises `Refused`."""


class Unread(NamedTuple):
    """A record as it came, and what opens it or refuses to."""

    line: int
    raw: bytes
    opened: Callable[[], dict[str, Any]]


@dataclass(frozen=True)
class _RecordFile:
    """A file of a source: its name, the demo that makes a synthetic one, and the names in it that are read.

    Rows come in the columns of `schema`; any other name of the file is dropped and said to be.
    """

    name: str
    made_by: str
    reads: Collection[str]
    schema: pa.Schema
    take: Take

    def _path(self, asked: BatchRequest) -> Path:
        return folder_of(asked, self.made_by) / self.name

    def _entered(self, asked: BatchRequest, found: Iterable[Unread]) -> Collector:
        """Everything that could be taken in, and the rest with its reason."""
        collector, calendar = Collector(self.schema, asked.max_rows), Calendar.of(asked)
        for line, raw, opened in found:
            try:
                record = opened()
                self.take(record, collector, calendar)
                collector.names.update(record)
            except Refused as refusal:
                collector.refuse(raw, refusal.reason, place=f"{self.name}:{line}")
        return collector


@dataclass(frozen=True)
class CsvSource(_RecordFile):
    """A source that is one CSV file. `ids` is how the first cell of a record looks, by which a torn one ends."""

    ids: re.Pattern[str]
    mixed_encodings: bool = False

    def __call__(self, _: Engine, asked: BatchRequest) -> Reading:
        """All records of the file.

        Raises:
            DataError: there is no such file, it is UTF-16, or its header lacks a column.
        """
        found = csv_records.lines(self._path(asked))
        if self.mixed_encodings:
            found = [contact_cells.in_utf8(line) for line in found]
        # a record's first cell is its id: a line that begins with one ends whatever was torn before it
        header, records = csv_records.csv_records(found, begins=re.compile(f"{self.ids.pattern},", re.ASCII))
        missing = [c for c in self.reads if c not in header]
        if missing:
            raise DataError(
                f"{self.name} has no column {', '.join(missing)}.", hint=f"Needed are {', '.join(self.reads)}."
            )
        unread = (Unread(r.line, csv_records.in_bytes(r.raw), partial(_cells, header, r)) for r in records)
        return self._entered(asked, unread).reading(dropped=[c for c in header if c not in self.reads])


@dataclass(frozen=True)
class JsonLinesSource(_RecordFile):
    """A source that is one file of JSON Lines."""

    def __call__(self, _: Engine, asked: BatchRequest) -> Reading:
        """All records of the file.

        Raises:
            DataError: there is no such file.
        """
        found = enumerate(csv_records.lines(self._path(asked)), start=1)
        unread = (Unread(line, raw, partial(strict_json.parse, raw)) for line, raw in found if raw.strip())
        collector = self._entered(asked, unread)
        return collector.reading(dropped=sorted(collector.names.difference(self.reads)))


def _cells(header: list[str], record: csv_records.CsvRecord) -> dict[str, str]:
    """The cells of a record by the header's names."""
    if record.refused:
        raise Refused(record.refused)
    return dict(zip(header, record.cells, strict=True))


def as_read(rows: pa.Table) -> pa.Table:
    """Good rows as they are sealed: the same columns."""
    return rows
