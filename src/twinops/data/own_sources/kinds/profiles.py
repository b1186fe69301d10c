"""Profiles of your own: the shipped demographics' code-book; any answer may be missing."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from twinops.data.own_sources.sorting import in_total_order
from twinops.data.schema import Column, Schema
from twinops.data.sources import demographics

DAY = None
SCHEMA = Schema(
    (Column("household_id", "text"), *(replace(c, nullable=True) for c in demographics.SCHEMA.columns[1:])),
    key=("household_id",),
)


def sealed(rows: pa.Table) -> pa.Table:
    """The same columns, as text."""
    return in_total_order(rows.select(SCHEMA.names))
