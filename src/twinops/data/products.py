"""What articles are of: a table about no one, shipped or your own, as the engine and the deny-list know it."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from twinops.data.door import BatchRequest, enter
from twinops.data.schema import Column
from twinops.errors import IntegrityError
from twinops.ports import Engine
from twinops.whole_files import AGAIN

COLUMNS = (
    Column("product_id", "whole"),
    Column("product_category", "text", nullable=True),
    Column("product_type", "text", nullable=True),
)
NOTHING = pa.table({"product_id": pa.array([], pa.int64()), **{c.name: pa.array([], pa.string()) for c in COLUMNS[1:]}})
_SQL = "SELECT product_id, product_category, product_type FROM products_file ORDER BY ALL"


def shipped(engine: Engine, asked: BatchRequest) -> pa.Table:
    """The table of products in the folder that is asked for; nothing where there is none.

    Raises:
        DataError: it is no table of products.
    """
    if not asked.file("products").is_file():
        return NOTHING
    enter(engine, asked, "products", COLUMNS)
    return engine.query(_SQL).cast(NOTHING.schema)


def opened(path: Path) -> pa.Table:
    """What was collected; nothing where nothing was.

    Raises:
        IntegrityError: the file cannot be read.
    """
    if not path.is_file():
        return NOTHING
    try:
        return pq.read_table(path)
    except (pa.ArrowException, OSError):
        raise IntegrityError(f"{path.name} of the products is damaged.", hint=AGAIN) from None
