"""A no whose day cannot be read ends an earlier yes all the same; a yes without a day serves nobody."""

from __future__ import annotations

from pathlib import Path

import pytest
from own_world import CONSENT, Shop, but

LEDGER = but(CONSENT, codes={"event": {"yes": "granted", "no": "refused", "taken back": "withdrawn"}})
WIDE = but(
    CONSENT,
    columns={"household_id": "id", "time": "at"},
    constants={"basis": "consent", "notice_version": "2024-01"},
    codes=None,
    answers={"twin_training": "learn"},
)


def ledger(tmp_path: Path, rows: list[tuple[str, str, str]], said: dict = LEDGER, head: str = "id,what,at"):
    shop = Shop(tmp_path, ledger=said)
    lines = [head, *(",".join(row) for row in rows)]
    shop.file("consent.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return shop, shop.collect("consent", "all")


def last_word(shop: Shop, who: str) -> str:
    (sid,) = shop.keys.subject_ids([who])
    rows = [r for r in shop.open("consent", "all").to_pylist() if r["sid"] == sid]
    return max(rows, key=lambda r: (r["day"], r["seq"]))["event"] if rows else ""


@pytest.mark.parametrize("day", ["32.13.2024", "soon", "", "2224-03-01 10:00"])
@pytest.mark.parametrize("word", ["no", "taken back", "perhaps"])
def test_a_withdrawal_whose_day_cannot_be_read_ends_the_earlier_yes_and_is_told(tmp_path, day, word):
    yes, other = ("17850", "yes", "2024-03-01 10:00"), ("99", "yes", "2024-05-01 10:00")
    shop, found = ledger(tmp_path, [yes, ("17850", word, day), other])
    assert last_word(shop, "17850") in ("refused", "withdrawn")
    assert last_word(shop, "99") == "granted"
    assert (found.taken, found.quarantined) == (3, {})
    assert found.unscored["no_without_a_readable_day"] == 1


def test_it_counts_from_the_last_day_of_the_file_and_not_before(tmp_path):
    rows = [("1", "yes", "2024-03-01 10:00"), ("1", "no", "?"), ("2", "yes", "2024-05-01 23:00")]
    shop, _ = ledger(tmp_path, rows)
    by_event = {(r["event"], r["day"]) for r in shop.open("consent", "all").to_pylist()}
    days = {event: {d for e, d in by_event if e == event} for event, _ in by_event}
    assert days["refused"] == {max(days["granted"])}
    assert len(days["granted"]) == 2


def test_a_later_yes_of_the_same_file_does_not_stand_beside_a_no_that_nobody_can_date(tmp_path):
    shop, _ = ledger(tmp_path, [("1", "no", "?"), ("1", "yes", "2024-05-01 10:00")])
    assert last_word(shop, "1") == "refused"


def test_a_yes_whose_day_cannot_be_read_serves_nobody(tmp_path):
    shop, found = ledger(tmp_path, [("1", "yes", "?"), ("2", "yes", "2024-05-01 10:00")])
    assert last_word(shop, "1") == ""
    assert found.quarantined == {"time_unreadable": 1}


@pytest.mark.parametrize("word", ["nein", "perhaps"])
def test_of_a_table_with_a_column_a_purpose_the_same_holds_for_unknown_words(tmp_path, word):
    shop, found = ledger(tmp_path, [("1", word, "?"), ("2", "ja", "2024-05-01 10:00")], WIDE, "id,learn,at")
    assert last_word(shop, "1") == "refused"
    assert found.quarantined == {}
