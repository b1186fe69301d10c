"""Rules that let more through need two people of two offices, and what they change is told in words first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import play
import pytest
from mlflow.exceptions import MlflowException

from twinops.entities.approval import Actor
from twinops.server.officer import acts as desk
from twinops.server.officer import dossier, needed, rules
from twinops.server.registry import callers as actors
from twinops.server.registry import cases

pytestmark = pytest.mark.pipeline
LOOSER = play.POLICY.replace("gate: accuracy\n", "gate: accuracy\n    severity: advisory\n").replace(
    '"play"', '"looser"'
)
STRICTER = play.POLICY.replace("more_than: 0.0", "more_than: 0.001").replace('"play"', '"stricter"')
BASE = "model: {}\ncommit: '{}'\ncommits: 188\npeople: 1\n"
ONE, TWO = "1" * 40, "2" * 40


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Any]:
    made = play.open_store(tmp_path)
    yield made
    made._dispose_engine()


def active(store: Any) -> str:
    with store.reading() as now:
        return str(cases.rules(now).policy.version)


def asked(store: Any, kind: str, body: str, *, who: str = "risk-officer") -> str:
    with actors.acting(who):
        done = desk.activate(store, kind, body)
    assert not done.active
    return str(rules.parsed(kind, body).digest)


def confirmed(store: Any, kind: str, body: str, *, who: str = "dpo", digest: str | None = None) -> Any:
    signature = play.signed(body, f"twinops-{kind}", who) if who in play.KEYS else None
    with actors.acting(who):
        return desk.confirm(store, kind, digest or rules.parsed(kind, body).digest, signature=signature)


def test_a_looser_policy_waits_for_somebody_of_another_office_and_both_stand_in_the_log(store: Any) -> None:
    asked(store, "policy", LOOSER)
    assert active(store) == "play"
    for who in ("risk-officer", "admin-officer", "admin", "scientist", "ci", "impostor", "chief", "owner"):
        with play.refused():
            confirmed(store, "policy", LOOSER, who=who)
    with play.refused("something else does"):
        confirmed(store, "policy", LOOSER, digest="0" * 64)
    with play.refused("this officer's signature"), actors.acting("dpo"):
        desk.confirm(store, "policy", rules.parsed("policy", LOOSER).digest, signature=None)
    assert active(store) == "play"
    assert confirmed(store, "policy", LOOSER).active
    assert active(store) == "looser"
    with play.refused("Nothing of this kind waits"):
        confirmed(store, "policy", LOOSER)
    with store.reading() as now:
        entries = [json.loads(body) for body in _bodies(now.session)]
    told = [(e["about"]["kind"], e["actor"]) for e in entries if e["kind"] == "rules.activated"][-2:]
    assert [kind for kind, _ in told] == ["policy asked", "policy"]
    assert told[0][1] != told[1][1], "two persons"


def _bodies(session: Any) -> Any:
    from twinops.server.registry import audit_log

    return list(audit_log.bodies(session))


def test_what_was_asked_for_ends_when_something_else_is_activated_or_who_asked_lost_the_office(store: Any) -> None:
    asked(store, "policy", LOOSER)
    with actors.acting("risk-officer"):
        assert desk.activate(store, "policy", STRICTER).active, "a tightened limit needs nobody else"
    with play.refused("Nothing of this kind waits"):
        confirmed(store, "policy", LOOSER)
    asked(store, "policy", LOOSER)
    roles = store.roles_of
    store.roles_of = lambda account: Actor(account) if account == "risk-officer" else roles(account)
    with play.refused("does not hold the role"):
        confirmed(store, "policy", LOOSER)
    assert active(store) == "stricter"


def test_an_offices_file_that_would_make_a_second_office_of_ones_own_needs_the_real_one(store: Any) -> None:
    for changed in (
        play.OFFICES.replace("account: dpo,", "account: mole,"),
        play.OFFICES.replace("gate_runners: [ci]", "gate_runners: [ci, mole]"),
        play.OFFICES.replace("scientist@example.org", "scientist@example.org, risk2@example.net"),
        play.OFFICES + "approval_days: 700\n",
    ):
        asked(store, "offices", changed)
        with play.refused("a second person"):
            confirmed(store, "offices", changed, who="risk-officer")
    with store.reading() as now:
        assert cases.rules(now).offices.approval_days == 180


def test_where_one_office_only_is_held_the_administrator_is_the_second_person(tmp_path: Path) -> None:
    store = play.open_store(tmp_path, rules=False)
    alone = 'version: "1"\ngate_runners: [ci]\npeople: [{account: risk-officer, office: risk officer}]\n'
    more = alone.replace("people: [", "people: [{account: scientist, emails: [s@example.org]}, ")
    with actors.acting("admin"):
        assert desk.activate(store, "offices", alone).active
    asked(store, "offices", more)
    with play.refused():
        confirmed(store, "offices", more, who="scientist")
    assert confirmed(store, "offices", more, who="admin").active
    store._dispose_engine()


def test_the_first_base_is_one_officers_to_accept_and_moving_it_needs_a_second(store: Any) -> None:
    version = play.registered(store, 1)
    play.with_evidence(store, version, base=ONE, authors=["scientist@example.org"], upstream=["up@stream.example"])
    assert cases.STRANGE_BASE in _dossier(store, version).case.problems
    for who in ("scientist", "ci", "dpo", "admin"):
        with actors.acting(who), play.refused():
            desk.activate(store, "base", BASE.format("twin", ONE))
    with actors.acting("risk-officer"):
        assert desk.activate(store, "base", BASE.format("twin", ONE)).active
    shown = _dossier(store, version)
    assert (shown.case.problems, shown.case.unknown) == ((), ())
    assert "adopted base: 188 commits" in shown.since
    assert "found 1 there" in shown.since, "counted from git, not from what the officer was told"
    asked(store, "base", BASE.format("twin", TWO))
    assert _dossier(store, version).case.problems == ()
    assert confirmed(store, "base", BASE.format("twin", TWO)).active
    assert cases.STRANGE_BASE in _dossier(store, version).case.problems, (
        "evidence counted since another base is not enough"
    )
    with actors.acting("risk-officer"):
        assert desk.activate(store, "base", BASE.format("other", ONE)).active, "another model has a base of its own"
    with store.reading() as now:
        assert cases.adopted_base(now, "twin").base.commit == TWO


def _dossier(store: Any, version: Any) -> Any:
    return dossier.dossier(store, version.name, int(version.version))


def test_a_base_hides_no_colleague_whose_commits_lie_before_it(store: Any) -> None:
    """The scientist commits, then proposes her commit as the base; or the officer does."""
    with actors.acting("risk-officer"):
        desk.activate(store, "base", BASE.format("twin", ONE))
    version = play.registered(store, 2)
    play.with_evidence(store, version, base=ONE, authors=[], upstream=["RISK@example.net", "up@stream.example"])
    assert "risk-officer" in _dossier(store, version).case.contributors
    with play.refused("worked on this version"):
        from twinops.entities.approval import Act

        play.acted(store, Act.APPROVE, version)


@pytest.mark.parametrize("wrong", ["", "model: twin\n", BASE.format("twin", "1" * 12), BASE.format("twin", "HEAD")])
def test_a_base_is_a_whole_commit_of_a_model(store: Any, wrong: str) -> None:
    with actors.acting("risk-officer"), pytest.raises(MlflowException) as problem:
        desk.activate(store, "base", wrong)
    assert problem.value.error_code == "INVALID_PARAMETER_VALUE"


def test_what_is_needed_is_told_step_by_step_with_who_and_the_command(store: Any) -> None:
    version = play.registered(store, 3)
    steps = needed.needed(_dossier(store, version), store)
    assert steps[0].command == f"twinops model evidence twin {version.version}"
    play.with_evidence(store, version, authors=["stranger@example.org"])
    with actors.acting("risk-officer"):
        shown = _dossier(store, version)
        assert shown.strangers == ("stranger@example.org",)
        told = [s.command for s in needed.needed(shown, store)]
    assert any("adopt-base twin" in command for command in told)
    assert any(command.startswith("twinops model review") and str(shown.digest) in command for command in told)
    play.with_evidence(store, version)
    from twinops.entities.approval import Act

    play.acted(store, Act.APPROVE, version)
    assert [s.command for s in needed.needed(_dossier(store, version), store)] == [
        f"twinops model promote twin {version.version}"
    ]
    play.set_alias(store, version)
    assert needed.needed(_dossier(store, version), store) == ()


def test_whom_an_offices_file_names_and_nobody_is_here_is_told(store: Any) -> None:
    named = play.OFFICES.replace('version: "play"', 'version: "play again"')
    with actors.acting("risk-officer"):
        told = desk.activate(store, "offices", named).nobody
    assert any("no account owner with the role data-owner" in one for one in told)
    assert not any("account dpo" in one for one in told)
