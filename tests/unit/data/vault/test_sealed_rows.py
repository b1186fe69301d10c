"""Sealed rows that are opened later: the same rows here and frame by frame elsewhere, with no key on the way."""

from __future__ import annotations

import pickle

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.data.vault.seal import write_sealed
from twinops.data.vault.sealed_rows import SealedRows
from twinops.errors import DataError, IntegrityError

MONTHS = {
    "2017-01": pa.table({"who": ["b", "a", "b"], "cents": pa.array([1, 2, 3], pa.int64())}),
    "2017-02": pa.table({"who": ["c", "a"], "cents": pa.array([4, None], pa.int64())}),
}


def doubled(rows: pa.Table) -> pa.Table:
    return rows.set_column(1, "cents", pc.multiply(rows["cents"], 2))


@pytest.fixture
def keys():
    return MemoryKeys()


@pytest.fixture
def rows(tmp_path, keys):
    for month, table in MONTHS.items():
        write_sealed(table, tmp_path / f"{month}.parquet", dataset="lines", keys=keys, subject="who")
    return SealedRows([tmp_path / f"{month}.parquet" for month in MONTHS], "lines", keys, doubled)


def frames(rows: SealedRows) -> pa.Table:
    parts = [pq.ParquetFile(p).read().replace_schema_metadata() for p in rows.paths]
    return pa.concat_tables(
        part.append_column("file", pa.array([n] * part.num_rows, pa.int32())) for n, part in enumerate(parts)
    )


def test_frames_opened_elsewhere_hold_the_same_rows(rows, keys):
    here = pa.concat_tables(rows.opened())
    opener = pickle.loads(pickle.dumps(rows.opener()))  # noqa: S301  (our own)
    there = opener(frames(rows), keys)
    assert sorted(map(str, there.to_pylist())) == sorted(map(str, here.to_pylist()))
    assert opener.schema == here.schema == there.schema


def test_any_frames_may_come_together(rows, keys):
    opener, every = rows.opener(), frames(rows)
    one_by_one = pa.concat_tables(opener(every.slice(i, 1), keys) for i in reversed(range(every.num_rows)))
    assert one_by_one.num_rows == pa.concat_tables(rows.opened()).num_rows


def test_what_travels_holds_no_key(rows, keys):
    travels = pickle.dumps(rows.opener())
    sids = keys.subject_ids(["a", "b", "c"])
    assert not any(key in travels for key in keys.subject_keys(sids).values())


def test_the_rows_of_the_erased_stay_closed(rows, keys):
    keys.forget(keys.known_sid("b"))
    assert keys.subject_ids(["b"])[0] not in rows.opener()(frames(rows), keys)["sid"].to_pylist()


def test_a_frame_in_anothers_place_does_not_open(rows, keys):
    every = frames(rows)
    swapped = every.set_column(every.column_names.index("file"), "file", pa.array([1] * every.num_rows, pa.int32()))
    with pytest.raises(IntegrityError):
        rows.opener()(swapped.slice(0, 1), keys)


def test_a_subject_twice_in_one_file_is_refused(rows, keys):
    every = frames(rows)
    with pytest.raises(IntegrityError, match="twice"):
        rows.opener()(pa.concat_tables([every, every.slice(0, 1)]), keys)


def test_a_file_in_anothers_place_is_refused(rows, tmp_path):
    rows.paths[0].rename(tmp_path / "2016-12.parquet")
    with pytest.raises(IntegrityError):
        SealedRows([tmp_path / "2016-12.parquet"], "lines", rows.keys, doubled).opener()


def test_no_file_is_said(keys):
    with pytest.raises(DataError):
        SealedRows([], "lines", keys, doubled).opener()
