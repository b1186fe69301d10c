"""The Engine port on PySpark: the same SQL files, translated by sqlglot; for data that already live on a cluster.

Needs the extra `spark` and Java 17. On one machine it costs several times the time of DuckDB. What is written out still
comes from an ordered query, and only for files in which the linter of our tests finds nothing are the values the same.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import sqlglot

from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.adapters.sql.key_window import KeyWindow
from twinops.adapters.sql.spark_frames import by_kind, opened
from twinops.errors import DataError, ParamsError
from twinops.ports import Held, Sealed, SubjectKeys

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.io.encryption.enabled": "true",  # what is spilled or shuffled tells of persons
    "spark.rpc.message.maxSize": "1024",  # MB; a table from the driver travels with its tasks
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.variable.substitute": "false",  # a text that holds ${env:...} is a text
    "spark.executor.syncLogLevel.enabled": "true",  # what an executor writes of a task that failed quotes rows
}
TELL_ROWS = ("SQLQueryContextLogger", "DataFrameQueryContextLogger")
"""What PySpark itself writes of a query that failed, to where errors go: with the value that was in the way."""

ON_LOOPBACK = {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
"""Where the cluster is this machine, nobody else reaches the driver."""


class _Whole:
    """Work on all rows of a partition at once, or so many: what it begins with may be dear."""

    def __init__(self, work: Callable[[pa.Table], pa.Table], gives: pa.Schema, at_once: int | None = None) -> None:
        self._work, self._gives, self._at_once = work, gives, at_once

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        if held := list(batches):
            table = pa.Table.from_batches(held)
            for start in range(0, table.num_rows, self._at_once or table.num_rows):
                with by_kind():
                    made = self._work(table.slice(start, self._at_once)).cast(self._gives).to_batches()
                yield from made


def translated(sql: str) -> str:
    """A query in DuckDB's words as one in Spark's.

    >>> translated("SELECT a FROM t ORDER BY a")
    'SELECT a FROM t ORDER BY a NULLS LAST'
    """
    return sqlglot.transpile(sql, read="duckdb", write="spark")[0]


class SparkEngine:
    """SQL over Arrow tables and Parquet files on a Spark session; `close` ends it.

    A DuckDB that holds the same tables without a row says of which type each column of an answer is, so that what is
    sealed from an answer has the same bytes as with DuckDB.
    """

    def __init__(self, *, master: str = "local[1]", memory: str = "1g") -> None:
        self._spark, self._types = _session(master, memory), DuckDBEngine(threads=1)
        self._kept: dict[str, DataFrame] = {}
        self._windows: dict[str, KeyWindow] = {}
        self._lent: list[KeyWindow] = []
        self._opened: dict[str, Sealed] = {}

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table known under a name; an older one of that name is replaced."""
        self._opened.pop(name, None)
        with _without_values():
            self._spark.createDataFrame(_plain(table)).createOrReplaceTempView(name)
        self._types.register(name, table.schema.empty_table())

    def register_parquet(self, name: str, path: Path) -> None:
        """Make a Parquet file known under a name, read lazily."""
        with _without_values():
            self._spark.read.parquet(str(path)).createOrReplaceTempView(name)
        self._types.register(name, pq.read_schema(path).empty_table())

    def opening(self, name: str, rows: Sealed) -> Iterator[None]:
        """Make sealed rows known under a name, all at once: the executors open some of them each, when asked.

        Keys and opened rows are in the executors' memory; rows that do not fit there are spilled encrypted. Rows that
        are known under this name are not opened again.
        """
        if self._opened.get(name) is rows:
            yield
            return
        with _without_values():
            found, schema, window = opened(self._spark, rows, _plain)
            self._hold(name, found)
        if name in self._windows:
            self._windows.pop(name).close()
        self._windows[name] = window
        self._types.register(name, schema.empty_table())
        self._opened[name] = rows
        yield

    def keep(self, name: str, sql: str) -> None:
        """Run one SELECT and make its answer known under a name; it stays with the executors."""
        kind = self._types.query(sql)
        with _without_values():
            self._hold(name, self._spark.sql(translated(sql)))
        self._types.register(name, kind)

    def spread(self, table: pa.Table, work: Callable[[pa.Table], pa.Table], *, gives: pa.Schema) -> pa.Table:
        """Work on rows each of which can be worked on without the others: each executor on some that follow each other.

        Spark cuts an Arrow table into as many parts as it has cores, in order, and collects them in order.
        """
        if not table.num_rows:
            return work(table).cast(gives)
        return self._mapped(self._frame(table), _Whole(work, gives), gives)

    def spread_some(
        self, table: pa.Table, work: Callable[[pa.Table], pa.Table], *, gives: pa.Schema, at_once: int
    ) -> Iterator[pa.Table]:
        """The same, so many rows of a part at one time."""
        if table.num_rows:
            found = self._mapped(self._frame(table), _Whole(work, gives, at_once), gives)
            yield from (found.slice(start, at_once) for start in range(0, found.num_rows, at_once))

    @contextmanager
    def held(self, table: pa.Table) -> Iterator[Held]:
        """Rows that are worked on again and again, in the executors' memory; what does not fit is spilled encrypted."""
        with _without_values():
            # shuffled once: a part of a table that comes from the driver would travel again with every task
            frame = self._frame(table).repartition(2 * self._spark.sparkContext.defaultParallelism).persist()
        try:
            yield lambda work, *, gives: self._mapped(frame, _Whole(work, gives), gives)
        finally:
            frame.unpersist()

    def lent(self, keys: SubjectKeys, sids: Iterable[str]) -> SubjectKeys:
        """Through a window that is open as long as the engine: executors ask it."""
        self._lent.append(window := self._window(keys, sids))
        return window.across

    @contextmanager
    def lending(self, keys: SubjectKeys, sids: Iterable[str]) -> Iterator[SubjectKeys]:
        """Through a window that is open as long as it lasts."""
        window = self._window(keys, sids)
        try:
            yield window.across
        finally:
            window.close()

    def _window(self, keys: SubjectKeys, sids: Iterable[str]) -> KeyWindow:
        return KeyWindow(keys, frozenset(sids), host=str(self._spark.conf.get("spark.driver.host")))

    def _frame(self, table: pa.Table) -> DataFrame:
        with _without_values():
            return self._spark.createDataFrame(_plain(table))

    def _mapped(self, frame: DataFrame, work: _Whole, gives: pa.Schema) -> pa.Table:
        from pyspark.sql.pandas.types import from_arrow_schema

        told: Any = from_arrow_schema(gives)
        with _without_values():
            return frame.mapInArrow(work, told).toArrow().cast(gives)

    def _hold(self, name: str, found: DataFrame) -> None:
        """Known under a name, and computed once; what that name stood for is let go once this one needs it no more."""
        found.persist().createOrReplaceTempView(name)
        self._kept[name] = found

    def execute(self, sql: str) -> None:
        """Run one or more statements for their effect."""
        with _without_values():
            for statement in sqlglot.transpile(sql, read="duckdb", write="spark"):
                self._spark.sql(statement).collect()
        self._types.execute(sql)

    def query(self, sql: str) -> pa.Table:
        """Run one SELECT and return its rows, in the order it asks for."""
        wanted = self._types.query(sql).schema
        with _without_values():
            return _naive(self._spark.sql(translated(sql)).toArrow()).cast(wanted)

    def forget(self) -> None:
        """Know no table any more."""
        for table in self._spark.catalog.listTables():
            if table.isTemporary:
                self._spark.catalog.dropTempView(table.name)
        self._types.forget()

    def shut(self) -> DuckDBEngine:
        """A DuckDB that knows no table and can open no file: Spark has no such place for a query of one's own."""
        return self._types.shut()

    def close(self) -> None:
        """End the session and its Java process; nobody is given a key any more."""
        self._spark.stop()
        for window in (*self._windows.values(), *self._lent):
            window.close()


def encrypted(settings: Mapping[str, str]) -> bool:
    """Whether driver and executors talk so that nobody beside them understands.

    >>> encrypted({"spark.network.crypto.enabled": "true"}), encrypted({})
    (False, False)
    >>> encrypted({"spark.authenticate": "true", "spark.network.crypto.enabled": "true"})
    True
    """
    on = {name for name, value in settings.items() if value.lower() == "true"}
    return {"spark.authenticate", "spark.network.crypto.enabled"} <= on or "spark.ssl.rpc.enabled" in on


def _session(master: str, memory: str) -> SparkSession:
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    try:
        with _quiet():
            from pyspark.logger import PySparkLogger
            from pyspark.sql import SparkSession
    except ImportError:
        raise ParamsError(
            "PySpark is not installed.", hint="Install the extra: twinops[spark]; it needs Java 17."
        ) from None
    for name in TELL_ROWS:
        PySparkLogger.getLogger(name).disabled = True
    builder = SparkSession.builder.master(master).appName("twinops").config("spark.driver.memory", memory)
    here = master.startswith("local") or "//127.0.0.1:" in master
    for key, value in (SETTINGS | (ON_LOOPBACK if here else {})).items():
        builder = builder.config(key, value)
    with _quiet():
        session = builder.getOrCreate()
    if not (here or encrypted(dict(session.sparkContext.getConf().getAll()))):
        session.stop()
        raise ParamsError(
            f"What the processes of {master} send each other is not encrypted, and it tells of persons.",
            hint="Set spark.authenticate and spark.network.crypto.enabled to true in spark-defaults.conf.",
        )
    session.sparkContext.setLogLevel("OFF")
    session.conf.set("spark.sql.shuffle.partitions", str(2 * session.sparkContext.defaultParallelism))
    return session


WITH_SIGN = {pa.uint8(): pa.int16(), pa.uint16(): pa.int32(), pa.uint32(): pa.int64()}


def _plain(table: pa.Table) -> pa.Table:
    """Dictionaries as the values they stand for, times in microseconds, whole numbers with a sign: Spark's types."""
    return table.cast(pa.schema([f.with_type(_plain_type(f.type)) for f in table.schema]), safe=False)


def _plain_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return kind.value_type
    if kind in WITH_SIGN:
        return WITH_SIGN[kind]
    return pa.timestamp("us", kind.tz) if pa.types.is_timestamp(kind) else kind


def _naive(table: pa.Table) -> pa.Table:
    """Times by the session's clock, which is UTC, without a zone: FROM_UTC_TIMESTAMP adds one, DuckDB none."""
    fields = [f.with_type(pa.timestamp(f.type.unit)) if pa.types.is_timestamp(f.type) else f for f in table.schema]
    return table.cast(pa.schema(fields))


@contextmanager
def _quiet() -> Iterator[None]:
    """PySpark 4.3 says at its start that it does not yet fully support pandas 3; no pandas is used here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _without_values() -> Iterator[None]:
    """Spark quotes rows in its errors, and they may be somebody's: say only what kind of error it was.

    A mistake in the SQL itself holds no values and is ours to mend: it passes as it is.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import AnalysisException, ParseException, PySparkException

    try:
        with _quiet():
            yield
    except (AnalysisException, ParseException):
        raise
    except (PySparkException, Py4JError) as problem:
        raise DataError(
            f"The table work failed with a {type(problem).__name__}.", hint="Is a file it reads damaged?"
        ) from None
