"""An engine that remembers every query with the tables it read and what it answered, to ask another engine the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import pyarrow as pa
import sqlglot
from sqlglot import exp

from twinops.ports import Engine, Sealed


@dataclass(frozen=True)
class Heard:
    """One query, the tables it read, and the answer."""

    sql: str
    tables: dict[str, pa.Table]
    answer: pa.Table


class Listening:
    """An engine, and every query that was asked of it."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._tables = engine, {}
        self.heard: list[Heard] = []

    def register(self, name: str, table: pa.Table) -> None:
        self._tables[name] = table
        self._engine.register(name, table)

    def register_parquet(self, name: str, path: Path) -> None:
        raise NotImplementedError("tests hand tables in")

    def execute(self, sql: str) -> None:
        raise NotImplementedError("what a statement leaves behind cannot be asked of another engine")

    def opening(self, name: str, rows: Sealed) -> Iterator[None]:
        for part in rows.opened():
            self.register(name, part)
            yield

    def keep(self, name: str, sql: str) -> None:
        self.register(name, self.query(sql))

    def spread(self, table: pa.Table, work: Callable[[pa.Table], pa.Table], *, gives: pa.Schema) -> pa.Table:
        return self._engine.spread(table, work, gives=gives)

    def query(self, sql: str) -> pa.Table:
        answer = self._engine.query(sql)
        read = {t.name for t in sqlglot.parse_one(sql, read="duckdb").find_all(exp.Table)}
        self.heard.append(Heard(sql, {n: t for n, t in self._tables.items() if n in read}, answer))
        return answer

    def fullest(self) -> dict[str, Heard]:
        """Of every file of the package that was asked, by path, the time with most rows in the answer."""
        named = {text: name for name, text in shipped().items()}
        out: dict[str, Heard] = {}
        for heard in self.heard:
            name = named.get(heard.sql)
            if name and (name not in out or heard.answer.num_rows > out[name].answer.num_rows):
                out[name] = heard
        return out


def shipped() -> dict[str, str]:
    """Every SQL file of the package, by its path there."""
    return dict(_sql(files("twinops"), ""))


def _sql(folder: Traversable, path: str):
    for item in sorted(folder.iterdir(), key=lambda f: f.name):
        if item.is_dir():
            yield from _sql(item, f"{path}{item.name}/")
        elif item.name.endswith(".sql"):
            yield f"{path}{item.name}", item.read_text(encoding="utf-8")
