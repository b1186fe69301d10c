"""The consent ledger as of a day: the newest word counts, no word refuses; and the demo's ledger is what it says."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.consent.ledger import allowed
from twinops.data.consent.rights import NOTHING_ASKED, with_rights
from twinops.demo.consent import ledger as made_up
from twinops.entities.consent import Event, LegalBasis, Purpose, Reason, exclusion
from twinops.entities.day_count import DayCount

ENGINE = DuckDBEngine(threads=1)
LEDGER = pa.schema(
    [
        ("sid", pa.string()),
        ("purpose", pa.string()),
        ("event", pa.string()),
        ("basis", pa.string()),
        ("notice_version", pa.string()),
        ("day", pa.int64()),
        ("seq", pa.int64()),
    ]
)


def ledger(*rows: tuple[str, str, str, int, int]) -> pa.Table:
    columns = ("sid", "purpose", "event", "day", "seq")
    said = [dict(zip(columns, row, strict=True), basis="consent", notice_version="v") for row in rows]
    return pa.Table.from_pylist(said, schema=LEDGER)


def asked(*pairs: tuple[str, int]) -> pa.Table:
    return pa.table({"sid": pa.array([s for s, _ in pairs], pa.string()), "day": [d for _, d in pairs]})


def answer(table: pa.Table, purpose: Purpose = Purpose.TRAINING) -> dict[tuple[str, int], str | None]:
    return {(r["sid"], r["day"]): r["reason"] for r in table.to_pylist() if r["purpose"] == purpose}


def test_a_grant_counts_from_its_day_until_it_is_withdrawn():
    said = ledger(("a", "twin_training", "granted", 10, 0), ("a", "twin_training", "withdrawn", 20, 1))
    days = [9, 10, 19, 20, 21]
    found = answer(allowed(ENGINE, said, asked(*(("a", d) for d in days))))
    assert [found["a", d] for d in days] == ["consent_unknown", None, None, "consent_withdrawn", "consent_withdrawn"]


def test_of_one_day_s_events_the_last_one_counts():
    said = ledger(("a", "twin_training", "withdrawn", 5, 1), ("a", "twin_training", "granted", 5, 2))
    assert answer(allowed(ENGINE, said, asked(("a", 5))))["a", 5] is None


def test_of_two_events_that_nothing_tells_apart_the_no_counts():
    for no in ("withdrawn", "refused", "objected", "restricted"):
        for events in (("granted", no), (no, "granted")):
            said = ledger(*(("a", "twin_training", e, 5, 1) for e in events))
            assert answer(allowed(ENGINE, said, asked(("a", 5))))["a", 5] is not None


def test_a_no_of_a_day_that_is_still_to_come_counts_today_and_a_yes_of_one_does_not():
    """The clock of a project may stand before the lists it is given, and a year may be mistyped."""
    said = ledger(
        ("late", "offers", "granted", 5, 9), ("late", "offers", "objected", 99, 0),
        ("again", "offers", "granted", 5, 9), ("again", "offers", "objected", 99, 0),
        ("again", "offers", "granted", 15_000, 0),
        ("today", "offers", "granted", 10, 8 * 10**15), ("today", "offers", "withdrawn", 11, 0),
        ("yes", "offers", "granted", 5, 9), ("not yet", "offers", "granted", 99, 0),
    )  # fmt: skip
    read = with_rights(said, NOTHING_ASKED, days=DayCount(date(2017, 1, 1)), today=10)
    sids = ("late", "again", "today", "yes", "not yet")
    found = answer(allowed(ENGINE, read, asked(*((s, 10) for s in sids))), Purpose.OFFERS)
    assert [found[s, 10] for s in sids] == ["objected", "objected", "consent_withdrawn", None, "consent_unknown"]
    before = answer(allowed(ENGINE, read, asked(("late", 9))), Purpose.OFFERS)
    assert before["late", 9] is None, "what was allowed then was allowed then"


def test_purposes_do_not_lend_each_other_consent():
    table = allowed(ENGINE, ledger(("a", "twin_scoring", "granted", 0, 0)), asked(("a", 1)))
    assert {r["purpose"]: r["allowed"] for r in table.to_pylist()} == {
        "twin_scoring": True,
        "twin_training": False,
        "offers": False,
        "bias_assessment": False,
    }


def test_whoever_never_said_a_word_is_refused():
    table = allowed(ENGINE, ledger(), asked(("nobody", 3)))
    assert {r["reason"] for r in table.to_pylist()} == {"consent_unknown"}
    assert table.num_rows == len(Purpose)


def test_under_legitimate_interest_silence_needs_an_assessment_and_an_objection_refuses():
    bases = {Purpose.OFFERS: LegalBasis.LEGITIMATE_INTEREST}
    said, ask = ledger(("b", "offers", "objected", 0, 0)), asked(("a", 1), ("b", 1))
    without = answer(allowed(ENGINE, said, ask, bases=bases), Purpose.OFFERS)
    assessed = answer(allowed(ENGINE, said, ask, bases=bases, assessed={Purpose.OFFERS}), Purpose.OFFERS)
    assert without == {("a", 1): "legitimate_interest_not_assessed", ("b", 1): "objected"}
    assert assessed == {("a", 1): None, ("b", 1): "objected"}


EVENTS = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from(Purpose), st.sampled_from(Event), st.integers(-3, 6)), max_size=12
)


@settings(max_examples=50, deadline=None)
@given(EVENTS, st.lists(st.tuples(st.sampled_from("abc"), st.integers(-4, 7)), min_size=1, max_size=6))
def test_the_sql_agrees_with_the_rule_written_in_python(events, pairs):
    said = ledger(*((s, p, e, d, seq) for seq, (s, p, e, d) in enumerate(events)))
    found = {(r["sid"], r["day"], r["purpose"]): r for r in allowed(ENGINE, said, asked(*pairs)).to_pylist()}
    for sid, day in pairs:
        for purpose in Purpose:
            before = [(d, n, e) for n, (s, p, e, d) in enumerate(events) if s == sid and p == purpose and d <= day]
            expected = exclusion(max(before)[2] if before else None, LegalBasis.CONSENT)
            row = found[sid, day, purpose]
            assert (row["reason"], row["allowed"]) == (expected, expected is None)
    assert len(found) == len(set(pairs)) * len(Purpose)


# The made-up ledger.

PEOPLE = list(range(1, 1001))
YEAR_END = 365


@pytest.fixture(scope="module")
def demo() -> pa.Table:
    raw = made_up(PEOPLE, seed=20170101, excluded_share=0.15)
    return raw.drop_columns(["household_id"]).append_column("sid", raw["household_id"].cast(pa.string()))


def reasons(demo: pa.Table, purpose: Purpose, day: int = YEAR_END) -> Counter[str | None]:
    return Counter(answer(allowed(ENGINE, demo, asked(*((str(p), day) for p in PEOPLE))), purpose).values())


def test_the_demo_excludes_its_share_from_training_for_every_kind_of_reason(demo):
    found = reasons(demo, Purpose.TRAINING)
    assert found[None] == 850
    assert set(found) == {None, Reason.UNKNOWN, Reason.REFUSED, Reason.WITHDRAWN, Reason.OBJECTED}


def test_the_demo_s_other_purposes_mostly_follow_and_more_object_to_offers(demo):
    assert 830 < reasons(demo, Purpose.SCORING)[None] < 870
    assert 820 < reasons(demo, Purpose.BIAS_ASSESSMENT)[None] < 880
    offers = reasons(demo, Purpose.OFFERS)
    assert 770 < offers[None] < 840
    assert offers[Reason.OBJECTED] > 30


def test_the_demo_holds_late_grants_and_changed_minds(demo):
    early = reasons(demo, Purpose.TRAINING, day=50)
    assert early[None] < reasons(demo, Purpose.TRAINING)[None]
    training = [r for r in demo.to_pylist() if r["purpose"] == Purpose.TRAINING]
    assert max(Counter(r["sid"] for r in training if r["event"] == Event.GRANTED).values()) == 2


def test_the_demo_s_events_of_one_household_are_in_one_order(demo):
    by_household: dict[str, list[tuple[int, int]]] = {}
    for r in demo.to_pylist():
        by_household.setdefault(r["sid"], []).append((r["day"], r["seq"]))
    for events in by_household.values():
        assert events == sorted(events)
        assert [seq for _, seq in events] == list(range(len(events)))


def test_the_demo_says_that_it_is_synthetic_and_repeats_itself(demo):
    assert all("synthetic" in v for v in demo["notice_version"].to_pylist())
    assert made_up(PEOPLE, seed=1, excluded_share=0.15).equals(made_up(PEOPLE, seed=1, excluded_share=0.15))
    assert not made_up(PEOPLE, seed=1, excluded_share=0.15).equals(made_up(PEOPLE, seed=2, excluded_share=0.15))


def test_a_demo_without_households_is_empty():
    assert made_up([], seed=1, excluded_share=0.15).num_rows == 0
