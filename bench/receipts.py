"""The shipped receipts, and as many copies of them under other ids as asked for: sealed, and as plain Parquet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from twinops import params as params_file
from twinops.adapters.keystore import DemoKeys
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.days import numbered
from twinops.data.door import BatchRequest
from twinops.data.quality import part
from twinops.data.sources import transactions
from twinops.data.vault.seal import write_sealed
from twinops.twin.state import features

ROOT = Path(__file__).resolve().parents[1]
PARAMS = params_file.read(ROOT / "params.yaml")
GRID = PARAMS.features
UNTIL = GRID.days.number(PARAMS.as_of)
FLAGS = ("may_train", "may_score", "may_offer", "may_assess_bias")


def make(folder: Path, copies: int, *, sealed: bool) -> None:
    """Monthly files in `plain` and, if asked for, in `sealed`; in `given` what the queries read beside them.

    A copy's households have ids of their own and spend some cents more per line, so that no two copies are alike.
    Everyone allows everything.
    """
    engine, keys, sids, values = DuckDBEngine(threads=1), DemoKeys(), set(), []
    for name in ("plain", "sealed", "given"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for month in PARAMS.months:
        good = part(transactions.read(engine, BatchRequest(month)).rows, transactions.SCHEMA).good
        table = pa.concat_tables(_copies(numbered(transactions.sealed(good), GRID.days), copies, keys)).combine_chunks()
        sids.update(pc.unique(table["sid"]).to_pylist())
        values.append(_basket_values(engine, table))
        pq.write_table(table, folder / "plain" / f"{month}.parquet", compression="zstd")
        if sealed:
            path = folder / "sealed" / f"{month}.parquet"
            write_sealed(table, path, dataset="transactions", keys=keys, subject="sid")
    for name, table in _given(sorted(sids), pc.unique(pa.chunked_array(values))).items():
        pq.write_table(table, folder / "given" / f"{name}.parquet")


def _copies(table: pa.Table, copies: int, keys: DemoKeys) -> Iterator[pa.Table]:
    coded = table["household_id"].combine_chunks().dictionary_encode()
    rest = table.drop_columns(["household_id"])
    for k in range(copies):
        sids = keys.subject_ids([f"{h}-{k}" for h in coded.dictionary.to_pylist()])
        copy = rest.add_column(
            0, "sid", pa.DictionaryArray.from_arrays(coded.indices, pa.array(sids)).cast(pa.string())
        )
        for name, shift in (("basket_id", k * 10**12), ("sales_cents", k)):
            at = copy.schema.get_field_index(name)
            copy = copy.set_column(at, name, pc.add(copy[name], shift))
        yield copy


def _basket_values(engine: DuckDBEngine, table: pa.Table) -> pa.Array:
    engine.register("transactions", table)
    found = engine.query(
        "SELECT DISTINCT cents FROM (SELECT CAST(SUM(sales_cents) AS BIGINT) AS cents FROM transactions "
        "GROUP BY sid, day, basket_id) AS b ORDER BY cents"
    )
    return found["cents"].combine_chunks()


def _given(sids: list[str], values: pa.Array) -> dict[str, pa.Table]:
    """The small tables of `panel.sql`, and permissions."""
    days = features.as_of_days(GRID, known_until=UNTIL)
    asked = {
        "sid": pa.array([s for s in sids for _ in days], pa.string()),
        "cutoff": pa.array(list(days) * len(sids), pa.int64()),
    }
    return {
        "permissions": pa.table({**asked, **dict.fromkeys(FLAGS, pa.repeat(True, len(sids) * len(days)))}),
        "cutoffs": features.cutoffs(GRID, known_until=UNTIL),
        "memory": features.memory(GRID),
        "calendar": features.calendar(GRID, oldest=0, known_until=UNTIL),
        "decay": features.decay(GRID.decay_days, oldest_age=UNTIL),
        "log_value": features.log_values(values.sort().to_numpy()),
    }
