"""The copy of one person's data: all of it, theirs alone, to read and for machines."""

from __future__ import annotations

import html
import json
import math
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from living_world import natural
from own_world import CONSENT, LEGAL, RETAIL, TWIN, but, params
from people_wrote import SERVICE
from rights_world import ANN, CARD, MERGED, OTHER, RightsWorld, rights_world, seal

from twinops.adapters.lineage_index import LineageIndex
from twinops.data.own_sources.codes import whole
from twinops.data.own_sources.mapping import stood_in
from twinops.data.texts.signals import TOPICS
from twinops.entities.legal import LegalFacts
from twinops.entities.rights import LearnedVersion, Right, RightsAct
from twinops.errors import DataError, ParamsError
from twinops.governance.copy_cells import CopyNames, in_words, shown
from twinops.workflows.subject import copy_facts, copy_page
from twinops.workflows.subject import export as export_module
from twinops.workflows.subject.export import CopyMade, Identified, export
from twinops.workflows.subject.held_rows import HeldRows
from twinops.workflows.subject.identities import Identities
from twinops.workflows.subject.third_persons import WITHHELD, tells_of_others

HOSTILE = "<script>alert(1)</script> \u202egnp.exe"
SECOND = "C00000077"
"""A second profile of MERGED, whom no rule joins with her."""
MARKER = "marker-of-somebody-else"
"""Planted in others' records; the copy of anybody else must not hold it."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> RightsWorld:
    made = rights_world(tmp_path_factory.mktemp("copies"))
    profiles = {"crm_id": [CARD, "C00000099", SECOND], "card": [made.sid(MERGED), made.sid(OTHER), None]}
    profiles |= {"given": [HOSTILE, MARKER, "Eve"], "surname": ["=HYPERLINK(1)", MARKER, "Eight"]}
    profiles |= {"born": ["1980-05-17", None, None]}
    profiles |= {c: ["eight's", MARKER, "eight's"] for c in ("email", "phone", "street", "postcode", "city")}
    crm = pa.table({**profiles, "updated": [10, 11, 12]})
    seal(made.places.raw("crm", "all"), crm, made.keys, dataset="crm", subject="crm_id")
    said = ["the milk was sour", "please ask Bob Miller of number 12, he saw it", "write to bob@example.org"]
    cases = {"customer": [CARD] * 3 + ["C00000099"], "text": [*said, MARKER], "opened": [5, 6, 7, 8]}
    seal(made.places.raw("care_cases", "all"), pa.table(cases), made.keys, dataset="care_cases", subject="customer")
    return made


def copy(world: RightsWorld, who: str, *, by: str = "dpo", how: str = "passport at the counter") -> CopyMade:
    index = LineageIndex(world.places.root / "keystore")
    return export(who, identified=Identified(by, how), desk=world.desk, opener=world.opener, learned=index)


def told(made: CopyMade) -> dict:
    return json.loads(made.files["data.json"])


def test_every_row_of_every_source_is_in_it_for_machines_and_for_people(world):
    made = copy(world, natural(ANN))
    rows = {s["name"]: len(s["rows"]) for s in told(made)["sources"]}
    mine = world.receipts.plane.tables.of([world.sid(ANN)])
    assert rows == {name: mine.source(name).num_rows for name in ("campaigns", "consent", "redemptions", "transactions")
                    if mine.source(name).num_rows}  # fmt: skip
    lines = made.files["csv/transactions.csv"].decode("utf-8-sig").splitlines()
    assert len(lines) == rows["transactions"] + 1
    page = made.files["your-data.html"].decode()
    parts = ["What we hold, by source", "In short", "80 of 100 like cases", "Groups you were counted in", "Recipients:"]
    assert [p for p in (*parts, "data protection authority", "csv/transactions.csv") if p not in page] == []


def test_what_was_made_of_it_is_in_it_with_its_meaning(world):
    found = told(copy(world, natural(ANN)))
    assert {"panel", "labels"} <= {t["name"] for t in found["made"]}
    assert found["expected"]["spend_range"][0] <= found["expected"]["spend"]
    assert found["reasons"]
    assert found["segments"]
    assert found["logic"]
    assert found["meaning"]
    assert [p["purpose"] for p in found["permissions"]] == [
        "bias_assessment",
        "offers",
        "twin_scoring",
        "twin_training",
    ]


def test_records_of_other_sources_that_are_the_same_persons_are_in_it(world):
    by_household, by_profile = (told(copy(world, who)) for who in (natural(MERGED), CARD))
    names = {s["name"] for s in by_household["sources"]}
    assert names == {s["name"] for s in by_profile["sources"]}
    assert {"crm", "care_cases", "transactions"} <= names


def test_every_entry_that_may_stand_in_somebodys_file_has_words_for_them():
    assert export_module.WORDS.keys() == set(Right) - {Right.SETTLED, Right.SCORED}


def test_what_was_decided_of_a_pair_is_told_without_the_other_record_or_why(world):
    record, other = f"registrations:{world.sid(40)}", f"registrations:{world.sid(OTHER)}"
    act = RightsAct(Right.NOT_SAME, world.sid(40), "data owner", "Olga", about={"record": record, "other": other},
                    told={"reason": "Bob Miller is the father"})  # fmt: skip
    world.ledger.append(act)
    made = copy(world, natural(40))
    assert "a record decided not to be yours" in [e["what"] for e in told(made)["events"]]
    assert [n for n, c in made.files.items() if world.sid(OTHER).encode() in c or b"Bob" in c] == []


def decided(world: RightsWorld, right: Right) -> None:
    """A person says of the second profile and the household whether they are one person's."""
    one, other = f"crm:{world.sid(SECOND)}", f"registrations:{world.sid(MERGED)}"
    for sid in (world.sid(SECOND), world.sid(MERGED)):
        world.ledger.append(RightsAct(right, sid, "data owner", "Olga", about={"record": one, "other": other}))


def test_records_that_somebody_joined_are_one_copy_whichever_is_named_and_apart_again_two(world):
    def rows_of(who: str) -> dict[str, list[str]]:
        made = {s["name"]: s["rows"] for s in told(copy(world, who))["sources"]}
        numbered = {"your_record": None, "card": None}  # whoever is named is the first
        return {name: sorted(str({**r, **numbered}) for r in rows) for name, rows in made.items()}

    apart = rows_of(SECOND)
    assert set(apart) == {"crm"}
    decided(world, Right.SAME)
    joined = rows_of(natural(MERGED))
    assert joined == rows_of(CARD) == rows_of(SECOND)
    assert len(joined["crm"]) == 2
    assert set(apart["crm"]) < set(joined["crm"])
    decided(world, Right.REOPENED)
    assert rows_of(SECOND) == apart


def test_whether_they_were_picked_for_an_offer_stands_in_the_copy_with_the_day_and_why_not(world):
    shares = {7: (True, None), OTHER: (True, "open_complaint"), 30: (False, None)}
    for name, as_of, decides in (("a", "2026-03-01", True), ("b", "2026-04-01", False)):
        columns = {"sid": [world.sid(n) for n in shares], "expected_spend": [1.0] * 3}
        choice = {"selected": [s for s, _ in shares.values()], "kept_back": [k for _, k in shares.values()]}
        path = world.places.live(f"{name}.parquet")
        seal(path, pa.table({**columns, **(choice if decides else {})}), world.keys, dataset="scores", subject="sid")
        Path(f"{path}.json").write_text(json.dumps({"as_of": as_of, "purpose": "offers"}))
    for who, said in (
        (ANN, "you were picked."),
        (OTHER, "you were picked, and not contacted: open complaint."),
        (30, "you were not picked."),
    ):
        made = copy(world, natural(who))
        assert f"On a list of 1 March 2026, made to choose offers for you, {said}" in told(made)["decisions"]
        assert not [d for d in told(made)["decisions"] if "1 April 2026" in d], "nothing was decided then"
        (lists,) = (t for t in told(made)["made"] if t["name"] == "scores")
        assert [(r["as_of"], r["selected"]) for r in lists["rows"]] == [
            ("2026-03-01", shares[who][0]),
            ("2026-04-01", None),
        ]
        assert len(made.files["csv/made_scores.csv"].splitlines()) == 3
        assert "Lists your forecast was put on" in paged(made)


@pytest.mark.parametrize("who", [natural(ANN), natural(MERGED), CARD])
def test_nobody_elses_data_is_in_any_file(world, who):
    made = copy(world, who)
    others = [world.sid(OTHER), natural(OTHER), MARKER, world.sid("C00000099")]
    for name, content in made.files.items():
        assert [o for o in others if o.encode() in content] == [], name


def test_a_text_that_names_somebody_else_is_held_back_with_its_reason(world):
    made = copy(world, CARD)
    (cases,) = (s for s in told(made)["sources"] if s["name"] == "care_cases")
    assert [r["text"] for r in cases["rows"]] == ["the milk was sour", WITHHELD, WITHHELD]
    assert made.withheld == cases["withheld"] == 2
    page = made.files["your-data.html"].decode()
    assert "2 cells may tell of another person" in page
    assert "Bob" not in page


def test_what_a_customer_told_of_themselves_is_never_held_back_as_another_persons(tmp_path):
    made = rights_world(tmp_path)
    rows = {"household_id": [natural(ANN)], "age": ["35-44"], "born": ["29/06/1985"]}
    seal(
        made.places.raw("demographics", "all"),
        pa.table(rows),
        made.keys,
        dataset="demographics",
        subject="household_id",
    )
    made_of = copy(made, natural(ANN))
    (held,) = (s for s in told(made_of)["sources"] if s["name"] == "demographics")
    assert (held["rows"][0]["born"], held["withheld"]) == ("29/06/1985", 0)


@pytest.mark.parametrize("day", ["1985-06-29", "29/06/1985", "29.6.1985", "2026-05-14 09:30"])
def test_a_day_in_a_text_is_no_telephone_number_and_a_number_still_is(day):
    assert not tells_of_others(f"bought on {day} and it broke", [])
    assert tells_of_others(f"call 0171 234 5678 from {day} on", [])


def test_a_list_of_forecasts_calls_what_is_expected_expected_and_names_what_it_rests_on():
    row = {"your_record": 1, "basis": "established", "baskets": 1.009, "spend": 1583.59, "like_cases": 2356}
    table = shown([row], names=CopyNames("TND", 168))
    assert dict(zip(table.heads, table.rows[0], strict=True)) == {
        "What the forecast rests on": "your own history", "Expected: purchases": "1.01",
        "Expected: spending": "1,583.59 TND", "Like cases": "2356",
    }  # fmt: skip
    came = shown([{"your_record": 1, "baskets": 2}], names=CopyNames("TND", 168))
    assert came.heads == ("Purchases",)


def test_hostile_text_is_text(world):
    made = copy(world, CARD)
    page = made.files["your-data.html"].decode()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "\u202e" not in page
    assert b"'=HYPERLINK(1)" in made.files["csv/crm.csv"]


def test_versions_that_learned_from_them_are_named(world):
    index = LineageIndex(world.places.root / "keystore")
    index.remember(LearnedVersion("twin", "2", "k2"), [world.sid(ANN), world.sid(OTHER)])
    index.remember(LearnedVersion("twin", "10", "k10"), [world.sid(ANN)])
    index.remember(LearnedVersion("twin", "3", "k3"), [world.sid(OTHER)])
    made = copy(world, natural(ANN))
    assert [v["version"] for v in told(made)["learned"]] == ["2", "10"]
    assert "twin version 10." in made.files["your-data.html"].decode()


def test_that_it_was_made_and_how_they_were_identified_is_kept_sealed(world):
    copy(world, natural(ANN), how="letter with a code, answered")
    entry = world.ledger.entries()[-1]
    assert (entry.right, entry.sid, entry.act.person) == (Right.EXPORTED, world.sid(ANN), "dpo")
    assert world.ledger.told(entry) == {"identified": "letter with a code, answered"}


def test_their_own_requests_are_in_it(world):
    world.take(OTHER, "object", purpose="offers", reason="too many letters")
    found = told(copy(world, natural(OTHER)))
    assert ("objection: offers", {"reason": "too many letters"}) in [(e["what"], e["told"]) for e in found["events"]]
    assert found["permissions"][1] == {"purpose": "offers", "allowed": False, "reason": "objected"}


def test_who_allows_no_forecast_gets_a_copy_without_one(world):
    world.take(30, "restrict", ground="a")
    made = copy(world, natural(30))
    assert (told(made)["expected"], told(made)["segments"]) == (None, {})
    assert "nothing but to be kept and shown to you" in made.files["your-data.html"].decode()
    assert told(made)["sources"]


def test_without_identification_office_or_person_there_is_no_copy(world):
    before = len(world.ledger.entries())
    with pytest.raises(ParamsError, match="identified-by"):
        copy(world, natural(ANN), how=" ")
    with pytest.raises(DataError, match="No such consumer"):
        copy(world, natural(77_777))
    refused = copy(world, natural(ANN), by="risk-officer")
    assert refused.refused is not None
    assert refused.files == {}
    assert len(world.ledger.entries()) == before


def paged(made: CopyMade) -> str:
    """The page as it is read: without marks."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", made.files["your-data.html"].decode())).split())


def test_the_page_speaks_of_money_days_and_goods_as_people_do(world):
    world.places.products.parent.mkdir(parents=True, exist_ok=True)
    goods = pa.table({"product_id": [1], "product_category": ["DRINKS"], "product_type": ["OAT MILK"]})
    pq.write_table(goods, world.places.products)
    page, raw = paged(copy(world, natural(ANN))), told(copy(world, natural(ANN)))
    (bought,) = (s for s in raw["sources"] if s["name"] == "transactions")
    first = bought["rows"][0]
    assert f"{first['sales_cents'] / 100:.2f} USD" in page
    assert in_words(date.fromisoformat(first["day"])) in page
    assert "OAT MILK" in page
    for mark in ("cents", "_h1", "quick", "exposure", "log value", "fingerprint", first["day"]):
        assert mark not in page, mark
    assert "Purchases, in the last 28 days" in page
    assert "Several purchases on one day count once." in page


def test_every_column_of_every_table_is_in_the_files_even_where_the_page_leaves_it_to_machines(world):
    made = copy(world, natural(ANN))
    for prefix, tables in (("", told(made)["sources"]), ("made_", told(made)["made"])):
        for table in tables:
            head = made.files[f"csv/{prefix}{table['name']}.csv"].decode("utf-8-sig").splitlines()[0].split(",")
            assert head[0] == "your_record"
            assert set(head) == set(table["rows"][0])


def test_a_shop_that_has_not_said_who_it_is_is_named_by_nothing_that_is_owed(world, monkeypatch):
    uses = export_module.uses_of

    def owing(places):
        said = uses(places)
        owed = "to be said by the controller's data owner: who is it?"
        who = said.controller.model_copy(update={"name": owed, "contact": owed})
        decision = said.decision.model_copy(update={"name": owed})
        return said.model_copy(update={"controller": who, "decision": decision})

    monkeypatch.setattr(export_module, "uses_of", owing)
    page = paged(copy(world, natural(ANN)))
    assert " Your data This is the copy" in page
    assert "to be said by" not in page
    assert "has not said yet what your forecast is used to decide" in page


def test_a_value_that_no_file_of_the_shop_tells_is_not_told_as_the_persons_own():
    rows = [{"your_record": 1, "day": "2024-03-01", "basket_id": 2**61, "store_id": 1, "product_id": 2**61}]
    made = shown(rows, names=CopyNames("EUR", 28), invented=stood_in(params(shop=RETAIL).own.root["shop"]))
    assert (made.heads, made.rows) == (
        ("Day", "Receipt", "Article"),
        (("1 March 2024", "no. 1", "an article no longer known by its name"),),
    )
    assert made.for_machines == 1


def test_a_notice_that_the_shop_declared_once_is_not_told_as_what_was_shown_on_every_day():
    answer = {
        "your_record": 1,
        "purpose": "offers",
        "event": "granted",
        "day": "2018-05-25",
        "notice_version": "2024-09",
    }
    dated = but(CONSENT, constants={"purpose": "offers"})
    for said, told in ((dated, False), (CONSENT, True)):
        made = shown([answer], names=CopyNames("EUR", 28), invented=stood_in(params(said=said).own.root["said"]))
        assert ("Notice you were shown" in made.heads) is told


def written_in(world: RightsWorld, language: str | None) -> CopyMade:
    """The copy of MERGED, whose case the shop declares to be in a language, with what was read of it: nothing."""
    topics = {f"topic_{t}": pa.array([0], pa.int8()) for t in TOPICS}
    nothing = {"label": pa.array([None], pa.string()), "compound_e4": pa.array([None], pa.int32()), **topics}
    path = world.places.raw("care_cases", "all")
    before = path.read_bytes()
    seal(path, pa.table({"customer": [CARD], "opened": [5], **nothing}), world.keys, dataset="care_cases",
         subject="customer")  # fmt: skip
    own = params(cases=but(SERVICE, **({} if language is None else {"language": language}))).own
    opener = replace(world.opener, receipts=replace(world.receipts, own=own))
    index = LineageIndex(world.places.root / "keystore")
    try:
        return export(CARD, identified=Identified("dpo", "passport"), desk=world.desk, opener=opener, learned=index)
    finally:
        path.write_bytes(before)


def test_what_was_written_in_a_language_that_nobody_reads_is_told_as_not_read_and_never_as_a_no(world):
    made = written_in(world, "sv")
    page = paged(made)
    assert "not taken in: the shop declares that it is in Swedish, and only English is read here" in page
    assert "Speaks of price not read: language" in page
    assert "Speaks of price no " not in page
    (cases,) = (s for s in told(made)["sources"] if s["name"] == "care_cases")
    assert cases["not_read"] == "Swedish"
    assert [r["topic_price"] for r in cases["rows"]] == [None]
    assert made.files["csv/care_cases.csv"].decode("utf-8-sig").splitlines()[1].endswith("," * (2 + len(TOPICS)))


def test_of_a_text_of_which_nothing_was_read_no_topic_is_denied_and_no_language_is_blamed(world):
    made = written_in(world, "en")
    page = paged(made)
    assert "Speaks of quality not known" in page
    assert "language" not in page
    assert [s["not_read"] for s in told(made)["sources"] if s["name"] == "care_cases"] == [None]


def test_their_own_receipt_shop_and_article_are_called_as_the_shop_s_file_calls_them(world, tmp_path):
    shop = but(RETAIL, columns=RETAIL["columns"] | {"store_id": "Country"})
    shop["legal"]["purposes"] |= {"store_id": ["twin_training"]}
    head = "InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice,Customer ID,Country"
    lines = ["C-77,038533,1,01/03/2024 10:00,2.50,17850,Ume\u00e5", "C-78,71053,1,02/03/2024 10:00,2.50,17850,Mora"]
    file = world.places.root / "files" / "retail.csv"
    file.parent.mkdir(exist_ok=True)
    file.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    codes = {"basket_id": whole("C-77"), "product_id": whole("038533"), "store_id": whole("Ume\u00e5")}
    gone = {"basket_id": whole("C-79"), "product_id": whole("xyz"), "store_id": whole("Lule\u00e5")}
    bought = tuple({"your_record": 1, "day": "2024-03-01", **c, "sales_cents": 250} for c in (codes, gone))
    opener = replace(world.opener, receipts=replace(world.receipts, own=params(shop=shop).own))
    held = HeldRows("transactions", "", bought)
    spelling = copy_facts._spelling(held, opener)
    told_rows = copy_facts._spelled_out(held, spelling).rows
    assert (told_rows[0]["basket_id"], told_rows[0]["product_id"], told_rows[0]["store_id"]) == (
        "C-77",
        "038533",
        "Ume\u00e5",
    )
    assert told_rows[1] == bought[1]
    page = shown(told_rows, names=CopyNames("EUR", 28))
    assert page.rows[0][1:] == ("C-77", "article 038533", "Ume\u00e5", "2.50 EUR")
    assert "a code" not in str(page.rows[1])
    file.unlink()
    assert copy_facts._spelling(held, opener) == {}, "a copy without a name of a shop is better than none"


def test_what_the_shop_has_not_said_is_told_as_that_and_leaves_no_half_sentence(world):
    law = LegalFacts("open", "", "open", {}, {}, None, "open", synthetic=False, personal_data="")
    about = copy_page._about(HeldRows("demographics", "", (), law))
    assert about == (
        "Used for nothing: nobody has said what for, and on which legal ground. The shop has not said yet from whom it "
        "has this, for how long it is kept and where you were told of it."
    )
    page = paged(copy(world, natural(ANN)))
    for half in ("From open", "Used .", "Told in: open", " a code "):
        assert half not in page
    assert "(with your consent)" in page


def test_a_chance_that_is_not_certain_is_nowhere_told_as_certain():
    rows = [{"your_record": 1, "active_probability": p} for p in (0.997, 1.0, 0.004, 0.5)]
    assert [r[0] for r in shown(rows, names=CopyNames("EUR", 28)).rows] == ["over 99%", "100%", "under 1%", "50%"]


def test_groups_are_told_with_the_day_whose_figures_they_rest_on(world):
    made = copy(world, natural(ANN))
    (panel,) = (t for t in told(made)["made"] if t["name"] == "panel")
    last = max(row["cutoff"] for row in panel["rows"])
    assert told(made)["segments_day"] == last
    assert f"Groups you were counted in, by your figures of {in_words(date.fromisoformat(last))}" in paged(made)


def test_the_factors_on_the_page_multiply_to_the_figure_on_the_page(world):
    page = paged(copy(world, natural(ANN)))
    average = re.search(r"([\d.,]+) \S+ are expected of the average", page)
    answer = re.search(r"Spend: ([\d,]+) \S+ on average", page)
    factors = re.findall(r" ([\d.,]+) times You", page)
    assert average
    assert answer
    assert factors
    product = float(average[1].replace(",", "")) * math.prod(float(f.replace(",", "")) for f in factors)
    assert round(product) == int(answer[1].replace(",", ""))


def test_a_file_that_names_a_card_and_is_not_linked_is_in_the_copy_as_erasure_takes_it(world):
    made = told(copy(world, natural(OTHER)))
    (crm,) = (s for s in made["sources"] if s["name"] == "crm")
    assert [row["given"] for row in crm["rows"]] == [MARKER]
    for who in (natural(OTHER), natural(MERGED), natural(ANN), CARD):
        copied = world.desk.people().sids(who)
        erased = Identities(world.receipts, world.keys, tuple(world.ledger.entries())).person(copied[0]).sids
        assert set(copied) == set(erased)


def test_a_file_that_somebody_decided_to_be_anothers_is_in_neither(world):
    one, other = f"crm:{world.sid('C00000099')}", f"registrations:{world.sid(OTHER)}"
    world.ledger.append(
        RightsAct(Right.NOT_SAME, world.sid(OTHER), "data owner", "Olga", about={"record": one, "other": other})
    )
    assert "crm" not in {s["name"] for s in told(copy(world, natural(OTHER)))["sources"]}
    erased = Identities(world.receipts, world.keys, tuple(world.ledger.entries())).person(world.sid(OTHER))
    assert world.sid("C00000099") not in erased.sids


def test_a_copy_says_that_no_taste_is_told_while_nobody_looked_through_the_goods(world):
    goods = {"kind": "products", "reads": "csv", "path": "goods.csv", "columns": GOODS, "special_reviewed": "open",
             "legal": LEGAL | {"purposes": dict.fromkeys(GOODS, TWIN)}}  # fmt: skip
    unseen = replace(world.opener, receipts=replace(world.receipts, own=params(goods=goods).own))
    index = LineageIndex(world.places.root / "keystore")
    asked = {"identified": Identified("dpo", "passport"), "desk": world.desk, "learned": index}
    why = "nobody who knows the goods has looked through them yet (art. 9)"
    assert why in paged(export(natural(ANN), opener=unseen, **asked))
    assert why not in paged(export(natural(ANN), opener=world.opener, **asked))


GOODS = {"product_id": "sku", "product_category": "group"}
