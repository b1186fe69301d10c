"""Part sealed tables into those of the final hold-out and everybody else's, and put both together to serve them."""

from pathlib import Path

import pyarrow as pa

from twinops.data.holdout import parted
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


def everyone(plane: DataPlane, path: Path) -> pa.Table:
    """Both parts of a table, for what is told or done for everybody and chooses nothing."""
    return plane.tables.parted(plane.places.both(path))
