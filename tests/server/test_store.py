"""The rules at the store, below every route: who may do what to which version, and what the log says of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import play
import pytest
from mlflow.entities.model_registry import ModelVersionTag, RegisteredModelTag
from mlflow.exceptions import MlflowException
from sqlalchemy import event, text

from twinops.adapters.memory.governance import MemorySigner
from twinops.entities.approval import Act
from twinops.governance.log.verify import check
from twinops.server.officer import acts as desk
from twinops.server.officer import dossier
from twinops.server.registry import audit_log as ledger
from twinops.server.registry import callers as actors
from twinops.server.registry import cases, records, tables
from twinops.server.registry import signed_passes as passes


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    made = play.open_store(tmp_path_factory.mktemp("store"))
    yield made
    made._dispose_engine()


def events(store: Any) -> list[dict[str, Any]]:
    with store.ManagedSessionMaker() as session:
        return [json.loads(body) for body in ledger.bodies(session)]


def in_production(store: Any, name: str = play.MODEL) -> Any:
    return store.get_model_version_by_alias(name, "production")


def test_an_approved_version_becomes_production_and_is_served_from_the_approved_copy(store: Any) -> None:
    version = play.approved(store, 1)
    etag = play.set_alias(store, version)
    assert in_production(store).version == version.version
    where = store.get_model_version_download_uri(play.MODEL, version.version)
    assert where.startswith("mlflow-artifacts:/twinops-approved/")
    last = events(store)[etag - 1]
    assert last["kind"] == "alias.set"
    assert last["about"]["version"] == version.version


def test_a_promotion_and_a_pass_ask_the_database_no_more_than_they_must(store: Any) -> None:
    versions = [play.approved(store, n, name="asked-little") for n in (31, 32)]
    for version in versions:
        play.set_alias(store, version)
    said: list[str] = []

    def note(_connection: Any, _cursor: Any, sql: str, *_more: Any) -> None:
        said.append(sql.split(maxsplit=1)[0])

    event.listen(store.engine, "before_cursor_execute", note)
    try:
        play.set_alias(store, versions[0])
        moved, said[:] = list(said), []
        passes.issue(store, "asked-little", "production")
    finally:
        event.remove(store.engine, "before_cursor_execute", note)
    assert len([word for word in moved if word != "PRAGMA"]) <= 15, moved
    assert said.count("BEGIN") == 1, "one snapshot for all that a pass says"


def test_nobody_sets_it_without_a_decision(store: Any) -> None:
    version = play.registered(store, 2)
    for who in ("scientist", "admin", "risk-officer", "unknown"):
        with play.refused("is not approved"):
            play.set_alias(store, version, who=who)
    assert events(store)[-1]["kind"] == "refused"


@pytest.mark.parametrize("who", ["scientist", "other", "risk-officer", "dpo", "admin", "unknown"])
def test_only_the_gate_runner_records_evidence(store: Any, who: str) -> None:
    version = play.registered(store, 3)
    with play.refused("Only a gate runner"):
        play.with_evidence(store, version, who=who)


@pytest.mark.parametrize(
    ("who", "why"),
    [
        ("scientist", "no office in the active offices file"),
        ("ci", "no office in the active offices file"),
        ("impostor", "no office in the active offices file"),
        ("dpo", "does not decide"),
        ("admin", "administrator"),
        ("admin-officer", "administrator"),
    ],
)
def test_only_a_listed_officer_with_the_role_and_no_admin_approves(store: Any, who: str, why: str) -> None:
    version = play.registered(store, 4)
    play.with_evidence(store, version)
    with play.refused(why):
        play.acted(store, Act.APPROVE, version, who=who)


def test_who_registered_uploaded_or_ran_it_does_not_approve_it(store: Any) -> None:
    version = play.registered(store, 5, who="risk-officer")
    play.with_evidence(store, version)
    with play.refused("worked on this version"):
        play.acted(store, Act.APPROVE, version)


def test_who_wrote_a_commit_does_not_approve_and_an_unknown_author_blocks(store: Any) -> None:
    version = play.registered(store, 6)
    play.with_evidence(store, version, authors=["stranger@example.org"])
    with play.refused("belongs to no account"):
        play.acted(store, Act.APPROVE, version)
    assert "stranger" not in json.dumps(events(store)[-5:])


def test_an_upload_without_a_login_blocks(store: Any) -> None:
    version = play.registered(store, 7)
    with store.ManagedSessionMaker(read_only=False) as session:
        made = records.version_of(session, play.MODEL, version.version)
        records.stamp_upload(session, f"{made.place}/data", "unknown")
    play.with_evidence(store, version)
    with play.refused("not logged in"):
        play.acted(store, Act.APPROVE, version)


def test_what_the_policy_refuses_nobody_approves(store: Any) -> None:
    version = play.registered(store, 8)
    play.with_evidence(store, version, given=play.evidence(gain=-0.01))
    with play.refused("In the way: accuracy_activity"):
        play.acted(store, Act.APPROVE, version)


def test_evidence_that_is_not_from_a_forced_run_is_not_recorded(store: Any) -> None:
    version = play.registered(store, 9)
    for said in (False, None, "true", 1):
        with play.refused("does not come from a forced run"):
            play.with_evidence(store, version, forced=said)
    with store.reading() as now:
        made = records.version_of(now.session, play.MODEL, version.version)
        assert cases.evidence_of(now, made) is None


def test_an_assessment_signed_by_nobody_of_this_server_stands_in_the_way(store: Any) -> None:
    version = play.registered(store, 42)
    given = play.evidence()
    signed = given.fact("dpia.signatures")
    for who, why in (
        ("mallory@example.org", "belongs to no account"),
        ("owner@example.net", "is not the risk officer"),
    ):
        by = {**signed.value, "decision": {**signed.value["decision"], "by": who}}
        facts = tuple(f if f is not signed else replace(f, value=by) for f in given.facts)
        play.with_evidence(store, version, given=replace(given, facts=facts))
        with play.refused(f"decision is signed by somebody who, by the offices file, {why}"):
            play.acted(store, Act.APPROVE, version)


def test_evidence_that_was_rolled_back_is_forgotten_with_its_number(
    store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = play.registered(store, 44)

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(type(store), "mirror", broken)
    with pytest.raises(Exception, match="RuntimeError"):
        play.with_evidence(store, version, given=play.evidence(gain=-0.01))
    monkeypatch.undo()
    play.with_evidence(store, version)
    play.acted(store, Act.APPROVE, version)


def test_commits_in_production_are_those_of_promoted_versions_newest_first(tmp_path: Path) -> None:
    store = play.open_store(tmp_path)
    first, second, never = (play.approved(store, n, commit=str(n) * 40) for n in (1, 2, 3))

    def commits() -> list[str]:
        with store.reading() as now:
            return records.promoted_commits(now.session, play.MODEL)

    assert commits() == []
    for version in (first, second, first):
        play.set_alias(store, version)
    assert commits() == ["1" * 40, "2" * 40]
    play.with_evidence(store, never, base="3" * 40)
    with play.refused("since a commit that was never in production"):
        play.acted(store, Act.APPROVE, never)

    # a database from before the table: what was promoted is read from its log, once
    with store.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE twinops_promotion")
        assert not tables.prepare(connection)
    assert commits() == ["1" * 40, "2" * 40]
    store._dispose_engine()


def test_evidence_about_another_model_file_is_refused(store: Any) -> None:
    version = play.registered(store, 10)
    with play.refused("another model file"):
        play.with_evidence(store, version, model_sha256="0" * 64)


def test_an_approval_of_something_else_than_was_shown_is_refused(store: Any) -> None:
    version = play.registered(store, 11)
    play.with_evidence(store, version)
    with play.refused("What you saw"):
        play.acted(store, Act.APPROVE, version, seen="0" * 64)


def test_a_decision_needs_a_reason(store: Any) -> None:
    version = play.registered(store, 12)
    play.with_evidence(store, version)
    with play.refused("reason"), actors.acting("risk-officer"):
        desk.decide(store, play.MODEL, version.version, desk.Deed(Act.REJECT, "no"))


def test_an_approval_lapses_when_evidence_changes(store: Any) -> None:
    version = play.approved(store, 13)
    play.with_evidence(store, version, given=play.evidence(auc=0.87))
    with play.refused("lapsed", "evidence"):
        play.set_alias(store, version)


def test_a_gate_that_fails_later_blocks_the_promotion_too(store: Any) -> None:
    version = play.approved(store, 14)
    play.with_evidence(store, version, given=play.evidence(gain=-0.01))
    with play.refused("In the way"):
        play.set_alias(store, version)


def test_an_approval_expires(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    version = play.approved(store, 15)
    later = datetime.now(UTC) + timedelta(days=181)

    monkeypatch.setattr(store, "now", lambda: later)
    with play.refused("expired"):
        play.set_alias(store, version)


def test_a_rejected_version_and_one_that_needs_changes_are_not_promoted(store: Any) -> None:
    for act, why in ((Act.REJECT, "was rejected"), (Act.ASK, "nobody decided")):
        version = play.registered(store, 16)
        play.with_evidence(store, version)
        play.acted(store, act, version)
        with play.refused(why):
            play.set_alias(store, version)


def test_the_data_protection_officer_may_ask_for_changes(store: Any) -> None:
    version = play.registered(store, 17)
    play.with_evidence(store, version)
    assert play.acted(store, Act.ASK, version, who="dpo").act is Act.ASK


def test_after_revocation_the_alias_is_neither_set_nor_served(store: Any) -> None:
    version = play.approved(store, 18)
    play.set_alias(store, version)
    play.acted(store, Act.REVOKE, version)
    with play.refused("revoked"):
        in_production(store)
    with play.refused("revoked"):
        store.get_model_version_download_uri(play.MODEL, version.version)
    with play.refused("revoked"):
        play.set_alias(store, version)
    again = play.approved(store, 19)
    play.set_alias(store, again)
    assert in_production(store).version == again.version


@pytest.mark.parametrize("place", ["uploaded", "approved"])
def test_changed_bytes_are_not_served(store: Any, place: str) -> None:
    version = play.approved(store, 20 if place == "uploaded" else 21)
    play.set_alias(store, version)
    with store.ManagedSessionMaker() as session:
        made = records.version_of(session, play.MODEL, version.version)
    folder = store.home.artifacts / made.place if place == "uploaded" else store.home.approved / made.digest
    path = folder / "data/twin.json"
    path.chmod(0o644)
    path.write_bytes(b"{}")
    if place == "approved":
        for ask in (
            lambda: in_production(store),
            lambda: store.get_model_version_download_uri(play.MODEL, version.version),
        ):
            with play.refused("bytes changed"):
                ask()
    else:
        assert in_production(store).version == version.version, "served from the copy that nobody uploads to"
        with play.refused("bytes changed"):
            play.set_alias(store, version)


def test_bytes_changed_before_approval_are_not_approved(store: Any) -> None:
    version = play.registered(store, 22)
    play.with_evidence(store, version)
    with store.ManagedSessionMaker() as session:
        made = records.version_of(session, play.MODEL, version.version)
    (store.home.artifacts / made.place / "extra.py").write_text("import os")
    with play.refused("bytes changed"):
        play.acted(store, Act.APPROVE, version)
    with play.refused("bytes changed"):
        store.get_model_version_download_uri(play.MODEL, version.version)


@pytest.mark.parametrize(
    "alias",
    [
        "Production",
        "PRODUCTION",
        "production\n",
        "produçtion",
        "ｐroduction",
        "prоduction",
        "pro-duction",
        "pr0duction",
    ],
)
def test_a_look_alike_alias_is_refused(store: Any, alias: str) -> None:
    version = play.registered(store, 23)
    with pytest.raises(MlflowException) as problem:
        play.set_alias(store, version, alias)
    assert problem.value.error_code in ("PERMISSION_DENIED", "INVALID_PARAMETER_VALUE")


def test_other_aliases_are_free(store: Any) -> None:
    version = play.registered(store, 24)
    play.set_alias(store, version, "staging")
    assert store.get_model_version_by_alias(play.MODEL, "staging").version == version.version
    store.delete_registered_model_alias(play.MODEL, "staging")


def test_what_carries_the_alias_is_not_renamed_deleted_staged_or_described_anew(store: Any) -> None:
    version = play.approved(store, 25, name="kept")
    store_calls = [
        lambda: store.delete_registered_model_alias("kept", "production"),
        lambda: store.rename_registered_model("kept", "other"),
        lambda: store.delete_registered_model("kept"),
        lambda: store.delete_model_version("kept", version.version),
        lambda: store.update_model_version("kept", version.version, "better than it is"),
    ]
    with pytest.raises(AssertionError), play.refused():
        store_calls[-1]()
    play.set_alias(store, version)
    for call in store_calls:
        with play.refused():
            call()
    for stage in ("Production", "Archived", "None"):
        with play.refused("stages"):
            store.transition_model_version_stage("kept", version.version, stage, False)
    assert in_production(store, "kept").version == version.version


def test_an_officer_takes_the_alias_down_and_then_it_may_go(store: Any) -> None:
    version = play.approved(store, 26, name="gone")
    play.set_alias(store, version)
    with actors.acting("scientist"), play.refused("offices file"):
        desk.take_down(store, "gone", "production", reason=play.PLAY)
    with actors.acting("risk-officer"):
        assert desk.take_down(store, "gone", "production", reason=play.PLAY)
    with pytest.raises(MlflowException, match="not found"):
        in_production(store, "gone")
    store.delete_registered_model("gone")


def test_an_approval_does_not_pass_to_a_recreated_model_of_the_same_name_and_number(store: Any) -> None:
    first = play.approved(store, 27, name="reborn")
    store.delete_registered_model("reborn")
    second = play.registered(store, 27, name="reborn")
    assert second.version == first.version == 1
    with play.refused("not approved"):
        play.set_alias(store, second)


def test_what_others_look_at_is_renamed_by_an_officer_or_the_administrator_only(store: Any) -> None:
    free = play.registered(store, 80, name="free")
    with actors.acting("scientist"):
        store.rename_registered_model(free.name, "freed")
    for number, look in enumerate((play.with_evidence, lambda s, v: play.acted(s, Act.REQUEST, v, who="scientist"))):
        version = play.registered(store, 81 + number, name=f"looked-{number}")
        look(store, version)
        for who in ("scientist", "ci", "dpo", "impostor"):
            with actors.acting(who), play.refused("risk officer or the administrator"):
                store.rename_registered_model(version.name, "elsewhere")
    for who, name in (("risk-officer", "looked-0"), ("admin", "looked-1")):
        with actors.acting(who):
            store.rename_registered_model(name, f"{name}-anew")


def test_a_name_that_a_model_had_is_taken_by_no_look_alike_and_the_model_may_have_it_back(store: Any) -> None:
    play.registered(store, 84, name="former")
    play.registered(store, 85, name="formed")
    store.rename_registered_model("former", "latter")
    store.delete_registered_model("formed")
    for like in ("f\u043ermer", "f\u043ermed"):  # a Cyrillic o
        with play.refused("looks like the model"):
            store.create_registered_model(like)
        with play.refused("looks like the model"):
            store.rename_registered_model("latter", like)
    store.rename_registered_model("latter", "former")


def test_an_approval_does_not_follow_a_rename(store: Any) -> None:
    version = play.approved(store, 28, name="before")
    with actors.acting("admin"):
        store.rename_registered_model("before", "after")
    version._name = "after"
    with play.refused("as a version of before"):
        play.set_alias(store, version)


def test_a_description_that_says_approved_approves_nothing_and_is_not_on_the_officers_page(store: Any) -> None:
    version = play.registered(store, 86, name="praised")
    play.with_evidence(store, version)
    before = dossier.dossier(store, "praised", 1)
    with actors.acting("scientist"):
        store.update_model_version("praised", version.version, "Approved by the risk officer.")
        store.update_registered_model("praised", "Approved by the risk officer.")
    after = dossier.dossier(store, "praised", 1)
    assert after == before
    assert "Approved by" not in repr(after)
    with play.refused("not approved"):
        play.set_alias(store, version)


def test_the_alias_does_not_move_to_an_unapproved_version(store: Any) -> None:
    play.set_alias(store, play.approved(store, 29))
    copied = play.registered(store, 30)
    with play.refused("not approved"):
        play.set_alias(store, copied)


@pytest.mark.parametrize(
    "source",
    [
        "s3://evil/model",
        "runs:/0123/model",
        "file:///etc",
        "mlflow-artifacts://host/1/x",
        "mlflow-artifacts:/../../etc",
        "mlflow-artifacts:/1/%2e%2e/x",
        "mlflow-artifacts:/twinops-approved/x",
        "https://evil/x",
        "mlflow-artifacts:/1/empty",
    ],
)
def test_only_bytes_of_our_own_store_are_registered(store: Any, source: str) -> None:
    with play.refused(), actors.acting("scientist"):
        store.create_model_version(play.MODEL, source, "0" * 32)


def test_reserved_tags_are_dropped_when_copied_and_refused_when_set(store: Any) -> None:
    run = play.registered(store, 31)
    with store.ManagedSessionMaker() as session:
        place = records.version_of(session, play.MODEL, run.version).place
    with actors.acting("scientist"):
        forged = store.create_model_version(
            play.MODEL,
            f"mlflow-artifacts:/{place}",
            None,
            [ModelVersionTag("twinops.approval", "yes"), ModelVersionTag("mine", "1")],
        )
    assert set(store.get_model_version(play.MODEL, forged.version).tags) == {"mine"}
    for key in ("twinops.approval", " TWINOPS.decision", "mlflow.prompt.is_prompt"):
        with play.refused():
            store.set_model_version_tag(play.MODEL, forged.version, ModelVersionTag(key, "true"))
        with play.refused():
            store.set_registered_model_tag(play.MODEL, RegisteredModelTag(key, "true"))
        with play.refused():
            store.delete_registered_model_tag(play.MODEL, key)


def test_what_was_decided_after_an_erasure_is_told_and_taken_away_by_an_officer_and_not_by_a_scientist(
    store: Any,
) -> None:
    run = play.registered(store, 33)
    told, forged = (ModelVersionTag(f"erasure.er-{n}", "retrain within 30 days") for n in (1, 2))
    for account in ("dpo", "ci"):
        with actors.acting(account):
            store.set_model_version_tag(play.MODEL, run.version, told)
    with actors.acting("scientist"):
        with play.refused("office"):
            store.set_model_version_tag(play.MODEL, run.version, forged)
        with play.refused("office"):
            store.delete_model_version_tag(play.MODEL, run.version, told.key)
    tags = store.get_model_version(play.MODEL, run.version).tags
    assert {k: v for k, v in tags.items() if k.startswith("erasure.")} == {told.key: told.value}


def test_a_model_that_calls_itself_a_prompt_is_refused_and_prompts_are_free(store: Any) -> None:
    version = play.registered(store, 40)
    prompt = [ModelVersionTag("mlflow.prompt.is_prompt", "true")]
    with play.refused("prompt"), actors.acting("scientist"):
        store.create_model_version(
            play.MODEL, store.get_model_version(play.MODEL, version.version).source, None, prompt
        )
    store.create_registered_model("a-prompt", [RegisteredModelTag("mlflow.prompt.is_prompt", "true")])
    made = store.create_model_version("a-prompt", "dummy-source", None, prompt)
    store.set_registered_model_alias("a-prompt", "greeting", made.version)
    with play.refused():
        store.set_registered_model_alias("a-prompt", "production", made.version)


def test_a_hostile_model_is_never_approved(store: Any) -> None:
    hostile = {
        "another loader": play.MLMODEL.replace("twinops.adapters.mlflow.twin_flavour", "os"),
        "models from code": play.MLMODEL.replace("streamable: false", "model_code_path: evil.py"),
        "python model": play.MLMODEL.replace("streamable: false", "python_model: {cloudpickle: x}"),
        "own code": play.MLMODEL.replace("code: null", "code: code"),
        "another flavour": play.MLMODEL.replace("mlflow_version", "  sklearn: {pickled_model: x}\nmlflow_version"),
        "python objects": play.MLMODEL.replace("model_uuid: play", "model_uuid: !!python/object/apply:os.system [id]"),
        "bomb": "a: &a [x,x,x,x,x,x,x,x]\n" + "".join(f"b{n}: &b{n} [*a,*a,*a,*a]\n" for n in range(3)),
        "outside": play.MLMODEL.replace("data/twin.json", "../../../../evil.json"),
    }
    for what, told in hostile.items():
        version = play.registered(
            store, 32, files={**play.model_files(32), "MLmodel": told.encode(), "evil.py": what.encode()}
        )
        with play.refused("does not load as it was registered"):
            play.with_evidence(store, version)
        with play.refused():
            play.acted(store, Act.APPROVE, version)


def test_a_versions_page_tells_the_verdicts_and_links_to_the_review(store: Any) -> None:
    version = play.registered(store, 41, name="told")
    play.with_evidence(store, version)
    shown = store.get_model_version("told", version.version)
    assert "Nothing in policy `play` stands in the way" in shown.description
    assert f"/twinops/review?name=told&version={version.version}" in shown.description.replace("&amp;", "&")
    assert shown.tags["twinops.decision"] == "promotable"
    stricter = play.POLICY.replace('"play"', '"stricter"').replace("more_than: 0.0", "more_than: 0.5")
    with actors.acting("risk-officer"):
        desk.activate(store, "policy", stricter)
    assert "Refused by policy `stricter`" in store.get_model_version("told", version.version).description
    with play.refused("In the way"):
        play.acted(store, Act.APPROVE, version)
    play.activated(store, "policy", play.POLICY)


def test_rules_change_only_by_an_officers_hand(store: Any) -> None:
    for who in ("scientist", "ci", "dpo", "admin", "impostor"):
        for kind, body in (("policy", play.POLICY), ("offices", play.OFFICES)):
            with actors.acting(who), play.refused():
                desk.activate(store, kind, body)


def test_a_race_for_one_etag_has_one_winner_and_asking_again_answers_the_same(store: Any) -> None:
    one, two = play.approved(store, 33, name="raced"), play.approved(store, 34, name="raced")
    etag = play.set_alias(store, one, etag=0)
    assert play.set_alias(store, one, etag=0) == etag, "asked again after a broken connection"
    with pytest.raises(MlflowException, match="changed meanwhile") as problem:
        play.set_alias(store, two, etag=0)
    assert problem.value.get_http_status_code() == 409
    after = play.set_alias(store, two, etag=etag)
    play.set_alias(store, one, etag=after)
    with pytest.raises(MlflowException, match="changed meanwhile"):
        play.set_alias(store, two, etag=etag)


def test_nothing_is_done_that_cannot_be_logged(store: Any) -> None:
    version = play.approved(store, 35, name="mute")
    with store.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER broken BEFORE INSERT ON twinops_event BEGIN SELECT RAISE(ABORT, 'disk'); END"
        )
    try:
        with pytest.raises(MlflowException, match="disk"):
            play.set_alias(store, version)
        with pytest.raises(MlflowException, match="not found"):
            in_production(store, "mute")
    finally:
        with store.engine.begin() as connection:
            connection.exec_driver_sql("DROP TRIGGER broken")
    play.set_alias(store, version)


def test_the_queue_says_for_whom_each_version_waits(store: Any) -> None:
    version = play.registered(store, 36, name="queued")
    told = lambda: next(w for w in dossier.queue(store) if w.name == "queued")  # noqa: E731
    assert (told().state, told().waits_for) == ("new", "gate runner")
    play.with_evidence(store, version)
    assert (told().state, told().waits_for) == ("waiting", "risk officer")
    play.acted(store, Act.ASK, version)
    assert (told().state, told().waits_for) == ("changes asked", "scientist")
    play.acted(store, Act.APPROVE, version)
    play.set_alias(store, version)
    assert (told().state, told().alias) == ("approved", "production")


def test_what_waits_and_cannot_be_approved_says_how_much_is_in_the_way_and_every_line_has_its_date(store: Any) -> None:
    fresh, good, bad = (play.registered(store, 70 + n, name=f"lined-{n}") for n in range(3))
    play.with_evidence(store, good)
    play.with_evidence(store, bad, given=play.evidence(gain=-0.1, name=bad.name), authors=["nobody@example.org"])
    lines = {w.name: w for w in dossier.queue(store)}
    assert abs((lines[fresh.name].since - datetime.now(UTC)).total_seconds()) < 600, "when it was registered"
    assert all(line.since.tzinfo for line in lines.values())
    why = {line.name: told for line, told in dossier.in_the_way(store, lines.values()).items()}
    assert why[bad.name] == "cannot be approved: 1 gate and 1 other problem in the way"
    assert not {fresh.name, good.name} & why.keys()


def test_a_form_of_another_person_or_another_content_does_not_fit(store: Any) -> None:
    token = dossier.form_token(store, "risk-officer", "d1")
    assert dossier.form_fits(store, "risk-officer", "d1", token=token)
    assert not dossier.form_fits(store, "scientist", "d1", token=token)
    assert not dossier.form_fits(store, "risk-officer", "d2", token=token)


def test_the_log_is_whole_and_fits_every_checkpoint_kept_outside(store: Any) -> None:
    with store.ManagedSessionMaker() as session:
        bodies, head = list(ledger.bodies(session)), ledger.head(session)
    notes = [path.read_text() for path in sorted(store.home.checkpoints.glob("*.txt"))]
    found = check(bodies, notes, [store.home.public_key], head=(head.size, head.root.hex()))
    assert found.faults == ()
    assert found.witnessed > 0
    told = b"\n".join(bodies).decode()
    for private in ("scientist", "risk-officer", "example.org", play.PLAY):
        assert private not in told


def test_the_database_itself_refuses_stock_mlflow(store: Any) -> None:
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

    version, good = play.registered(store, 37, name="stocked"), play.approved(store, 38, name="stocked")
    stock = SqlAlchemyStore(store.db_uri)
    for alias in ("production", "Production", "production "):
        with pytest.raises(MlflowException), stock.ManagedSessionMaker(read_only=False) as session:
            session.execute(
                text(
                    "INSERT INTO registered_model_aliases (workspace, name, alias, version)"
                    " VALUES ('default', 'stocked', :alias, :version)"
                ),
                {"alias": alias, "version": version.version},
            )
    for stage in ("Production", "Staging"):
        with pytest.raises(MlflowException, match="stages"):
            stock.transition_model_version_stage("stocked", version.version, stage, False)
    play.set_alias(store, good)
    for call in (
        lambda: stock.set_registered_model_alias("stocked", "production", version.version),
        lambda: stock.delete_registered_model_alias("stocked", "production"),
        lambda: stock.delete_model_version("stocked", good.version),
        lambda: stock.delete_registered_model("stocked"),
        lambda: stock.rename_registered_model("stocked", "elsewhere"),
    ):
        with pytest.raises(MlflowException, match="twinops"):
            call()
    for sql in (
        "UPDATE twinops_event SET body = ''",
        "DELETE FROM twinops_event",
        "DELETE FROM twinops_review",
        "UPDATE twinops_version SET digest = ''",
    ):
        with pytest.raises(Exception, match="twinops"), store.engine.begin() as connection:
            connection.exec_driver_sql(sql)
    assert in_production(store, "stocked").version == good.version


def test_work_of_one_person_is_adopted_and_says_so(store: Any, tmp_path: Path) -> None:
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

    from twinops.server.app.adopt import adopt

    stock = SqlAlchemyStore(store.db_uri)
    place = store.home.artifacts / "twinops" / "run1" / "artifacts"
    files = play.model_files(39)
    for name, content in files.items():
        (place / "model" / name).parent.mkdir(parents=True, exist_ok=True)
        (place / "model" / name).write_bytes(content)
    (place / "reports").mkdir()
    (place / "reports" / "evidence.json").write_text(play.evidence().to_json())
    stock.create_registered_model(f"{play.MODEL}-x")
    stock.create_model_version(f"{play.MODEL}-x", (place / "model").as_uri(), "run1")
    done, left = adopt(store)
    assert (len(done), left) == (1, []), (done, left)
    with store.reading() as now:
        made = records.version_of(now.session, f"{play.MODEL}-x", 1)
        given = cases.evidence_of(now, made)
    assert not made.separated
    assert not given.body["forced"]


def test_an_assessment_signed_with_a_key_that_is_not_known_here_stands_in_the_way(store: Any) -> None:
    """A candidate brings its own key list: whoever writes it signs under an officer's e-mail, but not with her key."""
    given = play.evidence()
    signed = given.fact("dpia.signatures")
    by = {**signed.value, "decision": {**signed.value["decision"], "key": play.signed_by("owner")["key"]}}
    facts = tuple(f if f is not signed else replace(f, value=by) for f in given.facts)
    version = play.registered(store, 43)
    play.with_evidence(store, version, given=replace(given, facts=facts))
    with play.refused("decision is signed by somebody who, by the offices file, has another key"):
        play.acted(store, Act.APPROVE, version)


def test_rules_of_an_officer_with_a_key_carry_her_signature_of_this_file_for_this_purpose(tmp_path: Path) -> None:
    store = play.open_store(tmp_path)
    her, other = MemorySigner(), MemorySigner()
    keyed = play.OFFICES.replace("{account: risk-officer,", f"{{name: Rita, key: {her.public}, account: risk-officer,")

    def signed(body: str, namespace: str, signer: MemorySigner = her) -> str:
        path = tmp_path / "rules.yaml"
        path.write_text(body)
        signer.sign(path, key=path, namespace=namespace)
        return (tmp_path / "rules.yaml.sig").read_text()

    play.activated(store, "offices", keyed)
    with actors.acting("risk-officer"):
        for wrong, why in (
            (None, "no ssh signature"),
            ("0" * 128, "no ssh signature"),
            (signed(keyed, "twinops-policy"), "changed after it was signed"),
            (signed(play.POLICY, "twinops-offices"), "not for 'twinops-policy'"),
            (signed(play.POLICY, "twinops-policy", other), "Another key"),
        ):
            with play.refused("do not carry this officer's signature", why):
                desk.activate(store, "policy", play.POLICY, signature=wrong)
        desk.activate(store, "policy", play.POLICY, signature=signed(play.POLICY, "twinops-policy"))
        assert desk.activate(store, "policy", play.POLICY, signature=signed(play.POLICY, "twinops-policy")).active
    store._dispose_engine()
