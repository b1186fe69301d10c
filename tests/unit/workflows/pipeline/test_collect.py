"""Collecting: everything that came is sealed or quarantined, counted, and the same bytes every time."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import small_world
from supplying import supplied

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.vault.seal import read_quarantine, read_sealed
from twinops.errors import DataError, ParamsError
from twinops.params import ConsentParams, SourcesParams, SwitchesParams
from twinops.workflows.intake import pointing
from twinops.workflows.pipeline.collect import collect
from twinops.workflows.pipeline.collect_consent import collect_consent
from twinops.workflows.pipeline.collect_profile import collect_profile
from twinops.workflows.places import Places

CANARY = 987_654_321_012
MADE_UP = ConsentParams(seed=1, excluded_share=0.15)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return small_world.write_world(tmp_path_factory.mktemp("world"), households=20)


class House:
    """A project folder with its own keys, and a folder of source files."""

    def __init__(self, root: Path, folder: Path, *, threads: int = 1, sample: int | None = None) -> None:
        self.places, self.keys = Places(root), MemoryKeys()
        self.around = {
            "places": self.places,
            "engine": DuckDBEngine(threads=threads),
            "keys": self.keys,
            "sources": SourcesParams(folder=str(folder), sample=sample),
        }

    def collect(self, source: str, batch: str = "all"):
        return supplied(collect, source, batch, **self.around)

    def open(self, source: str, batch: str = "all") -> pa.Table:
        return read_sealed(self.places.raw(source, batch), dataset=source, keys=self.keys)


@pytest.fixture
def house(tmp_path, world):
    return House(tmp_path, world)


def with_rows(folder: Path, *rows: dict[str, object]) -> Path:
    table = pa.Table.from_pylist(list(rows), schema=small_world.TRANSACTIONS)
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, folder / "transactions.parquet")
    return folder


def line(household: int, utc: str, **changed: object) -> dict[str, object]:
    return small_world.receipt_line(household, datetime.fromisoformat(utc)) | changed


def test_a_month_is_sealed_and_can_be_read_back(house, world):
    collected = house.collect("transactions", "2017-03")
    opened = house.open("transactions", "2017-03")
    assert collected.read == collected.taken == opened.num_rows > 20
    assert collected.subjects == len(set(opened["sid"].to_pylist()))
    assert opened.column_names == [
        "sid", "day", "basket_id", "store_id", "product_id", "quantity", "sales_cents",
        "retail_discount_cents", "coupon_discount_cents", "coupon_match_discount_cents",
    ]  # fmt: skip
    days = opened["day"].to_pylist()
    assert (collected.oldest_day, collected.newest_day) == (min(days), max(days))
    assert 59 <= collected.oldest_day <= collected.newest_day < 90


def test_all_other_sources_are_sealed_too(house):
    for source in ("demographics", "campaigns", "redemptions", "consent"):
        collected = house.collect(source)
        assert collected.taken == collected.read == house.open(source).num_rows > 0


def test_counts_are_written_for_the_next_stages(house):
    house.collect("transactions", "2017-03")
    counts = json.loads(house.places.counts("transactions", "2017-03").read_text())
    opened = house.open("transactions", "2017-03")
    assert counts["taken"] == counts["read"] == opened.num_rows
    assert counts["quarantined"] == {}
    assert counts["dropped_columns"] == ["week"]
    assert counts["in_file"] > counts["read"]


def test_what_is_broken_goes_to_the_quarantine_and_nothing_is_lost(tmp_path, capfd):
    folder = with_rows(
        tmp_path / "files",
        line(1, "2017-02-03 12:00"),
        line(1, "2017-02-04 12:00", quantity=-1),
        line(2, "2017-02-05 12:00", sales_value=float("nan")),
        line(2, "2017-02-06 12:00", sales_value=float("inf")),
        line(3, "2017-02-07 12:00"),
    )
    house = House(tmp_path, folder)
    collected = house.collect("transactions", "2017-02")
    assert collected.quarantined == {
        "quantity_out_of_range": 1,
        "sales_value_missing": 1,
        "sales_value_out_of_range": 1,
    }
    assert collected.read == 5 == collected.taken + sum(collected.quarantined.values())
    rows = read_quarantine(
        house.places.quarantine("transactions", "2017-02"), dataset="transactions", keys=house.keys
    ).to_pylist()
    assert sorted(r["household_id"] for r in rows) == ["1", "2", "2"]
    assert "quantity_out_of_range not told" in capfd.readouterr().err
    assert b"2017-02-06" not in house.places.quarantine("transactions", "2017-02").read_bytes()


def test_an_empty_month_is_written_and_counted_as_empty(house):
    collected = house.collect("transactions", "2019-05")
    assert (collected.read, collected.taken, collected.subjects, collected.oldest_day) == (0, 0, 0, None)
    assert house.open("transactions", "2019-05").num_rows == 0
    assert house.places.quarantine("transactions", "2019-05").is_file()


def test_a_household_with_one_basket_is_collected(house):
    house.collect("transactions", "2017-02")
    (sid,) = house.keys.subject_ids([str(small_world.ONE_BASKET_HOUSEHOLD)])
    opened = house.open("transactions", "2017-02")
    mine = [r for r in opened.to_pylist() if r["sid"] == sid]
    assert {r["day"] for r in mine} == {40}
    assert len({r["basket_id"] for r in mine}) == 1


def written(house: House) -> dict[str, bytes]:
    root = house.places.root / "data"
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def test_the_same_rows_give_the_same_bytes_with_one_thread_and_two(tmp_path, world):
    shuffled = pq.read_table(world / "transactions.parquet")
    shuffled = shuffled.take(pa.array(range(shuffled.num_rows - 1, -1, -1)))
    (tmp_path / "files").mkdir()
    pq.write_table(shuffled, tmp_path / "files" / "transactions.parquet", row_group_size=100)
    houses = [
        House(tmp_path / "a", world),
        House(tmp_path / "b", world, threads=2),
        House(tmp_path / "c", tmp_path / "files", threads=2),
    ]
    for house in houses:
        house.collect("transactions", "2017-03")
    first, second, other_order = (written(h) for h in houses)
    assert first == second == other_order
    assert len(first) == 3


def test_a_planted_household_is_found_in_no_file(tmp_path):
    folder = with_rows(
        tmp_path / "files",
        *[line(CANARY, f"2017-02-0{d} 12:00", basket_id=CANARY + d) for d in range(1, 8)],
        line(CANARY, "2017-02-09 12:00", quantity=-7),
    )
    house = House(tmp_path / "project", folder)
    house.collect("transactions", "2017-02")
    needles = [str(CANARY).encode(), CANARY.to_bytes(8, "little"), CANARY.to_bytes(8, "big")]
    for name, raw in written(house).items():
        pages = raw
        if name.endswith(".parquet"):
            pages += b"".join(pq.read_table(house.places.root / "data" / name)["frame"].to_pylist())
        assert not [n for n in needles if n in pages], name
    assert house.open("transactions", "2017-02").num_rows == 7


def test_a_sample_keeps_the_same_few_households_of_every_source(tmp_path, world):
    house = House(tmp_path, world, sample=6)
    house.collect("transactions", "2017-02")
    house.collect("demographics")
    kept = set(house.open("demographics")["sid"].to_pylist()) | set(
        house.open("transactions", "2017-02")["sid"].to_pylist()
    )
    assert len(kept) <= 6
    assert house.collect("consent").subjects <= 6


def test_a_source_that_is_not_on_the_shelf_is_named(house):
    with pytest.raises(ParamsError, match="No source is called 'weather'"):
        house.collect("weather")


def test_a_broken_file_leaves_the_last_good_batch_in_place(tmp_path, world):
    house = House(tmp_path, small_world.write_world(tmp_path / "files", households=4))
    house.collect("demographics")
    before = written(house)
    (tmp_path / "files" / "demographics.parquet").write_bytes(b"")
    with pytest.raises(DataError, match=r"demographics.parquet \(0 bytes\)"):
        house.collect("demographics")
    assert written(house) == before


def test_an_erased_household_is_not_taken_in_again_and_is_counted(house):
    first = house.collect("transactions", "2017-03")
    opened = house.open("transactions", "2017-03")
    gone = opened["sid"][0].as_py()
    rows = opened["sid"].to_pylist().count(gone)
    house.keys.forget(gone)
    again = house.collect("transactions", "2017-03")
    assert (again.subjects, again.suppressed, again.taken) == (first.subjects - 1, rows, first.taken - rows)


# The consent ledger.


def test_your_own_ledger_is_taken_when_the_data_are_your_own(house):
    collected = supplied(collect_consent, **house.around, made_up=MADE_UP)
    assert collected.read == small_world.consent(20).num_rows
    assert set(house.open("consent")["notice_version"].to_pylist()) == {"2016-12"}


def test_consent_is_never_made_up_for_data_of_your_own(tmp_path):
    house = House(tmp_path, with_rows(tmp_path / "files", line(1, "2017-02-03 12:00")))
    with pytest.raises(DataError, match=r"There is no consent\.parquet"):
        supplied(collect_consent, **house.around, made_up=MADE_UP)


def test_the_shipped_data_get_a_synthetic_ledger_around_their_households(tmp_path):
    places, keys = Places(tmp_path), MemoryKeys()
    around = {"places": places, "engine": DuckDBEngine(threads=1), "keys": keys}
    collected = supplied(collect_consent, **around, sources=SourcesParams(sample=100), made_up=MADE_UP)
    opened = read_sealed(places.raw("consent", "all"), dataset="consent", keys=keys)
    assert 80 < collected.subjects <= 100
    assert all("synthetic" in v for v in opened["notice_version"].to_pylist())
    order = [(r["sid"], r["day"], r["seq"]) for r in opened.to_pylist()]
    assert order == sorted(order)


@pytest.mark.parametrize("source", ["demographics", "campaigns", "redemptions"])
def test_a_profile_source_that_is_off_leaves_an_empty_file_and_says_so(house, source):
    done = supplied(collect_profile, source, **house.around, on=SwitchesParams({source: False}))
    assert (done.off, done.read, done.taken) == (True, 0, 0)
    columns = house.open(source).column_names
    assert house.open(source).num_rows == 0
    assert json.loads(house.places.counts(source, "all").read_text(encoding="utf-8"))["off"] is True
    again = supplied(collect_profile, source, **house.around)
    assert (again.off, again.taken) == (False, house.open(source).num_rows)
    assert again.taken > 0
    assert house.open(source).column_names == columns


def test_receipt_lines_have_no_switch(house):
    with pytest.raises(ParamsError, match="transactions does not come as one whole table"):
        supplied(collect_profile, "transactions", **house.around)


def test_a_household_s_number_in_a_profile_is_kept_as_its_sid_and_nothing_stays_nothing():
    keys = MemoryKeys()
    table = pa.table({"crm_id": ["C1", "C2", "C3"], "card": [" 17 ", None, ""]})
    told = pointing(table, ("card",), keys)["card"].to_pylist()
    assert told == [keys.subject_ids(["17"])[0], None, None]
