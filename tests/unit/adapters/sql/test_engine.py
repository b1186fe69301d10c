"""The DuckDB engine: the same answer whatever the threads, no way out, no values in its errors."""

from __future__ import annotations

import gc
import tempfile
import traceback

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.adapters.sql.spark_engine import _Whole
from twinops.errors import DataError


@pytest.fixture
def engine():
    return DuckDBEngine(threads=1)


def test_tables_are_known_by_name_and_the_newest_wins(engine):
    engine.register("basket", pa.table({"cents": [199]}))
    engine.register("basket", pa.table({"cents": [199, 250]}))
    assert engine.query("SELECT CAST(SUM(cents) AS BIGINT) AS cents FROM basket").to_pylist() == [{"cents": 449}]


def test_statements_can_be_run_for_their_effect(engine):
    engine.execute("CREATE TABLE t AS SELECT 1 AS a; INSERT INTO t VALUES (2)")
    assert engine.query("SELECT a FROM t ORDER BY a DESC")["a"].to_pylist() == [2, 1]


def test_a_parquet_file_with_an_odd_path_is_read(engine, tmp_path):
    folder = tmp_path / "o'dd [x]*"
    folder.mkdir()
    pq.write_table(pa.table({"a": [1, 2]}), folder / "t.parquet")
    engine.register_parquet("t", folder / "t.parquet")
    assert engine.query("SELECT COUNT(*) AS n FROM t")["n"].to_pylist() == [2]


def test_one_thread_and_two_give_the_same_rows():
    table = pa.table({"k": [i % 7 for i in range(20_000)], "v": list(range(20_000))})
    answers = []
    for threads in (1, 2):
        engine = DuckDBEngine(threads=threads)
        engine.register("t", table)
        answers.append(engine.query("SELECT k, CAST(SUM(v) AS BIGINT) AS v FROM t GROUP BY k ORDER BY k"))
    assert answers[0].equals(answers[1])


def test_values_it_stumbles_over_are_not_repeated(engine):
    with pytest.raises(DataError) as problem:
        engine.query("SELECT CAST('household 4711' AS INTEGER) AS a")
    assert "4711" not in str(problem.value)
    assert problem.value.__cause__ is None


def test_mistakes_in_the_sql_itself_are_shown(engine):
    with pytest.raises(duckdb.ParserException):
        engine.query("SELEKT 1")


@pytest.mark.parametrize("way_out", ["INSTALL httpfs", "LOAD httpfs", "FROM 'https://example.org/x.parquet'"])
def test_there_is_no_way_out(engine, way_out):
    with pytest.raises(DataError):
        engine.execute(way_out)


def test_an_engine_that_forgets_knows_no_table_and_is_as_shut_and_as_offline_as_before(engine, tmp_path):
    engine.register("t", pa.table({"n": [1]}))
    shut = engine.shut()
    for one in (engine, shut):
        one.forget()
        with pytest.raises((duckdb.CatalogException, DataError)):
            one.query("SELECT n FROM t")
        assert one.query("SELECT current_setting('TimeZone') AS zone").to_pylist() == [{"zone": "UTC"}]
        with pytest.raises((duckdb.Error, DataError)):
            one.execute("INSTALL httpfs")
    pq.write_table(pa.table({"n": [1]}), tmp_path / "t.parquet")
    with pytest.raises((duckdb.Error, DataError)):
        shut.register_parquet("t", tmp_path / "t.parquet")


def test_timestamps_are_read_as_utc(engine):
    engine.register("t", pa.table({"moment": pa.array([1_500_000_000], pa.timestamp("s"))}))
    local = engine.query("SELECT moment AT TIME ZONE 'UTC' AT TIME ZONE 'America/New_York' AS local FROM t")["local"]
    assert str(local[0]) == "2017-07-13 22:40:00"


def test_more_than_its_memory_is_worked_on_on_disk_and_nothing_is_left_there(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    small, large = DuckDBEngine(threads=1, memory_limit="60MB"), DuckDBEngine(threads=1)
    rows = small.query(_LARGER).to_pylist()
    assert rows == large.query(_LARGER).to_pylist()
    del small, large
    gc.collect()
    assert not [p for p in tmp_path.rglob("*") if p.parent != tmp_path]


_LARGER = """
SELECT CAST(SUM(n) AS BIGINT) AS n, BIT_XOR(most) AS most
FROM (
    SELECT i % 1999983 AS k, COUNT(*) AS n, MAX(hash(i)) AS most FROM range(4000000) AS r(i) GROUP BY k ORDER BY most, k
)
"""


def test_what_goes_wrong_with_rows_on_an_executor_is_told_by_its_kind_alone():
    def broken(table: pa.Table) -> pa.Table:
        raise ValueError(str(table.to_pylist()))

    batch = pa.RecordBatch.from_pylist([{"who": "ann@mail.example"}])
    with pytest.raises(DataError, match="ended with a ValueError") as problem:
        list(_Whole(broken, batch.schema)(iter([batch])))
    told = "".join(traceback.format_exception(problem.value))  # as an executor writes it on its disk
    assert "ann@mail.example" not in told
