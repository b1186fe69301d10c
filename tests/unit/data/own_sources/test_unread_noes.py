"""A withdrawal that cannot be read whole leaves no earlier yes standing, until somebody says what its words mean."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from own_world import CONSENT, LEGAL, Shop, but

from twinops.data.own_sources.declared import declared
from twinops.data.own_sources.look import look
from twinops.data.reading.dates import Calendar
from twinops.data.reading.reading import Collector
from twinops.data.sources import choices
from twinops.data.sources import consent as shipped
from twinops.entities.consent import Purpose
from twinops.entities.day_count import DayCount
from twinops.workflows.sources.in_doubt import in_doubt

COLUMNS = {"household_id": "id", "purpose": "for", "event": "what", "basis": "on", "notice_version": "note",
           "time": "at", "seq": "n"}  # fmt: skip
LEDGER = but(
    CONSENT,
    columns=COLUMNS,
    constants={},
    codes={"purpose": {"newsletter": "offers"}},
    legal=LEGAL | {"purposes": dict.fromkeys(COLUMNS, tuple(Purpose))},
)
HEAD = "id,for,what,on,note,at,n"
EVERY = {p.value for p in Purpose}
NO_AND_YES = ("withdrawn", "granted")


def yes(who: str, purpose: str) -> str:
    return f"{who},{purpose},granted,consent,v1,2024-03-01 10:00,1"


def collected(root: Path, *rows: str, said=LEDGER):
    shop = Shop(root, ledger=said)
    lines = [HEAD, *(yes(who, p) for who in ("1", "2") for p in sorted(EVERY)), *rows]
    shop.file("consent.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return shop, shop.collect("consent", "all")


def off(shop: Shop, who: str = "1") -> set[str]:
    """The purposes for which the last word of this customer is no yes."""
    (sid,) = shop.keys.subject_ids([who])
    rows = [r for r in shop.open("consent", "all").to_pylist() if r["sid"] == sid]
    last = {r["purpose"]: r["event"] for r in sorted(rows, key=lambda r: (r["day"], r["seq"]))}
    return {purpose for purpose, event in last.items() if event != "granted"}


@pytest.mark.parametrize("word", ["Sunday flyer", "", "twin_training; offers"])
def test_a_withdrawal_for_a_purpose_that_nobody_knows_is_one_from_every_purpose(tmp_path: Path, word: str) -> None:
    shop, found = collected(tmp_path, f"1,{word},withdrawn,consent,v1,2024-04-01 10:00,1")
    assert off(shop) == EVERY
    assert off(shop, "2") == set()
    assert found.quarantined == {}
    assert found.unscored == {"no_for_an_unknown_purpose_taken_for_all": 1}
    (told,) = in_doubt(shop.places, shop.params)
    assert "hold for every purpose until somebody says what the word means" in told


def test_once_its_word_is_said_it_holds_for_what_it_means_and_nothing_else(tmp_path: Path) -> None:
    row = "1,Sunday flyer,withdrawn,consent,v1,2024-04-01 10:00,1"
    said = but(LEDGER, codes={"purpose": {"Sunday flyer": "offers"}})
    shop, found = collected(tmp_path, row, said=said)
    assert off(shop) == {"offers"}
    assert found.unscored == {}
    assert in_doubt(shop.places, shop.params) == ()


def test_a_word_that_is_said_to_be_none_of_ours_closes_and_opens_nothing_and_is_counted(tmp_path: Path) -> None:
    rows = [f"1,birthday greetings,{event},consent,v1,2024-04-0{n} 10:00,1" for n, event in enumerate(NO_AND_YES, 1)]
    said = but(LEDGER, codes={"purpose": {"birthday greetings": "none"}})
    shop, found = collected(tmp_path, *rows, said=said)
    assert off(shop) == set()
    assert (found.quarantined, found.unscored) == ({}, {})
    assert found.left_out == {"answer_for_a_purpose_of_none_of_ours": 2}
    assert in_doubt(shop.places, shop.params) == ()


def test_a_yes_for_a_purpose_that_nobody_knows_serves_nobody_and_goes_to_quarantine(tmp_path: Path) -> None:
    shop, found = collected(tmp_path, "1,Sunday flyer,granted,consent,v1,2024-04-01 10:00,1")
    assert off(shop) == set()
    assert sum(found.quarantined.values()) == 1


@pytest.mark.parametrize(
    "row",
    [
        "1,offers,withdrawn,on a whim,v1,2024-04-01 10:00,1",
        "1,offers,withdrawn,,v1,2024-04-01 10:00,1",
        "1,offers,withdrawn,consent,,2024-04-01 10:00,1",
        "1,offers,withdrawn,consent,v1,2024-04-01 10:00,first",
        "1,offers,withdrawn,consent,v1,2024-04-01 10:00,-7",
        "1,offers,no idea,consent,v1,2024-04-01 10:00,1",
    ],
    ids=["unknown basis", "no basis", "no notice", "a word for a number", "a number below zero", "unknown event"],
)
def test_whatever_else_cannot_be_read_a_withdrawal_holds_for_its_purpose(tmp_path: Path, row: str) -> None:
    shop, found = collected(tmp_path, row)
    assert off(shop) == {"offers"}
    assert found.quarantined == {}
    assert sum(found.unscored.values()) == 1


def test_a_no_with_the_very_place_of_a_yes_is_not_taken_for_its_copy(tmp_path: Path) -> None:
    shop, found = collected(tmp_path, "1,offers,withdrawn,consent,v1,2024-03-01 10:00,1")
    assert off(shop) == {"offers"}
    assert found.quarantined == {}


def test_an_objection_for_a_purpose_that_nobody_knows_is_one_to_all(tmp_path: Path) -> None:
    said = but(
        CONSENT, kind="optouts", columns={"household_id": "id", "purpose": "for"}, constants={}, codes={}, time=None,
        legal=LEGAL | {"purposes": dict.fromkeys(["household_id", "purpose"], tuple(Purpose))},
    )  # fmt: skip
    shop = Shop(tmp_path, stop=said)
    shop.file("consent.csv").write_text("id,for\n1,Sunday flyer\n2,offers\n3,\n", encoding="utf-8")
    found = shop.collect("consent", "all")
    assert off(shop, "1") == EVERY
    assert off(shop, "2") == {"offers"}
    assert off(shop, "3") == EVERY
    assert found.quarantined == {}


def test_lines_are_still_told_by_their_own_number(tmp_path: Path) -> None:
    shop, _ = collected(tmp_path, "1,Sunday flyer,granted,consent,v1,2024-04-01 10:00,1")
    found = look(declared(shop.params.own, "ledger", root=tmp_path, max_rows=10**6))
    assert [m.lines for m in found.mistakes] == [("line 10",)]


def test_a_ledger_in_the_shipped_shape_is_read_the_same_way() -> None:
    rows = pa.table(
        {
            "household_id": [1, 1, 1, 2],
            "purpose": ["offers", "flyer", "offers", "flyer"],
            "event": ["granted", "withdrawn", "who knows", "granted"],
            "basis": ["consent", "consent", "whim", "consent"],
            "notice_version": ["v1"] * 4,
            "day": [1, 2, 3, 4],
            "seq": [0, 0, 0, 0],
        }
    )
    told = [(r["household_id"], r["purpose"], r["event"], r["basis"]) for r in shipped._closed(rows).to_pylist()]
    assert sorted(told[:4]) == sorted((1, p, "withdrawn", "consent") for p in EVERY)
    assert told[4:] == [
        (1, "offers", "granted", "consent"),
        (1, "offers", "refused", "consent"),
        (2, "flyer", "granted", "consent"),
    ]


def test_a_choice_beside_a_record_is_read_the_same_way() -> None:
    for purpose, event, admitted in (("flyer", "withdrawn", EVERY), ("offers", "who knows", {"offers"})):
        taken = Collector(choices.SCHEMA.arrow)
        said = dict(zip(choices.COLUMNS, ("a", purpose, event, "whim", "v1", "2024-04-01", "1"), strict=True))
        choices._take(said, taken, Calendar(date(2024, 12, 1), DayCount(date(2017, 1, 1))))
        assert {row[1] for row in taken.rows} == admitted
        assert {row[2] for row in taken.rows} == {"withdrawn" if event == "withdrawn" else "refused"}
