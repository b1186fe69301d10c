"""Part sealed tables into those of the final hold-out and everybody else's, and put both together to serve them."""

from collections.abc import Callable, Iterator
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
"""Writes a part of a table: subjects that come after all before them, and no null."""


@contextmanager
def sealed_in_parts(plane: DataPlane, *paths: Path) -> Iterator[tuple[Put, ...]]:
    """For each path what writes the next part of its table, whose columns are those of the first one. No part after the
    first is written that is empty; where there is one part, the file is what `DataPlane.seal` leaves.
    """
    with ExitStack() as opened:
        yield tuple(_parts_of(plane, path, opened) for path in paths)


def _parts_of(plane: DataPlane, path: Path, opened: ExitStack) -> Put:
    seal: Callable[[pa.Table], Written] | None = None

    def put(table: pa.Table) -> None:
        nonlocal seal
        if seal is None:
            schema = pa.schema([f.with_nullable(False) for f in table.schema])
            seal = opened.enter_context(sealing(path, schema, dataset=path.stem, keys=plane.keys))
        elif not table.num_rows:
            return
        seal(table)

    return put


def everyone(plane: DataPlane, path: Path) -> pa.Table:
    """Both parts of a table, for what is told or done for everybody and chooses nothing."""
    return plane.tables.parted(plane.places.both(path))
