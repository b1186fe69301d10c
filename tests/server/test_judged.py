"""What is judged is what runs, and a pass answers one call: tried from outside, on SQLite and on PostgreSQL."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import live as living
import play
import pytest
from hostile_models import LIGHTGBM
from live import API, ARTIFACTS, Live, Version

from twinops.adapters.registry_client import load, log_memory
from twinops.adapters.registry_client.client import RefusedError
from twinops.errors import ServiceError
from twinops.governance.log.signed_pass import LogState
from twinops.twin.model.model_file import SCHEMA

pytestmark = pytest.mark.pipeline
AJAX = "/ajax-api/2.0/mlflow"
GOOD, OTHER = play.model_files(1)["data/twin.json"], play.model_files(2)["data/twin.json"]
FROM_ELSEWHERE = b"--index-url https://evil.example/simple\nmlflow==3.17.2\n"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def live(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    root = tmp_path_factory.mktemp(request.param)
    database = request.getfixturevalue("postgres").database() if request.param == "postgresql" else None
    with living.serving(root, database) as server:
        yield server


@pytest.fixture(scope="module")
def produced(live: Live) -> Version:
    """What is in production, with a logged model that its run made."""
    version = live.uploaded(10)
    live.call("POST", f"{API}/registered-models/create", {"name": version.name}, who="scientist")
    run = {"run_id": version.run}
    for path, body in (("log-metric", {**run, "key": "auc", "value": 0.8, "timestamp": 1}),
                       ("log-parameter", {**run, "key": "c", "value": "1"}),
                       ("set-tag", {**run, "key": "mine", "value": "1"})):  # fmt: skip
        live.post(f"{API}/runs/{path}", body, who="scientist")
    made = {"experiment_id": live.experiment("scientist"), "name": "y", "source_run_id": version.run}
    version.files["logged"] = (
        live.post(f"{API}/logged-models", made, who="scientist").json["model"]["info"]["model_id"].encode()
    )
    made = live.post(f"{API}/model-versions/create", version.request, who="scientist").json["model_version"]
    version.version = int(made["version"])
    assert live.judged(version).status == 200
    assert live.decided("approve", version).status == 200
    assert live.alias(version).status == 200
    return version


def sentence(answer: living.Answer) -> str:
    assert answer.status == 403, (answer.status, answer.body)
    return str(answer.json["message"])


# what is judged is what runs


def decoys() -> dict[str, tuple[dict[str, bytes], str]]:
    """What lies in the version's folder beside or instead of the play's own, and why it is refused."""
    mlmodel = play.MLMODEL.encode()
    named = mlmodel.replace(b"data/twin.json", b"artifacts/twin.json")
    needless = "files that its loader does not need"
    return {
        "the good one in artifacts/": ({"data/twin.json": OTHER, "artifacts/twin.json": GOOD}, needless),
        "the good one in data/": ({"MLmodel": named, "data/twin.json": GOOD, "artifacts/twin.json": OTHER}, needless),
        "LightGBM text beside": ({"model.lgb": b"tree\n", "data/model.lgb": b"tree\n"}, needless),
        "two flavours, two files": (
            {"MLmodel": LIGHTGBM.replace("lightgbm: {data: model.lgb", "lightgbm: {data: x.lgb").encode(),
             "model.lgb": b"tree\n", "x.lgb": b"tree\n"}, "different files"),
        "a second description": ({"data/MLmodel": mlmodel}, needless),
        "a hidden file": ({".hooks/post": b"x"}, needless),
        "packages from elsewhere": ({"requirements.txt": FROM_ELSEWHERE}, "requirements.txt asks a client for more"),
        "packages by conda": ({"conda.yaml": b"channels: [evil]\n"}, "conda.yaml asks a client for more"),
        "a loader of its own": ({"MLmodel": mlmodel.replace(b"twinops.adapters", b"evil")}, "asks to be loaded by"),
        "an example that unpickles": ({"input_example.pkl": b"x"}, needless),
        "bytes that do not load": ({"data/twin.json": f'{{"schema": "{SCHEMA}"}}'.encode()}, "does not load"),
        "a nest without end": ({"data/twin.json": b"[" * 200_000}, "does not load"),
    }  # fmt: skip


@pytest.mark.parametrize("what", decoys())
def test_a_version_is_one_file_that_loads_and_its_description(live: Live, what: str) -> None:
    files, told = decoys()[what]
    version = live.registered(files={**play.model_files(1), **files}, name="decoy")
    for content in (GOOD, version.files["data/twin.json"]):
        assert told in sentence(evidence(live, version, content))
    assert sentence(live.decided("approve", version))
    assert sentence(live.alias(version))


def evidence(live: Live, version: Version, model: bytes) -> living.Answer:
    """The gate runner's evidence about a file with this content."""
    body = play.handed(model, name=version.name)
    return live.call("POST", "/twinops/api/evidence", {**body, **version.which}, who="ci")


def test_evidence_about_another_file_of_the_version_is_refused(live: Live) -> None:
    version = live.registered(3, name="another-file")
    assert "than the one a loader opens" in sentence(evidence(live, version, version.files["MLmodel"]))
    assert evidence(live, version, version.files["data/twin.json"]).status == 200
    log = live.call("GET", "/twinops/api/log", who="dpo").json["entries"]
    told = [json.loads(e)["about"] for e in log if '"kind":"evidence' in e]
    assert told[-1]["digest"] == live.call("GET", f"/twinops/api/version?name={version.name}&version=1",
                                           who="dpo").json["digests"]["model"]  # fmt: skip


@pytest.mark.filterwarnings("default")  # MLflow deprecates its own parts
def test_what_register_writes_itself_passes_and_loads(live: Live, tmp_path: Path) -> None:
    from twinops.adapters.mlflow import registry

    (tmp_path / "twin.json").write_bytes(GOOD)
    assert registry.save(tmp_path / "twin.json", tmp_path / "model")
    there = (p for p in (tmp_path / "model").rglob("*") if p.is_file())
    files = {p.relative_to(tmp_path / "model").as_posix(): p.read_bytes() for p in there}
    assert {"requirements.txt", "conda.yaml", "input_example.json"} <= set(files)
    version = live.approved(files=files, name="whole")
    assert live.alias(version).status == 200


@pytest.mark.parametrize("how", ["symlink", "hard link", "changed", "added", "gone"])
def test_a_version_whose_files_are_not_as_registered_is_not_approved(live: Live, how: str, tmp_path: Path) -> None:
    version = live.registered(4, name="tampered")
    assert live.judged(version).status == 200
    tamper(live.root / "mlruns" / version.place, how, tmp_path)
    assert "does not load as it was registered" in sentence(evidence(live, version, version.files["data/twin.json"]))
    assert sentence(live.decided("approve", version))
    number = f"{API}/model-versions/get-download-uri?name=tampered&version={version.version}"
    assert "not served" in sentence(live.call("GET", number, who="scientist"))


@pytest.mark.parametrize("how", ["symlink", "hard link"])
def test_links_are_not_registered(live: Live, how: str, tmp_path: Path) -> None:
    version = live.uploaded(5, name="linked")
    live.call("POST", f"{API}/registered-models/create", {"name": "linked"}, who="scientist")
    tamper(live.root / "mlruns" / version.place, how, tmp_path)
    assert "link" in sentence(live.call("POST", f"{API}/model-versions/create", version.request, who="scientist"))


def test_a_folder_behind_a_link_is_not_registered(live: Live) -> None:
    version = live.uploaded(6, name="linked")
    folder = live.root / "mlruns" / version.place
    folder.rename(folder.with_name("elsewhere"))
    folder.symlink_to(folder.with_name("elsewhere"))
    live.call("POST", f"{API}/registered-models/create", {"name": "linked"}, who="scientist")
    assert "link" in sentence(live.call("POST", f"{API}/model-versions/create", version.request, who="scientist"))


@pytest.mark.parametrize("how", ["symlink", "hard link", "changed", "added", "gone", "uploading"])
def test_an_approval_and_its_grant_lapse_while_the_served_bytes_are_others(
    live: Live, produced: Version, how: str, tmp_path: Path
) -> None:
    copy = live.root / "registry" / "approved" / live.call(
        "GET", f"/twinops/api/pass?name={play.MODEL}&alias=production", who="scientist"
    ).json["digest"]  # fmt: skip
    before = {p: p.read_bytes() for p in copy.rglob("*") if p.is_file()}
    tamper(copy, how, tmp_path)
    try:
        assert "may not be" in sentence(live.resolved()) or "not served" in sentence(live.resolved())
        assert sentence(live.call("GET", f"/twinops/api/pass?name={play.MODEL}&alias=production", who="scientist"))
    finally:
        for path in [p for p in copy.rglob("*") if not p.is_dir() or p.is_symlink()]:
            path.unlink()
        for path, content in before.items():
            path.write_bytes(content)
    assert live.resolved().status == 200


def tamper(folder: Path, how: str, aside: Path) -> None:
    """What somebody with the disk could do to a file of the model."""
    data = folder / "data" / "twin.json"
    content = data.read_bytes()
    data.chmod(0o644)
    if how == "changed":
        data.write_bytes(content + b" ")
    elif how == "added":
        (folder / ".more").write_text("x")
    elif how == "uploading":
        (folder / ".artifact.uploading.1").write_text("x")
    elif how == "hard link":
        os.link(data, folder.with_name(f"second-{folder.name}-{aside.name}"))
    else:
        data.unlink()
        if how == "symlink":
            (aside / "twin.json").write_bytes(content)
            data.symlink_to(aside / "twin.json")


def test_a_version_names_the_run_that_made_it(live: Live, produced: Version) -> None:
    version = live.uploaded(7, name="borrowed")
    live.call("POST", f"{API}/registered-models/create", {"name": "borrowed"}, who="scientist")
    body = {**version.request, "run_id": produced.run}
    answer = live.call("POST", f"{API}/model-versions/create", body, who="admin")
    assert (answer.status, "must identify the resource that contains" in answer.json["message"]) == (400, True)


# the run behind it


def edits(live: Live, version: Version) -> list[tuple[str, str, Any]]:
    """Method, path and body of every way to change a run, its logged model or its experiment."""
    run, model = {"run_id": version.run}, version.files["logged"].decode()
    metric = {"key": "auc", "value": 0.99, "timestamp": 2, "step": 1}
    batch = {**run, "metrics": [metric], "params": [{"key": "d", "value": "2"}], "tags": [{"key": "t", "value": "v"}]}
    data = {"dataset": {"name": "d", "digest": "1", "source_type": "x", "source": "{}"}}
    return [
        ("POST", "/runs/log-metric", {**run, **metric}),
        ("POST", "/runs/log-parameter", {**run, "key": "d", "value": "2"}),
        ("POST", "/runs/set-tag", {**run, "key": "mine", "value": "2"}),
        ("POST", "/runs/set-tag", {**run, "key": "mlflow.note.content", "value": "better"}),
        ("POST", "/runs/delete-tag", {**run, "key": "mine"}),
        ("POST", "/runs/log-batch", batch),
        ("POST", "/runs/log-inputs", {**run, "datasets": [data]}),
        ("POST", "/runs/outputs", {**run, "models": [{"model_id": model, "step": 0}]}),
        ("POST", "/runs/update", {**run, "status": "FAILED", "end_time": 5}),
        ("POST", "/runs/update", {**run, "run_name": "another"}),
        ("POST", "/runs/delete", run),
        ("POST", "/experiments/delete", {"experiment_id": live.experiment("scientist")}),
        ("POST", f"/logged-models/{model}/params", {"model_id": model, "params": [{"key": "a", "value": "b"}]}),
        ("PATCH", f"/logged-models/{model}/tags", {"tags": [{"key": "a", "value": "b"}]}),
        ("PATCH", f"/logged-models/{model}", {"model_id": model, "status": "LOGGED_MODEL_READY"}),
        ("DELETE", f"/logged-models/{model}", None),
        ("POST", "/logged-models", {"experiment_id": live.experiment("scientist"), "source_run_id": version.run}),
    ]


@pytest.mark.parametrize("who", ["scientist", "admin"])
@pytest.mark.parametrize("api", [API, AJAX])
def test_the_run_and_the_logged_model_behind_production_stay(live: Live, produced: Version, who: str, api: str) -> None:
    shown = f"{API}/runs/get?run_id={produced.run}"
    before = live.call("GET", shown, who="scientist").json
    for method, path, body in edits(live, produced):
        answer = live.call(method, api + path, body, who=who)
        assert answer.refused, (path, answer.status, answer.body)
        if answer.status != 404:  # the same route has no twin under /ajax-api
            assert who == "scientist" or "stands behind a version that was judged" in sentence(answer), (path, body)
    assert live.call("GET", shown, who="scientist").json == before
    assert live.resolved().status == 200
    log = live.call("GET", "/twinops/api/log", who="dpo").json["entries"]
    assert any('"act":"edit a run"' in entry and "runs/delete" in entry for entry in log)


@pytest.mark.parametrize("who", ["scientist", "admin"])
def test_nothing_is_put_beside_the_model_in_that_run(live: Live, produced: Version, who: str) -> None:
    top = produced.place.rpartition("/")[0]
    for path in ("reports/evidence.json", "notes.txt", "tastes/MLmodel"):
        assert "stay" in sentence(live.put(f"{top}/{path}", b"{}", who=who))
        assert live.call("DELETE", f"{ARTIFACTS}/{top}/{path}", who=who).refused


def test_mlflows_own_note_of_versions_and_other_runs_stay_free(live: Live, produced: Version) -> None:
    note = {"tags": [{"key": "mlflow.modelVersions", "value": "[]"}]}
    where = f"{API}/logged-models/{produced.files['logged'].decode()}/tags"
    assert live.call("PATCH", where, note, who="scientist").status == 200
    free = live.registered(8, name="free")
    metric = {"run_id": free.run, "key": "auc", "value": 0.5, "timestamp": 1}
    assert live.call("POST", f"{API}/runs/log-metric", metric, who="scientist").status == 200
    assert live.judged(free).status == 200
    assert "stands behind" in sentence(live.call("POST", f"{API}/runs/log-metric", metric, who="scientist"))


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE runs SET lifecycle_stage = 'deleted' WHERE run_uuid = '{run}'",
        "DELETE FROM runs WHERE run_uuid = '{run}'",
        "UPDATE metrics SET value = 1 WHERE run_uuid = '{run}'",
        "DELETE FROM latest_metrics WHERE run_uuid = '{run}'",
        "UPDATE params SET value = '9' WHERE run_uuid = '{run}'",
        "DELETE FROM tags WHERE run_uuid = '{run}'",
        "DELETE FROM logged_models WHERE source_run_id = '{run}'",
        "UPDATE params SET run_uuid = '{run}', key = 'z' WHERE run_uuid <> '{run}'",
    ],
)
def test_plain_sql_on_the_database_is_refused_too(live: Live, produced: Version, sql: str) -> None:
    from sqlalchemy import create_engine, text
    from sqlalchemy.exc import DBAPIError

    other = live.uploaded(9)
    body = {"run_id": other.run, "key": "k", "value": "v"}
    live.post(f"{API}/runs/log-parameter", body, who="scientist")
    address = live.database.replace("postgresql://", "postgresql+psycopg://") if live.database else None
    engine = create_engine(address or f"sqlite:///{live.root}/mlflow.db")
    try:
        with pytest.raises(DBAPIError, match="stands behind a version"), engine.begin() as connection:
            connection.execute(text(sql.format(run=produced.run)))
    finally:
        engine.dispose()


@pytest.mark.filterwarnings("default")  # MLflow deprecates its own parts
def test_new_evidence_on_the_same_key_begins_another_run_where_the_first_was_judged(tmp_path: Path) -> None:
    from twinops.adapters.mlflow.tracking import MlflowTracking
    from twinops.server.registry import callers

    store, tracking = play.open_store(tmp_path), MlflowTracking(tmp_path)
    told = {"key": "a" * 64, "params": {"c": 1}, "files": {}}
    first = tracking.record(**told, metrics={"auc": 0.8}, tags={"twinops.evidence": "one"})
    assert tracking.record(**told, metrics={"auc": 0.9}, tags={"twinops.evidence": "two"}) == first, "not judged yet"
    place = f"1/{first}/artifacts/model"
    for path, content in play.model_files(1).items():
        target = store.home.artifacts / place / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    with callers.acting("scientist"):
        store.create_registered_model(play.MODEL)
        play.with_evidence(store, store.create_model_version(play.MODEL, f"mlflow-artifacts:/{place}", first))
    second = tracking.record(**told, metrics={"auc": 0.7}, tags={"twinops.evidence": "three"})
    assert second != first
    assert tracking.record(**told, metrics={"auc": 0.6}, tags={"twinops.evidence": "four"}) == second
    assert tracking.find("a" * 64, tags={"twinops.evidence": "two"}) == first, "the judged run is as it was"


# passes, through somebody in the middle


class Middle(ThreadingHTTPServer):
    """Somebody between client and server, over plain HTTP: forwards, keeps what went by, and answers as told."""

    def __init__(self, server: Live) -> None:
        super().__init__(("127.0.0.1", 0), Passing)
        self.server, self.kept = server, dict[str, bytes]()
        self.answer: Callable[[str], bytes | None] = lambda _path: None
        self.ask: Callable[[str], str] = lambda path: path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Passing(BaseHTTPRequestHandler):
    server: Middle

    def do_GET(self) -> None:
        told = self.server.answer(self.path)
        status = 200
        if told is None:
            status, told = self._forwarded(self.server.ask(self.path))
        self.send_response(status)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def _forwarded(self, path: str) -> tuple[int, bytes]:
        login = {"Authorization": self.headers["Authorization"]}
        request = urllib.request.Request(self.server.server.address + path, headers=login)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                self.server.kept[path.split("&nonce", 1)[0]] = told = answer.read()
                return answer.status, told
        except urllib.error.HTTPError as problem:
            return problem.code, problem.read()

    def log_message(self, *_words: Any) -> None:
        """Quiet."""


@contextmanager
def between(live: Live) -> Iterator[Middle]:
    middle = Middle(live)
    thread = threading.Thread(target=middle.serve_forever, daemon=True)
    thread.start()
    try:
        yield middle
    finally:
        middle.shutdown()
        middle.server_close()


@pytest.fixture
def middle(live: Live, produced: Version, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Middle]:
    """Between a reader and the server, where something is in production to be asked for."""
    assert produced.version
    monkeypatch.setattr(log_memory, "_here", {})
    with between(live) as server:
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
        monkeypatch.setenv("TWINOPS_SERVER", server.address)
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "scientist")
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", live.passwords["scientist"])
        yield server


def verify(live: Live, uri: str = "twin@production", **more: Any) -> load.Verified:
    with load.verified(uri, key=live.root / "registry" / "registry.pub", **more) as found:
        return found


def test_an_honest_call_through_a_proxy_is_answered(live: Live, produced: Version, middle: Middle) -> None:
    assert verify(live).version == produced.version
    assert verify(live, version=produced.version).ends is None
    with pytest.raises(RefusedError, match="points to version"):
        verify(live, version=produced.version + 1)
    assert type(load.load("twin@production", key=live.root / "registry" / "registry.pub")).__name__ == "TwinPredictor"


def test_a_kept_pass_answers_no_later_call(live: Live, middle: Middle) -> None:
    version = live.approved(20, name="fleeting")
    assert live.alias(version).status == 200
    assert verify(live, "fleeting@production").version == version.version
    old = {path: told for path, told in middle.kept.items() if "fleeting" in path or "approved" in path}
    assert live.decided("revoke", version).status == 200
    with pytest.raises(RefusedError, match="revoked"):
        verify(live, "fleeting@production")
    middle.answer = lambda path: old.get(path.split("&nonce", 1)[0])
    with pytest.raises(RefusedError, match="does not answer this call"):
        verify(live, "fleeting@production")
    with pytest.raises(RefusedError, match="does not answer this call"):
        load.load("fleeting@production", key=live.root / "registry" / "registry.pub")
    done = subprocess.run(
        [sys.executable, "-m", "twinops", "model", "verify", "fleeting@production", "--key",
         str(live.root / "registry" / "registry.pub")],
        env=live.environment(TWINOPS_SERVER=middle.address, XDG_STATE_HOME=os.environ["XDG_STATE_HOME"],
                             MLFLOW_TRACKING_USERNAME="scientist",
                             MLFLOW_TRACKING_PASSWORD=live.passwords["scientist"]),
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert (done.returncode, "does not answer this call" in done.stderr) == (10, True), done.stderr


def test_another_models_pass_is_refused_though_it_is_made_for_this_call(live: Live, middle: Middle) -> None:
    other = live.approved(21, name="other")
    assert live.alias(other).status == 200
    middle.ask = lambda path: path.replace("name=twin", "name=other")
    with pytest.raises(RefusedError, match="for the name 'other', not for 'twin'"):
        verify(live)


def test_a_pass_without_this_calls_nonce_is_refused(live: Live, middle: Middle) -> None:
    middle.ask = lambda path: path.split("&nonce", 1)[0]
    with pytest.raises(RefusedError, match="does not answer this call"):
        verify(live)
    middle.ask = lambda path: path.split("&nonce", 1)[0] + "&nonce=x"
    with pytest.raises(ServiceError, match="hexadecimal digits"):
        verify(live)


def test_a_log_that_went_back_is_noticed_by_who_saw_it_longer(live: Live, middle: Middle) -> None:
    key = bytes.fromhex((live.root / "registry" / "registry.pub").read_text())
    verify(live)
    known = log_memory.recall(key)
    assert known is not None
    assert known.size > 5
    log_memory.remember(key, LogState(known.size + 1_000, "later"))
    with pytest.raises(RefusedError, match="went back in time"):
        verify(live)
    log_memory.place(key).unlink()
    log_memory._here.clear()
    assert verify(live).name == "twin"


def test_answers_that_mean_two_things_or_never_end_are_no_answers(live: Live, middle: Middle) -> None:
    verify(live)
    told = next(told for path, told in middle.kept.items() if "/pass?" in path)
    for text in (told.replace(b'"version"', b'"version": 1, "version"', 1), b"[" * 100_000, b"[]", b"<html>"):
        middle.answer = lambda path, text=text: text if "/pass?" in path else None  # type: ignore[misc]
        with pytest.raises(ServiceError, match="no JSON"):
            verify(live)


def test_other_bytes_than_the_pass_names_are_refused(live: Live, middle: Middle) -> None:
    middle.answer = lambda path: OTHER if path.endswith("/data/twin.json") else None
    with pytest.raises(RefusedError, match="not those that were approved"):
        verify(live)


def test_an_exported_bundle_tells_its_end(live: Live, produced: Version, middle: Middle, tmp_path: Path) -> None:
    key = live.root / "registry" / "registry.pub"
    made = load.export("twin@production", tmp_path / "bundle", key=key)
    assert made.ends is not None
    assert hashlib.sha256((tmp_path / "bundle/model/data/twin.json").read_bytes()).hexdigest() == (
        hashlib.sha256(produced.files["data/twin.json"]).hexdigest()
    )
    assert verify(live, str(tmp_path / "bundle")).ends == made.ends
    (tmp_path / "bundle" / ".more").write_text("x")
    with pytest.raises(RefusedError, match="holds more or less"):
        verify(live, str(tmp_path / "bundle"))
