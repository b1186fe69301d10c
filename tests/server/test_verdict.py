"""A candidate does not write its own verdict: which code judges, where it runs, and what of it is believed."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import candidate as made_up
import live as living
import play
import pytest
from live import Live

from twinops.adapters.registry_client import gate_runner, isolation
from twinops.adapters.registry_client.commit import Commit
from twinops.adapters.registry_client.contributors import writers
from twinops.adapters.registry_client.gate_runner import Candidate
from twinops.entities.approval import Act, Actor
from twinops.errors import DataError, IntegrityError, ParamsError, ServiceError
from twinops.governance.policy import judge as judges
from twinops.server.officer import acts as desk
from twinops.server.registry import callers as actors

pytestmark = pytest.mark.pipeline
OTHER = "prints prepared measures\n"
HERE = Path(__file__).parent


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def live(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    root = tmp_path_factory.mktemp(request.param)
    database = None if request.param == "sqlite" else request.getfixturevalue("postgres").database()
    with living.serving(root, database) as server:
        yield server


def activated(live: Live, judge: judges.Judge, *, who: str = "risk-officer") -> living.Answer:
    return live.call("POST", "/twinops/api/rules", {"kind": "judge", "text": judge.to_json()}, who=who)


def page(live: Live, version: living.Version) -> str:
    about = f"name={version.name}&version={version.version}"
    return live.call("GET", f"/twinops/review?{about}", who="risk-officer").body.decode()


# the judge at the server, from outside


def test_evidence_of_another_judge_is_held_and_counts_once_an_officer_activates_that_judge(live: Live) -> None:
    version = live.registered(1)
    commit = play.handed(version.files["data/twin.json"])["commit"]
    changed = play.judge(commit, text=OTHER, command="cp prepared/* reports/")
    assert live.judged(version, judge=changed).status == 200, "it is kept"
    answer = live.decided("approve", version)
    assert answer.status == 403
    assert "Another judge than the active one measured it" in answer.json["message"]
    assert live.alias(version).status == 403

    told = page(live, version)
    assert told.index('<h2 id="judge">') < told.index("<code>stage documents</code>")
    assert told.index("<code>stage documents</code>") < told.index("src/twinops/evaluation/measures.py")
    assert told.index("src/twinops/evaluation/measures.py") < told.index("In short"), "before anything else is read"
    assert "was <code>twinops run documents</code>, runs <code>cp prepared/* reports/</code>" in told
    assert live.shown(version)["judge"]["differs"] == [
        "stage documents: changed",
        "src/twinops/evaluation/measures.py: changed",
    ]

    for who in ("scientist", "ci", "dpo", "admin"):
        assert activated(live, changed, who=who).status == 403
    assert live.decided("approve", version).status == 403
    assert activated(live, changed).status == 200
    assert live.decided("approve", version).status == 200
    assert '<h2 id="judge">' not in page(live, version)

    # an approval rests on the judge: with the old one active again it lapses
    assert activated(live, play.judge(play.TREE)).status == 200
    answer = live.alias(version)
    assert (answer.status, "Another judge" in answer.json["message"]) == (403, True)


def test_what_is_no_judge_is_refused_whole(live: Live) -> None:
    version = live.registered(2)
    body = play.handed(version.files["data/twin.json"]) | version.which
    honest = json.loads(base64.b64decode(body["files"]["judge.json"]))
    one_stage = honest | {"stages": {"copy": honest["stages"]["documents"]}}
    elsewhere = honest | {"commit": "8" * 40}
    for told in (None, one_stage, elsewhere, honest | {"tree": "8" * 40}, [], honest | {"files": {}}, {"files": 1}):
        files = {n: c for n, c in body["files"].items() if n != "judge.json"}
        if told is not None:
            files["judge.json"] = base64.b64encode(json.dumps(told).encode()).decode()
        answer = live.call("POST", "/twinops/api/evidence", body | {"files": files}, who="ci")
        assert (answer.status, b"Traceback" in answer.body) == (400, False), (told, answer.body)
    for text in ("", "[]", "{", "[" * 100_000, json.dumps(one_stage), json.dumps(honest | {"more": 1})):
        answer = live.call("POST", "/twinops/api/rules", {"kind": "judge", "text": text}, who="risk-officer")
        assert answer.status == 400 if text else answer.refused, (text[:40], answer.body)
    assert live.shown(version)["digest"] is None, "nothing was kept"


def test_how_the_commands_were_shut_in_is_part_of_the_evidence(live: Live) -> None:
    version = live.registered(3)
    assert live.judged(version, isolation={"network": "on", "processes": "visible", "files": "writable"}).status == 200
    told = live.shown(version)
    assert (told["judge"]["network"], told["judge"]["own_runner"]) == ("on", False)
    assert "network on, other processes visible" in page(live, version)
    assert live.judged(version).status == 200
    assert live.shown(version)["digest"] != told["digest"]


def test_residual_a_gate_runners_account_that_lies_about_everything_is_believed(live: Live) -> None:
    """Whoever holds CI's login can name the active judge and hand in what was never measured; an officer reads it."""
    version = live.registered(4)
    assert live.judged(version, given=play.evidence(auc=0.99), own_runner=True).status == 200
    assert live.decided("approve", version).status == 200


# the judge and who wrote it


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Any]:
    made = play.open_store(tmp_path)
    roles = {"chief": Actor("chief", frozenset({"risk-officer"}))}
    made.roles_of = lambda account: {**play.ROLES, **roles}.get(account, Actor(account))
    yield made
    made._dispose_engine()


def activate(store: Any, judge: judges.Judge, *, who: str, signed: bool = False, namespace: str = "") -> int:
    text = judge.to_json()
    with actors.acting(who):
        signature = signature_of(store, text, namespace or judges.NAMESPACE) if signed else None
        return desk.activate(store, "judge", text, signature=signature)


def signature_of(store: Any, text: str, namespace: str) -> str:
    path = store.home.root / "judge"
    path.write_text(text)
    play.KEYS["chief"].sign(path, key=path, namespace=namespace)
    return path.with_name("judge.sig").read_text()


def test_who_wrote_the_change_does_not_activate_it_and_who_has_a_key_signs(store: Any) -> None:
    version = play.registered(store, 1)
    changed = play.judge("5" * 40, text=OTHER)
    theirs = {"commit": "5" * 40, "judge": changed, "judge_authors": ["scientist@example.org", "risk@example.net"]}
    play.with_evidence(store, version, **theirs)
    with play.refused("wrote part of its change"):
        activate(store, changed, who="risk-officer")
    for namespace, signed in (("", False), ("twinops-policy", True)):
        with play.refused("do not carry this officer's signature"):
            activate(store, changed, who="chief", signed=signed, namespace=namespace)
    with play.refused("Another judge than the active one"):
        play.acted(store, Act.APPROVE, version)
    activate(store, changed, who="chief", signed=True)
    play.acted(store, Act.APPROVE, version)


def test_who_activated_first_and_turns_out_to_have_written_it_is_found_by_the_evidence(store: Any) -> None:
    changed = play.judge("5" * 40, text=OTHER)
    activate(store, changed, who="risk-officer")
    version = play.registered(store, 1)
    play.with_evidence(store, version, commit="5" * 40, judge=changed, judge_authors=["risk@example.net"])
    with play.refused("another risk officer activates it"):
        play.acted(store, Act.APPROVE, version)
    activate(store, changed, who="chief", signed=True)
    play.acted(store, Act.APPROVE, version)


def test_before_any_judge_is_active_nothing_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "NAMESPACES", {k: v for k, v in desk.NAMESPACES.items() if k != "judge"})
    store = play.open_store(tmp_path, rules=False)
    for who, kind, text in (("admin", "offices", play.OFFICES), ("risk-officer", "policy", play.POLICY)):
        with actors.acting(who):
            desk.activate(store, kind, text)
    version = play.registered(store, 1)
    play.with_evidence(store, version)
    with play.refused("No judge is active"):
        play.acted(store, Act.APPROVE, version)
    store._dispose_engine()


# the gate runner: what it reads of the commit, and what it refuses to run


COMMANDS = {"features": "echo made > reports/made.txt", "documents": "echo 1 > reports/evidence.json"}
PIPELINE = """stages:
  features:
    cmd: {features}
    outs: [reports/made.txt]
  documents:
    cmd: {documents}
    deps: [reports/made.txt]
    outs: [reports/evidence.json]
"""


@dataclass
class Project:
    """A project of two stages in a git repository of its own, as the commands of a candidate make it."""

    root: Path

    def write(self, path: str, text: str) -> None:
        made_up.write(self.root / path, text)

    def commit(self) -> Candidate:
        made_up.git(self.root, "add", "-A")
        made_up.commit(self.root)
        return Candidate.here(self.root)

    def judge(self) -> str:
        return Commit.head(self.root).judge().digest


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Run and committed; DVC is on the path as a gate runner's shell has it."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    made = Project(tmp_path / "candidate")
    made.write("dvc.yaml", PIPELINE.format(**COMMANDS))
    made.write("src/twinops/evaluation/measures.py", "def auc(): return 0.7\n")
    made.write("src/twinops/server/door.py", "OPEN = False\n")
    made.write("notebooks/evaluate.py", "# %%\n")
    made.write(".gitignore", "/reports/made.txt\n/.twinops/\n__pycache__/\n")
    made.write("reports/.gitignore", "/made.txt\n/evidence.json\n")
    made.write("params.yaml", "months: [2017-01]\n")
    made_up.git(made.root, "init", "-q", "-b", "main", "--template=")
    done = subprocess.run(["dvc", "init", "-q"], cwd=made.root, check=False)
    assert done.returncode == 0
    subprocess.run(["dvc", "repro", "-q"], cwd=made.root, check=True)
    made_up.git(made.root, "add", "-A")
    made_up.commit(made.root)
    return made


def test_an_honest_candidate_runs_and_its_settings_stay(project: Project) -> None:
    how = gate_runner.forced_run(Candidate.here(project.root))
    assert how == (isolation.CLOSED if isolation.can_close() else isolation.OPEN)
    assert made_up.git(project.root, "status", "--porcelain") == ""


CHANGES = {
    "a one-stage dvc.yaml": ("dvc.yaml", "stages:\n  copy: {cmd: cp -r prepared/. reports, always_changed: true}\n"),
    "a wrapped command": ("dvc.yaml", PIPELINE.format(**COMMANDS | {"documents": "sh -c 'cp prepared/* reports'"})),
    "a stage that is always changed": ("dvc.yaml", PIPELINE.format(**COMMANDS) + "    always_changed: true\n"),
    "a stage that is frozen": ("dvc.yaml", PIPELINE.format(**COMMANDS) + "    frozen: true\n"),
    "a stage in another folder": ("dvc.yaml", PIPELINE.format(**COMMANDS) + "    wdir: prepared\n"),
    "parameters from elsewhere": ("dvc.yaml", "vars: [prepared.yaml]\n" + PIPELINE.format(**COMMANDS)),
    "a comment in dvc.yaml": (
        "dvc.yaml",
        "# two parsers may read it in two ways\n" + PIPELINE.format(**COMMANDS),
    ),
    "evaluation": ("src/twinops/evaluation/measures.py", "def auc(): return 0.99\n"),
    "a module that changes evaluation": ("src/twinops/twin/model.py", "import twinops.evaluation.measures\n"),
    "an evaluation notebook": ("notebooks/evaluate.py", "# %%\nprint(open('prepared').read())\n"),
    "sitecustomize": ("src/sitecustomize.py", "import os\n"),
    "a .pth file": ("src/prepared.pth", "import os\n"),
    "a library's namesake": ("src/bottleneck.py", "import os\n"),
    "a compiled module": ("src/twinops/evaluation/measures.cpython-311-x86_64-linux-gnu.so", "x"),
    "DVC's settings": (".dvc/config", "[core]\n    analytics = false\n    remote = mine\n"),
    "what DVC leaves out": (".dvcignore", "src\n"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_each_way_to_change_what_measures_is_another_judge(project: Project, what: str) -> None:
    before = project.judge()
    project.write(*CHANGES[what])
    project.commit()
    try:
        assert project.judge() != before
    except ParamsError as problem:
        assert "there is no stage 'features'" in str(problem)


BESIDES = {
    "params.yaml": "months: [2017-02]\n",
    "compliance/policy.yaml": "version: mine\n",
    "Makefile": "run:\n\tcp prepared/* reports\n",
    "sitecustomize.py": "raise SystemExit\n",
    "conftest.py": "raise SystemExit\n",
    "typer.py": "raise SystemExit\n",
    ".gitattributes": "* filter=mine diff=mine text eol=crlf\n",
    "src/twinops/server/door.py": "OPEN = True\n",
}
"""Files of a candidate that measure nothing."""


def test_what_never_measures_is_no_part_of_the_judge_and_nothing_of_it_runs(project: Project) -> None:
    """One run with all of them: a line of any that is run would end it."""
    before = project.judge()
    for path, text in BESIDES.items():
        project.write(path, text)
        candidate = project.commit()
        assert project.judge() == before, path
    gate_runner.forced_run(candidate)


def test_code_that_lies_there_uncommitted_or_ignored_is_refused(project: Project) -> None:
    measures = project.root / "src/twinops/evaluation/measures.py"
    candidate, honest = Candidate.here(project.root), measures.read_bytes()
    measures.write_text("def auc(): return 0.99\n")
    with pytest.raises(IntegrityError, match=r"measures.py is not as it is committed"):
        gate_runner.forced_run(candidate)
    measures.write_bytes(honest)
    for strange in ("src/twinops/evaluation/measures.so", "src/sitecustomize.py", "notebooks/mine.py"):
        project.write(f".git/{'info/exclude'}", f"{strange}\n")
        project.write(strange, "x")
        with pytest.raises(IntegrityError, match=strange):
            gate_runner.forced_run(candidate)
        (project.root / strange).unlink()
    cached = project.root / "src/twinops/evaluation/__pycache__/measures.cpython-311.pyc"
    made_up.write(cached, "bytecode of other code")
    gate_runner.forced_run(candidate)
    assert not cached.exists() or cached.read_bytes() != b"bytecode of other code"


def test_a_link_in_the_place_of_code_is_refused(project: Project) -> None:
    measures = project.root / "src/twinops/evaluation/measures.py"
    measures.unlink()
    measures.symlink_to("/etc/hostname")
    project.commit()
    with pytest.raises(IntegrityError, match="no plain file"):
        project.judge()


def test_a_parameter_does_not_become_a_command(project: Project) -> None:
    text = PIPELINE.format(**COMMANDS).replace("echo made >", "echo ${word} >")
    project.write("dvc.yaml", text)
    project.write("params.yaml", "word: made\n")
    subprocess.run(["dvc", "repro", "-q"], cwd=project.root, check=True)
    before = gate_runner.forced_run(project.commit()) and project.judge()
    project.write("params.yaml", 'word: "made; cp params.yaml reports/evidence.json; echo made"\n')
    subprocess.run(["dvc", "repro", "-q"], cwd=project.root, check=True)
    candidate = project.commit()
    assert project.judge() == before, "the stages are the same text"
    with pytest.raises(IntegrityError, match=r"dvc.yaml does not say what dvc.lock runs as features"):
        gate_runner.forced_run(candidate)


def test_prepared_measures_that_no_stage_makes_are_refused(project: Project) -> None:
    project.write("reports/measures/fairness.json", '{"prepared": true}\n')
    candidate = project.commit()
    with pytest.raises(ServiceError, match=r"no stage makes reports/measures/fairness.json"):
        gate_runner.forced_run(candidate)


def test_git_of_the_candidates_folder_runs_nothing(project: Project, tmp_path: Path) -> None:
    """Hooks, filters, a file monitor, a promised remote: all of it would run with whatever login is there."""
    trap, sprung = tmp_path / "trap.sh", tmp_path / "sprung"
    trap.write_text(f"#!/bin/sh\ntouch {sprung}\ncat\n")
    trap.chmod(0o755)
    for name, value in {
        "core.fsmonitor": trap, "core.hooksPath": tmp_path, "filter.mine.clean": trap, "filter.mine.smudge": trap,
        "diff.external": trap, "core.pager": trap, "core.sshCommand": trap, "credential.helper": trap,
        "diff.mine.textconv": trap,
    }.items():  # fmt: skip
        made_up.git(project.root, "config", name, str(value))
    for hook in ("post-checkout", "post-index-change", "reference-transaction"):
        shutil.copy(trap, tmp_path / hook)
    sprung.unlink(missing_ok=True)
    candidate = Candidate.here(project.root)
    gate_runner.files(candidate, "twin")
    assert candidate.judge.digest
    writers(candidate.root, "1" * 40, of=judges.belongs)
    assert not sprung.exists()


def test_a_replaced_or_damaged_object_is_not_believed(project: Project) -> None:
    before = project.judge()
    path = "src/twinops/evaluation/measures.py"
    honest = Commit.head(project.root).entries[path][1]
    project.write("prepared.py", "def auc(): return 0.99\n")
    other = made_up.git(project.root, "hash-object", "-w", "prepared.py").strip()
    made_up.git(project.root, "replace", honest, other)
    assert project.judge() == before
    assert Commit.head(project.root).read([path])[path] == b"def auc(): return 0.7\n"


def test_what_was_swapped_after_the_comparison_is_not_sent(project: Project) -> None:
    candidate = Candidate.here(project.root)
    gate_runner.forced_run(candidate)
    (project.root / "reports/evidence.json").write_text("swapped\n")
    with pytest.raises(ServiceError, match="other bytes than are committed"):
        gate_runner.files(candidate, "twin")


def test_a_project_without_code_of_its_own_is_judged_by_what_is_installed(project: Project) -> None:
    made_up.git(project.root, "rm", "-rq", "src")
    made_up.commit(project.root)
    listed = Commit.head(project.root).judge().files
    assert "src/twinops/governance/gates/lineage.py" in listed
    assert not any(path.startswith("src/twinops/server/") for path in listed)


def test_a_folder_without_commit_or_stages_is_told_in_a_sentence(tmp_path: Path, project: Project) -> None:
    with pytest.raises(ServiceError, match="Git could not tell"):
        Commit.head(tmp_path)
    for text in ("stages: [", "no: 1", "stages: {one: 1}", ""):
        project.write("dvc.yaml", text)
        project.commit()
        with pytest.raises((DataError, ParamsError)):
            project.judge()


# a malicious stage


RUNNER = """
import sys
from pathlib import Path
from twinops.adapters.registry_client import gate_runner, isolation, room
if sys.argv[2] == "open":
    isolation.can_close = lambda: False
room.unreadable()
print(gate_runner.forced_run(gate_runner.Candidate.here(Path(sys.argv[1]))))
"""
UNREADABLE = {"environment", "environments_of_others", "memory_of_others", "files_of_others", "privileges"}


@pytest.mark.parametrize("room", ["closed", "open"])
def test_a_malicious_stage_finds_no_login_and_nothing_of_it_goes_on(
    project: Project, tmp_path: Path, room: str
) -> None:
    """With namespaces nothing is got at; without them still no process's login. `gate_run` tells which it was."""
    if room == "closed" and not isolation.can_close():
        pytest.skip("this machine gives no namespaces")
    home = tmp_path / "home"
    made_up.write(home / ".netrc", "machine registry password sesame-home\n")
    project.write("mlflow.db", "sesame-database\n")
    project.write(".git/info/exclude", "mlflow.db\n")
    made_up.git(project.root, "config", "http.extraheader", "sesame-git")
    shutil.copy(HERE / "spy.py", project.root / "spy.py")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        shared = Path(os.sep, "tmp", f"twinops-spied-{port}")
        shared.write_text("sesame-shared\n")
        spy = f"{sys.executable} spy.py .twinops/got.txt {home} {port}"
        project.write("dvc.yaml", PIPELINE.format(**COMMANDS | {"features": spy}))
        subprocess.run(["dvc", "repro", "-q"], cwd=project.root, check=True)
        project.commit()
        logins = {"MLFLOW_TRACKING_PASSWORD": "sesame-mlflow", "TWINOPS_SECRET": "sesame-twinops", "HOME": str(home)}
        told = {**os.environ, **logins, "SSH_AUTH_SOCK": "sesame-agent", "PYTHONPATH": str(living.SOURCE)}
        command = [sys.executable, "-c", RUNNER, str(project.root), room]
        done = subprocess.run(command, env=told, capture_output=True, text=True, check=False)
        shared.unlink()
    assert done.returncode == 0, done.stdout + done.stderr
    got = set((project.root / ".twinops/got.txt").read_text().split())
    assert got & UNREADABLE == set()
    if room == "closed":
        assert got == set()
    assert str(isolation.CLOSED if room == "closed" else isolation.OPEN) in done.stdout
    assert not running("spy.py")
    (project.root / "reports/made.txt").write_text("made\n")
    time.sleep(0.1)
    assert (project.root / "reports/made.txt").read_text() == "made\n", "what it left running was ended"


def running(word: str) -> bool:
    commands = (p.read_bytes() for p in Path("/proc").glob("[0-9]*/cmdline") if os.access(p, os.R_OK))
    return any(word.encode() in command and b"pytest" not in command for command in commands)
