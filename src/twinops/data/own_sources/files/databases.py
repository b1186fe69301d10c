"""An SQLite database among a shop's files: which of its tables is asked for, and two that hold the sales as one."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from twinops.data.own_sources.files.cells import printable
from twinops.data.own_sources.files.sqlite_file import MAGIC, cells_of, opened
from twinops.data.own_sources.recognising import fit, parts_of, words
from twinops.errors import DataError

_LOOKED_AT = 500


@dataclass(frozen=True)
class Rows:
    """Some rows of a query, evenly spread, by column; the query, and what it was told by."""

    query: str
    columns: dict[str, list[Any]]
    why: str


def file_and_table(path: Path) -> tuple[Path, str | None]:
    """`shop.db:customers` is a table of a database; any other name is a file's."""
    before, sign, table = path.name.rpartition(":")
    there = path.with_name(before) if sign and before else path
    return (there, table) if there != path and not path.exists() and is_database(there) else (path, None)


def is_database(path: Path) -> bool:
    """It begins as every SQLite file does."""
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def looked_at(path: Path, table: str | None, *, first: int, kept: int) -> Rows:
    """Of the table, or of the one or two that hold the sales: the `first` rows and about `kept` in all.

    Raises:
        DataError: it is no whole database, or has no such table.
    """
    with opened(path, path.name) as database:
        columns = _tables(database)
        listed = "; ".join(f"{printable(t)} ({', '.join(map(printable, c))})" for t, c in columns.items())
        if not columns or (table is not None and table not in columns):
            raise DataError(
                f"{path.name} has no table {printable(table or '')}; it has {listed or 'none'}.",
                hint=f"Name one: {path.name}:TABLE.",
            )
        query, which = (_all(table), table) if table else _sales(database, columns)
        many = database.execute(f"SELECT COUNT(*) FROM ({query})").fetchone()[0]  # noqa: S608 (our own)
        step, rows = max(many // kept, 1), database.execute(query)
        names = [column[0] for column in rows.description]
        some = [cells_of(row) for n, row in enumerate(rows) if n < first or n % step == 0]
    others = f"Others are read as {path.name}:TABLE."
    why = f"It is an SQLite database; of its tables {listed} this is read: {which}. {others}"
    return Rows(query, {name: [row[i] for row in some] for i, name in enumerate(names)}, why)


def _tables(database: sqlite3.Connection) -> dict[str, list[str]]:
    """Tables and views with their columns."""
    listed = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite%' ORDER BY name"
    return {t: [c[1] for c in database.execute(f"PRAGMA table_info({_named(t)})")] for (t,) in database.execute(listed)}


def _sales(database: sqlite3.Connection, columns: Mapping[str, Sequence[str]]) -> tuple[str, str]:
    """Of the two tables that share a number, the one whose lines speak of amounts and the one with the days, as one."""
    role = words()["columns"]
    lines = [t for t, names in columns.items() if any(fit(n, role["product_id"], an_id=True) for n in names)]
    heads = [t for t, names in columns.items() if any(fit(n, role["time"], an_id=False) for n in names)]
    for line, head in product(lines, heads):
        whole = line in heads and any(fit(n, role["household_id"], an_id=True) for n in columns[line])
        if line == head or whole:
            continue
        pairs = _shared(line, head, columns)
        best = max(pairs, key=lambda pair: _met(database, (line, pair[0]), (head, pair[1])), default=None)
        if best and _met(database, (line, best[0]), (head, best[1])) > 0.5:
            ordered = " ORDER BY l.rowid" if _is_table(database, line) else ""
            which = f"{printable(line)} with {printable(head)} of the same number"
            return _joined(line, head, columns, best) + ordered, which
    one = next((t for t in heads if t in lines), next(iter(heads or columns)))
    return _all(one), printable(one)


def _shared(line: str, head: str, columns: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Columns by which a line may name its receipt: of the same name, or the number of a table that is called so."""
    same = [(n, n) for n in columns[line] if n in columns[head]]
    of = {*parts_of(head)}
    ids = [(n, m) for n in columns[line] for m in columns[head] if {*parts_of(n)} & of and parts_of(m)[-1:] in _IDS]
    return [*same, *(pair for pair in ids if pair not in same)]


_IDS = (["id"], ["nr"], ["no"], ["number"], ["key"])


def _met(database: sqlite3.Connection, line: tuple[str, str], head: tuple[str, str]) -> float:
    """Of the first lines the share that finds its receipt, where a receipt is found once."""
    some = f"SELECT trim({_named(line[1])}) k FROM {_named(line[0])} LIMIT {_LOOKED_AT}"  # noqa: S608 (names are quoted)
    heads = f"SELECT trim({_named(head[1])}) k FROM {_named(head[0])}"  # noqa: S608
    twice, n = database.execute(f"SELECT COUNT(*) - COUNT(DISTINCT k), COUNT(*) FROM ({heads})").fetchone()  # noqa: S608
    met = database.execute(f"SELECT AVG(k IN ({heads})) FROM ({some})").fetchone()[0]  # noqa: S608
    return 0.0 if twice * 100 > n else float(met or 0.0)


def _joined(line: str, head: str, columns: Mapping[str, Sequence[str]], by: tuple[str, str]) -> str:
    mine = {name.casefold() for name in columns[line]}
    more = [f"h.{_named(n)}" for n in columns[head] if n.casefold() not in mine]
    # by a column that is written down once, so that an index is made for it
    heads = f"SELECT *, trim({_named(by[1])}) AS their_number FROM {_named(head)}"  # noqa: S608 (names are quoted)
    return (
        f"WITH h AS MATERIALIZED ({heads}) SELECT {', '.join(['l.*', *more])} FROM {_named(line)} l "  # noqa: S608
        f"JOIN h ON h.their_number = trim(l.{_named(by[0])})"
    )


def _is_table(database: sqlite3.Connection, name: str) -> bool:
    found = database.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,))
    return found.fetchone() is not None


def _all(table: str) -> str:
    return f"SELECT * FROM {_named(table)}"  # noqa: S608 (the name is quoted)


def _named(name: str) -> str:
    """A name as SQL writes it: in marks, as a table may be called `order`."""
    return '"' + name.replace('"', '""') + '"'
