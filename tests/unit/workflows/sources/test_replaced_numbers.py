"""Two cards of one person: what a file of customers says of them makes both one subject, and a no of either holds."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from candidate import ROOT
from own_world import CONSENT, LEGAL, PROFILES, RETAIL, TWIN, Shop, but, line, write_csv
from people_wrote import declared as declared_as

from twinops.adapters.keystore import SqliteKeyStore
from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.adapters.rights_ledger import FollowedRights, RightsLedger
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.consent.rights import standing
from twinops.data.own_sources.customer_number import NumberForm
from twinops.data.own_sources.declared import declared
from twinops.data.own_sources.people.replaced import Replaced, replaced
from twinops.data.own_sources.proposing.around_customers import AroundCustomers
from twinops.data.own_sources.proposing.drafting import NOTHING_SAID, Draft
from twinops.entities.consent import Event
from twinops.entities.day_count import DayCount
from twinops.entities.erasure import Erasing
from twinops.entities.rights import Right, RightsAct
from twinops.errors import IntegrityError
from twinops.workflows.data_plane import DataPlane
from twinops.workflows.receipts import Receipts
from twinops.workflows.scoring.admitted import admitted
from twinops.workflows.sources.in_doubt import in_doubt

LETTER = {"reason": "by letter"}
OLD, NEW, OTHER = "1001", "2002", "3003"
ALL = (*TWIN, "offers")
CUSTOMERS = but(
    PROFILES,
    columns={"household_id": "card", "age": "band", "replaces": "old card"},
    legal=LEGAL | {"purposes": dict.fromkeys(["household_id", "age", "replaces"], ("bias_assessment",))},
)
SALES = but(RETAIL, path="files/retail.csv", legal=RETAIL["legal"] | {
    "purposes": dict.fromkeys(RETAIL["columns"], TWIN) | {"household_id": (*ALL, "bias_assessment")}
})  # fmt: skip
LEDGER = but(
    CONSENT,
    columns={"household_id": "id", "purpose": "for", "event": "what", "time": "at"},
    constants={"basis": "consent", "notice_version": "1"},
    codes={},
    legal=LEGAL | {"purposes": dict.fromkeys(["household_id", "purpose", "event", "time"], ALL)},
)
Said = tuple[str, str, str, str]


def yes_to_all(card: str, day: str = "2024-01-05") -> list[Said]:
    return [(card, purpose, "granted", f"{day}T08:00:00") for purpose in ALL]


def shop_of(root: Path, *said: Said, customers: str | None = None, keys: Any = None) -> Shop:
    """Two cards of one person, and one of another; everybody bought in March."""
    shop = Shop(root, shop=SALES, people=CUSTOMERS, answers=LEDGER)
    shop.keys = keys or shop.keys
    write_csv(shop.file("retail.csv"), [
        line(**{"Customer ID": who, "InvoiceNo": f"5{i}", "InvoiceDate": f"{5 + i:02}/03/2024 08:26"})
        for i, who in enumerate((OLD, NEW, OTHER, OLD))
    ])  # fmt: skip
    people = f"card,band,old card\n{OLD},25-34,\n{NEW},35-44,{OLD}\n{OTHER},45-54,\n"
    shop.file("people.csv").write_text(customers or people, encoding="utf-8")
    rows = [*yes_to_all(OLD), *yes_to_all(NEW), *yes_to_all(OTHER), *said]
    text = "\n".join(",".join(row) for row in [("id", "for", "what", "at"), *rows])
    shop.file("consent.csv").write_text(text + "\n", encoding="utf-8")
    return shop


def collected(shop: Shop) -> Receipts:
    for source, batch in (("transactions", "2024-03"), ("demographics", "all"), ("consent", "all")):
        if shop.params.own.staged_as(source):
            shop.collect(source, batch)
    plane = DataPlane(shop.places, DuckDBEngine(threads=1), shop.keys)
    return Receipts(plane, date(2024, 4, 1), DayCount(date(2017, 1, 1)), own=shop.params.own)


def offered(receipts: Receipts) -> set[str]:
    return set(admitted(receipts, "offers").sids)


def test_who_objected_with_one_of_two_cards_gets_no_offers_with_the_other(tmp_path: Path) -> None:
    for at, card in enumerate((OLD, NEW)):
        receipts = collected(shop_of(tmp_path / str(at), (card, "offers", "objected", "2024-02-01T09:00:00")))
        keys = receipts.plane.keys
        assert offered(receipts) == {keys.known_sid(OTHER)}
        assert keys.known_sid(OLD) == keys.known_sid(NEW)


def test_without_the_declaration_the_other_card_would_get_them(tmp_path: Path) -> None:
    shop = shop_of(tmp_path, (OLD, "offers", "objected", "2024-02-01T09:00:00"))
    shop.declare(shop=SALES, answers=LEDGER)
    receipts = collected(shop)
    assert shop.keys.known_sid(NEW) in offered(receipts)


def test_the_lines_of_both_cards_are_one_twins_and_one_row_of_the_profile_is_kept(tmp_path: Path) -> None:
    shop = shop_of(tmp_path)
    receipts = collected(shop)
    sids = receipts.lines()["sid"].to_pylist()
    assert sorted(sids.count(s) for s in set(sids)) == [1, 3]
    profile = {r["sid"]: r["age"] for r in shop.open("demographics", "all").to_pylist()}
    assert profile[shop.keys.known_sid(NEW)] == "35-44"
    assert len(profile) == 2
    counts = json.loads(shop.places.counts("demographics", "all").read_text())
    assert counts["left_out"] == {"row_of_a_replaced_number": 1}
    assert counts["read"] == counts["taken"] + counts["suppressed"]


LIFTED, TOLD = "2024-03-01T09:00:00", "2024-02-01T09:00:00"


@pytest.mark.parametrize(
    ("said", "granted"),
    [
        pytest.param([(OLD, "offers", "objected", TOLD), (NEW, "offers", "granted", LIFTED)], False, id="other card"),
        pytest.param([(OLD, "offers", "objected", TOLD), (OLD, "offers", "granted", LIFTED)], True, id="same card"),
        pytest.param([(NEW, "offers", "granted", TOLD), (OLD, "offers", "withdrawn", TOLD)], False, id="one moment"),
        pytest.param([(OLD, "twin_scoring", "withdrawn", TOLD)], False, id="what offers need"),
    ],
)
def test_the_newest_word_under_each_card_counts_and_of_both_the_strictest(
    tmp_path: Path, said: list[Said], granted: bool
) -> None:
    receipts = collected(shop_of(tmp_path, *said))
    assert (receipts.plane.keys.known_sid(NEW) in offered(receipts)) is granted


def test_where_the_file_says_so_no_more_each_number_has_its_own_subject_again(tmp_path: Path) -> None:
    shop = shop_of(tmp_path, (OLD, "offers", "objected", "2024-02-01T09:00:00"))
    apart = shop.file("people.csv").read_text().replace(f"35-44,{OLD}", "35-44,")
    shop.file("people.csv").write_text(apart)
    collected(shop)
    before = shop.keys.known_sid(OLD)
    assert before != shop.keys.known_sid(NEW)
    shop.file("people.csv").write_text(apart.replace("35-44,", f"35-44,{OLD}"))
    assert offered(collected(shop)) == {shop.keys.known_sid(OTHER)}
    assert shop.keys.moved() == {before: shop.keys.known_sid(NEW)}
    shop.file("people.csv").write_text(apart)
    receipts = collected(shop)
    assert shop.keys.known_sid(OLD) == before
    assert offered(receipts) == {shop.keys.known_sid(NEW), shop.keys.known_sid(OTHER)}


def test_numbers_that_two_claim_or_that_go_in_a_circle_join_nobody(tmp_path: Path) -> None:
    for at, rows in enumerate((f"{NEW},a,{OLD}\n{OTHER},b,{OLD}\n", f"{NEW},a,{OLD}\n{OLD},b,{NEW}\n")):
        shop = shop_of(tmp_path / str(at), customers=f"card,band,old card\n{rows}")
        collected(shop)
        assert shop.keys.moved() == {}
        assert shop.keys.known_sid(OLD) != shop.keys.known_sid(NEW)


def test_a_remark_joins_where_one_known_number_stands_in_it_and_the_others_are_counted_and_told(tmp_path: Path) -> None:
    rows = f"{OLD},a,samengevoegd met {NEW}\n{NEW},b,wil alleen post\n{OTHER},c,zie {OLD} of {NEW}\n4004,d,zie 9 nu\n"
    shop = shop_of(tmp_path, (OLD, "offers", "objected", TOLD), customers=f"card,band,old card\n{rows}")
    receipts = collected(shop)
    assert shop.keys.known_sid(OLD) == shop.keys.known_sid(NEW)
    assert offered(receipts) == {shop.keys.known_sid(OTHER)}
    (told,) = [line for line in in_doubt(shop.places, shop.params) if "replaces" in line]
    assert told.startswith("Fewer than ten cells")
    source = declared(shop.params.own, "people", root=tmp_path, max_rows=1_000)
    assert (replaced([source]).newest, replaced([source]).unread) == ({OLD: NEW}, 3)


def test_two_cards_that_were_merged_into_one_are_that_ones(tmp_path: Path) -> None:
    rows = f"{OLD},a,samengevoegd met {NEW}\n{NEW},b,\n{OTHER},c,samengevoegd met {NEW}\n"
    shop = shop_of(tmp_path, customers=f"card,band,old card\n{rows}")
    collected(shop)
    assert len({shop.keys.known_sid(n) for n in (OLD, NEW, OTHER)}) == 1


def test_a_third_card_stands_for_the_first_two(tmp_path: Path) -> None:
    shop = shop_of(tmp_path, customers=f"card,band,old card\n{NEW},a,{OLD}\n{OTHER},b,{NEW}\n")
    collected(shop)
    assert len({shop.keys.known_sid(c) for c in (OLD, NEW, OTHER)}) == 1


def test_who_collects_by_another_list_than_was_fingerprinted_is_refused(tmp_path: Path) -> None:
    shop = shop_of(tmp_path)
    (tmp_path / "dvc.yaml").write_text((ROOT / "dvc.yaml").read_text())
    shop.lock()
    shop.file("people.csv").write_text(f"card,band,old card\n{NEW},a,\n", encoding="utf-8")
    with pytest.raises(IntegrityError, match="does not say which numbers"):
        shop.collect(lock=False)
    shop.lock()
    assert shop.collect(lock=False).taken == 4


def test_every_stage_that_collects_people_follows_the_list_and_nothing_else_of_the_file(tmp_path: Path) -> None:
    shop = shop_of(tmp_path)
    (tmp_path / "dvc.yaml").write_text((ROOT / "dvc.yaml").read_text())
    shop.lock()
    stages = yaml.safe_load((tmp_path / "dvc.yaml").read_text())["stages"]
    told = {name for name, s in stages.items() if "own.people.all.replaces" in str(s.get("do", s).get("params"))}
    assert told == {"collect", "collect_profile", "collect_consent"}
    digest = json.loads(shop.places.sources_lock.read_text())["own"]["people"]["all"]["replaces"]
    shop.file("people.csv").write_text(shop.file("people.csv").read_text().replace("45-54", "55-64"))
    shop.lock()
    assert json.loads(shop.places.sources_lock.read_text())["own"]["people"]["all"]["replaces"] == digest


def test_erased_under_one_number_a_person_stays_away_under_both(tmp_path: Path) -> None:
    keys = SqliteKeyStore(tmp_path / "keys")
    shop = shop_of(tmp_path / "shop", keys=keys)
    receipts = collected(shop)
    sid = keys.known_sid(NEW)
    keys.erase(Erasing((sid,)))
    assert keys.known_sid(OLD) is None
    assert keys.suppressed([OLD, NEW, OTHER]) == {OLD, NEW}
    assert keys.erased_as([OLD, NEW]).keys() == {OLD, NEW}
    assert set(collected(shop).lines()["sid"].to_pylist()) == {keys.known_sid(OTHER)}
    assert receipts.plane.keys.known_sid(OTHER)


def test_what_was_told_by_command_under_the_old_number_before_holds_for_the_person(tmp_path: Path) -> None:
    keys = SqliteKeyStore(tmp_path / "keys")
    old, new = keys.subject_ids([OLD, NEW])
    (tmp_path / "live").mkdir()
    ledger = RightsLedger(tmp_path / "keys", keys, tmp_path)
    ledger.append(
        RightsAct(Right.OBJECTED, old, "dpo", "olga@shop.example", purpose="offers", told={"reason": "by letter"})
    )
    keys.one_subject({OLD: NEW})
    rights = FollowedRights(ledger)
    assert standing(rights.entries())[new].event("offers") is Event.OBJECTED
    assert rights.told(rights.entries()[0]) == LETTER
    keys.one_subject({})
    assert standing(rights.entries())[old].event("offers") is Event.OBJECTED


def test_a_copy_of_keys_from_before_there_were_replaced_numbers_can_be_restored(tmp_path: Path) -> None:
    import sqlite3
    from contextlib import closing

    keys = SqliteKeyStore(tmp_path / "keys")
    keys.one_subject({OLD: NEW})
    keys.back_up(tmp_path / "copy")
    with closing(sqlite3.connect(tmp_path / "copy")) as db:
        db.execute("DROP TABLE joined")
        db.commit()
    from twinops.entities.erasure import ErasureMarks

    keys.restore(tmp_path / "copy", ErasureMarks(0, frozenset()))
    assert keys.known_sid(NEW)
    assert keys.known_sid(OLD) is None


def test_both_stores_know_a_replaced_number_by_the_newer_ones_subject() -> None:
    keys = MemoryKeys()
    old = keys.subject_ids([OLD])[0]
    keys.one_subject({OLD: NEW})
    assert keys.subject_ids([OLD]) == keys.subject_ids([NEW]) != [old]
    assert keys.moved() == {old: keys.known_sid(NEW)}


def test_one_row_is_kept_of_numbers_whose_newest_has_none() -> None:
    import pyarrow as pa

    rows = pa.table({"household_id": ["a", "b", "x"]})
    kept, left = Replaced({"a": "c", "b": "c"}).one_row_each(rows, "household_id")
    assert kept["household_id"].to_pylist() == ["a", "x"]
    assert left == {"row_of_a_replaced_number": 1}


def test_who_may_stand_in_the_files_twice_is_counted_and_nobody_joined(tmp_path: Path) -> None:
    registered = declared_as(
        "registrations", {"household_id": "id", "email": "mail", "time": "at"}, path="reg.csv", separator=";"
    )
    born = but(
        PROFILES,
        columns={"household_id": "id", "birth_year": "born"},
        codes={},
        ages_in=2024,
        legal=LEGAL | {"purposes": dict.fromkeys(["household_id", "birth_year"], ("bias_assessment",))},
    )
    shop = Shop(tmp_path, registrations=registered, people=born)
    mails = [(f"{n}", f"c{n % 12}@mail.example") for n in range(24)]
    rows = "\n".join(f"{n};{mail};05.01.2024 08:00" for n, mail in mails)
    shop.file("reg.csv").write_text(f"id;mail;at\n{rows}\n")
    rows = "\n".join(f"{n},19{50 + int(n) % 12}-03-04" for n, _ in mails)
    shop.file("people.csv").write_text(f"id,born\n{rows}\n")
    (told,) = in_doubt(shop.places, shop.params)
    assert told.startswith("12 customers")
    assert "nobody is joined by guess" in told
    shop.file("people.csv").write_text("id,born\n" + "\n".join(f"{n},19{50 + int(n) % 12}" for n, _ in mails) + "\n")
    assert in_doubt(shop.places, shop.params) == ()


CALLED = (
    "replaces card",
    "remplace n°",
    "alte Kartennummer",
    "Nahrazuje kartu",
    "Stara karta",
    "sustituye a",
    "旧カード番号",
)


def looked_at(root: Path, head: str, *, twice: int = 0) -> Draft:
    """A file of 60 customers, the last 20 of whom have the number of one of the first in one more column."""
    root.mkdir(parents=True, exist_ok=True)
    rows = [f"Karte;E-Mail;Geburtsdatum;Geschlecht;{head}"]
    for n in range(60):
        same = n - 40 if twice and n >= 60 - twice else n
        more = "" if n < 40 else f"{7_000 + n - 40}"
        rows.append(f"{7_000 + n};c{same}@mail.example;{same % 28 + 1:02}.03.{1950 + same};{'mw'[same % 2]};{more}")
    (root / "crm.csv").write_text("\n".join([*rows, ""]), encoding="utf-8")
    ids = frozenset(f"{7_000 + n}" for n in range(60))
    return AroundCustomers(NOTHING_SAID, ids, date(2024, 12, 1), NumberForm((4,))).customers(root / "crm.csv")[0]


@pytest.mark.parametrize("head", CALLED)
def test_a_column_that_says_which_number_was_replaced_is_taken_by_its_name_and_its_cells(
    tmp_path: Path, head: str
) -> None:
    assert looked_at(tmp_path, head).columns["replaces"] == head


def test_other_customers_numbers_under_another_name_are_pointed_at_and_not_taken(tmp_path: Path) -> None:
    draft = looked_at(tmp_path, "empfohlen von")
    assert "replaces" not in draft.columns
    (told,) = [n for n in draft.notes if "numbers of other customers" in n]
    assert "--column 'customers.replaces=empfohlen von'" in told


def test_who_may_stand_in_a_new_file_twice_is_told_before_anything_is_declared(tmp_path: Path) -> None:
    (told,) = [n for n in looked_at(tmp_path / "a", "Filiale", twice=15).notes if "two numbers" in n]
    assert told.startswith("15 customers of crm.csv")
    assert not [n for n in looked_at(tmp_path / "b", "alte Karte", twice=15).notes if "two numbers" in n]
    assert not [n for n in looked_at(tmp_path / "c", "Filiale").notes if "two numbers" in n]


@pytest.mark.parametrize(
    "rows", [f"{NEW},a,{OLD}\n{OTHER},b,{OLD}\n", f"{NEW},a,{OLD}\n{OLD},b,{NEW}\n"], ids=["two claim it", "circle"]
)
@pytest.mark.parametrize("card", [OLD, NEW])
def test_a_no_under_a_number_that_may_be_anothers_holds_for_each_whom_it_may_be(
    tmp_path: Path, rows: str, card: str
) -> None:
    said = [(card, "offers", "objected", TOLD), (OTHER, "offers", "granted", LIFTED)]
    shop = shop_of(tmp_path, *said, customers=f"card,band,old card\n{rows}")
    receipts = collected(shop)
    theirs = {shop.keys.known_sid(c) for c in (OLD, NEW)}
    assert not theirs & offered(receipts)
    claimed_twice_and_told_of_the_old = OTHER in rows and card == OLD
    assert (shop.keys.known_sid(OTHER) in offered(receipts)) is not claimed_twice_and_told_of_the_old
    (told,) = [t for t in in_doubt(shop.places, shop.params) if "in a circle" in t]
    assert told.startswith("Fewer than ten numbers")
