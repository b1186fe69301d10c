"""The day of a release by the command line: hand in, decide, promote, load, revoke, and ask the log what happened."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import candidate
import live as living
import play
import preloaded
import pytest
import yaml
from live import Live

from twinops.adapters.dvc.lock_file import DvcStore
from twinops.adapters.registry_client.audit_source import checkpoints_in_git
from twinops.adapters.registry_client.client import Door, RefusedError
from twinops.governance.log import checkpoint
from twinops.server.registry.expiring import claimed
from twinops.server.registry.home import Home
from twinops.server.registry.outbox import NOTES_WAIT, Outbox

pytestmark = pytest.mark.pipeline
HEARD: list[dict[str, Any]] = []


class Listener(BaseHTTPRequestHandler):
    """The other end of the webhook."""

    def do_POST(self) -> None:
        HEARD.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_words: Any) -> None:
        pass


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    root = tmp_path_factory.mktemp("project")
    places = candidate.make_candidate(root)
    stage_of_pictures(root)
    given = replace(play.evidence(), key=DvcStore(root).candidate_key())
    candidate.write(places.evidence, given.to_json())
    for name, text in play.documents(given).items():
        candidate.write(root / "model_cards" / "twin" / name, text)
    candidate.write(root / "play-policy.yaml", play.POLICY)
    candidate.write(root / ".git" / "info" / "exclude", "server.log\n")
    (root / "compliance" / "offices.yaml").write_text(play.OFFICES.replace("scientist@example.org", "t@example.org"))
    candidate.git(root, "add", "-A")
    candidate.commit(root)
    hook = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    play.copy_migrated(root)
    server = Live(root, living.free_port(), None)
    try:
        server.start(TWINOPS_WEBHOOK_URL=f"http://127.0.0.1:{hook.server_port}/")
        yield server
    finally:
        server.stop()
        hook.shutdown()
        hook.server_close()


def stage_of_pictures(root: Path) -> None:
    """The first stage of what is judged; it drew the picture."""
    command, picture = "twinops run features", "reports/figures/accuracy.png"
    pipeline, lock = (yaml.safe_load((root / name).read_text()) for name in ("dvc.yaml", "dvc.lock"))
    pipeline["stages"] = {name: {"cmd": stage["cmd"]} for name, stage in lock["stages"].items()}
    pipeline["stages"]["features"] = {"cmd": command, "outs": [picture]}
    md5 = candidate.md5((root / picture).read_bytes())
    lock["stages"]["features"] = {"cmd": command, "outs": [{"path": picture, "md5": md5}]}
    for name, told in (("dvc.yaml", pipeline), ("dvc.lock", lock)):
        candidate.write(root / name, yaml.safe_dump(told))


def twinops(
    live: Live, *words: str, who: str = "scientist", at: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """One command, as somebody."""
    login = {"MLFLOW_TRACKING_USERNAME": who, "MLFLOW_TRACKING_PASSWORD": live.passwords[who]}
    told = live.environment(TWINOPS_SERVER=live.address, **login)
    return preloaded.run(["--project", str(live.root), *words], at=at or live.root, told=told)


def done(live: Live, *words: str, who: str = "scientist") -> str:
    answer = twinops(live, *words, who=who)
    assert answer.returncode == 0, (words, answer.stdout, answer.stderr)
    return answer.stdout


def test_a_release_from_registration_to_revocation(live: Live) -> None:
    root = live.root
    # the scientist writes the run and registers the version through the server; a second time changes nothing
    done(live, "track")
    assert "version 1, made" in done(live, "register")
    assert "version 1, known already" in done(live, "register")
    answer = twinops(live, "model", "promote", "twin", "1")
    assert (answer.returncode, "not approved" in answer.stderr) == (10, True), answer.stderr

    # no policy is active yet: nothing passes; the risk officer activates one, nobody else can
    assert twinops(live, "policy", "activate", "play-policy.yaml", "--yes", who="admin").returncode == 10
    shown = twinops(live, "policy", "activate", "play-policy.yaml", who="risk-officer")
    assert (shown.returncode, "Policy play judges from now" in shown.stderr) == (2, True), (
        "it asks, and nobody answered"
    )
    done(live, "policy", "activate", "play-policy.yaml", "--yes", who="risk-officer")

    # nor does evidence count before she says what measures
    assert twinops(live, "judge", "activate", "--yes").returncode == 10
    shown = twinops(live, "judge", "activate", who="risk-officer")
    assert (shown.returncode, "measure from now, digest" in shown.stderr) == (2, True), "it asks, and nobody answered"
    assert "active" in done(live, "judge", "activate", "--yes", who="risk-officer")
    assert "Nothing changes." in twinops(live, "judge", "activate", who="risk-officer").stderr

    # only the gate runner hands in evidence, and nobody without a forced run
    answer = twinops(live, "model", "evidence", "twin", "1")
    assert (answer.returncode, "Only a gate runner" in answer.stderr) == (10, True), answer.stderr
    with pytest.raises(RefusedError, match="forced run"):
        forced(live, told=False)
    forced(live)
    shown = json.loads(done(live, "model", "show", "twin", "1", "--json", who="risk-officer"))
    assert shown["contributors"] == ["scientist"], "registrar, uploader, run owner and git author are one person"
    digest = json.loads(done(live, "model", "show", "twin", "1", "--json"))["digest"]

    # the officer decides on what she read, and the scientist promotes
    words = ("model", "review", "twin", "1", "approve", "--reason", play.PLAY, "--digest", digest)
    assert twinops(live, *words).returncode == 10
    done(live, *words, who="risk-officer")
    assert "version 1 (ETag" in done(live, "model", "promote", "twin", "1")

    # it is verified and loaded, online and from a bundle on a machine without the server
    assert "signed, unchanged, approved" in done(live, "model", "verify", "twin@production")
    done(live, "model", "export", "twin@production", "--into", str(root / "bundle"))
    offline = {n: v for n, v in os.environ.items() if not n.startswith(("TWINOPS_", "MLFLOW_"))}
    bundle, key = str(root / "bundle"), str(root / "registry" / "registry.pub")
    script = f"import twinops; print(type(twinops.load({bundle!r}, key={key!r})).__name__)"
    told = {**offline, "PYTHONPATH": str(living.SOURCE)}
    loaded = subprocess.run([sys.executable, "-c", script], env=told, capture_output=True, text=True, check=False)
    assert loaded.stdout.strip() == "TwinPredictor", loaded.stderr
    shutil.copytree(root / "bundle", root / "kept")
    (root / "bundle" / "model" / "data" / "twin.json").write_text("{}")
    assert twinops(live, "model", "verify", str(root / "bundle")).returncode == 10

    # revoked: refused everywhere
    done(live, "model", "review", "twin", "1", "revoke", "--reason", play.PLAY, who="risk-officer")
    assert "revoked" in twinops(live, "model", "verify", "twin@production").stderr
    assert twinops(live, "model", "promote", "twin", "1").returncode == 10

    # what is not protected against: a bundle knows nothing of a revocation after it was made
    assert "signed, unchanged, approved" in done(live, "model", "verify", str(root / "kept"))


def forced(live: Live, *, told: bool = True) -> None:
    """The gate runner's forced run, without DVC: the same evidence, said to be forced (test_forced.py really runs)."""
    from twinops.adapters.registry_client import gate_runner

    class Says(Door):
        def post(self, route: str, **body: Any) -> dict[str, Any]:
            return super().post(route, **{**body, "forced": told})

    door = Says(live.address, "ci", live.passwords["ci"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gate_runner, "forced_run", lambda _candidate: {})
        patch.setattr(gate_runner.Door, "from_environment", lambda: door)
        gate_runner.hand_in(live.root, DvcStore(live.root), "twin", 1)


def test_the_log_tells_the_day_and_finds_a_change(live: Live, tmp_path: Path) -> None:
    from datetime import UTC, datetime

    assert "Nothing was changed" in done(live, "audit", "verify")
    told = done(live, "audit", "at", datetime.now(UTC).date().isoformat())
    assert "twin@production: version 1" in told
    assert "approved by risk-officer" in told
    assert "revoked" in told
    assert "refused" in done(live, "audit", "show", "--last", "0")
    done(live, "audit", "export", "--into", str(tmp_path / "log.jsonl"))
    own = (
        "--checkpoints",
        str(live.root / "registry" / "checkpoints"),
        "--key",
        str(live.root / "registry" / "registry.pub"),
    )
    done(live, "audit", "verify", "--export", str(tmp_path / "log.jsonl"), *own)
    text = (tmp_path / "log.jsonl").read_text()
    assert "scientist" not in text
    for name, changed in (
        ("edited", text.replace('"forced":true', '"forced":false')),
        ("cut", "\n".join(text.splitlines()[:-3])),
    ):
        (tmp_path / name).write_text(changed)
        answer = twinops(live, "audit", "verify", "--export", str(tmp_path / name), *own)
        assert answer.returncode == 4, (name, answer.stdout)


def test_checkpoints_are_git_notes_too(live: Live) -> None:
    notes = lambda: candidate.git(live.root, "notes", "--ref=twinops-audit", "show", "HEAD")  # noqa: E731
    play.wait_until(lambda: notes().count("twinops-registry\n") >= 3, seconds=20)
    shutil.rmtree(live.root / "registry" / "checkpoints")
    answer = twinops(live, "audit", "verify", "--json")
    told = json.loads(answer.stdout)
    assert (told["faults"], told["witnessed"] > 0) == ([], True), "the notes alone witness the log"


def test_checkpoints_of_a_second_are_one_note_of_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TWINOPS_NO_GIT_NOTES", raising=False)
    candidate.git(tmp_path, "init", "-q")
    about = ("-c", "user.name=play", "-c", "user.email=play@example.org")
    candidate.git(tmp_path, *about, "commit", "-q", "--allow-empty", "-m", "a play")
    key = Home(tmp_path).key
    signed = [checkpoint.signed(checkpoint.Checkpoint("twinops-registry", n, bytes(32)), key) for n in range(1, 31)]
    made = Outbox(tmp_path)
    for note in signed:
        made.checkpoint(note)
    play.wait_until(lambda: checkpoints_in_git(tmp_path) != [], seconds=20)
    assert checkpoints_in_git(tmp_path) == signed
    assert candidate.git(tmp_path, "rev-list", "--count", "refs/notes/twinops-audit").strip() == "1"
    made.checkpoint(signed[-1])
    time.sleep(NOTES_WAIT + 1)
    assert checkpoints_in_git(tmp_path) == signed, "what stands there is not added again"


def test_the_webhook_heard_of_it_without_names_or_reasons(live: Live) -> None:
    play.wait_until(lambda: "review.revoked" in [h["event"] for h in HEARD], seconds=20)
    kinds = [h["event"] for h in HEARD]
    assert {"evidence.recorded", "review.approved", "alias.set"} <= set(kinds)
    assert play.PLAY not in json.dumps(HEARD)
    assert "risk-officer" not in json.dumps(HEARD)


def test_what_is_about_to_expire_is_told(live: Live, tmp_path: Path) -> None:
    from datetime import UTC, datetime, timedelta

    from twinops.server.registry.expiring import expiring

    store = play.open_store(tmp_path)
    play.set_alias(store, play.approved(store, 1))
    with store.reading() as now:
        assert expiring(now) == []
        found = expiring(replace(now, now=datetime.now(UTC) + timedelta(days=170)))
    assert [(e["event"], e["version"]) for e in found] == [("approval.expiring", 1)]
    store._dispose_engine()


def test_of_several_workers_one_tells_what_expires(tmp_path: Path) -> None:
    from concurrent.futures import ProcessPoolExecutor
    from datetime import date

    home = Home(tmp_path)
    with ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("fork")) as workers:
        for day in (date(2026, 11, 23), date(2026, 11, 24)):
            assert sorted(workers.map(claimed, [home] * 9, [day] * 9)) == [False] * 8 + [True]
    assert not claimed(home, date(2026, 11, 24)), "a server that starts again does not tell again"
