"""The Engine port on DuckDB, in memory, offline: no extension is installed or loaded, no address is opened."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from twinops.adapters.sql.spill import spill_of
from twinops.errors import DataError
from twinops.ports import Sealed, SubjectKeys

_OFFLINE = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "custom_extension_repository": "/dev/null",
}


class DuckDBEngine:
    """SQL over Arrow tables and Parquet files. The answer is the same whatever `threads` and `memory_limit` say.

    >>> engine = DuckDBEngine(threads=1)
    >>> engine.register("basket", pa.table({"cents": [199, 250]}))
    >>> engine.query("SELECT CAST(SUM(cents) AS BIGINT) AS cents FROM basket").to_pylist()
    [{'cents': 449}]
    """

    def __init__(self, *, threads: int = 2, memory_limit: str = "2GB") -> None:
        self._threads, self._memory_limit = threads, memory_limit
        self._limits: dict[str, str | int | float | list[str]] = {
            "threads": threads,
            "memory_limit": memory_limit,
            "temp_directory": str(spill_of(self)),
        }
        self._begin()

    def _begin(self) -> None:
        self._db = duckdb.connect(":memory:", config={**_OFFLINE, **self._limits})
        self._db.execute("SET TimeZone = 'UTC'; SET python_enable_replacements = false")
        # in a kernel without ipywidgets there is no bar, and DuckDB refuses even to switch it off
        if self._db.sql("SELECT current_setting('enable_progress_bar')").fetchall() == [(True,)]:
            self._db.execute("SET enable_progress_bar = false")

    def forget(self) -> None:
        """Know no table any more. DuckDB holds half a kilobyte of each query that sums an Arrow table until it ends."""
        self._db.close()
        self._begin()

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table known under a name; an older one of that name is replaced."""
        self._db.register(name, table)

    def register_parquet(self, name: str, path: Path) -> None:
        """Make a Parquet file known under a name; its columns are read when a query asks for them."""
        with _without_values():
            self._db.read_parquet(glob.escape(str(path))).create_view(name, replace=True)

    def opening(self, name: str, rows: Sealed) -> Iterator[None]:
        """Make sealed rows known under a name, some subjects after the other; they are opened here."""
        for part in rows.opened():
            self.register(name, part)
            yield

    def keep(self, name: str, sql: str) -> None:
        """Run one SELECT and make its answer known under a name."""
        self.register(name, self.query(sql))

    def spread(self, table: pa.Table, work: Callable[[pa.Table], pa.Table], *, gives: pa.Schema) -> pa.Table:
        """Work on rows each of which can be worked on without the others: here, all of them at once."""
        return work(table).cast(gives)

    def spread_some(
        self, table: pa.Table, work: Callable[[pa.Table], pa.Table], *, gives: pa.Schema, at_once: int
    ) -> Iterator[pa.Table]:
        """The same, so many rows at one time."""
        yield from (work(table.slice(start, at_once)).cast(gives) for start in range(0, table.num_rows, at_once))

    def lent(self, keys: SubjectKeys, sids: Iterable[str]) -> SubjectKeys:  # noqa: ARG002  (the port's)
        """The keys themselves: the work is done here."""
        return keys

    def execute(self, sql: str) -> None:
        """Run one or more statements for their effect."""
        with _without_values():
            self._db.execute(sql)

    def query(self, sql: str) -> pa.Table:
        """Run one SELECT and return its rows, in the order it asks for."""
        with _without_values():
            return self._db.sql(sql).to_arrow_table()

    def shut(self) -> DuckDBEngine:
        """A new one that knows no table and can open no file: for queries that the project brings of its own."""
        return _ShutEngine(threads=self._threads, memory_limit=self._memory_limit)


class _ShutEngine(DuckDBEngine):
    """Of a query that others wrote a mistake is theirs to mend: it is told in a sentence, without any value."""

    def _begin(self) -> None:
        super()._begin()
        self.execute("SET enable_external_access = false; SET lock_configuration = true")

    def query(self, sql: str) -> pa.Table:
        """Run one SELECT and return its rows, in the order it asks for."""
        try:
            return super().query(sql)
        except (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException) as problem:
            said = str(problem).splitlines()[0]
            raise DataError(f"the query is wrong: {said[:200]}", hint="Mend the file.") from None


@contextmanager
def _without_values() -> Iterator[None]:
    """DuckDB quotes the values it stumbles over, and they may be somebody's: say only what kind of error it was.

    A mistake in the SQL itself holds no values and is ours to mend: it passes as it is.
    """
    try:
        yield
    except (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException):
        raise
    except duckdb.Error as problem:
        raise DataError(
            f"The table work failed with a {type(problem).__name__}.",
            hint="Is a file it reads damaged, or too large for memory?",
        ) from None
