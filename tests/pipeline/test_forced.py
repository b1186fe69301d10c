"""The gate runner's real forced run: everything anew with an empty cache, and only then evidence is recorded."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import live as living
import play
import pytest
from live import Live
from workshop import Workshop

from twinops.adapters.registry_client import gate_runner
from twinops.adapters.registry_client.gate_runner import Candidate
from twinops.errors import DataError, ServiceError

pytestmark = pytest.mark.pipeline
OFFICES = play.OFFICES.replace("scientist@example.org", "t@example.org")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    root = tmp_path_factory.mktemp("registry")
    (root / "compliance").mkdir()
    (root / "compliance" / "offices.yaml").write_text(OFFICES)
    server = Live(root, living.free_port(), None)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def login(live: Live, who: str) -> dict[str, str]:
    about = {"MLFLOW_TRACKING_USERNAME": who, "MLFLOW_TRACKING_PASSWORD": live.passwords[who]}
    return {"TWINOPS_SERVER": live.address, **about}


def test_a_forced_run_in_a_clone_is_recorded_and_judged(ran: Workshop, live: Live, tmp_path: Path) -> None:
    mine = Workshop(tmp_path / "scientist")
    shutil.copytree(ran.root, mine.root)
    mine.do("twinops", "policy", "activate", "compliance/policy.yaml", "--yes", **login(live, "risk-officer"))
    mine.do("twinops", "judge", "activate", "--yes", **login(live, "scientist"), expect=10)
    mine.do("twinops", "judge", "activate", "--yes", **login(live, "risk-officer"))
    assert ": 0 difference(s)" in mine.do("twinops", "judge", "show", **login(live, "scientist"))
    for words in (("track",), ("register",)):
        mine.do("twinops", *words, **login(live, "scientist"))

    ci = Workshop(tmp_path / "ci")
    mine.do("git", "clone", "-q", str(mine.root), str(ci.root))
    said = ci.do("twinops", "model", "evidence", "twin", "1", expect=10, **login(live, "scientist"))
    assert "Only a gate runner" in said
    assert "Running stage" not in said, "asked before two minutes of work"

    said = ci.do("twinops", "model", "evidence", "twin", "1", **login(live, "ci"))
    ran_now = {line.split("'")[1] for line in said.splitlines() if line.startswith("Running stage")}
    assert ran_now == set(ci.lock()), "every stage ran"
    assert "cached" not in said.lower()
    assert not (ci.root / ".dvc" / "config.local").exists()
    assert not list((ci.root / ".dvc" / "cache").rglob("*")) if (ci.root / ".dvc" / "cache").exists() else True
    assert ci.do("git", "status", "--porcelain") == ""

    made = json.loads(ci.do("twinops", "model", "show", "twin", "1", "--json", **login(live, "ci")))["judge"]
    assert (made["differs"], made["own_runner"]) == ([], False)
    shown = json.loads(ci.do("twinops", "model", "show", "twin", "1", "--json", **login(live, "risk-officer")))
    assert shown["commit"] == ci.do("git", "rev-parse", "HEAD").strip()
    assert shown["problems"] == []
    assert (shown["separated"], shown["contributors"], shown["unknown"]) == (True, ["scientist"], [])
    assert "dpia" in [v["id"] for v in shown["decision"]["verdicts"]]
    log = live.call("GET", "/twinops/api/log", who="dpo").json["entries"]
    made = [e for e in map(json.loads, log) if e["kind"] == "evidence.recorded"]
    assert [(e["about"]["forced"], e["about"]["version"]) for e in made] == [(True, 1)]

    # a result that was touched up and committed does not come out of a forced run
    lock = ci.root / "dvc.lock"
    model = ci.lock()["train"]["outs"][0]["md5"]
    lock.write_text(lock.read_text().replace(model, "0" * 32))
    frozen = ci.root / "dvc.yaml"
    frozen.write_text(frozen.read_text().replace("  train:\n", "  train:\n    frozen: true\n", 1))
    ci.commit("touched up")
    said = ci.do("twinops", "model", "evidence", "twin", "1", expect=5, **login(live, "ci"))
    assert "train is frozen" in said
    assert len([e for e in live.call("GET", "/twinops/api/log", who="dpo").json["entries"] if "evidence.rec" in e]) == 1


def small(root: Path, *, command: str) -> Workshop:
    """A project of one stage, committed after its run."""
    workshop = Workshop(root)
    root.mkdir()
    (root / "reports").mkdir()
    (root / "model_cards").mkdir()
    (root / "dvc.yaml").write_text(f"stages:\n  one:\n    cmd: {command}\n    outs: [reports/out.txt]\n")
    workshop.do("git", "init", "-q", "-b", "main")
    workshop.do("dvc", "init", "-q")
    workshop.repro()
    workshop.commit()
    return workshop


def forced(workshop: Workshop) -> None:
    gate_runner.forced_run(Candidate.here(workshop.root))


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """DVC on the path, as a gate runner's shell has it."""
    monkeypatch.setenv("PATH", Workshop(Path()).environment["PATH"])


@pytest.mark.usefixtures("quiet")
def test_what_comes_out_otherwise_is_refused_and_settings_stay(tmp_path: Path) -> None:
    same = small(tmp_path / "same", command="echo 1 > reports/out.txt")
    settings = same.root / ".dvc" / "config.local"
    settings.write_text("[core]\n    autostage = false\n")
    forced(same)
    assert settings.read_text() == "[core]\n    autostage = false\n"
    (same.root / "reports" / "out.txt").unlink()
    shutil.rmtree(same.root / ".dvc" / "cache")
    forced(same)
    assert (same.root / "reports" / "out.txt").read_text() == "1\n"
    assert not (same.root / ".dvc" / "cache").exists(), "another cache was used, and it is gone"
    other = small(tmp_path / "other", command="date +%s%N > reports/out.txt")
    with pytest.raises(ServiceError, match="other bytes than are committed"):
        forced(other)
    other.do("git", "add", "-A")
    with pytest.raises(ServiceError, match="other bytes than are committed"):
        forced(other)
    broken = small(tmp_path / "broken", command="mkdir .dvc/tmp/once && echo 1 > reports/out.txt")
    with pytest.raises(ServiceError, match="the forced run failed"):
        forced(broken)


@pytest.mark.parametrize(
    "stages",
    ["{one: {cmd: x, frozen: true}}", "{one: {foreach: [a], do: {cmd: x, frozen: true}}}"],
)
def test_a_frozen_stage_is_refused(stages: str) -> None:
    with pytest.raises(ServiceError, match="one is frozen"):
        gate_runner.against_frozen(f"stages: {stages}\n".encode())
    for broken in (b"stages: [", b"no: 1", b"", b"\xff"):
        with pytest.raises(DataError):
            gate_runner.against_frozen(broken)
