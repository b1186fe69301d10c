"""An officer resolves one gate of one version: who may, for what exactly, for how long, and where it shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import governed
import play
import pytest
from governed import attribute, fact, measure

from twinops.entities.approval import Act
from twinops.governance.assessment.reopening import last_day
from twinops.governance.log import history as audit_story
from twinops.governance.people import approval
from twinops.server.officer import acts as desk
from twinops.server.officer import dossier, rulings
from twinops.server.officer.rulings import RulingAsked
from twinops.server.registry import (
    audit_log as ledger,
)
from twinops.server.registry import (
    callers as actors,
)
from twinops.server.registry import (
    cases,
    records,
)
from twinops.server.registry import (
    signed_passes as passes,
)
from twinops.server.registry.expiring import expiring

WHY = "Forty-one households only; looked at with the analysts, no complaint is known."
POLICY = (
    play.POLICY.replace(
        "gates:\n",
        """resolve: {at_most_days: 90}
override: {by: [risk officer], at_most_days: 30, never: [consent, lineage, dpia, documents, fairness]}
gates:
  - id: fairness
    gate: fairness
    limits: {attributes: [age, income, marital_status, household_comp], ratio: 0.8, alpha: 0.05}
    may_resolve: [risk officer]
  - {id: drift, gate: drift, limits: {at_most: 0.2}}
  - id: coverage
    gate: coverage
    limits: {at_least: 0.78, at_most: 0.82, tier_at_least: 0.77, tier_at_most: 0.83}
    may_resolve: [data owner]
""",
    )
    .replace("coverage: a, drift: a, ", "")
    .replace("fairness: a,", "")
)
OFFICES = play.OFFICES
DOUBT = fact("fairness_tests", {**governed.EVEN, "age": attribute(0.7, low=0.5)})
UNFAIR = fact("fairness_tests", {**governed.EVEN, "age": attribute(0.3, low=0.1, high=0.7)})
DRIFTED = measure("drift_share", 0.5, 0.4, 0.6)


def evidence(*facts: Any, measures: Any = (), name: str = play.MODEL) -> Any:
    """The play's evidence with other facts and measures."""
    made = play.evidence(name=name)
    kept = {f.name: f for f in (*made.facts, *facts)}
    measured = {m.name: m for m in (*made.measures, *measures)}
    return type(made)(made.model, made.key, made.as_of, tuple(measured.values()), tuple(kept.values()))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    root = tmp_path_factory.mktemp("store")
    if request.param == "sqlite":
        made = opened(root)
        yield made
        made._dispose_engine()
        return
    server = request.getfixturevalue("postgres")
    made = opened(root, server.database().replace("postgresql://", "postgresql+psycopg://"))
    yield made
    made._dispose_engine()


def opened(root: Path, database: str | None = None) -> Any:
    made = play.open_store(root, database)
    roles = {**play.ROLES, "owner": play.Actor("owner", frozenset({"data-owner"}))}
    made.roles_of = lambda account: roles.get(account, play.Actor(account))
    play.activated(made, "offices", OFFICES)
    play.activated(made, "policy", POLICY)
    return made


def doubtful(store: Any, number: int, *facts: Any, measures: Any = (), **more: Any) -> Any:
    """A version with evidence that leaves something in the way."""
    version = play.registered(store, number, **more)
    given = evidence(*(facts or (() if measures else (DOUBT,))), measures=measures, name=version.name)
    play.with_evidence(store, version, given=given)
    return version


def resolved(
    store: Any, version: Any, gate: str = "fairness", *, who: str = "risk-officer", days: int = 30, **more: Any
) -> Any:
    """Somebody resolves a gate, having seen what is there."""
    with actors.acting(who):
        seen = more.get("seen") or dossier.dossier(store, version.name, int(version.version)).digest
        asked = RulingAsked(gate, more.get("reason", WHY), days)
        return rulings.resolve(store, version.name, int(version.version), asked, seen=seen)


def shown(store: Any, version: Any) -> Any:
    return dossier.dossier(store, version.name, int(version.version))


def blocking(store: Any, version: Any) -> tuple[str, ...]:
    return shown(store, version).case.blocking


def events(store: Any) -> list[dict[str, Any]]:
    with store.ManagedSessionMaker() as session:
        return [json.loads(body) for body in ledger.bodies(session)]


def test_a_doubt_is_resolved_approved_and_live_and_the_day_is_told_everywhere(store: Any) -> None:
    version = doubtful(store, 1, name="doubted")
    assert blocking(store, version) == ("fairness",)
    with play.refused("In the way: fairness"):
        play.acted(store, Act.APPROVE, version)
    before = store.get_model_version("doubted", version.version).description
    assert "Refused" in before
    ruled = resolved(store, version)
    assert blocking(store, version) == ()
    held = shown(store, version)
    assert next(v.outcome.value for v in held.decision.verdicts if v.gate == "fairness") == "inconclusive"
    assert held.decision.about("fairness")[0].sentence.startswith("Resolved by risk-officer (risk officer)")
    page = store.get_model_version("doubted", version.version)
    assert "Resolved in writing: `fairness` by risk-officer" in page.description
    assert WHY[:30] in page.description
    assert f"until {ruled.until}" in page.description
    assert page.tags["twinops.settled"] == "fairness"
    play.acted(store, Act.APPROVE, version)
    etag = play.set_alias(store, version)
    log = events(store)
    assert log[etag - 1]["about"]["settled"] == [ruled.id]
    assert log[ruled.id]["kind"] == "gate.settled"
    assert WHY not in json.dumps(log)
    given = passes.issue(store, "doubted", "production")["approval"]["settled"]
    assert given == [{"gate": "fairness", "answer": "inconclusive", "until": ruled.until.isoformat()}]
    now = datetime.now(UTC)
    bodies = [json.dumps(e).encode() for e in log]
    live = next(a for a in audit_story.at(bodies, now.date().isoformat()) if a.model == "doubted")
    assert [(r.gate, r.role, r.until, r.ended) for r in live.rulings] == [
        ("fairness", "risk officer", ruled.until.isoformat(), False)
    ]
    later = audit_story.at(bodies, (ruled.until + timedelta(days=1)).isoformat())
    assert [r.ended for a in later if a.model == "doubted" for r in a.rulings] == [True]
    with store.reading() as reading:
        told = expiring(replace(reading, now=now + timedelta(days=25)))
    assert [(e["event"], e["gate"]) for e in told if e["model"] == "doubted" and "gate" in e] == [
        ("ruling.expiring", "fairness")
    ]


@pytest.mark.parametrize(
    ("who", "why"),
    [
        ("scientist", "no office in the active offices file"),
        ("ci", "no office in the active offices file"),
        ("impostor", "no office in the active offices file"),
        ("unknown", "no office in the active offices file"),
        ("admin", "administrator"),
        ("admin-officer", "administrator"),
        ("dpo", "does not let the data protection officer resolve"),
        ("owner", "does not let the data owner resolve"),
    ],
)
def test_only_whom_the_policy_names_for_that_gate_resolves_it(store: Any, who: str, why: str) -> None:
    version = doubtful(store, 2)
    with play.refused(why):
        resolved(store, version, who=who)
    assert blocking(store, version) == ("fairness",)
    last = events(store)[-1]
    assert (last["kind"], last["about"]["act"], last["about"]["gate"]) == ("refused", "resolve", "fairness")


def test_who_worked_on_it_and_who_is_unknown_keep_it_from_being_resolved(store: Any) -> None:
    with play.refused("Who worked on this version"):
        resolved(store, doubtful(store, 3, who="risk-officer"))
    version = play.registered(store, 4)
    play.with_evidence(store, version, given=evidence(DOUBT), authors=["stranger@example.org"])
    with play.refused("not known who worked"):
        resolved(store, version)


def test_the_data_owner_resolves_the_gate_that_names_her_and_decides_nothing_else(store: Any) -> None:
    wide = measure("interval_coverage_80.spend", 0.77, 0.74, 0.80)
    version = doubtful(store, 5, measures=(wide,))
    assert blocking(store, version) == ("coverage",)
    with play.refused("does not let the risk officer resolve"):
        resolved(store, version, "coverage")
    resolved(store, version, "coverage", who="owner")
    assert blocking(store, version) == ()
    for act in (Act.APPROVE, Act.REJECT):
        with play.refused("Only the risk officer decides"):
            play.acted(store, act, version, who="owner")
    play.acted(store, Act.APPROVE, version)


def test_a_failed_gate_is_overridden_only_where_the_policy_allows_it(store: Any) -> None:
    drifted = doubtful(store, 6, measures=(DRIFTED,))
    assert blocking(store, drifted) == ("drift",)
    with play.refused("1 to 30 days"):
        resolved(store, drifted, "drift", days=31)
    resolved(store, drifted, "drift", days=30)
    assert shown(store, drifted).decision.about("drift")[0].sentence.startswith("Overridden by risk-officer")
    play.acted(store, Act.APPROVE, drifted)
    unfair = doubtful(store, 7, UNFAIR)
    with play.refused("lets nobody override"):
        resolved(store, unfair)
    undone = play.registered(store, 8)
    bare = evidence(DOUBT)
    play.with_evidence(store, undone, given=governed.without(bare, "consent_coverage"))
    for gate, why in (
        ("accuracy_activity", "passes"),
        ("weather", "No gate of the policy"),
        ("policy", "No gate of the policy"),
    ):
        with play.refused(why):
            resolved(store, undone, gate)
    play.with_evidence(store, undone, given=governed.without(bare, "fairness_tests"))
    with play.refused("What is missing must be made"):
        resolved(store, undone)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"reason": "too short"}, "20 to 4000 characters"),
        ({"reason": "x" * 4001}, "20 to 4000 characters"),
        ({"days": 0}, "1 to 90 days"),
        ({"days": 91}, "1 to 90 days"),
        ({"seen": "0" * 64}, "What you saw is not what is there now"),
    ],
)
def test_a_ruling_needs_a_reason_a_time_and_that_one_saw_what_is_there(store: Any, more: Any, why: str) -> None:
    with play.refused(why):
        resolved(store, doubtful(store, 9), **more)


def test_it_holds_for_one_version_and_lapses_when_anything_it_was_given_for_changes(store: Any) -> None:
    version, other = doubtful(store, 10), doubtful(store, 11)
    resolved(store, version)
    play.acted(store, Act.APPROVE, version)
    assert blocking(store, other) == ("fairness",), "the same candidate, another version"
    play.with_evidence(store, version, given=evidence(DOUBT, measures=(measure("active_auc", 0.87, 0.86, 0.88),)))
    assert blocking(store, version) == ("fairness",)
    assert "lapsed: evidence, documents changed" in shown(store, version).decision.about("fairness")[0].problem
    with play.refused("In the way: fairness"):
        play.set_alias(store, version)
    again = doubtful(store, 12)
    resolved(store, again)
    stricter = POLICY.replace('"play"', '"stricter"')
    with actors.acting("risk-officer"):
        desk.activate(store, "policy", stricter)
    try:
        assert blocking(store, again) == ("fairness",)
        assert "policy changed" in shown(store, again).decision.about("fairness")[0].problem
    finally:
        with actors.acting("risk-officer"):
            desk.activate(store, "policy", POLICY)
    assert blocking(store, again) == (), "the policy it was given under is back"


def test_it_ends_with_its_last_day(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    version = doubtful(store, 13, name="ending")
    ruled = resolved(store, version, days=1)
    play.acted(store, Act.APPROVE, version)

    monkeypatch.setattr(store, "now", lambda: datetime.now(UTC) + timedelta(days=1))
    assert blocking(store, version) == (), f"until the end of {ruled.until}"
    play.set_alias(store, version)
    monkeypatch.setattr(store, "now", lambda: datetime.now(UTC) + timedelta(days=2))
    assert blocking(store, version) == ("fairness",)
    assert "does not hold on" in shown(store, version).decision.about("fairness")[0].problem
    with play.refused("In the way: fairness"):
        play.set_alias(store, version)
    assert store.get_model_version_by_alias("ending", "production"), "what is served goes on being served"


def test_it_is_withdrawn_by_its_author_or_the_risk_officer_and_an_approval_on_it_lapses(store: Any) -> None:
    wide = measure("interval_coverage_80.spend", 0.77, 0.74, 0.80)
    version = doubtful(store, 14, measures=(wide,))
    resolved(store, version, "coverage", who="owner")
    play.acted(store, Act.APPROVE, version)

    def back(who: str) -> Any:
        with actors.acting(who):
            return rulings.withdraw(store, version.name, int(version.version), "coverage", reason=WHY)

    for who in ("scientist", "ci", "admin", "dpo"):
        with play.refused():
            back(who)
    assert back("risk-officer").withdrawn
    with play.refused("In the way: coverage"):
        play.set_alias(store, version)
    with play.refused("No ruling"):
        back("risk-officer")
    resolved(store, version, "coverage", who="owner")
    with play.refused("The approval lapsed: rulings changed"):
        play.set_alias(store, version)
    play.acted(store, Act.APPROVE, version)
    play.set_alias(store, version)
    back("owner")


def test_what_the_candidate_itself_says_is_resolved_does_not_count_here(store: Any) -> None:
    made = evidence(DOUBT)
    cited = next(v for v in cases.decide(desk.policy.read(POLICY), made).verdicts if v.gate == "fairness").evidence
    today = datetime.now(UTC).date()
    brought = {
        "gate": "fairness", "candidate": made.key, "evidence": cited, "answer": "inconclusive", "by": "Mallory",
        "role": "risk officer", "reason": WHY, "dated": str(today), "until": str(today + timedelta(days=9)),
        "signed": True, "problem": "",
    }  # fmt: skip
    version = doubtful(store, 15, DOUBT, fact("rulings", [brought]))
    assert blocking(store, version) == ("fairness",)
    assert "candidate's own files" in shown(store, version).decision.about("fairness")[0].problem
    resolved(store, version)
    assert blocking(store, version) == ()


def test_it_is_one_transaction_with_its_entry_in_the_log(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    version = doubtful(store, 16)
    before = len(events(store))

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(records, "keep_ruling", broken)
    with pytest.raises(Exception, match="disk is full"):
        resolved(store, version)
    monkeypatch.undo()
    monkeypatch.setattr(ledger.AuditLog, "append", broken)
    with pytest.raises(Exception, match="disk is full"):
        resolved(store, version)
    monkeypatch.undo()
    assert len(events(store)) == before
    assert blocking(store, version) == ("fairness",)
    for sql in ("UPDATE twinops_ruling SET until = '2099-01-01'", "DELETE FROM twinops_ruling"):
        resolved(store, version)
        with pytest.raises(Exception, match="only added to"), store.engine.begin() as connection:
            connection.exec_driver_sql(sql)


def test_an_approval_ends_when_the_first_thing_it_rests_on_ends(tmp_path: Path) -> None:
    store = play.open_store(tmp_path)
    done = play.acted(
        store, Act.APPROVE, (version := play.registered(store, 70), play.with_evidence(store, version))[0]
    )
    decided = date.fromisoformat(play.evidence().value("dpia.review", "decided_on"))
    with store.reading() as now:
        held = cases.rules(now).offices
    assert done.expires <= approval.expiry(held, now=done.at)
    assert done.expires.date() <= last_day(decided) + timedelta(days=1)
    assert approval.expiry(held, now=done.at, ends=[done.at.date()]).date() == done.at.date() + timedelta(days=1)
