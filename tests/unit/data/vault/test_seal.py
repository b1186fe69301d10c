"""Sealed tables: what comes out is what went in, and nothing else can be read from the file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinops.adapters.keystore import DemoKeys
from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.data.products import opened
from twinops.data.vault.seal import erased, read_quarantine, read_sealed, sealing, write_quarantine, write_sealed
from twinops.data.vault.sealed_file import MOST_FRAME_BYTES, SealedFile, label_of, subjects_in
from twinops.errors import DataError, IntegrityError

CANARY = "household-canary-20561"


def sealed_as(path: Path, table: pa.Table, keys: MemoryKeys, *, dataset: str = "receipts") -> Path:
    write_sealed(table, path, dataset=dataset, keys=keys, subject="household_id")
    return path


def receipts() -> pa.Table:
    return pa.table(
        {
            "household_id": [7, 3, 7, 3, 9],
            "day": [1, -2, 30, 4, 5],
            "cents": pa.array([199, None, 0, 2**40, -1], pa.int64()),
            "note": ["first", None, "", "zürich", "€"],
            "share": pa.array([0.1, float("nan"), None, -0.0, float("inf")]),
            "member": pa.array([True, None, False, True, False]),
        }
    )


def test_every_row_comes_back_under_its_subject_in_its_order(tmp_path):
    keys = MemoryKeys()
    opened = read_sealed(sealed_as(tmp_path / "m.parquet", receipts(), keys), dataset="receipts", keys=keys)
    three, seven = keys.subject_ids(["3", "7"])
    rows = [r for r in opened.to_pylist() if r["sid"] == seven]
    assert [(r["day"], r["cents"], r["note"], r["share"], r["member"]) for r in rows] == [
        (1, 199, "first", 0.1, True),
        (30, 0, "", None, False),
    ]
    assert [r["cents"] for r in opened.to_pylist() if r["sid"] == three] == [None, 2**40]
    assert opened.num_rows == 5
    assert opened.schema.field("cents").type == pa.int64()
    assert opened.schema.field("member").type == pa.bool_()


COLUMN = st.one_of(
    st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), min_size=12, max_size=12).map(
        lambda v: pa.array(v, pa.int64())
    ),
    st.lists(st.one_of(st.none(), st.integers(0, 2**32 - 1)), min_size=12, max_size=12).map(
        lambda v: pa.array(v, pa.uint32())
    ),
    st.lists(st.one_of(st.none(), st.text(st.characters(codec="utf-8"))), min_size=12, max_size=12).map(
        lambda v: pa.array(v, pa.string())
    ),
    st.lists(st.floats(allow_nan=False), min_size=12, max_size=12).map(lambda v: pa.array(v, pa.float64())),
    st.lists(st.floats(width=32, allow_nan=False), min_size=12, max_size=12).map(lambda v: pa.array(v, pa.float32())),
    st.lists(st.one_of(st.none(), st.booleans()), min_size=12, max_size=12).map(lambda v: pa.array(v, pa.bool_())),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 4), min_size=12, max_size=12), st.lists(COLUMN, max_size=4))
def test_any_table_of_sealable_types_survives(tmp_path, who, values):
    keys = MemoryKeys()
    table = pa.table({"household_id": who, **{f"c{i}": v for i, v in enumerate(values)}})
    opened = read_sealed(sealed_as(tmp_path / "any.parquet", table, keys), dataset="receipts", keys=keys)
    sids = keys.subject_ids([str(w) for w in who])
    rows = sorted(range(12), key=lambda i: sids[i])
    expected = table.take(rows).drop_columns(["household_id"])
    assert opened["sid"].to_pylist() == [sids[i] for i in rows]
    assert opened.drop_columns(["sid"]).to_pydict() == expected.to_pydict()


def test_sealing_twice_gives_the_same_bytes_whatever_the_chunks(tmp_path):
    whole = receipts()
    chunked = pa.concat_tables([whole.slice(0, 2), whole.slice(2)])
    first = sealed_as(tmp_path / "a" / "m.parquet", whole, MemoryKeys()).read_bytes()
    assert sealed_as(tmp_path / "b" / "m.parquet", chunked, MemoryKeys()).read_bytes() == first


def test_an_empty_table_is_sealed_and_opened(tmp_path):
    keys = MemoryKeys()
    path = sealed_as(tmp_path / "m.parquet", receipts().slice(0, 0), keys)
    opened = read_sealed(path, dataset="receipts", keys=keys)
    assert opened.num_rows == 0
    assert opened.column_names == ["sid", "day", "cents", "note", "share", "member"]


def test_a_table_of_subjects_alone_is_sealed_and_opened(tmp_path):
    keys = MemoryKeys()
    sids = keys.subject_ids(["1", "2"])
    table = pa.table({"sid": sids})
    write_sealed(table, tmp_path / "subjects.parquet", dataset="trained", keys=keys, subject="sid")
    opened = read_sealed(tmp_path / "subjects.parquet", dataset="trained", keys=keys)
    assert opened["sid"].to_pylist() == sorted(sids)


def test_opened_tables_can_be_sealed_again_by_sid(tmp_path):
    keys = MemoryKeys()
    opened = read_sealed(sealed_as(tmp_path / "m.parquet", receipts(), keys), dataset="receipts", keys=keys)
    write_sealed(opened, tmp_path / "panel.parquet", dataset="panel", keys=keys, subject="sid")
    again = read_sealed(tmp_path / "panel.parquet", dataset="panel", keys=keys)
    assert again["sid"].to_pylist() == opened["sid"].to_pylist()
    assert again["note"].to_pylist() == opened["note"].to_pylist()


def test_several_batches_open_as_one_table_in_the_order_asked(tmp_path):
    keys = MemoryKeys()
    paths = [sealed_as(tmp_path / f"{m}.parquet", receipts(), keys) for m in ("2017-01", "2017-02")]
    assert read_sealed(paths, dataset="receipts", keys=keys).num_rows == 10


def test_a_forgotten_subject_is_absent_and_counted_in_old_and_new_files(tmp_path):
    keys = MemoryKeys()
    path = sealed_as(tmp_path / "m.parquet", receipts(), keys)
    (seven,) = keys.subject_ids(["7"])
    keys.forget(seven)
    opened = read_sealed(path, dataset="receipts", keys=keys)
    assert seven not in opened["sid"].to_pylist()
    assert (opened.num_rows, erased(opened)) == (3, 1)
    fresh = write_sealed(receipts(), tmp_path / "n.parquet", dataset="receipts", keys=keys, subject="household_id")
    assert (fresh.subjects, fresh.rows) == (2, 3)


def test_neither_ids_nor_values_show_in_the_file(tmp_path):
    table = pa.table({"household_id": [CANARY] * 50, "note": ["a telltale note"] * 50, "day": list(range(50))})
    path = sealed_as(tmp_path / "m.parquet", table, MemoryKeys())
    raw = path.read_bytes() + b"".join(pq.read_table(path)["frame"].to_pylist())
    assert CANARY.encode() not in raw
    assert b"telltale" not in raw
    columns = [pq.read_metadata(path).row_group(0).column(i) for i in range(2)]
    assert [c.is_stats_set for c in columns] == [True, False]


def rewrite(path: Path, change) -> None:
    table = pq.read_table(path)
    sids, frames = change(table["sid"].to_pylist(), table["frame"].to_pylist())
    arrays = [pa.array(sids, pa.binary(16)), pa.array(frames, pa.large_binary())]
    pq.write_table(pa.table(arrays, schema=table.schema), path)


@pytest.mark.parametrize(
    "change",
    [
        lambda sids, frames: (sids, [bytes([frames[0][0] ^ 1]) + frames[0][1:], *frames[1:]]),
        lambda sids, frames: (sids, [frames[0][:-1], *frames[1:]]),
        lambda sids, frames: (sids, [frames[1], frames[0], *frames[2:]]),
        lambda sids, frames: (sids, [b"", *frames[1:]]),
        lambda sids, frames: ([sids[0], *sids], [frames[0], *frames]),
    ],
    ids=["changed", "cut", "swapped", "emptied", "doubled"],
)
def test_frames_that_were_touched_are_refused(tmp_path, change):
    keys = MemoryKeys()
    path = sealed_as(tmp_path / "m.parquet", receipts(), keys)
    rewrite(path, change)
    with pytest.raises(IntegrityError, match=r"m\.parquet"):
        read_sealed(path, dataset="receipts", keys=keys)


def test_a_file_under_another_batch_s_name_is_refused(tmp_path):
    keys = MemoryKeys()
    path = sealed_as(tmp_path / "2017-01.parquet", receipts(), keys)
    shutil.copy(path, tmp_path / "2017-02.parquet")
    with pytest.raises(IntegrityError, match="holds receipts of batch 2017-01, not receipts of 2017-02"):
        read_sealed(tmp_path / "2017-02.parquet", dataset="receipts", keys=keys)


def test_a_file_of_another_dataset_is_refused(tmp_path):
    keys = MemoryKeys()
    path = sealed_as(tmp_path / "m.parquet", receipts(), keys, dataset="offers")
    with pytest.raises(IntegrityError, match="holds offers"):
        read_sealed(path, dataset="receipts", keys=keys)


def test_a_relabelled_schema_is_refused(tmp_path):
    keys = MemoryKeys()
    path = sealed_as(tmp_path / "m.parquet", receipts(), keys)
    table = pq.read_table(path)
    label = table.schema.metadata[b"twinops.sealed"].replace(b'"cents"', b'"units"')
    pq.write_table(table.replace_schema_metadata({b"twinops.sealed": label}), path)
    with pytest.raises(IntegrityError, match="does not open under its key"):
        read_sealed(path, dataset="receipts", keys=keys)


@pytest.mark.parametrize(
    "content", [b"", b"PAR1 no parquet PAR1", None], ids=["zero bytes", "garbage", "plain parquet"]
)
def test_what_is_no_sealed_file_is_refused(tmp_path, content):
    path = tmp_path / "m.parquet"
    pq.write_table(receipts(), path) if content is None else path.write_bytes(content)
    with pytest.raises(IntegrityError, match="is not a sealed file"):
        read_sealed(path, dataset="receipts", keys=MemoryKeys())
    if content is not None:
        for look in (label_of, lambda file: subjects_in([file]), opened):
            with pytest.raises(IntegrityError, match=r"is not a sealed file|is damaged"):
                look(path)


def test_a_file_that_is_not_there_is_a_data_error(tmp_path):
    with pytest.raises(DataError, match="is not there"):
        read_sealed(tmp_path / "m.parquet", dataset="receipts", keys=MemoryKeys())


def test_a_frame_that_claims_to_be_huge_is_refused_before_it_is_expanded(tmp_path):
    keys = MemoryKeys()
    path = sealed_as(tmp_path / "m.parquet", receipts(), keys)

    def bomb(sids, frames):
        label = SealedFile.read(path, "receipts").label
        plain = zstandard.ZstdCompressor().compress(bytes(MOST_FRAME_BYTES + 1))
        key = keys.subject_keys([sids[0].hex()])[sids[0].hex()]
        return sids, [AESSIV(key).encrypt(plain, [sids[0], *label.bound]), *frames[1:]]

    rewrite(path, bomb)
    with pytest.raises(IntegrityError, match="claims more than"):
        read_sealed(path, dataset="receipts", keys=keys)


def test_rows_without_a_subject_are_not_sealed(tmp_path):
    with pytest.raises(DataError, match="1 row"):
        sealed_as(tmp_path / "m.parquet", pa.table({"household_id": [1, None], "day": [1, 2]}), MemoryKeys())


def test_types_that_cannot_be_sealed_are_named(tmp_path):
    table = pa.table({"household_id": [1], "when": pa.array([0], pa.timestamp("us"))})
    with pytest.raises(DataError, match=r"when \(timestamp\[us\]\)"):
        sealed_as(tmp_path / "m.parquet", table, MemoryKeys())


def test_a_quarantine_opens_with_the_batch_key_only(tmp_path):
    keys, path = MemoryKeys(), tmp_path / "2017-01.parquet"
    bad = pa.table({"household_id": [None, "x"], "reason": ["household_id_missing", "day_missing"]})
    write_quarantine(bad, path, dataset="receipts", batch="2017-01", keys=keys)
    assert read_quarantine(path, dataset="receipts", keys=keys).to_pydict() == bad.to_pydict()
    with pytest.raises(IntegrityError, match="does not open"):
        read_quarantine(path, dataset="receipts", keys=MemoryKeys("another store"))


def test_the_demo_keys_seal_to_the_same_bytes_everywhere(tmp_path):
    first = sealed_as(tmp_path / "a" / "m.parquet", receipts(), DemoKeys()).read_bytes()
    assert sealed_as(tmp_path / "b" / "m.parquet", receipts(), DemoKeys()).read_bytes() == first


def by_sid(keys: MemoryKeys) -> pa.Table:
    """Twenty subjects, a row each, by sid."""
    sids = sorted(keys.subject_ids([str(n) for n in range(20)]))
    return pa.table({"sid": sids, "chance": pa.array([None, *range(1, 20)], pa.float64()), "n": list(range(20))})


def test_a_table_sealed_in_parts_is_the_table(tmp_path):
    keys = MemoryKeys()
    table = by_sid(keys)
    schema = pa.schema([*(f for f in table.schema if f.name != "n"), pa.field("n", pa.int64(), nullable=False)])
    with sealing(tmp_path / "s.parquet", schema, dataset="scores", keys=keys) as part:
        written = [part(table.slice(start, 7)).rows for start in (0, 7, 14)]
    assert written == [7, 7, 6]
    opened = read_sealed(tmp_path / "s.parquet", dataset="scores", keys=keys)
    assert opened.to_pylist() == table.to_pylist()
    assert pq.ParquetFile(tmp_path / "s.parquet").num_row_groups == 3


def test_parts_out_of_order_and_a_run_that_breaks_leave_no_file(tmp_path):
    keys = MemoryKeys()
    table = by_sid(keys)

    def sealed_in_two(second: pa.Table) -> None:
        with sealing(tmp_path / "s.parquet", table.schema, dataset="scores", keys=keys) as part:
            part(table.slice(5, 5))
            part(second)

    for second in (table.slice(0, 5), table.slice(4, 5)):
        with pytest.raises(DataError, match="out of order"):
            sealed_in_two(second)
        assert list(tmp_path.iterdir()) == []


def test_a_pipe_where_a_sealed_file_should_be_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "2017-03.parquet")
    read = "import sys; from pathlib import Path; from twinops.data.vault import sealed_file as s; "
    read += "s.subjects_in([Path(sys.argv[1])])"
    command = [sys.executable, "-c", read, str(tmp_path / "2017-03.parquet")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "2017-03.parquet is not a sealed file" in done.stderr
