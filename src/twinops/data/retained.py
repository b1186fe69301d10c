"""How long rows are kept: since which day each source's are, and which rows of a table are older than that."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from twinops.entities.canonical import to_json
from twinops.errors import IntegrityError

OUTLIVED = "outlived_retention"
"""Why a row was left at the door."""


def read(path: Path) -> dict[str, date]:
    """Source -> the first day whose rows are kept; a project without the file cut nothing yet.

    Raises:
        IntegrityError: it is something else.
    """
    try:
        raw = json.loads(path.read_bytes())
        return {str(source): date.fromisoformat(day) for source, day in raw.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError):
        raise IntegrityError(f"{path.name} cannot be read.", hint="Restore it from git.") from None


def text(since: Mapping[str, date]) -> str:
    """The file's text."""
    return to_json({source: day.isoformat() for source, day in sorted(since.items())}, indent=1) + "\n"


def old_rows(
    table: pa.Table, *, day: str, first: int, spared: Callable[[list[str]], frozenset[str]], by: str
) -> pa.Array:
    """Which rows are from before the first day that is kept, whoever is `spared` (of ids in column `by`) left aside."""
    old = pc.fill_null(pc.less(table[day], first), False)
    names = pc.unique(table.filter(old)[by].cast(pa.string())).to_pylist()
    kept = spared([str(n) for n in names]) if names else frozenset()
    if not kept:
        return old.combine_chunks() if isinstance(old, pa.ChunkedArray) else old
    theirs = pc.is_in(table[by].cast(pa.string()), pa.array(sorted(kept), pa.string()))
    return pc.and_(old, pc.invert(theirs)).combine_chunks()
