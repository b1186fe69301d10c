"""One reader of sealed tables: by source, by file, and of one subject."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.data.vault import seal
from twinops.data.vault.seal import erased, in_parts, write_sealed
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


def test_a_reader_that_remembers_reads_a_file_once_and_asks_for_keys_each_time(tables, keys, monkeypatch):
    three, seven = keys.known_sid("3"), keys.known_sid("7")
    read = []
    whole = SealedFile.copy.__func__
    monkeypatch.setattr(SealedFile, "copy", classmethod(lambda cls, path: read.append(path) or whole(cls, path)))
    kept = tables.remembering()
    rows = [kept.one(sid, "transactions") for sid in (three, seven, three)]
    files = len(read)
    assert files == len(set(read))
    assert [r.equals(tables.one(sid, "transactions")) for r, sid in zip(rows, (three, seven, three), strict=True)]
    assert len(read) == 4 * files
    keys.forget(three)
    assert kept.one(three, "transactions").num_rows == 0


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
