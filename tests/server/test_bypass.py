"""Every way round that was ever tried, against a running server over real HTTP, on SQLite and on PostgreSQL.

The table of `docs/operate.md` names each row; what is not protected against is shown for what it is at the end.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import live as living
import play
import pytest
import test_rulings as ruled
from live import API, ARTIFACTS, Live, Version

pytestmark = pytest.mark.pipeline
AJAX = "/ajax-api/2.0/mlflow"


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "s3"])
def live(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    root = tmp_path_factory.mktemp(request.param)
    if request.param == "sqlite":
        with living.serving(root) as server:
            yield server
        return
    if request.param == "s3":
        with living.serving(root, bucket=request.getfixturevalue("buckets")()) as server:
            yield server
        return
    database = request.getfixturevalue("postgres").database()
    with living.serving(root, database, workers=2) as server:
        yield server


@pytest.fixture(scope="module")
def produced(live: Live) -> Version:
    """What is in production; it must still be there after every attempt."""
    version = live.approved(100)
    assert live.alias(version).status == 200
    return version


@pytest.fixture(scope="module")
def unapproved(live: Live, produced: Version) -> Version:
    return live.registered(101)


@pytest.fixture(autouse=True)
def _production_stays(live: Live, produced: Version) -> Iterator[None]:
    yield
    answer = live.resolved()
    assert answer.status == 200, answer.body
    assert answer.json["model_version"]["version"] == str(produced.version)


def sentence(answer: living.Answer) -> str:
    assert answer.status == 403, (answer.status, answer.body)
    return str(answer.json["message"])


# aliases


@pytest.mark.parametrize("who", ["scientist", "admin", "ci", "risk-officer", "dpo"])
@pytest.mark.parametrize("api", [API, AJAX])
def test_an_unapproved_version_is_refused_on_every_route(live: Live, unapproved: Version, who: str, api: str) -> None:
    answer = live.alias(unapproved, who=who, api=api)
    assert answer.status == 403
    if who in ("scientist", "admin"):
        assert "is not approved" in answer.json["message"]


@pytest.mark.parametrize(
    "path",
    ["/api/2.0/preview/mlflow", "//api/2.0/mlflow", "/api/2.0//mlflow", "/api/2.0/./mlflow", "/api/2.0/%6dlflow"],
)
def test_odd_spellings_of_the_route_do_not_help(live: Live, unapproved: Version, path: str) -> None:
    assert live.alias(unapproved, api=path).refused


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "text/plain", "application/x-www-form-urlencoded"])
def test_other_content_types_do_not_help(live: Live, unapproved: Version, kind: str) -> None:
    body = json.dumps({"name": play.MODEL, "alias": "production", "version": str(unapproved.version)}).encode()
    assert live.call("POST", f"{API}/registered-models/alias", body, who="scientist", Content_Type=kind).refused


def test_a_body_that_is_encoded_twice_does_not_help(live: Live, unapproved: Version) -> None:
    body = json.dumps(json.dumps({"name": play.MODEL, "alias": "production", "version": str(unapproved.version)}))
    answer = live.call(
        "POST", f"{API}/registered-models/alias", body.encode(), who="scientist", Content_Type="application/json"
    )
    assert answer.refused


def test_keys_that_are_given_twice_do_not_help(live: Live, produced: Version, unapproved: Version) -> None:
    versions = f'"version":"{produced.version}","version":"{unapproved.version}"'
    body = f'{{"name":"twin","alias":"staging","alias":"production",{versions}}}'
    answer = live.call(
        "POST", f"{API}/registered-models/alias", body.encode(), who="scientist", Content_Type="application/json"
    )
    assert answer.refused


@pytest.mark.parametrize(
    "alias",
    [
        "Production",
        "PRODUCTION",
        "production\n",
        " production",
        "produçtion",
        "ｐroduction",
        "prоduction",
        "pro_duction",
    ],
)
def test_look_alikes_are_refused(live: Live, unapproved: Version, alias: str) -> None:
    assert live.alias(unapproved, alias).refused


def test_other_aliases_are_nobodys_business(live: Live, unapproved: Version) -> None:
    assert live.alias(unapproved, "staging").status == 200


@pytest.mark.parametrize("stage", ["Production", "Staging", "Archived"])
def test_legacy_stages_are_closed(live: Live, unapproved: Version, stage: str) -> None:
    body = {"name": play.MODEL, "version": str(unapproved.version), "stage": stage, "archive_existing_versions": False}
    for api in (API, AJAX):
        assert "stages" in sentence(live.call("POST", f"{api}/model-versions/transition-stage", body, who="scientist"))


def test_graphql_changes_nothing(live: Live, unapproved: Version) -> None:
    told = {
        "query": "mutation { setRegisteredModelAlias(input:"
        ' {name: "twin", alias: "production", version: "2"}) { __typename } }'
    }
    answer = live.call("POST", "/graphql", told, who="admin")
    assert answer.refused or "errors" in answer.json


def test_removal_rename_and_deletion_of_what_is_in_production_are_refused(live: Live, produced: Version) -> None:
    number = {"name": play.MODEL, "version": str(produced.version)}
    tries = (
        ("DELETE", "/registered-models/alias", {"name": play.MODEL, "alias": "production"}),
        ("POST", "/registered-models/rename", {"name": play.MODEL, "new_name": "elsewhere"}),
        ("DELETE", "/registered-models/delete", {"name": play.MODEL}),
        ("DELETE", "/model-versions/delete", number),
        ("PATCH", "/model-versions/update", {**number, "description": "better"}),
    )
    for who in ("scientist", "admin"):
        for method, path, body in tries:
            answer = live.call(method, API + path, body, who=who)
            assert answer.status == 403, (who, path, answer.status, answer.body)


@pytest.mark.artifacts
def test_an_approval_does_not_pass_to_a_recreated_or_renamed_model(live: Live) -> None:
    first = live.approved(110, name="reborn")
    assert live.call("DELETE", f"{API}/registered-models/delete", {"name": "reborn"}, who="scientist").status == 200
    again = live.registered(110, name="reborn")
    assert again.version == first.version == 1
    assert "not approved" in sentence(live.alias(again))
    other = live.approved(111, name="swapped")
    moved = {"name": "swapped", "new_name": "swapped-in"}
    assert live.call("POST", f"{API}/registered-models/rename", moved, who="scientist").status == 200
    other.name = "swapped-in"
    assert "as a version of swapped" in sentence(live.alias(other))


@pytest.mark.artifacts
def test_a_copied_version_is_not_approved(live: Live, produced: Version) -> None:
    body = {
        "name": play.MODEL,
        "source": f"models:/{play.MODEL}/{produced.version}",
        "tags": [{"key": "twinops.review", "value": "approve"}],
    }
    made = live.call("POST", f"{API}/model-versions/create", body, who="scientist")
    if made.status == 200:
        version = made.json["model_version"]
        assert not version.get("tags"), "mirrors are not copied"
        copied = Version(play.MODEL, int(version["version"]), "", produced.place, produced.files)
        assert "not approved" in sentence(live.alias(copied))
    else:
        assert made.refused


# tags, authors, evidence


def test_tags_forge_nothing(live: Live, unapproved: Version) -> None:
    for key in ("twinops.approval", "TWINOPS.decision", "mlflow.prompt.is_prompt"):
        tag = {"name": play.MODEL, "version": str(unapproved.version), "key": key, "value": "true"}
        for who in ("scientist", "admin"):
            assert live.call("POST", f"{API}/model-versions/set-tag", tag, who=who).status == 403
            assert live.call("POST", f"{API}/registered-models/set-tag", tag, who=who).status == 403
            assert (
                live.call(
                    "DELETE", f"{API}/registered-models/delete-tag", {"name": play.MODEL, "key": key}, who=who
                ).status
                == 403
            )


def test_a_logged_model_that_says_it_is_approved_changes_nothing(live: Live, unapproved: Version) -> None:
    made = live.post(
        f"{API}/logged-models", {"experiment_id": live.experiment("scientist"), "name": "x"}, who="scientist"
    )
    found = made.json["model"]["info"]["model_id"]
    forged = json.dumps([{"name": play.MODEL, "version": str(unapproved.version), "alias": "production"}])
    tags = {"tags": [{"key": key, "value": forged} for key in ("mlflow.modelVersions", "twinops.approval")]}
    assert live.call("PATCH", f"{API}/logged-models/{found}/tags", tags, who="scientist").status < 500
    assert "is not approved" in sentence(live.alias(unapproved))
    assert live.shown(unapproved)["aliases"][0]["version"] != unapproved.version


def test_tags_at_creation_are_dropped(live: Live) -> None:
    version = live.uploaded(112)
    body = {**version.request, "tags": [{"key": "twinops.approval", "value": "yes"}, {"key": "mine", "value": "1"}]}
    made = live.post(f"{API}/model-versions/create", body, who="scientist").json["model_version"]
    assert [tag["key"] for tag in made["tags"]] == ["mine"]


def test_the_author_a_client_names_is_not_believed(live: Live) -> None:
    version = live.registered(113, who="admin")
    shown = live.shown(version)
    assert shown["contributors"] == ["admin"], "the run said it was somebody-else's"


@pytest.mark.parametrize("who", ["scientist", "risk-officer", "dpo", "admin"])
def test_nobody_but_the_gate_runner_records_evidence(live: Live, who: str) -> None:
    version = live.registered(114)
    assert live.judged(version, who=who).status == 403


@pytest.mark.parametrize("who", ["scientist", "ci", "dpo", "admin"])
def test_nobody_but_the_officer_approves(live: Live, who: str) -> None:
    version = live.registered(115)
    assert live.judged(version).status == 200
    assert live.decided("approve", version, who=who).status == 403


@pytest.mark.artifacts
def test_the_officer_approves_nothing_she_worked_on(live: Live) -> None:
    body = {"username": "risk-officer", "resource_type": "experiment", "resource_pattern": "*", "permission": "EDIT"}
    for resource in ("experiment", "registered_model"):
        granted = live.call(
            "POST",
            "/api/3.0/mlflow/users/permissions/grant",
            {**body, "resource_type": resource, "resource_id": "*"},
            who="admin",
        )
        assert granted.status in (200, 400), granted.body
    version = live.uploaded(116)
    assert live.put(f"{version.place}/data/more.txt", b"x", who="admin").status == 200
    made = live.post(f"{API}/model-versions/create", version.request, who="scientist").json["model_version"]
    version.version = int(made["version"])
    assert live.shown(version)["contributors"] == ["admin", "scientist"], "who uploaded is a contributor"


@pytest.mark.parametrize("part", ["registered", "ran", "uploaded"])
def test_the_officer_who_registered_ran_or_uploaded_does_not_approve(live: Live, part: str) -> None:
    as_scientist(live, "risk-officer")
    parts = {"ran": "scientist", "registered": "scientist", "uploaded": "scientist", part: "risk-officer"}
    version = live.uploaded(121, who=parts["ran"], name=f"hers-{part}")
    if part == "uploaded":
        part = version.files["MLmodel"]
        assert live.put(f"{version.place}/MLmodel", part, who="risk-officer").status == 200
    live.call("POST", f"{API}/registered-models/create", {"name": version.name}, who="scientist")
    made = live.post(f"{API}/model-versions/create", version.request, who=parts["registered"]).json["model_version"]
    version.version = int(made["version"])
    assert live.judged(version).status == 200
    assert "risk-officer" in live.shown(version)["contributors"]
    assert "Who worked on this version" in sentence(live.decided("approve", version))


def as_scientist(live: Live, who: str) -> None:
    """The administrator lets an officer work on models too; the server does not rely on nobody doing so."""
    roles = live.call("GET", "/api/3.0/mlflow/roles/list", who="admin").json["roles"]
    role = next(r["id"] for r in roles if r["name"] == "scientist")
    taken = live.call("POST", "/api/3.0/mlflow/roles/assign", {"username": who, "role_id": role}, who="admin")
    assert taken.status in (200, 400), taken.body


def test_an_unknown_git_author_blocks(live: Live) -> None:
    version = live.registered(117)
    assert live.judged(version, authors=["stranger@example.org"]).status == 200
    assert "belongs to no account" in sentence(live.decided("approve", version))


def test_an_administrator_who_takes_the_officers_role_decides_nothing(live: Live) -> None:
    version = live.registered(118)
    live.judged(version)
    roles = live.call("GET", "/api/3.0/mlflow/roles/list", who="admin").json["roles"]
    role = next(r["id"] for r in roles if r["name"] == "risk-officer")
    taken = live.call("POST", "/api/3.0/mlflow/roles/assign", {"username": "admin", "role_id": role}, who="admin")
    assert taken.status == 200, taken.body
    assert "administrator" in sentence(live.decided("approve", version, who="admin"))
    log = live.call("GET", "/twinops/api/log", who="dpo").json["entries"]
    assert any('"kind":"account.changed"' in entry and "assign" in entry for entry in log)


def test_a_new_account_with_the_role_is_not_in_the_offices_file(live: Live) -> None:
    live.passwords["mole"] = "a-long-enough-password"
    made = {"username": "mole", "password": live.passwords["mole"]}
    assert live.call("POST", f"{API}/users/create", made, who="admin").status == 200
    roles = live.call("GET", "/api/3.0/mlflow/roles/list", who="admin").json["roles"]
    role = next(r["id"] for r in roles if r["name"] == "risk-officer")
    assert (
        live.call("POST", "/api/3.0/mlflow/roles/assign", {"username": "mole", "role_id": role}, who="admin").status
        == 200
    )
    version = live.registered(119)
    live.judged(version)
    assert "offices file" in sentence(live.decided("approve", version, who="mole"))
    body = {"kind": "offices", "text": play.OFFICES.replace("account: risk-officer", "account: mole")}
    for who in ("mole", "admin", "scientist", "dpo"):
        assert live.call("POST", "/twinops/api/rules", body, who=who).status == 403


def test_an_approval_lapses_when_evidence_changes(live: Live) -> None:
    version = live.approved(120, name="lapsing")
    assert live.judged(version, given=play.evidence(auc=0.87, name="lapsing")).status == 200
    assert "lapsed" in sentence(live.alias(version))


def test_nobody_who_is_not_logged_in_reads_or_writes(live: Live) -> None:
    for method, path in (
        ("GET", "/twinops/api/queue"),
        ("POST", "/twinops/api/promote"),
        ("POST", "/twinops/api/evidence"),
        ("GET", "/twinops/api/log"),
        ("POST", f"{API}/registered-models/alias"),
        ("PUT", f"{ARTIFACTS}/1/x/artifacts/y"),
        ("GET", f"{ARTIFACTS}/1/x"),
    ):
        assert live.call(method, path, {} if method != "GET" else None).status == 401, path


# bytes


@pytest.mark.artifacts
@pytest.mark.parametrize("who", ["scientist", "admin"])
def test_bytes_of_a_registered_version_stay(live: Live, produced: Version, who: str) -> None:
    place = f"{produced.place}/data/twin.json"
    tries = [
        place,
        f"{produced.place}/new.txt",
        place.replace("/data", "//data"),
        place.replace("/data", "/./data"),
        place.replace("/data/", "/data/%2e%2e/data/"),
        place.replace("/model/", "/other/%2e%2e/model/"),
        place.replace("/", "%2f"),
        place.replace("data", "%64ata"),
        place.replace("data", "%2564ata"),
    ]
    for route in (ARTIFACTS, "/ajax-api/2.0/mlflow-artifacts/artifacts"):
        for spelled in tries:
            answer = live.call("PUT", f"{route}/{spelled}", b"{}", who=who)
            assert answer.refused or answer.status == 200
            assert live.call("GET", f"{ARTIFACTS}/{place}", who=who).body == produced.files["data/twin.json"], spelled
    assert live.call("PUT", f"{ARTIFACTS}/{place}", b"{}", who=who).status == 403
    for path in (produced.place, place, produced.place.rpartition("/")[0], produced.place.split("/")[0]):
        assert live.call("DELETE", f"{ARTIFACTS}/{path}", who=who).refused
    upload = f"{AJAX}/upload-artifact?run_uuid={produced.run}&path=model/data/twin.json"
    assert live.call("POST", upload, b"{}", who=who).refused
    multipart = {"path": "twin.json", "num_parts": 1}
    assert (
        live.call("POST", f"/api/2.0/mlflow-artifacts/mpu/create/{produced.place}/data", multipart, who=who).status
        >= 400
    )
    assert live.call("GET", f"{ARTIFACTS}/{place}", who=who).body == produced.files["data/twin.json"]


@pytest.mark.artifacts
def test_nobody_uploads_to_the_approved_copies(live: Live, produced: Version) -> None:
    given = live.call("GET", f"/twinops/api/pass?name={play.MODEL}&alias=production", who="scientist").json
    for who in ("scientist", "admin"):
        assert live.put(f"{given['place']}/data/twin.json", b"{}", who=who).refused
        assert live.call("DELETE", f"{ARTIFACTS}/{given['place']}", who=who).refused
    assert (
        live.call("GET", f"{ARTIFACTS}/{given['place']}/data/twin.json", who="scientist").body
        == produced.files["data/twin.json"]
    )


@pytest.mark.artifacts
def test_an_upload_that_began_before_registration_does_not_land_after_it(live: Live) -> None:
    version = live.uploaded(130)
    with socket.create_connection(("127.0.0.1", live.port), timeout=30) as slow:
        import base64

        login = base64.b64encode(f"scientist:{live.passwords['scientist']}".encode()).decode()
        head = (
            f"PUT {ARTIFACTS}/{version.place}/data/twin.json HTTP/1.1",
            f"Host: 127.0.0.1:{live.port}",
            f"Authorization: Basic {login}",
            "Content-Length: 2",
            "Connection: close",
        )
        slow.sendall("\r\n".join(head).encode() + b"\r\n\r\n{")
        time.sleep(0.5)
        made = live.post(f"{API}/model-versions/create", version.request, who="scientist").json["model_version"]
        slow.sendall(b"}")
        answer = slow.recv(65536).decode()
    assert " 403 " in answer.splitlines()[0], answer
    version.version = int(made["version"])
    assert live.shown(version)["problems"] == []
    assert (
        live.call("GET", f"{ARTIFACTS}/{version.place}/data/twin.json", who="scientist").body
        == version.files["data/twin.json"]
    )


@pytest.mark.artifacts
@pytest.mark.parametrize(
    "source",
    [
        "runs:/{run}/model",
        "s3://evil/model",
        "file:///etc",
        "/etc",
        "https://example.org/model",
        "mlflow-artifacts:/{place}/../../x",
        "mlflow-artifacts:/twinops-approved/x",
        "models:/m-0123456789",
    ],
)
def test_only_bytes_of_this_server_are_registered(live: Live, source: str) -> None:
    version = live.uploaded(131)
    told = source.format(run=version.run, place=version.place)
    body = {"name": play.MODEL, "source": told, "run_id": version.run}
    answer = live.call("POST", f"{API}/model-versions/create", body, who="scientist")
    assert answer.refused, answer.body


@pytest.mark.artifacts
def test_bytes_changed_where_they_lie_are_not_served(live: Live) -> None:
    version = live.approved(132, name="tampered")
    assert live.alias(version).status == 200
    given = live.call("GET", "/twinops/api/pass?name=tampered&alias=production", who="scientist").json
    live.change(f"approved/{given['digest']}/data/twin.json", b"{}")
    assert "bytes changed" in sentence(live.resolved("tampered"))
    where = live.call("GET", f"{API}/model-versions/get-download-uri?name=tampered&version=1", who="scientist")
    assert "bytes changed" in sentence(where), "by number too"


@pytest.mark.artifacts
def test_uploaded_bytes_changed_where_they_lie_are_not_approved(live: Live) -> None:
    version = live.registered(134, name="swapped-below")
    assert live.judged(version).status == 200
    live.change(f"mlruns/{version.place}/data/twin.json", b"{}")
    assert live.shown(version)["problems"] != []
    assert "bytes changed" in sentence(live.decided("approve", version))
    where = live.call("GET", f"{API}/model-versions/get-download-uri?name=swapped-below&version=1", who="scientist")
    assert "bytes changed" in sentence(where)


@pytest.mark.artifacts
@pytest.mark.parametrize("where", ["{store}", "{store}/../approved", "{copies}", "s3://elsewhere/x", "/etc", "file:///etc",
                                   "mlflow-artifacts://127.0.0.1:9/x", "hdfs://127.0.0.1:9/x", "gs://x/y", "dbfs:/x",
                                   "models:/twin/1", "ftp://127.0.0.1:9/x"])  # fmt: skip
def test_an_experiment_that_names_a_place_elsewhere_reaches_nothing(live: Live, produced: Version, where: str) -> None:
    """MLflow would read and write there with the server's own keys, and hand out presigned places."""
    store, copies = (f"{live.bucket.address}/{p}" if live.bucket else (live.root / d).as_uri()
                     for p, d in (("mlruns", "mlruns"), ("approved", "registry/approved")))  # fmt: skip
    told = {"name": f"elsewhere {where}", "artifact_location": where.format(store=store, copies=copies)}
    made = live.call("POST", f"{API}/experiments/create", told, who="scientist")
    if made.status != 200:
        assert made.refused, made.body
        return
    before = live.bucket.listed() if live.bucket else sorted((live.root / "registry" / "approved").rglob("*"))
    given = {"experiment_id": made.json["experiment_id"]}
    run = live.post(f"{API}/runs/create", given, who="scientist").json["run"]["info"]["run_id"]
    sealed = f"{produced.place}/data/twin.json"
    for who in ("scientist", "admin"):
        for what in ("upload", "download"):
            body = {"run_id": run, "path": sealed}
            answer = live.call("POST", f"{API}/artifacts/presigned-{what}-url", body, who=who)
            assert answer.status >= 400, answer.body
            assert b"ignature" not in answer.body
        over = live.call("POST", f"{AJAX}/upload-artifact?run_uuid={run}&path={sealed}", b"{}", who=who)
        assert over.refused, over.body
        for answer in (
            live.call("POST", f"{AJAX}/upload-artifact?run_uuid={run}&path=x/evil.txt", b"{}", who=who),
            live.call("GET", f"/get-artifact?run_id={run}&path=passwd", who=who),
        ):
            assert answer.refused or where == "{store}", (answer.status, answer.body)
    after = live.bucket.listed() if live.bucket else sorted((live.root / "registry" / "approved").rglob("*"))
    assert after == before or where == "{store}"
    assert live.call("GET", f"{ARTIFACTS}/{sealed}", who="admin").body == produced.files["data/twin.json"]


@pytest.mark.artifacts
def test_parts_presigned_places_and_climbing_paths_change_nothing(live: Live, produced: Version) -> None:
    place = f"{produced.place}/data"
    for who in ("scientist", "admin"):
        for base in ("/api/2.0/mlflow-artifacts", "/ajax-api/2.0/mlflow-artifacts"):
            for what in ("create", "complete", "abort"):
                told = {"path": "twin.json", "num_parts": 1, "upload_id": "x", "parts": []}
                answer = live.call("POST", f"{base}/mpu/{what}/{place}", told, who=who)
                assert answer.status >= 400, (what, answer.status, answer.body)
            for method in ("GET", "POST", "PUT"):
                answer = live.call(
                    method, f"{base}/presigned/{place}/twin.json", {} if method != "GET" else None, who=who
                )
                assert answer.status >= 400 or b"sig" not in answer.body.lower(), answer.body
        where = f"name={play.MODEL}&version={produced.version}&path=data/twin.json&presigned=true"
        answer = live.call("GET", f"/model-versions/get-artifact?{where}", who=who)
        assert b"ignature" not in answer.body, "MLflow 3.18 answers with a presigned place where its store makes them"
        run = live.uploaded(133, who=who).run
        climbing = ("../" * 4 + "twin.json", f"../../../{place}/twin.json", "%2e%2e/%2e%2e/twin.json", "/etc/x")
        for path in climbing:
            answer = live.call("POST", f"{AJAX}/upload-artifact?run_uuid={run}&path={path}", b"{}", who=who)
            assert answer.refused, (path, answer.status, answer.body)
    assert live.call("GET", f"{ARTIFACTS}/{place}/twin.json", who="admin").body == produced.files["data/twin.json"]
    assert live.shown(produced)["problems"] == []


# other doors


@pytest.mark.parametrize("origin", ["http://localhost:8888", "http://127.0.0.1:9", "https://evil.example", "null"])
def test_pages_of_another_origin_are_refused(live: Live, unapproved: Version, origin: str) -> None:
    body = {"name": play.MODEL, "version": str(unapproved.version), "key": "mine", "value": "1"}
    for method, path, told in (
        ("POST", f"{API}/model-versions/set-tag", body),
        ("POST", "/twinops/api/review", body),
        ("PUT", f"{ARTIFACTS}/1/aa/artifacts/x.txt", b"x"),
        ("GET", "/twinops/api/queue", None),
    ):
        assert live.call(method, path, told, who="admin", Origin=origin).status == 403, path
        assert live.call(method, path, told, who="admin", Sec_Fetch_Site="same-site").status == 403, path
    same = f"http://127.0.0.1:{live.port}"
    assert (
        live.call(
            "POST", f"{API}/model-versions/set-tag", body, who="admin", Origin=same, Sec_Fetch_Site="same-origin"
        ).status
        == 200
    )


@pytest.mark.parametrize(
    "path",
    [
        "/ajax-api/3.0/mlflow/assistant/config",
        "/ajax-api/3.0/mlflow/assistant",
        "//ajax-api/3.0/mlflow/assistant/message",
        "/ajax-api/3.0/jobs",
        "/ajax-api/3.0/%6dlflow/assistant/config",
        "/gateway/x/mlflow/invocations",
    ],
)
def test_the_assistant_jobs_and_the_gateway_are_closed(live: Live, path: str) -> None:
    for method in ("GET", "POST"):
        assert live.call(method, path, {} if method == "POST" else None, who="admin").refused


def python(live: Live, script: str, *, who: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A stock client in a process of its own, without a line of ours on its path."""
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("MLFLOW_", "TWINOPS_", "PYTHON", "PYTEST"))}
    login = {"MLFLOW_TRACKING_USERNAME": who, "MLFLOW_TRACKING_PASSWORD": live.passwords[who]}
    told = {
        **kept,
        **login,
        "MLFLOW_TRACKING_URI": live.address,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PYTHONPATH": str(living.SOURCE),
        **environment,
    }
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        env=told,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.artifacts
def test_stock_clients_over_http_and_on_the_database(live: Live, produced: Version, unapproved: Version) -> None:
    database = (
        live.database.replace("postgresql://", "postgresql+psycopg://")
        if live.database
        else f"sqlite:///{live.root}/mlflow.db"
    )
    script = f"""
import mlflow, json
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
said = {{}}
def attempt(what, call):
    try:
        call(); said[what] = "done"
    except MlflowException as problem:
        said[what] = str(problem)
http = MlflowClient()
other = "{unapproved.version}"
stock = MlflowClient(tracking_uri={database!r}, registry_uri={database!r})
for name, client in (("http", http), ("database", stock)):
    attempt(name + " alias", lambda: client.set_registered_model_alias("twin", "production", other))
    attempt(name + " look-alike", lambda: client.set_registered_model_alias("twin", "Production", other))
    attempt(name + " stage", lambda: client.transition_model_version_stage("twin", other, "Production"))
    attempt(name + " removal", lambda: client.delete_registered_model_alias("twin", "production"))
    attempt(name + " deletion", lambda: client.delete_registered_model("twin"))
    attempt(name + " version", lambda: client.delete_model_version("twin", "{produced.version}"))
    attempt(name + " rename", lambda: client.rename_registered_model("twin", "other"))
said["loaded"] = type(mlflow.pyfunc.load_model("models:/twin@production")).__name__
print(json.dumps(said))
"""
    done = python(live, script, who="scientist")
    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout.splitlines()[-1])
    assert said.pop("loaded") == "PyFuncModel"
    assert {what for what, answer in said.items() if "twinops" not in answer} == set(), said
    assert len(said) == 14


@pytest.mark.artifacts
def test_after_revocation_no_client_loads_it(live: Live) -> None:
    version = live.approved(140, name="revoked")
    assert live.alias(version).status == 200
    assert live.decided("revoke", version, who="scientist").status == 403
    assert live.decided("revoke", version).status == 200
    assert "revoked" in sentence(live.resolved("revoked"))
    assert "revoked" in sentence(live.alias(version))
    assert "revoked" in sentence(live.call("GET", "/twinops/api/pass?name=revoked&alias=production", who="scientist"))


def test_eight_clients_race_and_one_wins_each_time(live: Live) -> None:
    rounds = int(os.environ.get("TWINOPS_RACES", "3"))
    versions = [live.approved(150 + n, name="raced") for n in range(8)]
    for _ in range(rounds):
        etag = live.etag("raced")
        answers = together([partial(status_of, live, v, etag) for v in versions])
        assert sorted(answers).count(200) == 1, answers
        assert set(answers) <= {200, 409}, answers
        assert live.etag("raced") > etag
    log = live.call("GET", "/twinops/api/log", who="dpo").json
    assert [json.loads(e)["seq"] for e in log["entries"]] == list(range(len(log["entries"])))


def status_of(live: Live, version: Version, etag: int) -> int:
    """What one client is answered."""
    return live.promoted(version, etag).status


def together(calls: list[Callable[[], Any]]) -> list[Any]:
    """All at once, answers in order."""
    answers: list[Any] = [None] * len(calls)
    start = threading.Barrier(len(calls))

    def run(n: int) -> None:
        start.wait()
        answers[n] = calls[n]()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.parametrize("path", ["/api/3.0/mlflow/workspaces", "/ajax-api/3.0/mlflow/workspaces"])
def test_workspaces_are_off(live: Live, path: str) -> None:
    for method, where in (("POST", path), ("DELETE", f"{path}/default"), ("DELETE", f"{path}/default?mode=CASCADE")):
        assert live.call(method, where, {"name": "mine"} if method == "POST" else None, who="admin").status >= 400


def test_a_gate_is_resolved_over_http_by_whom_the_policy_names_alone(live: Live) -> None:
    live.activate(ruled.POLICY)
    try:
        version = live.registered(160, name="doubted")
        assert live.judged(version, given=ruled.evidence(ruled.DOUBT, name="doubted")).status == 200
        shown = live.shown(version)
        assert shown["decision"]["blocking"] == ["fairness"]
        body = {**version.which, "gate": "fairness", "reason": ruled.WHY, "days": 30, "digest": shown["digest"]}
        for who in ("scientist", "ci", "dpo", "admin"):
            assert live.call("POST", "/twinops/api/resolve", body, who=who).status == 403, who
        assert live.call("POST", "/twinops/api/resolve", body).status == 401
        for changed in ({"days": 91}, {"digest": None}, {"digest": "0" * 64}, {"reason": "short"}, {"gate": "consent"}):
            assert live.call("POST", "/twinops/api/resolve", {**body, **changed}, who="risk-officer").status == 403, (
                changed
            )
        for changed in ({"days": "many"}, {"days": -1}, {"gate": 7}, {"version": "x"}):
            assert live.call("POST", "/twinops/api/resolve", {**body, **changed}, who="risk-officer").status == 400, (
                changed
            )
        login = {"MLFLOW_TRACKING_USERNAME": "risk-officer", "MLFLOW_TRACKING_PASSWORD": live.passwords["risk-officer"]}
        command = [sys.executable, "-m", "twinops", "--project", str(live.root), "model", "resolve", "doubted", "1"]
        command += ["fairness", "--reason", ruled.WHY, "--days", "20", "--digest", shown["digest"]]
        done = subprocess.run(
            command,
            env=live.environment(TWINOPS_SERVER=live.address, **login),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "fairness resolved until" in done.stdout
        assert live.shown(version)["decision"]["blocking"] == []
        assert live.decided("approve", version).status == 200
        assert live.alias(version).status == 200
        page = live.call("GET", "/twinops/review?name=doubted&version=1", who="risk-officer").body.decode()
        assert "Resolved by risk-officer (risk officer)" in page
        assert "Withdraw the ruling" in page
        assert (
            "Withdraw the ruling"
            not in live.call("GET", "/twinops/review?name=doubted&version=1", who="dpo").body.decode()
        )
        form = form_of(page) | {"act": "withdraw", "gate": "fairness", "reason": ruled.WHY}
        for changed, who in (({"token": "0" * 64}, "risk-officer"), ({}, "scientist"), ({}, "dpo")):
            assert posted(live, {**form, **changed}, who=who).status == 403
        assert posted(live, form, who="risk-officer").status == 200, "led to the page again"
        assert "In the way: fairness" in sentence(live.alias(version))
        assert live.resolved("doubted").status == 200, "what is served goes on being served"
    finally:
        live.activate()


def form_of(page: str) -> dict[str, str]:
    """Hidden fields of the review page's forms."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))


def posted(live: Live, form: dict[str, str], *, who: str) -> living.Answer:
    """The form as a browser sends it."""
    told = urlencode(form).encode()
    kind = "application/x-www-form-urlencoded"
    return live.call("POST", "/twinops/review", told, who=who, Content_Type=kind)


# what is not protected against, shown for what it is


def test_residual_an_administrator_can_take_an_officers_account_and_the_log_tells(live: Live) -> None:
    live.passwords["risk-officer-before"] = live.passwords["risk-officer"]
    body = {"username": "risk-officer", "password": "taken-over-by-admin"}
    assert live.call("PATCH", f"{API}/users/update-password", body, who="admin").status == 200
    live.passwords["risk-officer"] = "taken-over-by-admin"
    log = live.call("GET", "/twinops/api/log", who="dpo").json["entries"]
    assert any("users/update-password" in entry for entry in log)


def test_residual_the_owner_of_the_database_can_drop_a_trigger_and_the_alias_is_not_served(
    live: Live, unapproved: Version
) -> None:
    from sqlalchemy import create_engine, text

    database = (
        live.database.replace("postgresql://", "postgresql+psycopg://")
        if live.database
        else f"sqlite:///{live.root}/mlflow.db"
    )
    engine = create_engine(database)
    on = " ON registered_model_aliases" if live.database else ""
    with engine.begin() as connection:
        before = connection.execute(
            text("SELECT version FROM registered_model_aliases WHERE alias = 'production' AND name = 'twin'")
        ).scalar()
        connection.execute(text(f"DROP TRIGGER twinops_alias_moved{on}"))
        connection.execute(
            text(
                f"UPDATE registered_model_aliases SET version = {unapproved.version}"
                " WHERE alias = 'production' AND name = 'twin'"
            )
        )
    try:
        assert "not set by this server" in sentence(live.resolved()), "detected at resolve, though not prevented"
    finally:
        from twinops.server.registry import triggers

        with engine.begin() as connection:
            connection.execute(
                text(
                    f"UPDATE registered_model_aliases SET version = {before}"
                    " WHERE alias = 'production' AND name = 'twin'"
                )
            )
            triggers.install(connection)
        engine.dispose()


def test_residual_a_stock_client_that_asks_by_number_gets_what_nobody_approved(live: Live, unapproved: Version) -> None:
    where = f"{API}/model-versions/get-download-uri?name={unapproved.name}&version={unapproved.version}"
    answer = live.call("GET", where, who="scientist")
    assert answer.status == 200
    assert answer.json["artifact_uri"] == f"mlflow-artifacts:/{unapproved.place}", "not from the approved copies"
    given = live.call("GET", f"/twinops/api/pass?name={unapproved.name}&alias=staging", who="scientist")
    assert "only those are vouched for" in sentence(given), "our loader asks for a pass and gets none"


@pytest.mark.artifacts
def test_everything_is_still_whole(live: Live) -> None:
    from twinops.governance.log.verify import check

    log = live.call("GET", "/twinops/api/log", who="dpo").json
    notes = [path.read_text() for path in sorted((live.root / "registry" / "checkpoints").glob("*.txt"))]
    key = bytes.fromhex((live.root / "registry" / "registry.pub").read_text())
    found = check([e.encode() for e in log["entries"]], notes, [key], head=(log["size"], log["root"]))
    assert found.faults == ()
    assert "Traceback" not in (live.root / "server.log").read_text()
    assert Path(live.root, "registry", "registry.key").stat().st_mode & 0o077 == 0
