"""An SQLite database among a shop's files: which tables it has, and how the sales in them become one table."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from itertools import product
from pathlib import Path
from shlex import quote

from twinops.data.own_sources.cells import printable
from twinops.data.own_sources.recognising import fit, words
from twinops.errors import DataError


def told_of_database(path: Path) -> DataError:
    """It is an SQLite database: which tables it has, and how they are read."""
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as opened:
        try:
            named = opened.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name")
            tables = [name for (name,) in named]
            columns = {t: [c[1] for c in opened.execute(f"PRAGMA table_info({_named(t)})")] for t in tables}
        except sqlite3.DatabaseError:
            return DataError(f"{path.name} is no whole SQLite database.", hint="Copy it again from where it came.")
    listed = "; ".join(f"{printable(t)} ({', '.join(map(printable, columns[t]))})" for t in tables)
    return DataError(
        f"{path.name} is an SQLite database, with the tables {listed}.",
        hint="Export the sales as a table and name it: "
        f"sqlite3 -header -csv {quote(path.name)} {quote(_query(columns))} > sales.csv; "
        "or declare them by hand (docs/own_sources.md): reads: sql, query, and url_from: SHOP_DB with "
        f"SHOP_DB=sqlite:///{path.name} in the environment.",
    )


def _query(columns: Mapping[str, Sequence[str]]) -> str:
    """Of the two tables that share a number, the one whose lines speak of amounts and the one with the days, as one."""
    role = words()["columns"]
    lines = [t for t, names in columns.items() if any(fit(n, role["product_id"], an_id=True) for n in names)]
    heads = [t for t, names in columns.items() if any(fit(n, role["time"], an_id=False) for n in names)]
    for line, head in product(lines, heads):
        shared = [n for n in columns[line] if n in columns[head] and fit(n, role["basket_id"], an_id=True)]
        if line != head and shared:
            more = [f"h.{_named(n)}" for n in columns[head] if n not in columns[line]]
            return (
                f"SELECT l.*, {', '.join(more)} FROM {_named(line)} l JOIN {_named(head)} h "  # noqa: S608 (shown, not run)
                f"ON trim(l.{_named(shared[0])}) = trim(h.{_named(shared[0])})"
            )
    return f"SELECT * FROM {_named(next(iter(columns), 'sales'))}"  # noqa: S608 (shown, not run)


def _named(name: str) -> str:
    """A name as SQL writes it, with marks where they are needed."""
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) else '"' + name.replace('"', '""') + '"'
