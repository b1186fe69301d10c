"""The door of the house: a file is opened only when it is what it says, and only declared columns enter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from twinops.data import journey
from twinops.data.schema import Column
from twinops.entities.day_count import DayCount
from twinops.errors import DataError
from twinops.params import SourcesParams
from twinops.ports import Engine


@dataclass(frozen=True)
class BatchRequest:
    """What to read: which batch, from which folder (None: the shipped files), and the most rows a file may hold.

    What lies behind `as_of` has not happened. `days` counts them for readers that take moments one by one; tables may
    keep dates, which the intake counts.
    """

    batch: str
    folder: Path | None = None
    max_rows: int = 5_000_000
    as_of: date = date.max
    days: DayCount | None = None

    def file(self, table: str) -> Path:
        """Where a table's Parquet file is."""
        return (self.folder or journey.shipped()) / f"{table}.parquet"


def asked_for(batch: str, root: Path, sources: SourcesParams) -> BatchRequest:
    """Where the parameters say a source's files are; a relative folder is one of the project."""
    folder = None if sources.folder is None else root / sources.folder
    return BatchRequest(batch, folder, sources.max_rows)


@dataclass(frozen=True)
class BatchRead:
    """The rows of one batch in declared columns, how many rows the file holds, and which columns stayed outside."""

    rows: pa.Table
    in_file: int
    dropped: tuple[str, ...] = ()


def enter(engine: Engine, asked: BatchRequest, table: str, columns: tuple[Column, ...]) -> BatchRead:
    """Check a table's file and make it known to the engine as `<table>_file`; no row is read yet.

    Raises:
        DataError: no such file, not Parquet, a declared column missing or of another kind, more rows than allowed.
    """
    path = asked.file(table)
    footer = _footer(path)
    # judged by the footer alone: nothing is unpacked of a file that is too large
    if footer.num_rows > asked.max_rows:
        raise DataError(
            f"{path.name} says it holds {footer.num_rows:,} rows, more than sources.max_rows ({asked.max_rows:,}).",
            hint="Raise sources.max_rows if that is right.",
        )
    schema = footer.schema.to_arrow_schema()
    missing = [c.name for c in columns if c.name not in schema.names]
    if missing:
        raise DataError(f"{path.name} has no column {', '.join(missing)}.", hint=f"It has {', '.join(schema.names)}.")
    wrong = [
        f"{c.name} is {schema.field(c.name).type}, not a {c.kind}"
        for c in columns
        if not c.fits(schema.field(c.name).type)
    ]
    if wrong:
        raise DataError(f"{path.name}: {'; '.join(wrong)}.", hint="Write the column with the type that is asked for.")
    # art. 5(1)(c): columns nobody declared are named and never read
    engine.register_parquet(f"{table}_file", path)
    declared = {c.name for c in columns}
    return BatchRead(schema.empty_table(), footer.num_rows, tuple(n for n in schema.names if n not in declared))


def _footer(path: Path) -> pq.FileMetaData:
    try:
        return pq.read_metadata(path)
    except FileNotFoundError:
        raise DataError(
            f"There is no {path.name} in {path.parent.name}.", hint="Check sources.folder in params.yaml."
        ) from None
    except (pa.ArrowException, OSError):
        size = path.stat().st_size if path.is_file() else 0
        raise DataError(
            f"{path.name} ({size:,} bytes) is not a readable Parquet file.", hint="Copy it again from where it came."
        ) from None
