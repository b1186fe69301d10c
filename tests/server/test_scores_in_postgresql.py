"""A table of scores in PostgreSQL: replaced whole, as it was when anything goes wrong, and no password is repeated."""

from __future__ import annotations

import psycopg
import pyarrow as pa
import pytest

from twinops.errors import ServiceError
from twinops.workflows.scoring.outlets import outlet

SCHEMA = pa.schema([("id", pa.string()), ("spend", pa.float64()), ("like_cases", pa.int64()), ("selected", pa.bool_())])


@pytest.fixture
def address(postgres):
    return postgres._address(postgres._created("template0"))


def rows(n: int) -> pa.Table:
    columns = {"id": [f"c{i}" for i in range(n)], "spend": [1.5] * n, "like_cases": [9] * n, "selected": [True] * n}
    return pa.table(columns, schema=SCHEMA)


def held(address: str) -> list[tuple[object, ...]]:
    with psycopg.connect(address) as db:
        return db.execute("SELECT COUNT(*), SUM(spend), BOOL_AND(selected) FROM scores").fetchall()


def written(address: str, *tables: pa.Table, ends: Exception | None = None) -> None:
    with outlet(f"{address}#scores").opened(SCHEMA, {}) as put:
        for table in tables:
            put(table)
        if ends is not None:
            raise ends


def test_a_table_is_replaced_whole_or_left_as_it_was(address):
    written(address, rows(3), rows(0), rows(4))
    assert held(address) == [(7, 10.5, True)]
    with pytest.raises(RuntimeError):
        written(address, rows(1), ends=RuntimeError("in the middle"))
    assert held(address) == [(7, 10.5, True)]
    written(address, rows(2))
    assert held(address) == [(2, 3.0, True)]


def test_a_database_that_cannot_be_reached_is_told_without_its_address():
    with pytest.raises(ServiceError) as refused:
        written("postgresql://shop:secret@127.0.0.1:1/base", rows(1))
    assert not any(word in str(refused.value) for word in ("secret", "shop", "127.0.0.1"))
