"""What your articles are of: category and type. It tells of nobody, so it is kept as it is."""

from __future__ import annotations

import pyarrow as pa

from twinops.data.own_sources.codes import HIGHEST
from twinops.data.reading.reading import in_total_order
from twinops.data.schema import Column, Schema
from twinops.own_kinds import Form
from twinops.own_params import OwnSource

DAY = None
FORM = Form(
    staged_as="products",
    columns={"product_id": "code", "product_category": "answer", "product_type": "answer"},
    needed=("product_id", "product_category"),
    fields=frozenset({"special", "special_reviewed"}),
    personal=False,
    sealed=False,
)
SCHEMA = Schema(
    (
        Column("product_id", "whole", 1, HIGHEST),
        Column("product_category", "text", nullable=True),
        Column("product_type", "text", nullable=True),
    ),
    key=("product_id",),
)


def schema(_said: OwnSource) -> Schema:
    """The same whatever is declared."""
    return SCHEMA


def sealed(rows: pa.Table) -> pa.Table:
    """The same columns, in order."""
    return in_total_order(rows.select(SCHEMA.names))
