"""Every source on the shelf keeps its promises; rows that break a schema are parted, counted and never lost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import small_world
from hypothesis import given, settings
from hypothesis import strategies as st
from supplying import DAYS

from twinops import plugins
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data import journey
from twinops.data.days import numbered
from twinops.data.door import BatchRequest
from twinops.data.households import among, households
from twinops.data.quality import part
from twinops.data.schema import Column, Schema
from twinops.data.sources import campaigns, consent, demographics, redemptions, transactions
from twinops.entities.consent import Purpose
from twinops.entities.day_count import DayCount
from twinops.entities.legal import LegalFacts
from twinops.errors import DataError, ParamsError

SHELF = "twinops.data.sources"
SOURCES = plugins.names(SHELF)


@pytest.fixture(scope="module")
def engine():
    return DuckDBEngine(threads=1)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = small_world.write_world(tmp_path_factory.mktemp("world"), households=12)
    return small_world.write_people(folder, households=12)


@dataclass(frozen=True)
class Told(BatchRequest):
    """What readers of strangers' files are told besides: the last day that may have happened."""

    as_of: date = date(2018, 1, 1)
    days: DayCount = DAYS


def batch_of(source: str) -> str:
    return "2017-02" if source == "transactions" else "all"


# Promises of the shelf.


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_keeps_the_shelf_s_promises(name):
    module = plugins.load(SHELF, name)
    assert plugins.missing_promises(module, ["LEGAL", "SCHEMA", "DAY", "read", "sealed"]) == ()
    assert isinstance(module.LEGAL, LegalFacts)
    assert isinstance(module.SCHEMA, Schema)
    assert module.SCHEMA.pandera().columns.keys() == set(module.SCHEMA.names)


@pytest.mark.parametrize("name", SOURCES)
def test_no_column_enters_without_a_purpose_and_no_purpose_without_a_basis(name):
    module = plugins.load(SHELF, name)
    assert set(module.LEGAL.columns) == set(module.SCHEMA.names)
    assert all(module.LEGAL.columns.values())
    assert {p for purposes in module.LEGAL.columns.values() for p in purposes} <= set(module.LEGAL.bases)
    assert module.LEGAL.retention_days > 0
    assert module.LEGAL.personal_data.startswith("https://w3id.org/dpv")
    assert "synthetic" in module.LEGAL.controller


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_reads_its_declared_columns_and_seals_by_its_subject(name, engine, world):
    module = plugins.load(SHELF, name)
    read = module.read(engine, Told(batch_of(name), folder=world))
    assert set(module.SCHEMA.names) <= set(read.rows.column_names)
    parted = part(read.rows, module.SCHEMA)
    assert parted.reasons == {}
    table = numbered(module.sealed(parted.good), DAYS)
    assert table.column_names[0] == getattr(module, "SUBJECT", "household_id")
    assert table.num_rows == read.rows.num_rows > 0
    assert module.DAY is None or table[module.DAY].type == pa.int64()


def test_both_wordings_of_the_provenance_are_quoted():
    for module in (transactions, demographics, campaigns, redemptions):
        assert "84.51°, Customer Journey study" in module.LEGAL.provenance
        assert "simulated data based on real grocery shopping patterns" in module.LEGAL.provenance
    assert "Synthetic" in consent.LEGAL.provenance


def test_demographics_serve_bias_assessment_only():
    assert set(demographics.LEGAL.columns.values()) == {(Purpose.BIAS_ASSESSMENT,)}


def test_the_shipped_files_are_found_without_importing_their_package():
    assert (journey.shipped() / "transactions.parquet").is_file()


# Reading.


def write(tmp_path, *lines: dict[str, object]):
    pq.write_table(
        pa.Table.from_pylist(list(lines), schema=small_world.TRANSACTIONS), tmp_path / "transactions.parquet"
    )
    return tmp_path


def line(household: int, utc: str, **changed: object) -> dict[str, object]:
    return small_world.receipt_line(household, datetime.fromisoformat(utc)) | changed


def days(engine, folder, month: str) -> list[int]:
    read = transactions.read(engine, BatchRequest(month, folder=folder))
    return numbered(transactions.sealed(part(read.rows, transactions.SCHEMA).good), DAYS)["day"].to_pylist()


def test_months_and_days_are_local_not_utc(engine, tmp_path):
    folder = write(
        tmp_path,
        line(1, "2017-02-01 04:59:59"),  # 31 January, 23:59:59 in New York
        line(2, "2017-02-01 05:00:00"),  # midnight
        line(3, "2017-07-01 03:59:59"),  # 30 June in summer time
        line(4, "2018-01-01 04:01:20"),  # New Year's Eve
    )
    assert days(engine, folder, "2017-01") == [30]
    assert days(engine, folder, "2017-02") == [31]
    assert days(engine, folder, "2017-06") == [180]
    assert days(engine, folder, "2017-12") == [364]
    assert days(engine, folder, "2018-01") == []


def test_money_becomes_whole_cents(engine, tmp_path):
    folder = write(tmp_path, line(1, "2017-03-05 12:00", sales_value=0.29, retail_disc=1.15, coupon_match_disc=0.1))
    read = transactions.read(engine, BatchRequest("2017-03", folder=folder))
    (row,) = transactions.sealed(read.rows).to_pylist()
    assert (row["sales_cents"], row["retail_discount_cents"], row["coupon_match_discount_cents"]) == (29, 115, 10)
    assert row["day"] == date(2017, 3, 5)


def test_undeclared_columns_stay_outside_and_are_named(engine, world):
    read = transactions.read(engine, BatchRequest("2017-02", folder=world))
    assert read.dropped == ("week",)
    assert "week" not in read.rows.column_names


def test_a_line_without_a_time_is_read_once_with_the_first_month(engine, tmp_path):
    lost = line(1, "2017-03-05 12:00") | {"transaction_timestamp": None}
    folder = write(tmp_path, line(1, "2017-02-05 12:00"), line(1, "2017-03-05 12:00"), lost)
    parted = {
        m: part(transactions.read(engine, BatchRequest(m, folder=folder)).rows, transactions.SCHEMA)
        for m in ("2017-01", "2017-02", "2017-03")
    }
    assert {m: (p.good.num_rows, p.reasons) for m, p in parted.items()} == {
        "2017-01": (0, {}),
        "2017-02": (1, {"transaction_timestamp_missing": 1}),
        "2017-03": (1, {}),
    }


def test_every_row_of_the_file_is_in_exactly_one_month(engine, world):
    read = [transactions.read(engine, BatchRequest(f"2017-{m:02}", folder=world)) for m in range(1, 13)]
    assert sum(r.rows.num_rows for r in read) == read[0].in_file > 500


def test_a_batch_that_is_no_month_is_a_mistake_of_the_caller(engine, world):
    with pytest.raises(ParamsError, match="'2017-13' is not a month"):
        transactions.read(engine, BatchRequest("2017-13", folder=world))


def test_campaigns_bring_their_dates_and_one_that_nobody_described_is_quarantined(engine, tmp_path):
    small_world.write_world(tmp_path, households=5)
    pq.write_table(pa.table({"campaign_id": [1, 99], "household_id": [3, 3]}), tmp_path / "campaigns.parquet")
    parted = part(campaigns.read(engine, BatchRequest("all", folder=tmp_path)).rows, campaigns.SCHEMA)
    assert parted.reasons == {"campaign_type_missing": 1}
    assert numbered(campaigns.sealed(parted.good), DAYS).to_pylist() == [
        {"household_id": 3, "campaign_id": 1, "campaign_type": "Type A", "start_day": 59, "end_day": 90}
    ]


def test_the_shipped_data_have_no_consent_ledger_of_their_own(engine):
    with pytest.raises(DataError, match="no consent ledger"):
        consent.read(engine, BatchRequest("all"))


# The door.


def test_a_missing_column_is_named(engine, tmp_path):
    folder = write(tmp_path, line(1, "2017-02-05 12:00"))
    path = folder / "transactions.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["sales_value", "quantity"]), path)
    with pytest.raises(DataError, match=r"transactions\.parquet has no column quantity, sales_value") as problem:
        transactions.read(engine, BatchRequest("2017-02", folder=folder))
    assert problem.value.exit_code == 3


def test_a_column_of_another_kind_is_named(engine, tmp_path):
    folder = write(tmp_path, line(1, "2017-02-05 12:00"))
    path = folder / "transactions.parquet"
    table = pq.read_table(path)
    pq.write_table(table.set_column(5, "sales_value", pa.array(["2.50"])), path)
    with pytest.raises(DataError, match="sales_value is string, not a number"):
        transactions.read(engine, BatchRequest("2017-02", folder=folder))


@pytest.mark.parametrize(
    "content",
    [b"", b"PAR1", b"household_id,day\n1,2\n", b"PAR1" + bytes(100) + b"PAR1"],
    ids=["empty", "a", "csv", "b"],
)
def test_what_is_not_parquet_is_said_plainly(engine, tmp_path, content):
    (tmp_path / "transactions.parquet").write_bytes(content)
    with pytest.raises(DataError, match=rf"transactions.parquet \({len(content)} bytes\) is not a readable Parquet"):
        transactions.read(engine, BatchRequest("2017-02", folder=tmp_path))


def test_a_file_broken_in_the_middle_is_said_plainly(engine, tmp_path):
    folder = small_world.write_world(tmp_path / "broken", households=12)
    path = folder / "transactions.parquet"
    raw = bytearray(path.read_bytes())
    raw[200:1200] = bytes(1000)
    path.write_bytes(raw)
    with pytest.raises(DataError, match="The table work failed"):
        transactions.read(DuckDBEngine(threads=1), BatchRequest("2017-02", folder=folder))


def test_a_missing_file_or_folder_is_said_plainly(engine, tmp_path):
    with pytest.raises(DataError, match=r"There is no transactions\.parquet"):
        transactions.read(engine, BatchRequest("2017-02", folder=tmp_path / "nowhere"))


def test_a_file_that_claims_too_many_rows_is_not_opened(engine, world):
    with pytest.raises(DataError, match=r"more than sources\.max_rows \(10\)"):
        transactions.read(engine, BatchRequest("2017-02", folder=world, max_rows=10))


# The sample.


def test_a_sample_is_the_same_from_every_source_and_grows_without_exchange(engine, world):
    asked = BatchRequest("all", folder=world)
    everyone = households(engine, asked, sample=None).to_pylist()
    three, five = (households(engine, asked, sample=n).to_pylist() for n in (3, 5))
    assert everyone == list(range(1, 13))
    assert len(three) == 3
    assert set(three) < set(five) < set(everyone)
    for module in (transactions, demographics, campaigns, redemptions):
        read = module.read(engine, replace(asked, batch=batch_of(module.__name__.rsplit(".", 1)[1])))
        kept = among(read, pa.array(five))
        assert set(kept.rows["household_id"].to_pylist()) == set(five) & set(read.rows["household_id"].to_pylist())


# The quarantine.

BROKEN = {
    "sales_value_missing": {"sales_value": float("nan")},
    "sales_value_out_of_range": {"sales_value": float("inf")},
    "retail_disc_out_of_range": {"retail_disc": -0.01},
    "coupon_disc_out_of_range": {"coupon_disc": 1e9},
    "coupon_match_disc_missing": {"coupon_match_disc": None},
    "quantity_out_of_range": {"quantity": -1},
    "household_id_missing": {"household_id": None},
    "basket_id_out_of_range": {"basket_id": 0},
    "product_id_missing": {"product_id": None},
}


@pytest.mark.parametrize("reason", BROKEN)
def test_a_broken_row_is_parted_with_its_reason_and_the_good_ones_go_on(engine, tmp_path, reason):
    good = line(1, "2017-02-05 12:00"), line(2, "2017-02-06 12:00", sales_value=0.0, quantity=0)
    folder = write(tmp_path, *good, line(3, "2017-02-07 12:00") | BROKEN[reason])
    read = transactions.read(engine, BatchRequest("2017-02", folder=folder))
    parted = part(read.rows, transactions.SCHEMA)
    assert parted.reasons == {reason: 1}
    assert parted.good["household_id"].to_pylist() == [1, 2]


def test_a_row_that_comes_twice_is_kept_once(engine, tmp_path):
    folder = write(tmp_path, *[line(1, "2017-02-05 12:00")] * 3, line(1, "2017-02-05 12:00", product_id=5))
    parted = part(transactions.read(engine, BatchRequest("2017-02", folder=folder)).rows, transactions.SCHEMA)
    assert (parted.good.num_rows, parted.reasons) == (2, {"duplicate_row": 2})


def test_a_row_with_two_faults_is_counted_once_under_the_first(engine, tmp_path):
    folder = write(tmp_path, line(1, "2017-02-05 12:00", quantity=-3, coupon_disc=-1.0))
    parted = part(transactions.read(engine, BatchRequest("2017-02", folder=folder)).rows, transactions.SCHEMA)
    assert parted.reasons == {"quantity_out_of_range": 1}


def test_a_word_that_is_not_in_the_code_book_is_quarantined(engine, tmp_path):
    small_world.write_world(tmp_path, households=6)
    table = pq.read_table(tmp_path / "demographics.parquet")
    table = table.set_column(1, "age", pa.array(["65+", "very old", None]))
    pq.write_table(table, tmp_path / "demographics.parquet")
    parted = part(demographics.read(engine, BatchRequest("all", folder=tmp_path)).rows, demographics.SCHEMA)
    assert parted.reasons == {"age_missing": 1, "age_unknown": 1}
    assert parted.good.num_rows == 1


def test_what_was_kept_out_is_kept_as_it_came(engine, tmp_path):
    folder = write(tmp_path, line(1, "2017-02-05 12:00", sales_value=float("inf")))
    bad = part(transactions.read(engine, BatchRequest("2017-02", folder=folder)).rows, transactions.SCHEMA).bad
    (row,) = bad.to_pylist()
    assert (row["household_id"], row["sales_value"], row["reason"]) == ("1", "inf", "sales_value_out_of_range")


SCHEMA = Schema(
    (
        Column("id", "whole", 1, 9),
        Column("amount", "number", 0, 10),
        Column("word", "text", allowed=("yes", "no"), nullable=True),
        Column("at", "time", datetime.fromisoformat("2000-01-01"), datetime.fromisoformat("2100-01-01")),
    )
)
ROW = st.fixed_dictionaries(
    {
        "id": st.sampled_from([None, 0, 1, 2, 9, 10]),
        "amount": st.sampled_from([None, float("nan"), float("-inf"), -0.1, 0.0, 10.0, 10.1]),
        "word": st.sampled_from([None, "yes", "no", "maybe"]),
        "at": st.sampled_from([None, datetime.fromisoformat("1999-01-01"), datetime.fromisoformat("2017-01-01")]),
    }
)
TYPES = pa.schema([("id", pa.int64()), ("amount", pa.float64()), ("word", pa.string()), ("at", pa.timestamp("us"))])


@settings(max_examples=25, deadline=None)
@given(st.lists(ROW, max_size=6))
def test_the_quick_look_and_pandera_agree_and_no_row_is_lost(rows):
    table = pa.Table.from_pylist(rows, schema=TYPES)
    parted = part(table, SCHEMA)
    assert SCHEMA.holds(table) == (parted.bad.num_rows == 0)
    assert parted.good.num_rows + parted.bad.num_rows == table.num_rows
    assert SCHEMA.holds(parted.good)
    for row in parted.bad.to_pylist():
        assert row["reason"].startswith(("duplicate_", *SCHEMA.names))
