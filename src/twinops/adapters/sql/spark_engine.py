"""The Engine port on PySpark: the same SQL files, translated by sqlglot; for data that already live on a cluster.

Needs the extra `spark` and Java 17. On one machine it costs several times the time of DuckDB. What is written out still
comes from an ordered query, and only for files in which the linter of our tests finds nothing are the values the same.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import sqlglot

from twinops.errors import DataError, ParamsError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.adaptive.enabled": "false",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
}


def translated(sql: str) -> str:
    """A query in DuckDB's words as one in Spark's.

    >>> translated("SELECT a FROM t ORDER BY a")
    'SELECT a FROM t ORDER BY a NULLS LAST'
    """
    return sqlglot.transpile(sql, read="duckdb", write="spark")[0]


class SparkEngine:
    """SQL over Arrow tables and Parquet files on a Spark session; `close` ends it."""

    def __init__(self, *, master: str = "local[1]", memory: str = "1g") -> None:
        self._spark = _session(master, memory)

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table known under a name; an older one of that name is replaced."""
        with _without_values():
            self._spark.createDataFrame(_plain(table)).createOrReplaceTempView(name)

    def register_parquet(self, name: str, path: Path) -> None:
        """Make a Parquet file known under a name, read lazily."""
        with _without_values():
            self._spark.read.parquet(str(path)).createOrReplaceTempView(name)

    def execute(self, sql: str) -> None:
        """Run one or more statements for their effect."""
        with _without_values():
            for statement in sqlglot.transpile(sql, read="duckdb", write="spark"):
                self._spark.sql(statement).collect()

    def query(self, sql: str) -> pa.Table:
        """Run one SELECT and return its rows, in the order it asks for."""
        with _without_values():
            return _naive(self._spark.sql(translated(sql)).toArrow())

    def shut(self) -> SparkEngine:
        """Spark has no such place.

        Raises:
            DataError: always.
        """
        raise DataError("A query of one's own runs on DuckDB alone.", hint="Leave `compute` as it is.")

    def close(self) -> None:
        """End the session and its Java process."""
        self._spark.stop()


def _session(master: str, memory: str) -> SparkSession:
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    try:
        with _quiet():
            from pyspark.sql import SparkSession
    except ImportError:
        raise ParamsError(
            "PySpark is not installed.", hint="Install the extra: twinops[spark]; it needs Java 17."
        ) from None
    builder = SparkSession.builder.master(master).appName("twinops").config("spark.driver.memory", memory)
    for key, value in SETTINGS.items():
        builder = builder.config(key, value)
    with _quiet():
        session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    return session


def _plain(table: pa.Table) -> pa.Table:
    """Dictionaries as the values they stand for: Spark takes no other."""
    fields = [f.with_type(f.type.value_type) if pa.types.is_dictionary(f.type) else f for f in table.schema]
    return table.cast(pa.schema(fields))


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
