"""What a reader hands back: good rows, refused rows each with its reason, and counts of what was left at the door."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from twinops.data.door import BatchRead, BatchRequest
from twinops.errors import DataError

KEPT_BYTES = 65_536
"""So much of a refused row goes to quarantine; `size` says how long it was."""

UNSCORED = b"twinops.unscored"
"""In the table's metadata: how many texts gave no signal, by reason. Nothing of it is said of a row."""

REFUSED_ROWS = pa.schema([*((c, pa.string()) for c in ("place", "reason", "raw", "encoding")), ("size", pa.int64())])


class RefusedRow(NamedTuple):
    """One row of `REFUSED_ROWS`: where it stood, why it was refused, its text and how that stands for its bytes."""

    place: str
    reason: str
    raw: str
    encoding: str
    size: int


class Fault(StrEnum):
    """Why a row or a file does not enter; published as counts."""

    NOT_UTF8 = "not_utf8"
    NUL = "nul_byte"
    SURROGATE = "lone_surrogate"
    OVERSIZED = "oversized"
    FORMULA = "formula_cell"
    TORN = "torn_record"
    FIELD_COUNT = "wrong_field_count"
    NOT_JSON = "not_json"
    TOO_DEEP = "nested_too_deep"
    DUPLICATE_KEY = "duplicate_key"
    NOT_FINITE = "not_a_finite_number"
    NOT_AN_OBJECT = "not_an_object"
    MISSING = "missing_value"
    BAD_ID = "bad_id"
    BAD_TIME = "bad_time"
    FUTURE = "in_the_future"
    BACKWARDS = "closed_before_opened"
    UNKNOWN_VALUE = "unknown_value"
    OUT_OF_RANGE = "out_of_range"
    DUPLICATE_ID = "duplicate_id"
    EMPTY_TEXT = "empty_text"
    FOREIGN_ACTOR = "foreign_actor"
    BAD_ARCHIVE = "bad_archive"
    PATH_TRAVERSAL = "path_traversal"
    ARCHIVE_BOMB = "archive_bomb"
    NO_EXPORT = "no_known_export"


class Refused(Exception):  # noqa: N818  a refusal of one row, caught beside the row; not an error of the run
    """Why a row or a file does not enter."""

    def __init__(self, reason: Fault) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True)
class Reading(BatchRead):
    """Good rows, refused rows as `REFUSED_ROWS`, and how many were left at the door on purpose and not kept.

    `in_file` = rows + refused + left at the door.
    """

    refused: pa.Table = field(default_factory=REFUSED_ROWS.empty_table)
    left_out: dict[str, int] = field(default_factory=dict)

    @property
    def quarantined(self) -> dict[str, int]:
        """Refused rows per reason, by name."""
        return dict(sorted(Counter(self.refused["reason"].to_pylist()).items()))


@dataclass
class Collector:
    """Collects what comes in while a file is read; `names` are those of the fields of what was taken."""

    schema: pa.Schema
    max_rows: int = 5_000_000
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    refused: list[RefusedRow] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    seen: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)

    def admit(self, row: Sequence[Any], *, unique: str) -> None:
        """Take a good row, unless one with this id came before.

        Raises:
            Refused: the id is known already.
            DataError: there are more rows than a file may hold.
        """
        if unique in self.seen:
            raise Refused(Fault.DUPLICATE_ID)
        if len(self.rows) >= self.max_rows:
            raise DataError(f"More than {self.max_rows:,} rows came.", hint="Raise sources.max_rows if that is right.")
        self.seen.add(unique)
        self.rows.append(tuple(row))

    def refuse(self, raw: bytes, reason: Fault, *, place: str) -> None:
        """Send a row to quarantine. Its bytes can be had back: `raw.encode(encoding)`, cut at `KEPT_BYTES`."""
        kept = raw[:KEPT_BYTES]
        try:
            text, encoding = kept.decode("utf-8"), "utf-8"
        except UnicodeDecodeError:
            text, encoding = kept.decode("latin-1"), "latin-1"
        self.refused.append(RefusedRow(place, reason.value, text, encoding, len(raw)))

    def reading(self, *, dropped: Sequence[str] = ()) -> Reading:
        """Everything that came in, as tables, in the order it came."""
        table, refused = as_table(self.rows, self.schema), as_table(self.refused, REFUSED_ROWS)
        in_file = table.num_rows + refused.num_rows + self.left_out.total()
        return Reading(table, in_file, tuple(dropped), refused, dict(sorted(self.left_out.items())))


def folder_of(asked: BatchRequest, demo: str) -> Path:
    """The folder of one's own files.

    Raises:
        DataError: none was named, and nothing is shipped.
    """
    if asked.folder is None:
        raise DataError(
            "The shipped files hold no such source.", hint=f"{demo} makes a synthetic one; or set sources.folder."
        )
    return asked.folder


def as_table(rows: Sequence[Sequence[Any]], schema: pa.Schema) -> pa.Table:
    """Rows as a table."""
    columns = list(zip(*rows, strict=True)) if rows else [() for _ in schema]
    return pa.Table.from_arrays([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)


def in_total_order(rows: pa.Table) -> pa.Table:
    """The rows of a sealed batch in one order, however they came: sorted by every column; equal ones are equal."""
    return rows.sort_by([(name, "ascending") for name in rows.column_names])
