"""Product categories that tell of a special category of personal data: never a feature, never shown."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import pyarrow as pa
import yaml

from twinops.data.door import BatchRequest, enter
from twinops.data.schema import Column
from twinops.plugins import text_beside
from twinops.ports import Engine

PRODUCTS = (
    Column("product_id", "whole"),
    Column("product_category", "text", nullable=True),
    Column("product_type", "text", nullable=True),
)


@dataclass(frozen=True)
class DenyList:
    """Category -> patterns of product categories and types, in capitals, and why."""

    version: str
    patterns: dict[str, tuple[str, ...]]
    why: dict[str, str]


@cache
def shipped() -> DenyList:
    """`special_categories.yaml`."""
    raw: dict[str, Any] = yaml.safe_load(text_beside(__package__, "special_categories.yaml"))
    listed = raw["categories"]
    patterns = {name: tuple(p.upper() for p in c["patterns"]) for name, c in listed.items()}
    return DenyList(str(raw["version"]), patterns, {name: c["why"] for name, c in listed.items()})


def denied(engine: Engine, asked: BatchRequest, *, by: DenyList | None = None) -> pa.Table:
    """`product_id, category` of every denied product; the engine knows all products as `products_file` afterwards.

    Raises:
        DataError: there is no table of products, or it lacks a column.
    """
    listed = (by or shipped()).patterns
    enter(engine, asked, "products", PRODUCTS)
    rows = [{"category": c, "pattern": p} for c, ps in sorted(listed.items()) for p in ps]
    engine.register("special_patterns", pa.Table.from_pylist(rows))
    return engine.query(text_beside(__package__, "special.sql"))


def kinds(engine: Engine) -> pa.Table:
    """`product_id, kind`: the denied category of a product, or its own ordinary one.

    The engine holds `products_file` and `special`.
    """
    return engine.query(text_beside(__package__, "kinds.sql"))
