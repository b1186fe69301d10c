"""A folder of exports that people asked of a platform, or a single one, as cells; nothing is written to disk."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa

from twinops.data.own_sources.declared import DeclaredSource
from twinops.data.own_sources.files import exports
from twinops.data.own_sources.files.cells import TextCells, asked_columns
from twinops.data.reading.activitypub import SCHEMA
from twinops.data.reading.dates import Calendar
from twinops.data.reading.reading import Collector, Fault, RefusedRow
from twinops.data.sources import social_accounts
from twinops.entities.day_count import DayCount
from twinops.errors import DataError

EPOCH = date(1970, 1, 1)
NEVER = date(2100, 1, 1)
"""What has no day of its own in an export that does not say when it was made."""
UNDATED = "undated"


def read(source: DeclaredSource) -> Iterator[TextCells]:
    """What each export holds.

    Raises:
        DataError: there is no such folder or archive.
    """
    found = _exports(source)
    seen = 0
    for path in found:
        cells = _cells(source, path).behind(seen, path.name)
        seen = max(seen, cells.last)
        yield cells
    if not found:
        yield TextCells(_table(source, [])[0], dropped=exports.NOT_READ)


def _exports(source: DeclaredSource) -> list[Path]:
    place = source.root / (source.said.path or "")
    if not place.exists():
        raise DataError(f"{source.where}: there is no {place.name}.", hint="Check path in params.yaml.")
    if exports.is_export(place):
        return [place]
    if not place.is_dir():
        raise DataError(
            f"{source.where}: {place.name} is no archive.", hint=f"Archives end with {', '.join(exports.ENDINGS)}."
        )
    hidden = (p for p in sorted(place.iterdir()) if not p.name.startswith("."))
    return [p for p in hidden if p.is_dir() or p.name.endswith(exports.ENDINGS)]


def _cells(source: DeclaredSource, path: Path) -> TextCells:
    calendar = Calendar(NEVER, DayCount(EPOCH), source.said.time.days_in if source.said.time else "UTC")
    people = source.said.form.people == "account"
    schema = social_accounts.SCHEMA.arrow if people else SCHEMA.arrow
    collector = Collector(schema, source.max_rows)
    # a link leads to other files than those that were handed in
    if path.is_symlink():
        collector.refuse(b"", Fault.PATH_TRAVERSAL, place=path.name)
    elif people:
        exports.read_account(path, collector, calendar=calendar)
    else:
        exports.read_events(path, collector, calendar=calendar, brand=source.said.brand or "")
    table, undated = _table(source, collector.rows)
    left = dict(collector.left_out) | ({UNDATED: undated} if undated else {})
    start = table.num_rows + undated
    refused = tuple(
        RefusedRow(str(start + n), r.reason, r.raw, r.encoding, r.size) for n, r in enumerate(collector.refused, 1)
    )
    return TextCells(
        table, frozenset(table.column_names[1:]), refused, exports.NOT_READ, _digest(path), path.name, left_out=left
    )


def _table(source: DeclaredSource, rows: list[tuple[object, ...]]) -> tuple[pa.Table, int]:
    """Rows as text cells of the columns that enter, and how many were left out because nothing dates them."""
    people = source.said.form.people == "account"
    schema = social_accounts.SCHEMA if people else SCHEMA
    names = ["time" if c in ("day", "since") else c for c in schema.names]
    when, never = names.index("time"), (NEVER - EPOCH).days
    dated = [r for r in rows if r[when] != never]
    wanted, _ = asked_columns(source, names)
    columns = {
        c: pa.array([_as_text(r[names.index(c)], moment=c == "time") for r in dated], pa.string()) for c in wanted
    }
    places = pa.array(range(1, len(dated) + 1), pa.int64())
    return pa.table({"place": places, **columns}), len(rows) - len(dated)


def _as_text(value: object, *, moment: bool) -> str | None:
    if moment and isinstance(value, int):
        return (EPOCH + timedelta(days=value)).isoformat()
    return None if value is None else str(value)


def _digest(path: Path) -> str:
    """SHA-256 of an archive, or of the names and bytes of what is read of a folder."""
    if path.is_symlink():
        return hashlib.sha256(b"link").hexdigest()
    if path.is_dir():
        files = sorted({p for name in exports.MEMBERS for p in path.glob(name) if p.is_file() and not p.is_symlink()})
        told = [(p.relative_to(path).as_posix(), _of_file(p)) for p in files]
        return hashlib.sha256(repr(told).encode()).hexdigest()
    return _of_file(path)


def _of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
