"""Part sealed tables into those of the final hold-out and everybody else's, and put both together to serve them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pyarrow as pa

from twinops.data.holdout import parted
from twinops.data.vault.seal import Written, sealing
from twinops.workflows.data_plane import DataPlane

NOBODY = pa.table({"sid": pa.array([], pa.string())})


def apart_of(plane: DataPlane) -> frozenset[str]:
    """The households that stand apart, as `features` wrote them."""
    panel = plane.tables.table(plane.places.apart(plane.places.panel), otherwise=NOBODY)
    return frozenset(panel["sid"].to_pylist())


def seal_parted(plane: DataPlane, table: pa.Table, path: Path, *, apart: frozenset[str]) -> None:
    """Write a table without the households that stand apart, and theirs to the hold-out's folder."""
    others, theirs = parted(table, apart)
    plane.seal(others, path)
    plane.seal(theirs, plane.places.apart(path))


Put = Callable[[pa.Table], None]
"""Writes a part of a table: subjects that come after all before them."""


def seal_parts(plane: DataPlane, parts: list[pa.Table], path: Path, *, apart: frozenset[str]) -> None:
    """The same of a table that came in parts, by rising sid; they are let go one by one as they are written."""
    nullable = frozenset(name for part in parts for name in part.column_names if part[name].null_count)
    if len(parts) == 1:
        seal_parted(plane, parts.pop(), path, apart=apart)
        return
    with sealed_in_parts(plane, path, plane.places.apart(path), nullable=nullable) as puts:
        while parts:
            for put, some in zip(puts, parted(parts.pop(0), apart), strict=True):
                put(some)


@contextmanager
def sealed_in_parts(
    plane: DataPlane, *paths: Path, nullable: frozenset[str] = frozenset()
) -> Iterator[tuple[Put, ...]]:
    """For each path what writes the next part of its table, whose columns are those of the first one, and hold no null
    but for the `nullable`. No part after the first is written that is empty; where there is one part, the file is what
    `DataPlane.seal` leaves.
    """
    with ExitStack() as opened:
        yield tuple(_parts_of(plane, path, opened, nullable) for path in paths)


def _parts_of(plane: DataPlane, path: Path, opened: ExitStack, nullable: frozenset[str]) -> Put:
    seal: Callable[[pa.Table], Written] | None = None

    def put(table: pa.Table) -> None:
        nonlocal seal
        if seal is None:
            schema = pa.schema([f.with_nullable(f.name in nullable) for f in table.schema])
            seal = opened.enter_context(sealing(path, schema, dataset=path.stem, keys=plane.keys))
        elif not table.num_rows:
            return
        seal(table)

    return put


def everyone(plane: DataPlane, path: Path, *, columns: Sequence[str] | None = None) -> pa.Table:
    """Both parts of a table, for what is told or done for everybody and chooses nothing; with `columns` these alone."""
    return plane.tables.parted(plane.places.both(path), columns=columns)
