"""A request is a case with a clock: a month, two more once and told in time, refusals with a ground of their own."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from twinops.entities.rights import Right, RightsAct, RightsEntry
from twinops.governance.subject_cases import (
    RequestCase,
    Step,
    StepAsked,
    against_step,
    cases_of,
    months_later,
    queue,
)


def entry(
    seq: int, step: str, *, kind: str = "erasure", day: str = "2026-01-31", case: str = "c-1", **about: str
) -> RightsEntry:
    about = {"case": case, "kind": kind, "received": day, "step": step, **about}
    purpose = about.pop("purpose", None)
    sid = about.pop("sid", "a" * 32)
    act = RightsAct(Right.CASE, sid, "data protection officer", "dpo", purpose=purpose, about=about)
    return RightsEntry(seq, datetime(2026, 2, 1, tzinfo=UTC), act, f"d{seq}")


def case(*steps: str, **about: str) -> RequestCase:
    return cases_of([entry(n, s, **about) for n, s in enumerate(("received", *steps), start=1)])["c-1"]


@pytest.mark.parametrize(
    ("day", "months", "due"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2026-01-31", 3, "2026-04-30"),
        ("2026-12-15", 1, "2027-01-15"),
        ("2026-11-30", 3, "2027-02-28"),
        ("2026-02-28", 1, "2026-03-28"),
    ],
)
def test_months_are_the_calendars_and_end_with_the_month(day, months, due):
    assert months_later(date.fromisoformat(day), months) == date.fromisoformat(due)


def test_a_case_is_due_a_month_after_receipt_and_with_an_extension_three():
    assert case().due == date(2026, 2, 28)
    assert case("extended").due == date(2026, 4, 30)
    assert case("extended").state is Step.RECEIVED


def test_an_extension_comes_once_with_reasons_and_within_the_first_month():
    asked = StepAsked(Step.EXTENDED, "forty systems")
    assert against_step(case(), asked, today=date(2026, 2, 28)) == ""
    assert "first month ended on 2026-02-28" in against_step(case(), asked, today=date(2026, 3, 1))
    assert "already" in against_step(case("extended"), asked, today=date(2026, 2, 2))
    assert "why" in against_step(case(), StepAsked(Step.EXTENDED, "  "), today=date(2026, 2, 2))


def test_nothing_is_done_or_answered_before_it_was_checked_who_asks():
    for step in (Step.WORKING, Step.ANSWERED):
        assert "who asks" in against_step(case(), StepAsked(step), today=date(2026, 2, 2))
    assert against_step(case("identified"), StepAsked(Step.WORKING), today=date(2026, 2, 2)) == ""
    assert against_step(case("identified"), StepAsked(Step.ANSWERED), today=date(2026, 2, 2)) == ""


def test_nobody_recognised_cannot_be_identified_and_may_be_refused():
    unknown = case(sid="")
    assert "Nobody is held" in against_step(unknown, StepAsked(Step.IDENTIFIED, "passport"), today=date(2026, 2, 2))
    assert against_step(unknown, StepAsked(Step.REFUSED, "no such person", "12(2)"), today=date(2026, 2, 2)) == ""


@pytest.mark.parametrize(
    ("kind", "purpose", "ground", "may"),
    [
        ("erasure", "", "17(3)(b)", True),
        ("erasure", "", "21(1)", False),
        ("erasure", "", "", False),
        ("access", "", "15(4)", True),
        ("access", "", "17(3)(b)", False),
        ("objection", "offers", "21(1)", False),
        ("objection", "", "21(1)", False),
        ("objection", "twin_training", "21(1)", True),
        ("objection", "offers", "12(5)(b)", True),
    ],
)
def test_a_refusal_has_a_ground_of_its_kind_and_none_stands_against_direct_marketing(kind, purpose, ground, may):
    about = {"kind": kind} | ({"purpose": purpose} if purpose else {})
    said = against_step(case(**about), StepAsked(Step.REFUSED, "because", ground), today=date(2026, 2, 2))
    assert (said == "") is may


def test_a_refusal_without_reasons_is_none():
    assert "reasons" in against_step(case(), StepAsked(Step.REFUSED, "", "17(3)(b)"), today=date(2026, 2, 2))


@pytest.mark.parametrize("end", ["answered", "refused"])
def test_a_closed_case_stays_closed(end):
    for step in Step:
        assert "already" in against_step(case("identified", end), StepAsked(step, "x", "12(2)"), today=date(2026, 2, 2))


def test_a_contested_decision_is_answered_by_a_persons_outcome_with_reasons():
    contested = case("identified", kind="contest")
    for asked, word in ((StepAsked(Step.ANSWERED, "looked"), "upheld or changed"),
                        (StepAsked(Step.ANSWERED, "", outcome="changed"), "reasons")):  # fmt: skip
        assert word in against_step(contested, asked, today=date(2026, 2, 2))
    good = StepAsked(Step.ANSWERED, "the offer is granted", outcome="changed")
    assert against_step(contested, good, today=date(2026, 2, 2)) == ""


def test_a_restriction_is_taken_into_work_with_its_ground():
    asked = case("identified", kind="restriction")
    assert "art. 18(1)" in against_step(asked, StepAsked(Step.WORKING), today=date(2026, 2, 2))
    assert against_step(asked, StepAsked(Step.WORKING, ground="a"), today=date(2026, 2, 2)) == ""


def test_the_queue_begins_with_what_is_due_first_and_ends_with_what_is_closed():
    entries = [
        entry(1, "received", case="c-1", day="2026-02-01"),
        entry(2, "received", case="c-2", day="2025-12-01"),
        entry(3, "received", case="c-3", day="2025-11-01"),
        entry(4, "refused", case="c-3", day="2025-11-01"),
    ]
    listed = queue(cases_of(entries).values())
    assert [c.id for c in listed] == ["c-2", "c-1", "c-3"]
    assert [c.overdue(date(2026, 2, 2)) for c in listed] == [True, False, False]
