"""Open sealed frames where Spark's tasks run: a task fetches the keys of its own subjects and keeps none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from twinops.adapters.sql.key_window import KeysAcross, KeyWindow
from twinops.data.vault.sealed_file import subjects_in
from twinops.errors import DataError, TwinopsError
from twinops.ports import OpensFrames, Sealed

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Plain = Callable[[pa.Table], pa.Table]
"""A table in types that Spark has."""


def frames(spark: SparkSession, rows: Sealed) -> DataFrame:
    """Every frame of the files as it lies there, sealed, all of a subject in one partition: `sid, file, frame`."""
    from pyspark.sql.functions import lit

    parts = [
        spark.read.parquet(str(path)).select("sid", lit(number).alias("file"), "frame")
        for number, path in enumerate(rows.paths)
    ]
    together = parts[0]
    for part in parts[1:]:
        together = together.unionAll(part)
    return together.repartition(2 * spark.sparkContext.defaultParallelism, "sid")


def opened(spark: SparkSession, rows: Sealed, plain: Plain) -> tuple[DataFrame, pa.Schema, KeyWindow]:
    """The rows, opened by whoever asks, their schema as DuckDB would have it, and the window for their keys."""
    from pyspark.sql.pandas.types import from_arrow_schema

    opener = rows.opener()
    schema = opener.schema
    host = str(spark.conf.get("spark.driver.host"))
    window = KeyWindow(rows.keys, subjects_in(rows.paths), host=host)
    told: Any = from_arrow_schema(plain(schema.empty_table()).schema)
    return frames(spark, rows).mapInArrow(_Task(opener, window.across, plain), told), schema, window


class _Task:
    """What an executor does with its frames, some thousand at a time."""

    def __init__(self, opener: OpensFrames, keys: KeysAcross, plain: Plain) -> None:
        self._opener, self._keys, self._plain = opener, keys, plain

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            with by_kind():
                made = self._plain(self._opener(pa.table(batch), self._keys)).to_batches()
            yield from made


@contextmanager
def by_kind() -> Iterator[None]:
    """Of what goes wrong with rows the kind alone: an executor writes it on its disk, and a message may quote them.

    Raises:
        DataError: in place of whatever is no error of ours.
    """
    try:
        yield
    except TwinopsError:
        raise
    except Exception as problem:
        kind = type(problem).__name__
        raise DataError(f"Work on rows ended with a {kind}.", hint="Is a file they come from damaged?") from None
