"""Campaigns, who got them, redemptions, products and a panel of one's own: joined, forgiven, and never in the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from own_world import LEGAL, RETAIL, TWIN, Shop, but, line, params, write_csv
from supplying import supplied

from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data import products as product_table
from twinops.data.consent import special_categories
from twinops.data.own_sources.codes import whole
from twinops.data.own_sources.declared_law import legal_of
from twinops.data.vault.seal import read_quarantine
from twinops.entities.consent import LegalBasis, Purpose
from twinops.errors import DataError, ParamsError
from twinops.workflows.pipeline.collect_products import collect_products
from twinops.workflows.pipeline.collect_synthetic import collect_synthetic
from twinops.workflows.sources.check import check
from twinops.workflows.subject.other_holders import own_files

DAYS = {"format": "%d.%m.%Y", "zone": "UTC"}


def kind(name: str, columns: dict[str, str], purposes: tuple[str, ...] = TWIN, **more: Any) -> dict[str, Any]:
    """A declaration of a file of this kind."""
    legal = LEGAL | {"purposes": dict.fromkeys(columns, purposes)}
    return {"kind": name, "reads": "csv", "path": f"files/{name}.csv", "columns": columns, "legal": legal} | more


CAMPAIGNS = kind(
    "campaigns", {"campaign_id": "id", "campaign_type": "type", "start_date": "from", "end_date": "to"}, time=DAYS
)
SENT = kind("campaign_customers", {"household_id": "who", "campaign_id": "what"})
REDEEMED = kind("redemptions", {"household_id": "who", "campaign_id": "what", "redemption_date": "on"}, time=DAYS)
GOODS = kind("products", {"product_id": "sku", "product_category": "group", "product_type": "name"},
             special_reviewed="open")  # fmt: skip
PANEL = kind(
    "panel",
    {"panelist": "id", "age": "age", "baskets_per_4_weeks": "visits", "thrift": "thrift", "novelty": "novelty"},
    ("twin_training",),
    scales={"thrift": [1, 7], "novelty": [-3, 3]},
    money={"currency": "EUR", "decimal": ","},
)


def shop_with(root: Path, files: dict[str, str], **own: Any) -> Shop:
    made = Shop(root, shop=RETAIL, **own)
    write_csv(made.file("retail.csv"), [line()])
    for name, text in files.items():
        made.file(f"{name}.csv").write_text(text, encoding="utf-8")
    return made


def campaigns(root: Path, told: str, sent: str) -> Shop:
    return shop_with(root, {"campaigns": told, "campaign_customers": sent}, told=CAMPAIGNS, sent=SENT)


TOLD = "id,type,from,to\nK1,Newsletter,01.03.2024,28.03.2024\nK2,Katalog,01.04.2024,\n"


# Campaigns and who got them.


def test_who_got_a_campaign_gets_its_type_and_days_from_the_list_of_campaigns(tmp_path: Path) -> None:
    shop = campaigns(tmp_path, TOLD, "who,what\n17850,K1\n17851,K2\n17851,K9\n")
    found = shop.collect("campaigns", "all")
    assert (found.in_file, found.read, found.taken, found.quarantined) == (5, 3, 2, {"start_date_missing": 1})
    assert found.left_out == {"campaigns_described": 2}, "they tell of nobody, and go into the rows of who got them"
    rows = sorted(shop.open("campaigns", "all").drop_columns(["sid"]).to_pylist(), key=lambda r: r["start_day"])
    assert [r["campaign_type"] for r in rows] == ["Newsletter", "Katalog"]
    assert rows[0]["end_day"] - rows[0]["start_day"] == 27
    assert rows[1]["end_day"] is None, "a campaign without an end is one"
    assert rows[0]["campaign_id"] == whole("K1")


def test_a_contact_may_tell_its_own_day_and_type_and_needs_no_list(tmp_path: Path) -> None:
    own = kind("campaign_customers", {"household_id": "who", "campaign_id": "what", "start_date": "sent"}, time=DAYS)
    shop = shop_with(tmp_path, {"campaign_customers": "who,what,sent\n17850,K1,05.03.2024\n"}, sent=own)
    assert shop.collect("campaigns", "all").taken == 1
    assert shop.open("campaigns", "all")["campaign_type"].to_pylist() == ["campaign"]


def test_campaigns_that_nobody_is_said_to_have_got_are_as_good_as_not_declared(tmp_path: Path) -> None:
    shop = shop_with(tmp_path, {"campaigns": TOLD}, told=CAMPAIGNS)
    found = shop.collect("campaigns", "all")
    assert (found.taken, found.undeclared, found.left_out) == (0, True, {"campaigns_described": 2})


@pytest.mark.parametrize(
    ("end", "taken"),
    [("", None), ("-", None), ("31.12.9999", None), ("whenever", None), ("28.03.2024", 27)],
)
def test_an_end_that_is_not_told_is_no_mistake(tmp_path: Path, end: str, taken: int | None) -> None:
    shop = campaigns(tmp_path, f"id,type,from,to\nK1,,01.03.2024,{end}\n", "who,what\n17850,K1\n")
    assert shop.collect("campaigns", "all").quarantined == {}
    (row,) = shop.open("campaigns", "all").to_pylist()
    assert (row["end_day"] and row["end_day"] - row["start_day"]) == taken


@pytest.mark.parametrize("start", ["", "soon", "01.03.1066", "01.03.9999"])
def test_a_campaign_that_began_on_no_day_is_put_aside_and_so_is_who_got_it(tmp_path: Path, start: str) -> None:
    told = f"id,type,from,to\nK1,A,{start},\nK2,A,01.03.2024,\n"
    found = campaigns(tmp_path, told, "who,what\n17850,K1\n17851,K2\n").collect("campaigns", "all")
    assert found.taken == 1
    assert sum(found.quarantined.values()) == 2, "the campaign, and the contact that has no day then"


def test_the_law_of_both_lists_is_that_of_the_list_of_people(tmp_path: Path) -> None:
    told, sent = but(CAMPAIGNS), but(SENT)
    told["legal"] = told["legal"] | {"bases": "open", "controller": "open"}
    sent["legal"] = sent["legal"] | {"bases": dict.fromkeys(TWIN, "contract"), "retention_days": 90}
    own = params(told=told, sent=sent).own
    facts = legal_of(own)["campaigns"]
    assert set(facts.bases.values()) == {LegalBasis.CONTRACT}
    assert facts.retention_days == 90
    assert {"household_id", "campaign_id", "start_date"} <= set(facts.columns)
    assert own.open == {}, "a list of campaigns is about nobody: nothing is owed of it"


# Redemptions.


def test_two_equal_redemptions_are_two_coupons_unless_coupons_have_numbers(tmp_path: Path) -> None:
    rows = "who,what,on,no\n17850,K1,05.03.2024,7\n17850,K1,05.03.2024,7\n"
    shop = shop_with(tmp_path, {"redemptions": rows}, redeemed=REDEEMED)
    assert shop.collect("redemptions", "all").taken == 2
    numbered = but(REDEEMED, columns=REDEEMED["columns"] | {"coupon_upc": "no"})
    numbered["legal"] = LEGAL | {"purposes": dict.fromkeys(numbered["columns"], TWIN)}
    shop.declare(shop=RETAIL, redeemed=numbered)
    assert shop.collect("redemptions", "all").quarantined == {"duplicate_row": 1}


# Products.


def goods(shop: Shop) -> Any:
    shop.lock()
    return supplied(collect_products, engine=DuckDBEngine(threads=1), **shop.around)


def test_products_of_one_s_own_lie_in_the_open_and_what_cannot_be_read_is_put_aside(tmp_path: Path) -> None:
    text = "sku,group,name\nA1,Cups,Blue cup\nA1,Cups,Red cup\n,Cups,\n00112,,Thing\n"
    shop = shop_with(tmp_path, {"products": text}, goods=GOODS)
    found = goods(shop)
    assert (found.taken, found.quarantined) == (2, {"duplicate_row": 1, "product_id_missing": 1})
    rows = pq.read_table(shop.places.products)
    assert set(rows["product_id"].to_pylist()) == {whole("A1"), whole("00112")}
    aside = read_quarantine(shop.places.quarantine("products", "all"), dataset="products", keys=shop.keys)
    assert aside.num_rows == 2


def test_no_shop_s_articles_are_taken_for_the_shipped_ones(tmp_path: Path) -> None:
    found = goods(shop_with(tmp_path, {}))
    assert (found.taken, found.undeclared) == (0, True)
    assert product_table.opened(tmp_path / "data" / "products" / "all.parquet").num_rows == 0


def test_what_tells_of_a_special_category_is_denied_in_any_hierarchy(tmp_path: Path) -> None:
    own = params(shop=RETAIL, goods=but(GOODS, special={"health": ["Wellness"]}, special_reviewed="A. Person")).own
    names = ["Cups", "Babyspielzeug", "Rotwein", "Wellness", "Spielwaren"]
    table = pa.table({"product_id": [1, 2, 3, 4, 5], "product_category": names, "product_type": [None] * 5})
    denied = special_categories.denied(DuckDBEngine(threads=1), table, by=special_categories.of(own)).to_pylist()
    assert {(d["product_id"], d["category"]) for d in denied} == {
        (2, "pregnancy_and_infants"), (3, "addiction"), (4, "health"),
    }  # fmt: skip
    assert all(special_categories.of(own).why.values())


def test_words_tell_whatever_case_and_accents_a_hierarchy_is_written_with() -> None:
    own = params(shop=RETAIL, goods=but(GOODS, special={"religion": ["Páscoa"]}, special_reviewed="A. Person")).own
    names = ["SEM GLÚTEN", "Diabéticos", "Sante", "Bebés", "pascoa", "Bovino", "Accessories", "Dining", "Lilac", None]
    table = pa.table({"product_id": [*range(10)], "product_category": ["Mercearia"] * 10, "product_type": names})
    denied = special_categories.denied(DuckDBEngine(threads=1), table, by=special_categories.of(own)).to_pylist()
    assert [(d["product_id"], d["category"]) for d in denied] == [
        (0, "health"), (1, "health"), (2, "health"), (3, "pregnancy_and_infants"), (4, "religion"),
    ]  # fmt: skip
    assert special_categories.tells("%GLUTEN%", "Sem glúten")
    assert special_categories.tells("%SAÚDE%", "saude e bem-estar")


def test_a_hierarchy_that_nobody_looked_through_is_open_and_says_so() -> None:
    own = params(shop=RETAIL, goods=GOODS).own
    assert own.open == {"goods": ("special_categories",)}
    assert own.unseen_products
    assert params(shop=RETAIL, goods=but(GOODS, special_reviewed="A. Person, 2024-03-01")).own.open == {}
    with pytest.raises(ParamsError, match="special_reviewed is needed"):
        params(goods=but(GOODS, special_reviewed=None))


# A panel.


def panel(shop: Shop) -> Any:
    shop.lock()
    supplied(collect_synthetic, "panelists", engine=DuckDBEngine(threads=1), days=None, as_of=None, **shop.around)
    return shop.open("panelists", "all")


PEOPLE = 'id,age,visits,thrift,novelty\nP1,25-34,4,7,"-1,5"\nP2,,"2,0",9,n/a\nP3,,,,\n'


def test_an_unknown_answer_of_a_panel_loses_that_answer_and_not_the_row(tmp_path: Path) -> None:
    shop = shop_with(tmp_path, {"panel": PEOPLE}, panel=PANEL)
    shop.lock()
    found = shop.collect("panelists", "all")
    assert (found.taken, found.quarantined, found.unscored) == (3, {}, {"thrift_unreadable": 1})
    rows = shop.open("panelists", "all")
    assert sorted(rows["thrift"].to_pylist(), key=str) == sorted([100, None, None], key=str)
    assert 25 in rows["novelty"].to_pylist(), "minus one and a half on a scale from -3 to 3"
    assert set(rows["baskets_per_4_weeks"].to_pylist()) == {4, 2, None}


def test_a_linked_panelist_is_filed_under_the_customer(tmp_path: Path) -> None:
    said = but(PANEL, columns=PANEL["columns"] | {"household_id": "customer"})
    said["legal"] = LEGAL | {"purposes": dict.fromkeys(said["columns"], ("twin_training",))}
    text = "id,age,visits,thrift,novelty,customer\nP1,,4,7,0,17850\nP2,,4,7,0,\n"
    shop = shop_with(tmp_path, {"panel": text}, panel=said)
    shop.collect("transactions", "2024-03")
    shop.collect("panelists", "all")
    customer = set(shop.open()["sid"].cast(pa.string()).to_pylist())
    panelists = set(shop.open("panelists", "all")["sid"].cast(pa.string()).to_pylist())
    assert customer < panelists, "one key opens, and one erasure takes, what both sources hold of a person"


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"scales": {"thrift": [7, 1], "novelty": [-3, 3]}}, "ends where it begins"),
        ({"scales": {"thrift": [1, 7]}}, "novelty is no column of panel"),
        ({"scales": {"thrift": [1, 7], "novelty": [-3, 3], "ghost": [0, 1]}}, "ghost is no column of answers"),
    ],
)
def test_scales_without_ends_are_refused(changed: dict[str, Any], what: str) -> None:
    with pytest.raises(ParamsError, match=what):
        params(panel=but(PANEL, **changed))


def test_a_scale_of_faith_or_health_cannot_be_declared(tmp_path: Path) -> None:
    said = but(PANEL, columns={"panelist": "id", "religious_attendance": "thrift"},
               scales={"religious_attendance": [1, 7]})  # fmt: skip
    said["legal"] = LEGAL | {"purposes": dict.fromkeys(said["columns"], ("twin_training",))}
    shop = shop_with(tmp_path, {"panel": PEOPLE}, panel=said)
    with pytest.raises(ParamsError, match="Special categories are never fused: religious_attendance"):
        shop.collect("panelists", "all")


def test_a_panel_serves_training_and_nothing_else() -> None:
    said = but(PANEL)
    said["legal"] = LEGAL | {"purposes": dict.fromkeys(said["columns"], (Purpose.OFFERS.value,))}
    with pytest.raises(ParamsError, match="panel serve twin_training only"):
        params(panel=said)


# Empty, nearly empty, broken.

HEADS = {
    "campaigns": ("campaigns", "id,type,from,to", "K1,A,01.03.2024,", "K1,A,never,"),
    "campaign_customers": ("campaigns", "who,what", "17850,K1", ",K1"),
    "redemptions": ("redemptions", "who,what,on", "17850,K1,05.03.2024", ",K1,05.03.2024"),
    "panel": ("panelists", "id,age,visits,thrift,novelty", "P1,25-34,4,7,0", ",25-34,4,7,0"),
}
SAID = {"campaigns": CAMPAIGNS, "campaign_customers": SENT, "redemptions": REDEEMED, "panel": PANEL}


@pytest.mark.parametrize("name", HEADS)
def test_a_file_that_holds_nothing_leaves_an_empty_source(tmp_path: Path, name: str) -> None:
    source, head, *_ = HEADS[name]
    shop = shop_with(tmp_path, {name: f"{head}\n"}, one=SAID[name])
    found = shop.collect(source, "all")
    assert (found.read, found.taken) == (0, 0)
    assert shop.open(source, "all").num_rows == 0
    assert json.loads(shop.places.counts(source, "all").read_text(encoding="utf-8"))["taken"] == 0


@pytest.mark.parametrize("name", HEADS)
def test_one_row_of_somebody_who_is_no_customer_is_taken_as_it_is(tmp_path: Path, name: str) -> None:
    source, head, row, _ = HEADS[name]
    shop = shop_with(tmp_path, {name: f"{head}\n{row.replace('17850', 'stranger')}\n"}, one=SAID[name])
    found = shop.collect(source, "all")
    lone = name == "campaign_customers"
    assert found.taken == (0 if name in ("campaigns", "campaign_customers") else 1)
    assert found.quarantined == ({"start_date_missing": 1} if lone else {})


@pytest.mark.parametrize("name", HEADS)
def test_a_file_of_which_nothing_can_be_taken_is_told_with_its_reason(tmp_path: Path, name: str) -> None:
    source, head, _, broken = HEADS[name]
    shop = shop_with(tmp_path, {name: f"{head}\n{broken}\n{broken}\n"}, one=SAID[name])
    with pytest.raises(DataError, match="nothing was taken of 2 records"):
        shop.collect(source, "all")
    looked = check("one", places=shop.places, params=shop.params, own=shop.params.own)
    assert looked.nothing
    assert looked.mistakes


def test_whose_person_is_erased_the_owner_is_sent_to_no_file_that_holds_nobody() -> None:
    own = params(shop=RETAIL, told=CAMPAIGNS, sent=SENT, goods=GOODS).own
    assert [*own_files(own, panelist=False)] == [
        "source sent (files/campaign_customers.csv)",
        "source shop (files/retail.csv)",
    ]
