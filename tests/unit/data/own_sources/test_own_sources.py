"""A file nobody prepared for us is declared by column names and legal facts, read within bounds, and never trusted."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from candidate import ROOT
from own_world import CONSENT, HEAD, LEGAL, PROFILES, RETAIL, TWIN, Shop, but, line, online_retail, params, write_csv
from supplying import supplied
from typer.testing import CliRunner

from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.cli._door import app
from twinops.data.own_sources.declared import declared
from twinops.data.own_sources.declared_law import legal_of
from twinops.data.own_sources.files import parquet as columnar
from twinops.data.own_sources.files.cells import printable
from twinops.data.own_sources.look import look
from twinops.data.own_sources.reading import of_everything
from twinops.errors import DataError, IntegrityError, ParamsError, ServiceError
from twinops.params import ConsentParams
from twinops.wiring import open_project
from twinops.workflows.pipeline.collect_consent import collect_consent
from twinops.workflows.sources.check import check as check_source


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path, shop=RETAIL)


def checked(shop: Shop, name: str = "shop"):
    return check_source(name, places=shop.places, params=shop.params, own=shop.params.own)


# Declaring.


def test_all_mistakes_of_a_declaration_are_told_at_once() -> None:
    wrong = but(
        RETAIL,
        path="../../etc/passwd",
        columns=RETAIL["columns"] | {"colour": "Colour"},
        time={"format": "%H:%M", "zone": "Mars/Olympus"},
        money=None,
        legal=LEGAL | {"purposes": {"household_id": TWIN}},
    )
    with pytest.raises(ParamsError) as told:
        params(shop=wrong)
    for mistake in (
        "climb",
        "colour is no column",
        "no time zone",
        "does not tell a day",
        "time is needed",
        "money is",
    ):
        assert mistake in str(told.value)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"reads": "sql"}, "needs query"),
        ({"reads": "folder"}, "needs files"),
        ({"path": None}, "needs path"),
        ({"surprise": 1}, "Extra inputs"),
        ({"constants": {"household_id": "1"}}, "constant"),
        ({"legal": LEGAL | {"purposes": RETAIL["legal"]["purposes"], "bases": {"offers": "consent"}}}, "no basis"),
        ({"legal": {**RETAIL["legal"], "retention_days": 0}}, "retention_days"),
        ({"money": {"currency": "GBP", "decimal": ",", "thousands": ","}}, "same"),
    ],
)
def test_a_declaration_that_cannot_be_acted_on_is_refused(changed: dict, said: str) -> None:
    with pytest.raises(ParamsError, match=said):
        params(shop=but(RETAIL, **changed))


def test_profiles_serve_bias_assessment_only() -> None:
    with pytest.raises(ParamsError, match="bias_assessment only"):
        params(people=but(PROFILES, legal=LEGAL | {"purposes": dict.fromkeys(["household_id", "age"], TWIN)}))


def test_two_sources_of_a_kind_and_a_sample_are_refused() -> None:
    with pytest.raises(ParamsError, match="more than one source of transactions"):
        params(one=RETAIL, two=RETAIL)


def test_an_address_written_where_its_name_belongs_is_not_repeated() -> None:
    sql = but(RETAIL, reads="sql", path=None, query="SELECT 1", url_from="postgresql://u:secret@db/shop")
    with pytest.raises(ParamsError) as told:
        params(shop=sql)
    assert "secret" not in str(told.value)
    assert "url_from" in str(told.value)


def test_own_data_need_keys_of_their_own(shop: Shop, tmp_path: Path) -> None:
    project = open_project(tmp_path)
    project.__dict__["params"] = shop.params.model_copy(update={"vault": type(shop.params.vault)()})
    with pytest.raises(ParamsError, match="published key that protects nobody"):
        _ = project.keys


def test_the_declared_legal_facts_take_the_place_of_the_shipped_ones(shop: Shop) -> None:
    facts = legal_of(shop.params.own)["transactions"]
    assert (facts.controller, facts.demo, facts.synthetic) == ("Test Shop (synthetic controller)", False, True)
    assert set(facts.columns) == set(RETAIL["columns"])


# A transaction file nobody prepared.


def test_an_online_retail_file_is_taken_and_every_record_is_accounted_for(shop: Shop) -> None:
    lines = online_retail(200)
    write_csv(shop.file("retail.csv"), lines)
    shop.lock()
    months = [shop.collect(batch=m, lock=False) for m in shop.params.months[:3]]
    reasons, left = Counter(), Counter()
    for month in months:
        assert month.read == month.taken + sum(month.quarantined.values())
        reasons.update(month.quarantined)
        left.update(month.left_out)
    assert sum(m.read for m in months) + left.total() == months[0].in_file == len(lines)
    assert reasons == {"household_id_missing": sum(not r[6] for r in lines)}
    back = sum(bool(r[6]) and r[3].startswith("-") for r in lines)
    assert left.total() - left["bought_and_sent_back"] == back > 0
    assert sum(m.taken for m in months) == sum(bool(r[6]) for r in lines) - left.total()
    assert months[0].dropped_columns == ("Description", "Country")


def test_one_line_is_mapped_as_it_can_be_computed_by_hand(shop: Shop) -> None:
    write_csv(shop.file("retail.csv"), [line(), line(Quantity="3", UnitPrice="0.005", StockCode="POST")])
    shop.collect()
    post, heart = sorted(shop.open().to_pylist(), key=lambda r: r["quantity"])
    days = (datetime(2024, 3, 5, tzinfo=UTC) - datetime(2017, 1, 1, tzinfo=UTC)).days
    assert (heart["day"], heart["basket_id"], heart["quantity"]) == (days, 536_365, 6)
    assert (heart["sales_cents"], heart["store_id"], heart["retail_discount_cents"]) == (1530, 1, 0)
    assert heart["product_id"] > 10**15
    assert post["sales_cents"] == 2  # 1.5 pence, half to even
    assert shop.open().column_names[:4] == ["sid", "day", "basket_id", "store_id"]


@pytest.mark.parametrize(
    ("encoding", "separator", "decimal", "extra"),
    [
        ("utf-8-sig", ",", ".", {}),
        ("utf-16", "\t", ".", {}),
        ("utf-8", ";", ",", {}),
        ("windows-1252", ";", ",", {"encoding": "windows-1252"}),
        ("utf-16-le", "|", ".", {"encoding": "utf-16-le"}),
    ],
)
def test_the_same_file_in_other_dress_gives_the_same_sealed_bytes(
    tmp_path: Path, encoding: str, separator: str, decimal: str, extra: dict
) -> None:
    lines = online_retail(40)
    plain = Shop(tmp_path / "plain", shop=RETAIL)
    dressed = Shop(tmp_path / "dressed", shop=but(RETAIL, money={"currency": "GBP", "decimal": decimal}, **extra))
    write_csv(plain.file("retail.csv"), lines)
    write_csv(dressed.file("retail.csv"), lines, encoding=encoding, separator=separator, decimal=decimal)
    assert plain.collect().taken == dressed.collect().taken > 0
    assert (
        plain.places.raw("transactions", "2024-03").read_bytes()
        == dressed.places.raw("transactions", "2024-03").read_bytes()
    )


def test_days_are_counted_in_the_zone_that_was_said(tmp_path: Path) -> None:
    said = but(RETAIL, time={"format": "%d/%m/%Y %H:%M", "zone": "UTC", "counted_in": "America/New_York"})
    shop = Shop(tmp_path, shop=said)
    write_csv(shop.file("retail.csv"), [line(InvoiceDate="01/03/2024 04:59"), line(InvoiceDate="01/03/2024 05:00")])
    assert shop.collect(batch="2024-02").taken == 1
    assert shop.collect(batch="2024-03").taken == 1


def test_a_file_with_hardly_any_columns_is_enough(tmp_path: Path) -> None:
    """The shape of CDNOW: customer, date, amount."""
    purposes = dict.fromkeys(["household_id", "time", "sales_value"], TWIN)
    said = but(
        RETAIL,
        columns={"household_id": "id", "time": "date", "sales_value": "dollars"},
        time={"format": "%Y%m%d", "zone": "America/New_York"},
        money={"currency": "USD"},
        legal=LEGAL | {"purposes": purposes},
    )
    shop = Shop(tmp_path, shop=said)
    shop.file("retail.csv").write_text("id,date,dollars\n00001,20240301,11.77\n00001,20240312,12\n00002,20240301,0\n")
    found = checked(shop)
    assert (found.taken, found.quarantined) == (3, {})
    assert set(found.filled_columns) >= {"basket_id", "store_id", "product_id", "quantity"}
    shop.collect()
    assert len(set(shop.open()["basket_id"].to_pylist())) == 3


# Profiles and consent.


def test_profiles_keep_a_shop_s_own_words_beside_its_code_book(tmp_path: Path) -> None:
    shop = Shop(tmp_path, people=PROFILES)
    shop.file("people.csv").write_text("id,band,religion\n1,18-24,x\n2,65+,y\n3,very old,z\n3,,z\n4,,z\n4,65+,z\n")
    found = shop.collect("demographics", "all")
    assert (found.taken, found.quarantined) == (4, {"duplicate_row": 2})
    assert found.dropped_columns == ("religion",)
    opened = shop.open("demographics", "all").to_pylist()
    assert sorted(r["age"] or "" for r in opened) == ["", "19-24", "65+", "very old"]


def test_a_word_that_nobody_knows_takes_back_an_earlier_yes(tmp_path: Path) -> None:
    shop = Shop(tmp_path, ledger=CONSENT)
    shop.file("consent.csv").write_text(
        "id,what,at\n1,yes,2024-01-05\n1,rescinduit,2024-01-09\n2,yes,2024-01-05\n2,Retirado,2024-01-09\n"
    )
    around = {**shop.around, "engine": DuckDBEngine(threads=1)}
    shop.lock()
    found = supplied(collect_consent, **around, made_up=ConsentParams(seed=1, excluded_share=0.1))
    assert (found.taken, found.quarantined) == (4, {})
    opened = sorted(shop.open("consent", "all").to_pylist(), key=lambda r: (r["day"], r["event"]))
    assert [r["event"] for r in opened] == ["granted", "granted", "refused", "withdrawn"]


def test_one_word_of_a_ledger_may_stand_for_several_purposes(tmp_path: Path) -> None:
    ledger = CONSENT | {
        "columns": CONSENT["columns"] | {"purpose": "why"},
        "constants": {},
        "codes": {"purpose": {"perfilagem": "twin_training, twin_scoring"}},
        "legal": CONSENT["legal"]
        | {"purposes": CONSENT["legal"]["purposes"] | {"purpose": CONSENT["legal"]["purposes"]["event"]}},
    }
    shop = Shop(tmp_path, ledger=ledger)
    shop.file("consent.csv").write_text(
        "id,why,what,at\n1,perfilagem,yes,2024-01-05\n1,offers,no,2024-01-05\n2,estudos,yes,2024-01-05\n"
    )
    around = {**shop.around, "engine": DuckDBEngine(threads=1)}
    shop.lock()
    found = supplied(collect_consent, **around, made_up=ConsentParams(seed=1, excluded_share=0.1))
    assert (found.taken, found.quarantined) == (3, {"purpose_unknown": 1})
    opened = sorted((r["purpose"], r["event"]) for r in shop.open("consent", "all").to_pylist())
    assert opened == [("offers", "refused"), ("twin_scoring", "granted"), ("twin_training", "granted")]


def test_a_ledger_of_consent_is_taken_and_its_days_keep_their_order(tmp_path: Path) -> None:
    shop = Shop(tmp_path, ledger=CONSENT)
    shop.file("consent.csv").write_text(
        "id,what,at\n1,withdrawn,2024-01-05T17:00:00\n1,yes,2024-01-05T09:00:00\nNaN,yes,2024-01-05\n"
    )
    around = {**shop.around, "engine": DuckDBEngine(threads=1)}
    shop.lock()
    found = supplied(collect_consent, **around, made_up=ConsentParams(seed=1, excluded_share=0.1))
    assert (found.taken, found.quarantined) == (2, {"household_id_missing": 1})
    opened = sorted(shop.open("consent", "all").to_pylist(), key=lambda r: (r["day"], r["seq"]))
    assert [r["event"] for r in opened] == ["granted", "withdrawn"]


def test_consent_is_never_made_up_around_sources_of_your_own(shop: Shop) -> None:
    with pytest.raises(DataError, match="no ledger of consent"):
        supplied(
            collect_consent,
            **shop.around,
            engine=DuckDBEngine(threads=1),
            made_up=ConsentParams(seed=1, excluded_share=0.1),
        )


def test_other_people_s_shipped_rows_never_meet_your_own(shop: Shop) -> None:
    for source in ("demographics", "campaigns", "redemptions"):
        found = shop.collect(source, "all", lock=False)
        assert (found.read, found.taken) == (0, 0)


# The dry run.


def test_a_dry_run_says_what_would_become_of_it_and_stores_nothing(shop: Shop) -> None:
    lines = [line(InvoiceNo=str(i)) for i in range(100)] + [line(Quantity="many", InvoiceNo=str(i)) for i in range(12)]
    lines += [line(**{"Customer ID": "", "InvoiceNo": str(i)}) for i in range(30)]
    write_csv(
        shop.file("retail.csv"), [*lines, line(InvoiceDate="31/02/2024 08:00"), line(InvoiceDate="01/02/2023 08:00")]
    )
    found = checked(shop)
    assert found.quarantined == {"household_id_missing": 30, "quantity_unreadable": None, "time_unreadable": None}
    assert (found.records, found.taken) == (144, 100)
    assert (found.not_collected, found.dropped_columns) == (("2023-02",), ("Description", "Country"))
    assert found.months == {"2023-02": None, "2024-03": None}
    assert not (shop.places.root / "data").exists()
    assert not shop.keys._sids


def test_a_mapped_column_without_a_purpose_is_not_read(tmp_path: Path) -> None:
    purposes = {k: v for k, v in RETAIL["legal"]["purposes"].items() if k != "product_id"}
    shop = Shop(tmp_path, shop=but(RETAIL, legal=LEGAL | {"purposes": purposes}))
    write_csv(shop.file("retail.csv"), [line(), line(Quantity="x")])
    assert "StockCode" in checked(shop).dropped_columns
    shop.collect()
    assert "85123A" not in str(shop.aside().to_pylist())


def test_a_source_that_was_not_declared_is_named(shop: Shop) -> None:
    with pytest.raises(ParamsError, match=r"'market'"):
        checked(shop, "market")


# The fingerprint.


def test_collecting_refuses_what_changed_since_the_fingerprint(shop: Shop) -> None:
    write_csv(shop.file("retail.csv"), [line()])
    with pytest.raises(IntegrityError, match="does not know"):
        shop.collect(lock=False)
    shop.lock()
    before = shop.places.sources_lock.read_bytes()
    shop.collect(lock=False)
    write_csv(shop.file("retail.csv"), [line(), line(InvoiceNo="2")])
    with pytest.raises(IntegrityError, match="it changed") as told:
        shop.collect(lock=False)
    assert "twinops sources fingerprint" in told.value.hint
    shop.lock()
    assert shop.places.sources_lock.read_bytes() != before
    assert shop.collect(lock=False).taken == 2


def test_without_sources_of_your_own_the_lock_is_a_constant(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.lock()
    assert json.loads(shop.places.sources_lock.read_text()) == {"own": {}}


# Other ways to read.


def test_a_folder_of_monthly_files_is_read_month_by_month(tmp_path: Path) -> None:
    shop = Shop(tmp_path, shop=but(RETAIL, reads="folder", path="files", files="sales-{month}.csv"))
    write_csv(shop.file("sales-2024-03.csv"), [line(), line(InvoiceDate="01/04/2024 08:00"), line(InvoiceDate="?")])
    write_csv(shop.file("sales-2024-04.csv"), [line(InvoiceDate="01/04/2024 08:00")])
    write_csv(shop.file("sales-2024-13.csv"), [line()])
    found = shop.collect(batch="2024-03")
    assert (found.taken, found.quarantined) == (1, {"time_in_another_month": 1, "time_unreadable": 1})
    assert shop.collect(batch="2024-04", lock=False).taken == 1
    with pytest.raises(DataError, match="no file sales-2024-05"):
        shop.collect(batch="2024-05", lock=False)
    assert checked(shop).files == 2


@pytest.mark.parametrize("back", [False, True])
def test_a_folder_is_looked_at_month_by_month_and_told_as_one_file_is(tmp_path: Path, back: bool) -> None:
    """No more than a month is in memory, also where something came back of another month."""
    months = {
        "2024-01": [line(InvoiceDate="10/01/2024 08:00", Quantity="3"), line(InvoiceDate="?")],
        "2024-02": [line(InvoiceDate="11/02/2024 08:00", **{HEAD[-2]: "9"})] * 2,
        "2024-03": [line(InvoiceDate="05/03/2024 08:00")],
    }
    if back:
        months["2024-03"] += [line(InvoiceDate="02/03/2024 08:00", InvoiceNo="C9", Quantity="-3")]
    parted = Shop(tmp_path / "parted", shop=but(RETAIL, reads="folder", path="files", files="sales-{month}.csv"))
    for month, rows in months.items():
        write_csv(parted.file(f"sales-{month}.csv"), rows)
    whole = Shop(tmp_path / "whole", shop=RETAIL)
    write_csv(whole.file("retail.csv"), [row for rows in months.values() for row in rows])
    source = declared(parted.params.own, "shop", root=parted.places.root, max_rows=100)
    assert of_everything(source, lambda e: (e.batch, e.records)) == [(m, len(rows)) for m, rows in months.items()]
    one, other = look(source), look(declared(whole.params.own, "shop", root=whole.places.root, max_rows=100))
    told = ["records", "taken", "quarantined", "months", "households", "left_out", "lost", "repeated", "crowd", "days"]
    assert [getattr(one, name) for name in told] == [getattr(other, name) for name in told]
    assert one.files == 3
    assert {line for m in one.mistakes for line in m.lines} == {"sales-2024-01.csv line 3"}


def test_a_return_is_set_against_the_purchase_of_another_monthly_file(tmp_path: Path) -> None:
    january, february = (
        line(InvoiceDate="10/01/2024 08:00", Quantity="3"),
        line(InvoiceDate="11/02/2024 08:00", Quantity="1"),
    )
    back = line(InvoiceDate="02/03/2024 08:00", InvoiceNo="C9", Quantity="-2")
    months = {"2024-01": [january], "2024-02": [february], "2024-03": [back, line(InvoiceDate="05/03/2024 08:00")]}
    parted = Shop(tmp_path / "parted", shop=but(RETAIL, reads="folder", path="files", files="sales-{month}.csv"))
    for month, rows in months.items():
        write_csv(parted.file(f"sales-{month}.csv"), rows)
    whole = Shop(tmp_path / "whole", shop=RETAIL)
    write_csv(whole.file("retail.csv"), [row for rows in months.values() for row in rows])

    def sealed(shop: Shop, month: str) -> list[tuple[int, int, int]]:
        found = shop.collect(batch=month)
        assert found.read == found.taken + sum(found.quarantined.values())
        rows = shop.open(batch=month)
        return sorted(zip(*(rows[c].to_pylist() for c in ("day", "quantity", "sales_cents")), strict=True))

    for month in months:
        assert sealed(parted, month) == sealed(whole, month), "a folder of months is the same shop as one file"
    assert [q for _, q, _ in sealed(parted, "2024-01")] == [2], (
        "the latest purchase is taken back first, then the one before"
    )
    assert sealed(parted, "2024-02") == []
    again = sealed(parted, "2024-01")
    assert again == sealed(parted, "2024-01")


def test_a_month_of_a_folder_is_not_read_beside_another_file_than_was_fingerprinted(tmp_path: Path) -> None:
    away = tmp_path / "away"
    away.mkdir()
    said = but(RETAIL, reads="folder", path=str(away), files="sales-{month}.csv")
    shop = Shop(tmp_path / "shop", shop=said)
    write_csv(away / "sales-2024-01.csv", [line(InvoiceDate="10/01/2024 08:00")])
    write_csv(away / "sales-2024-02.csv", [line(InvoiceDate="10/02/2024 08:00")])
    assert shop.collect(batch="2024-01").taken == 1
    write_csv(away / "sales-2024-02.csv", [line(InvoiceDate="10/02/2024 08:00", Quantity="-1", InvoiceNo="C1")])
    with pytest.raises(IntegrityError, match="it changed"):
        shop.collect(batch="2024-01", lock=False)


def test_a_changed_month_of_the_project_is_taken_without_a_fingerprint_unless_it_changes_another(
    tmp_path: Path,
) -> None:
    shop = Shop(tmp_path, shop=but(RETAIL, reads="folder", path="files", files="sales-{month}.csv"))
    january, february = (shop.file(f"sales-2024-0{n}.csv") for n in (1, 2))
    bought = line(InvoiceDate="10/01/2024 08:00"), line(InvoiceDate="10/02/2024 08:00", InvoiceNo="2")
    write_csv(january, [bought[0]])
    write_csv(february, [bought[1]])
    shutil.copy(ROOT / "dvc.yaml", tmp_path)
    assert shop.collect(batch="2024-01").taken == 1
    back = line(InvoiceDate="11/02/2024 08:00", Quantity="-6", InvoiceNo="C2")
    write_csv(february, [bought[1], back])
    found = shop.collect(batch="2024-02", lock=False)
    assert found.left_out == {"bought_and_sent_back": 1, "return_netted": 1}, "both of the same month"
    write_csv(february, [back])  # now of what January sold
    with pytest.raises(IntegrityError, match="it changed"):
        shop.collect(batch="2024-02", lock=False)


def test_parquet_is_read_by_its_types(tmp_path: Path) -> None:
    purposes = dict.fromkeys(["household_id", "time", "sales_value"], TWIN)
    said = but(
        RETAIL,
        reads="parquet",
        path="files/sales.parquet",
        columns={"household_id": "who", "time": "at", "sales_value": "euros"},
        money={"currency": "EUR", "decimal": ","},
        legal=LEGAL | {"purposes": purposes},
    )
    shop = Shop(tmp_path, shop=said)
    at = pa.array(
        [datetime(2024, 3, 1, 10, tzinfo=UTC), datetime(2024, 3, 31, 23, 30, tzinfo=UTC)], pa.timestamp("us", "UTC")
    )
    pq.write_table(
        pa.table({"who": [7, 8], "at": at, "euros": [12.5, float("nan")], "x": [[1], [2]]}), shop.file("sales.parquet")
    )
    found = shop.collect()
    assert (found.taken, found.dropped_columns) == (1, ("x",))
    assert shop.open()["sales_cents"].to_pylist() == [1250]
    assert shop.collect(batch="2024-04").quarantined == {"sales_value_unreadable": 1}  # British summer time


def test_a_query_is_read_and_its_address_is_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = but(
        RETAIL,
        reads="sql",
        path=None,
        query="SELECT * FROM sales",
        url_from="SHOP_DATABASE",
        columns={"household_id": "who", "time": "at", "sales_value": "pounds"},
        time={"zone": "Europe/London"},
        legal=LEGAL | {"purposes": dict.fromkeys(["household_id", "time", "sales_value"], TWIN)},
    )
    shop = Shop(tmp_path, shop=said)
    with pytest.raises(ParamsError, match="SHOP_DATABASE is not set"):
        checked(shop)
    with sqlite3.connect(tmp_path / "shop.db") as db:
        db.execute("CREATE TABLE sales (who TEXT, at TEXT, pounds REAL, note TEXT)")
        db.executemany(
            "INSERT INTO sales VALUES (?, ?, ?, ?)",
            [("b", "2024-03-02 10:00:00", 1.25, ""), ("a", "2024-03-01", 2, "")],
        )
    db.close()
    monkeypatch.setenv("SHOP_DATABASE", f"sqlite:///{tmp_path}/shop.db")
    found = shop.collect()
    assert (found.taken, found.dropped_columns) == (2, ("note",))
    assert sorted(shop.open()["sales_cents"].to_pylist()) == [125, 200]
    monkeypatch.setenv("SHOP_DATABASE", "nosuch://user:secret@nowhere/db")
    with pytest.raises(ServiceError) as told:
        checked(shop)
    assert "secret" not in str(told.value)
    monkeypatch.setenv("SHOP_DATABASE", f"sqlite:///{tmp_path}/empty.db")
    with pytest.raises(ServiceError, match="the query failed with a OperationalError"):
        checked(shop)


# Hostile files.


def test_a_cell_that_a_spreadsheet_would_run_stays_text(shop: Shop) -> None:
    formula = "=HYPERLINK(0)"
    write_csv(shop.file("retail.csv"), [line(**{"Customer ID": formula}), line(UnitPrice="=1+1")])
    found = shop.collect()
    assert (found.taken, found.quarantined) == (1, {"unit_price_unreadable": 1})
    assert shop.keys._sids.keys() == {formula}
    assert printable(formula) == f"'{formula}"
    assert "\x1b" not in printable("\x1b[2Jx")


def test_what_is_wrong_with_one_record_stays_with_it(shop: Shop) -> None:
    head = ",".join(HEAD).encode()
    good = ",".join(line()).encode()
    second = good.replace(b"536365", b"536366")
    bad = {
        "nul_byte": good.replace(b"85123A", b"85123\0"),
        "not_utf8": good.replace(b"85123A", b"85123\xff"),
        "wrong_field_count": good + b",more",
        "torn_record": good.replace(b"WHITE", b'"WHITE'),
        "oversized": good.replace(b"HEART", b"H" * 10_000_000),
    }
    shop.file("retail.csv").write_bytes(
        b"\r\n".join([head, *[r for b in bad.values() for r in (good, b)], second]) + b"\n"
    )
    found = shop.collect()
    assert found.quarantined == dict.fromkeys(bad, 1)
    assert (found.taken, found.read) == (6, 11)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no header"),
        (b"InvoiceNo,InvoiceNo\n", "stands twice"),
        (b"a;b\n1;2\n", "no column InvoiceNo|no column Customer ID"),
        (b"PK\x03\x04 whatever", "zip archive"),
        (b"\x1f\x8b\x08 whatever", "gzip"),
        (b"\x00\x00\xfe\xff", "UTF-32"),
        (",".join(HEAD).encode("utf-16-le") * 3, "UTF-16 without its mark"),
        (b"\xff\xfeI\x00\x00\xd8", "not in the encoding|no header"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_clearly(shop: Shop, content: bytes, said: str) -> None:
    shop.file("retail.csv").write_bytes(content)
    with pytest.raises(DataError, match=said) as told:
        checked(shop)
    assert (told.value.exit_code, bool(told.value.hint)) == (3, True)


def test_an_encoding_that_cannot_be_told_is_asked_for(shop: Shop, tmp_path: Path) -> None:
    named = [line(**{"Customer ID": f"Müller {i}"}) for i in range(20)]
    write_csv(shop.file("retail.csv"), [line(), *named], encoding="windows-1252")
    with pytest.raises(DataError, match="not UTF-8: 20 records"):
        checked(shop)
    shop.declare(shop=but(RETAIL, encoding="windows-1252"))
    assert checked(shop).taken == 21


def test_mixed_encodings_cost_only_the_records_that_cannot_be_read(shop: Shop) -> None:
    rows = [
        ",".join(HEAD).encode(),
        *[",".join(line(**{"Customer ID": f"Jürgen {i}"})).encode(e) for i, e in enumerate(["utf-8", "cp1252"] * 5)],
    ]
    shop.file("retail.csv").write_bytes(b"\n".join(rows))
    found = shop.collect()
    assert (found.taken, found.quarantined) == (5, {"not_utf8": 5})


def test_bounds_hold_for_bytes_rows_and_what_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = Shop(tmp_path / "small", shop=but(RETAIL, max_bytes=100))
    write_csv(small.file("retail.csv"), [line(), line()])
    with pytest.raises(DataError, match="max_bytes is 100"):
        checked(small)
    said = but(RETAIL, reads="parquet", path="files/sales.parquet", max_bytes=None)
    shop = Shop(tmp_path / "p", shop=said)
    table = pa.table({c: ["x"] * 1000 for c in HEAD})
    pq.write_table(table, shop.file("sales.parquet"), row_group_size=1)
    shop.params = shop.params.model_copy(update={"sources": shop.params.sources.model_copy(update={"max_rows": 999})})
    with pytest.raises(DataError, match="more rows than"):
        checked(shop)
    shop.declare(shop=said)
    monkeypatch.setattr(columnar, "MAX_GROUPS", 999)
    with pytest.raises(DataError, match="1,000 row groups"):
        checked(shop)
    monkeypatch.undo()
    monkeypatch.setattr(columnar, "MAX_UNPACKED", 1_000)
    with pytest.raises(DataError, match="would unpack to"):
        checked(shop)
    shop.file("sales.parquet").write_bytes(b"PAR1" + bytes(100) + b"PAR1")
    with pytest.raises(DataError, match="not a readable Parquet"):
        checked(shop)


def test_nothing_outside_the_folder_is_read(tmp_path: Path) -> None:
    secret = write_csv(tmp_path / "secret.csv", [line()])
    shop = Shop(tmp_path / "project", shop=RETAIL)
    shop.file("retail.csv").symlink_to(secret)
    with pytest.raises(DataError, match="leads out of its folder"):
        checked(shop)
    shop.file("retail.csv").unlink()
    os.mkfifo(shop.file("retail.csv"))
    with pytest.raises(DataError, match="no regular file"):
        checked(shop)
    shop.file("sales-2024-03.csv").symlink_to(secret)
    shop.declare(shop=but(RETAIL, reads="folder", path="files", files="sales-{month}.csv"))
    with pytest.raises(DataError, match="leads out of its folder"):
        checked(shop)
    with pytest.raises(ParamsError):
        params(shop=but(RETAIL, reads="folder", path="files", files="../{month}.csv"))


# The command line.


def test_the_command_line_checks_lists_and_keeps_to_its_exit_codes(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    write_csv(shop.file("retail.csv"), [line(InvoiceNo=str(i)) for i in range(12)])
    raw = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    raw |= {"own": {"shop": RETAIL}, "vault": {"keys": "store"}}
    (shop.places.root / "params.yaml").write_text(json.dumps(raw), encoding="utf-8")

    def twinops(*words: str):
        return CliRunner().invoke(app, ["--project", str(shop.places.root), *words])

    done = twinops("sources", "check", "shop", "--json")
    assert (done.exit_code, json.loads(done.stdout)["taken"]) == (0, 12)
    assert "own.shop" in json.loads(twinops("sources", "list", "--json").stdout)
    assert "all 986 bytes" in twinops("sources", "fingerprint").stdout
    assert shop.places.sources_lock.is_file()
    assert twinops("sources", "check", "nobody").exception.exit_code == 2
    shop.file("retail.csv").write_bytes(b"")
    assert twinops("sources", "check", "shop").exception.exit_code == 3
    monkeypatch.setenv("TWINOPS_KEYSTORE", str(shop.places.root / "keys"))
    (shop.places.root / "epoch.json").write_text('{"epoch": 0}')
    assert twinops("quarantine", "list").stdout == "No row is in quarantine.\n"
    assert "on a terminal only" in str(twinops("quarantine", "show", "transactions", "2024-03").exception)
    assert twinops("quarantine", "replay", "transactions", "2024-03").exception.exit_code == 3
    assert twinops("quarantine", "expire").exit_code == 0


def test_every_mistake_is_told_at_once_with_lines_and_shapes_and_no_cell(shop: Shop, tmp_path: Path) -> None:
    lines = [line(), line(Quantity="Secret 9"), line(InvoiceDate="31/02/2024 08:00"), line(UnitPrice="Müller"), line()]
    write_csv(shop.file("retail.csv"), [*lines, line(**{"Customer ID": "6.1E+15"})])
    raw = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    (shop.places.root / "params.yaml").write_text(
        json.dumps(raw | {"own": {"shop": RETAIL}, "vault": {"keys": "store"}})
    )
    told = CliRunner().invoke(app, ["--project", str(tmp_path), "sources", "check", "shop"])
    assert told.exit_code == 0
    for sentence in (
        "quantity_unreadable (column Quantity): line 3; looks like Xxxxxx 9",
        "time_unreadable (column InvoiceDate): line 4; looks like 99/99/9999 99:99",
        "unit_price_unreadable (column UnitPrice): line 5; looks like Xxxxxx",
        "household_id_unreadable (column Customer ID): line 7; looks like 9.9X+99",
        "equal lines, each taken: again not told",
    ):
        assert sentence in told.stdout
    assert not [cell for cell in ("Secret", "31/02", "Müller", "6.1E") if cell in told.stdout]
    write_csv(shop.file("retail.csv"), [line(Quantity="many")])
    nothing = CliRunner().invoke(app, ["--project", str(tmp_path), "sources", "check", "shop"])
    assert "quantity_unreadable" in nothing.stdout
    assert nothing.exception.exit_code == 3


def test_an_id_with_an_outsize_share_of_rows_is_pointed_at_by_its_shape(shop: Shop) -> None:
    lines = [line(InvoiceNo=str(i), **{"Customer ID": f"{10_000 + i % 60}"}) for i in range(120)]
    write_csv(
        shop.file("retail.csv"), [*lines, *(line(InvoiceNo="9", **{"Customer ID": "00-GUEST"}) for _ in range(60))]
    )
    crowd = checked(shop).crowd
    assert (crowd.rows, crowd.share, crowd.shape) == (60, 0.333, "99-XXXXX")
    write_csv(shop.file("retail.csv"), lines)
    assert checked(shop).crowd is None
