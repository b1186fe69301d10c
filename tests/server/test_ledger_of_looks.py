"""A registry remembers the newest line of a model's ledger of looks: a shortened one is found, whoever hands it in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import governed
import play
import pytest
from governed import fact

from twinops.entities.evidence import Evidence
from twinops.entities.verdict import Outcome
from twinops.governance.looks import REMEMBERED, TRIED, Looks, told
from twinops.server.registry import cases

POLICY = play.POLICY.replace(
    "gates:\n", "gates:\n  - {id: holdout, gate: holdout, limits: {looks_at_most: 1, quantities: [active_auc]}}\n", 1
).replace("holdout: a, ", "")
SPLIT = {"salt": 1, "share": 0.2}


def ledger(size: int) -> Looks:
    """So many candidates on one day."""
    found = Looks()
    for number in range(size):
        candidate = hashlib.sha256(str(number).encode()).hexdigest()
        found = found.with_one(TRIED, {"candidate": candidate, "days": [253], "split": SPLIT})
    return found


def evidence(looks: Looks | dict[str, Any], **changes: Any) -> Evidence:
    said = told(looks, (253,), SPLIT, "") if isinstance(looks, Looks) else looks
    made = play.evidence(**changes)
    kept = tuple(f for f in made.facts if f.name != "looks")
    return replace(made, facts=(*kept, fact("looks", {**governed.LOOKED, **said, "openings": [governed.OPENING]})))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Any]:
    made = play.open_store(tmp_path)
    made.roles_of = lambda account: play.ROLES.get(account, play.Actor(account))
    play.activated(made, "offices", play.OFFICES)
    play.activated(made, "policy", POLICY)
    yield made
    made._dispose_engine()


def judged(store: Any, version: Any) -> Any:
    with store.reading() as now:
        found = cases.judged(now, cases.recorded(now, version.name, int(version.version)))
    assert found is not None
    return found


def outcome(store: Any, version: Any) -> Outcome:
    return next(v.outcome for v in judged(store, version).decision.verdicts if v.gate == "holdout")


def test_a_ledger_that_lost_a_line_is_found_on_the_next_version_and_one_that_grew_is_not(store: Any) -> None:
    for number, (looks, expected) in enumerate(
        [
            (ledger(3), Outcome.PASSED),
            (ledger(4), Outcome.PASSED),
            (ledger(2), Outcome.FAILED),
            (Looks(ledger(4).events[1:]), Outcome.FAILED),
            (ledger(5), Outcome.PASSED),
        ]
    ):
        version = play.registered(store, number)
        play.with_evidence(store, version, given=evidence(looks))
        assert outcome(store, version) is expected, number


def test_the_log_holds_size_and_newest_line_and_no_word_of_who_looked_why(store: Any) -> None:
    version = play.registered(store)
    play.with_evidence(store, version, given=evidence(ledger(3)))
    with store.reading() as now:
        about = next(e["about"] for e in now.seen().everything() if e["kind"] == "evidence.recorded")
    assert about["looks"] == {"size": 3, "head": ledger(3).head, "opened": 0}
    assert governed.OPENING["why"] not in str(about)


@pytest.mark.parametrize(
    "claim",
    [{"size": 10**9}, {"head": "f" * 64}, {"size": True}, {"lines": []}, {"lines": None}, {"head": None}],
)
def test_a_claim_that_is_no_ledger_is_not_remembered_against_those_that_are(store: Any, claim: dict[str, Any]) -> None:
    first, second = play.registered(store, 1), play.registered(store, 2)
    lie = {**told(ledger(3), (253,), SPLIT, ""), **claim}
    play.with_evidence(store, first, given=evidence(lie))
    play.with_evidence(store, second, given=evidence(ledger(2)))
    assert outcome(store, second) is Outcome.PASSED


def test_the_same_evidence_twice_is_one_record_and_nothing_is_remembered_against_it(store: Any) -> None:
    version = play.registered(store)
    given = evidence(ledger(3))
    assert play.with_evidence(store, version, given=given) == play.with_evidence(store, version, given=given)
    assert judged(store, version).evidence.fact(REMEMBERED) is None
