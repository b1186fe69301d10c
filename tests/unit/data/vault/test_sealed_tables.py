"""One reader of sealed tables: by source, by file, and of one subject."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.data.vault import seal, sealed_ahead
from twinops.data.vault.seal import erased, in_parts, write_sealed
from twinops.data.vault.sealed_ahead import FramesAhead
from twinops.data.vault.sealed_file import SealedFile
from twinops.data.vault.sealed_tables import SealedTables
from twinops.errors import DataError, IntegrityError

NOTHING = pa.table({"sid": pa.array([], pa.string())})


def raw(root: Path, source: str) -> list[Path]:
    return sorted((root / source).glob("*.parquet"))


@pytest.fixture
def keys() -> MemoryKeys:
    return MemoryKeys()


@pytest.fixture
def tables(tmp_path: Path, keys: MemoryKeys) -> SealedTables:
    for batch, who in (("2017-01", [7, 3]), ("2017-02", [7])):
        table = pa.table({"household_id": who, "cents": [100 * w for w in who]})
        path = tmp_path / "transactions" / f"{batch}.parquet"
        write_sealed(table, path, dataset="transactions", keys=keys, subject="household_id")
    path = tmp_path / "panel.parquet"
    write_sealed(pa.table({"household_id": [3], "cutoff": [9]}), path, dataset="panel", keys=keys,
                 subject="household_id")  # fmt: skip
    return SealedTables(lambda source: raw(tmp_path, source), keys)


def test_a_source_is_all_its_batches_with_the_subject_as_text(tables, keys):
    seven = keys.known_sid("7")
    rows = tables.source("transactions")
    assert rows.schema.field("sid").type == pa.string()
    assert sorted(rows["cents"].to_pylist()) == [300, 700, 700]
    assert rows["sid"].to_pylist().count(seven) == 2


def test_a_source_that_was_not_collected_is_an_error_unless_something_else_is_said(tables):
    assert tables.collected("transactions")
    assert not tables.collected("choices")
    assert tables.source("choices", otherwise=NOTHING) is NOTHING
    with pytest.raises(DataError, match="no sealed file of choices"):
        tables.source("choices")


def test_an_empty_table_stands_in_only_for_what_is_not_there(tables):
    assert tables.source("transactions", otherwise=NOTHING).num_rows == 3


def test_a_file_is_opened_under_its_own_name(tables, tmp_path):
    assert tables.table(tmp_path / "panel.parquet")["cutoff"].to_pylist() == [9]
    assert tables.table(tmp_path / "panel.parquet", otherwise=NOTHING).num_rows == 1


def test_a_file_called_otherwise_than_its_dataset_needs_the_name(tables, tmp_path):
    month = tmp_path / "transactions" / "2017-02.parquet"
    assert tables.table(month, dataset="transactions").num_rows == 1
    with pytest.raises(IntegrityError, match="holds transactions"):
        tables.table(month)


def test_a_table_that_was_not_made_is_an_error_unless_something_else_is_said(tables, tmp_path):
    assert tables.table(tmp_path / "links.parquet", otherwise=NOTHING) is NOTHING
    with pytest.raises(DataError, match="is not there"):
        tables.table(tmp_path / "links.parquet")


def test_who_asks_of_one_subject_opens_nobody_else(tables, keys, tmp_path):
    three, seven = keys.known_sid("3"), keys.known_sid("7")
    assert set(tables.one(seven, "transactions")["sid"].to_pylist()) == {seven}
    assert tables.of([seven]).table(tmp_path / "panel.parquet").num_rows == 0
    assert tables.of([seven, three]).source("transactions").num_rows == 3
    assert tables.of([seven]).of([seven, three]).one(three, "transactions").num_rows == 0


def many(path: Path, keys: MemoryKeys, *, households: int = 300) -> list[bytes]:
    """A file of so many subjects, and who they are, rising."""
    table = pa.table({"household_id": range(households), "cents": range(households)})
    write_sealed(table, path, dataset="panel", keys=keys, subject="household_id")
    return SealedFile.read(path, "panel").sids


def test_who_goes_ahead_gets_the_same_frames_reads_a_file_once_and_lets_go_what_lies_behind(
    tmp_path, keys, monkeypatch
):
    path = tmp_path / "panel.parquet"
    sids = many(path, keys)
    monkeypatch.setattr(sealed_ahead, "FRAMES", 16)
    begun, begin = [], FramesAhead._begin
    monkeypatch.setattr(FramesAhead, "_begin", lambda self: begun.append(1) or begin(self))
    reader, whole = FramesAhead(path, "panel"), SealedFile.read(path, "panel")
    for n in range(0, 300, 30):
        for asked in (sids[n : n + 30], sids[n + 3 : n + 20], sids[n + 3 : n + 5]):
            assert reader.of(asked) == whole.of(asked)
        assert len(reader._seen.sids) <= 30 + 16
    assert len(begun) == 1
    assert reader.of([b"\xff" * 16]).sids == reader.of([]).sids == []
    assert reader.of(sids[5:9]) == whole.of(sids[5:9]), "somebody behind: begun anew"
    assert len(begun) == 2


def test_keys_are_asked_for_each_time_whoever_goes_ahead(tables, keys):
    three, seven = keys.known_sid("3"), keys.known_sid("7")
    ahead = tables.ahead()
    for sid in (three, seven, three):
        assert ahead.one(sid, "transactions").equals(tables.one(sid, "transactions"))
    keys.forget(three)
    assert ahead.one(three, "transactions").num_rows == 0


def test_what_is_no_whole_sealed_file_is_an_error_for_who_goes_ahead_too(tmp_path, keys, monkeypatch):
    path = tmp_path / "panel.parquet"
    sids = many(path, keys, households=40)
    monkeypatch.setattr(sealed_ahead, "FRAMES", 8)
    with pytest.raises(DataError, match="is not there"):
        FramesAhead(tmp_path / "links.parquet", "links")
    with pytest.raises(IntegrityError, match="holds panel of batch panel"):
        FramesAhead(path, "transactions")
    table = pq.read_table(path)
    order = [*range(20), 0, *range(20, 40)]  # the first once more, of another batch than itself
    pq.write_table(table.take(order), path)
    reader = FramesAhead(path, "panel")
    assert reader.of(sids[:5]).sids == sids[:5]
    with pytest.raises(IntegrityError, match="twice or out of order"):
        reader.of(sids[30:])
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(IntegrityError, match="not a sealed file"):
        FramesAhead(path, "panel")


def test_how_many_were_erased_is_still_told(tables, keys):
    keys.forget(keys.known_sid("3"))
    assert erased(tables.source("transactions")) == 1


def test_a_source_in_parts_holds_each_subjects_rows_of_all_batches_together(tmp_path, keys):
    for batch, who in (("2017-01", [7, 3, 5]), ("2017-02", [7, 5, 9])):
        table = pa.table({"household_id": who, "cents": [100 * w + int(batch[-1]) for w in who]})
        path = tmp_path / "transactions" / f"{batch}.parquet"
        write_sealed(table, path, dataset="transactions", keys=keys, subject="household_id")
    keys.forget(keys.known_sid("9"))
    parts = list(in_parts(raw(tmp_path, "transactions"), dataset="transactions", keys=keys, most_bytes=1))
    held = [set(p["sid"].cast(pa.string()).to_pylist()) for p in parts]
    assert [len(h) for h in held if h] == [1, 1, 1]
    assert sorted(h.pop() for h in held if h) == sorted(keys.known_sid(n) for n in "357")
    whole = SealedTables(lambda source: raw(tmp_path, source), keys).source("transactions")
    together = pa.concat_tables(p.set_column(0, "sid", p["sid"].cast(pa.string())) for p in parts)
    order = [("sid", "ascending"), ("cents", "ascending")]
    assert together.sort_by(order).equals(whole.sort_by(order))
    assert {erased(p) for p in parts} == {1}


def test_no_cipher_is_made_for_subjects_whose_part_is_not_open(tables, tmp_path, keys, monkeypatch):
    """A cipher takes kilobytes: those of a million customers would not fit into memory."""
    made = []
    monkeypatch.setattr(seal, "AESSIV", lambda key: made.append(key) or AESSIV(key))
    parts = in_parts(raw(tmp_path, "transactions"), dataset="transactions", keys=keys, most_bytes=1)
    next(parts)
    assert len(made) == 1
    assert len(tables.subjects("transactions")[0]) > 1


def test_whose_rows_there_are_is_told_without_opening_any(tables, keys):
    assert tables.subjects("transactions") == (tuple(sorted(keys.known_sid(n) for n in "37")), 0)
    keys.forget(keys.known_sid("3"))
    assert tables.subjects("transactions") == ((keys.known_sid("7"),), 1)
