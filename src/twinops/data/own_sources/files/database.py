"""The result of one query; the database's address comes from the environment and is shown nowhere."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from twinops.data.own_sources.declared import DeclaredSource
from twinops.data.own_sources.files.cells import MAX_CELL, TextCells, asked_columns, too_many
from twinops.errors import ParamsError, ServiceError

_AT_ONCE = 10_000


def read(source: DeclaredSource) -> Iterator[TextCells]:
    """The rows the query returns, in an order of their own, so that the same rows are the same bytes.

    Raises:
        ParamsError: the environment holds no address, or the query does not read.
        ServiceError: the database does not answer.
        DataError: there are too many rows, or a mapped column is missing.
    """
    address = os.environ.get(source.said.url_from or "")
    if not address:
        raise ParamsError(
            f"{source.where}: the environment variable {source.said.url_from} is not set.",
            hint="Set it to a SQLAlchemy URL, for example sqlite:///shop.db.",
        )
    _refuse_writing(source)
    header, rows = _rows(source, address)
    wanted, dropped = asked_columns(source, header)
    plain = frozenset(
        c
        for c in wanted
        if any(r[header.index(c)] is not None and not isinstance(r[header.index(c)], str) for r in rows)
    )
    # databases promise no order; ours makes the same rows the same bytes
    cells = sorted(
        (tuple(_text(r[header.index(c)]) for c in wanted) for r in rows),
        key=lambda row: [(cell is not None, cell or "") for cell in row],
    )
    arrays = [pa.array(c, pa.string()) for c in zip(*cells, strict=True)] or [pa.array([], pa.string()) for _ in wanted]
    table = pa.table([pa.array(range(1, len(cells) + 1), pa.int64()), *arrays], names=["place", *wanted])
    digest = hashlib.sha256(repr((wanted, cells)).encode("utf-8", "surrogatepass")).hexdigest()
    yield TextCells(table, plain, (), dropped, digest)


def _rows(source: DeclaredSource, address: str) -> tuple[list[str], list[Any]]:
    import sqlalchemy

    rows: list[Any] = []
    try:
        engine = sqlalchemy.create_engine(address, hide_parameters=True)
        with engine.connect() as connection:
            _only_read(connection)
            result = connection.execution_options(stream_results=True).execute(sqlalchemy.text(source.said.query or ""))
            header = list(result.keys())
            while some := result.fetchmany(_AT_ONCE):
                rows += some
                if len(rows) > source.max_rows:
                    raise too_many(source)
        engine.dispose()
    except (sqlalchemy.exc.SQLAlchemyError, ImportError, ValueError, OSError) as problem:
        # the driver's own words may quote the address, the password or a row
        raise ServiceError(
            f"{source.where}: the query failed with a {type(problem).__name__}.",
            hint=f"Check the query, and the address in {source.said.url_from}.",
        ) from None
    return header, rows


_READ_ONLY = {
    "sqlite": "PRAGMA query_only = ON",
    "postgresql": "SET TRANSACTION READ ONLY",
    "mysql": "SET TRANSACTION READ ONLY",
    "mariadb": "SET TRANSACTION READ ONLY",
    "oracle": "SET TRANSACTION READ ONLY",
}
"""How a database is told that nothing is written. Of others the query alone must say it, and the account's rights."""


def _only_read(connection: Any) -> None:
    import sqlalchemy

    told = _READ_ONLY.get(connection.dialect.name)
    if told is not None:
        connection.execute(sqlalchemy.text(told))


def _refuse_writing(source: DeclaredSource) -> None:
    """A query begins with what reads; one that would write is none."""
    bare = re.sub(r"\A(?:\s|\(|--[^\n]*\n|/\*.*?\*/)*", "", source.said.query or "", flags=re.DOTALL)
    if not re.match(r"(?:select|with|values|table|from)\b", bare, re.IGNORECASE):
        raise ParamsError(f"{source.where}: the query does not read.", hint="It begins with SELECT or WITH.")


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value)[: MAX_CELL + 1]
