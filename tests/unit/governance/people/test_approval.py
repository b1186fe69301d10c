"""Who may do what at the registry's door, by the pure rules alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from twinops.entities.approval import Act, Actor, Case, DigestSet, Review
from twinops.governance.people import approval, lookalikes, offices

NOW = datetime(2026, 11, 23, tzinfo=UTC)
FILE = """version: "1"
gate_runners: [ci]
people:
  - {account: risk, office: risk officer, valid_until: 2026-12-31}
  - {account: dpo, office: data protection officer}
  - {account: ann, emails: [Ann@Example.org, ann@home.example]}
"""
OFFICES = offices.read(FILE)
RISK = Actor("risk", frozenset({"risk-officer"}))
SEEN = DigestSet(*"abcdefgh")
CASE = Case("u1", "twin", 3, frozenset({"ann"}), digests=SEEN, blocking=())


def reviewed(*acts: Act, at: datetime = NOW, **changes: object) -> Case:
    made = tuple(
        Review(n, "u1", act, "risk", at, "because it is", "twin", 3, SEEN, NOW + timedelta(days=180))
        for n, act in enumerate(acts)
    )
    return replace(CASE, reviews=made, **changes)


def against(act: Act, case: Case, actor: Actor, now: datetime = NOW) -> tuple[str, ...]:
    return approval.against_act(act, case, actor, offices=OFFICES, now=now)


def test_a_listed_officer_who_did_not_work_on_it_approves() -> None:
    assert against(Act.APPROVE, CASE, RISK) == ()


@pytest.mark.parametrize(
    "actor",
    [
        Actor("risk"),
        Actor("risk", frozenset({"risk-officer"}), admin=True),
        Actor("ann", frozenset({"risk-officer"})),
        Actor("dpo", frozenset({"dpo", "risk-officer"})),
        Actor("ci", frozenset({"gate-runner"})),
    ],
)
def test_nobody_else_approves_rejects_or_revokes(actor: Actor) -> None:
    for act in (Act.APPROVE, Act.REJECT, Act.REVOKE):
        assert against(act, reviewed(Act.APPROVE), actor)


def test_an_office_ends() -> None:
    assert "ended" in against(Act.APPROVE, CASE, RISK, NOW + timedelta(days=60))[0]


def test_who_worked_on_it_or_is_unknown_stands_in_the_way() -> None:
    assert against(Act.APPROVE, replace(CASE, contributors=frozenset({"risk"})), RISK)
    assert against(Act.APPROVE, replace(CASE, unknown=("somebody",)), RISK)


def test_the_officer_who_advises_may_ask_for_changes() -> None:
    assert against(Act.ASK, CASE, Actor("dpo", frozenset({"dpo"}))) == ()


def test_without_rules_nothing_passes() -> None:
    assert approval.against_act(Act.APPROVE, CASE, RISK, offices=None, now=NOW) == (approval.NO_RULES,)
    runner = Actor("ci", frozenset({"gate-runner"}))
    assert approval.against_recording(runner, None, forced=True) == (approval.NO_RULES,)
    assert approval.against_recording(runner, OFFICES, forced=False) == (approval.NOT_FORCED,)


def test_promotion_follows_the_last_decision() -> None:
    assert approval.against_promotion(reviewed(Act.APPROVE), now=NOW) == ()
    for acts in ((), (Act.REQUEST,), (Act.ASK,), (Act.APPROVE, Act.REVOKE), (Act.APPROVE, Act.REJECT)):
        assert approval.against_promotion(reviewed(*acts), now=NOW)
    assert approval.against_promotion(reviewed(Act.REVOKE, Act.APPROVE), now=NOW) == ()
    assert approval.against_promotion(reviewed(Act.APPROVE, Act.ASK), now=NOW) == (), "asking takes nothing back"


def test_an_approval_expires_lapses_and_stays_with_its_name() -> None:
    held = reviewed(Act.APPROVE)
    assert "expired" in approval.against_promotion(held, now=NOW + timedelta(days=181))[0]
    changed = replace(held, digests=replace(SEEN, policy="x", card="y"))
    assert "card, policy changed" in approval.against_promotion(changed, now=NOW)[0]
    assert "as a version of twin" in approval.against_promotion(replace(held, name="other"), now=NOW)[0]
    assert approval.against_promotion(replace(held, blocking=("drift",)), now=NOW)
    assert approval.against_promotion(replace(held, digests=None), now=NOW)


def test_people_are_found_by_e_mail_however_it_is_typed_and_strangers_told_apart() -> None:
    assert OFFICES.accounts_of([" ann@example.ORG", "ann@home.example"]) == (frozenset({"ann"}), ())
    accounts, unknown = OFFICES.accounts_of(["eve@example.org", "ann@example.org"])
    assert accounts == {"ann"}
    assert unknown == ("eve@example.org",)


@pytest.mark.parametrize(
    "alias",
    ["Production", "produçtion", "ｐroduction", "prоduction", "pro-duction", "prod\u200buction", "production\n"],
)
def test_look_alikes_are_seen(alias: str) -> None:
    assert lookalikes.resembles(alias, ("production",)) == "production"


@pytest.mark.parametrize("alias", ["production", "staging", "productions", "champion", "reproduction"])
def test_other_words_are_free(alias: str) -> None:
    assert lookalikes.resembles(alias, ("production",)) is None
