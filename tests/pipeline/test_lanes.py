"""`twinops repro` makes what `dvc repro` makes, only sooner; a stage that fails is told, and stops the others."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest
from workshop import Workshop

pytestmark = pytest.mark.pipeline

MEET = "for i in $(seq 200); do test -e {other}.here && break; sleep 0.1; done; test -e {other}.here"
"""Ends well only when the other stage runs at the same time."""

PIPELINE = """
stages:
  left:
    cmd: mkdir -p made && touch left.here && {left} && cat in.txt > made/left.txt
    deps: [in.txt]
    outs: [made/left.txt]
  right:
    cmd: mkdir -p made && touch right.here && {right} && echo right > made/right.txt
    deps: [in.txt]
    outs: [made/right.txt]
  after:
    foreach: [one, two]
    do:
      cmd: cat made/left.txt > made_${{item}}.txt
      deps: [made/left.txt]
      params: [p.yaml: [{{x}}]]
      metrics:
        - made_${{item}}.txt: {{cache: false}}
  sum:
    cmd: cat made/*.txt dvc.lock | wc -l > sum.txt
    deps: [made, made_one.txt]
    outs: [sum.txt]
""".replace("{{x}}", "x")


def toy(root: Path, **commands: str) -> Workshop:
    """A project of five stages: two that can run at once, two behind one of them, and one that sums up."""
    root.mkdir()
    says = {"left": "true", "right": "true", **commands}
    (root / "dvc.yaml").write_text(PIPELINE.format(**says))
    (root / "in.txt").write_text("1\n")
    (root / "p.yaml").write_text("x: 1\n")
    (root / ".gitignore").write_text("/made/\n/sum.txt\n*.here\n")
    project = Workshop(root)
    project.do("git", "init", "-q", "-b", "main")
    project.do("dvc", "init", "-q")
    project.commit()
    return project


def repro(project: Workshop, *words: str, expect: int = 0) -> str:
    """`twinops repro` with the code of this repository."""
    return project.do("twinops", "repro", *words, expect=expect, PYTHONPATH=str(Path(__file__).parents[2] / "src"))


def lock(project: Workshop) -> bytes:
    return (project.root / "dvc.lock").read_bytes()


def test_it_makes_the_lock_of_plain_dvc_byte_for_byte_and_either_takes_over_from_the_other(tmp_path: Path) -> None:
    ours, plain = toy(tmp_path / "ours"), toy(tmp_path / "plain")
    assert "5 ran, 0 from the cache, 0 unchanged" in repro(ours, "--lanes", "2")
    plain.repro()
    assert lock(ours) == lock(plain)
    assert "Running stage" not in ours.repro()
    assert json.loads(repro(plain, "--json"))["unchanged"] == 5
    for project in (ours, plain):
        (project.root / "in.txt").write_text("1\n2\n")
    assert "[sum] > cat" in repro(plain)
    ours.repro()
    assert lock(ours) == lock(plain)
    (ours.root / "in.txt").write_text("1\n")
    assert "0 ran, 5 from the cache" in repro(ours)


def test_stages_that_do_not_need_each_other_run_at_once(tmp_path: Path) -> None:
    project = toy(tmp_path / "toy", left=MEET.format(other="right"), right=MEET.format(other="left"))
    assert "5 ran" in repro(project, "--lanes", "2")


def test_a_stage_that_is_named_brings_what_it_needs_and_nothing_else(tmp_path: Path) -> None:
    project = toy(tmp_path / "toy")
    assert "2 ran" in repro(project, "after@one")
    assert sorted(project.lock()) == ["after@one", "left"]
    assert "2 ran" in repro(project, "--force", "after@one")


def test_a_failing_stage_is_told_stops_the_others_and_loses_nothing(tmp_path: Path) -> None:
    breaks = f"{MEET.format(other='left')} && echo 'No salt was left.' && exit 3"
    project = toy(tmp_path / "toy", left="sleep 60", right=breaks)
    started = time.monotonic()
    said = repro(project, "--lanes", "2", expect=3)
    assert time.monotonic() - started < 40
    told = said[said.index("stopped: left") :]
    assert "Stage right ended with exit code 3" in told
    assert "No salt was left." in told
    assert "Traceback" not in said
    (project.root / "dvc.yaml").write_text(PIPELINE.format(left="true", right="true"))
    project.repro()
    repro(project)
    assert (project.root / "made" / "right.txt").read_text() == "right\n"


def test_what_was_done_before_a_failure_stays_done(tmp_path: Path) -> None:
    project = toy(tmp_path / "toy", right="exit 4")
    repro(project, "--lanes", "1", expect=4)
    assert "left" in project.lock()
    assert "right" not in project.lock()


def test_a_run_killed_before_it_wrote_into_the_cache_of_runs_stops_no_later_one(tmp_path: Path) -> None:
    project = toy(tmp_path / "toy")
    repro(project)
    entries = [p for p in (project.root / ".dvc" / "cache" / "runs").glob("*/*/*") if p.is_file()]
    assert entries
    for entry in entries:
        entry.unlink()
    (project.root / "dvc.lock").unlink()
    repro(project)
    assert all(any(p.iterdir()) for p in (project.root / ".dvc" / "cache" / "runs").glob("*/*"))


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_end_it_takes_its_stages_along(tmp_path: Path, how: signal.Signals) -> None:
    project = toy(tmp_path / "toy", left="echo $$ > left.here && sleep 60")
    source = str(Path(__file__).parents[2] / "src")
    # a shell without job control lets what it starts in the background ignore SIGINT, and so would these tests there
    process = project.start("env", "--default-signal=INT", "twinops", "repro", "--lanes", "2", PYTHONPATH=source)
    deadline = time.monotonic() + 60
    while not (project.root / "left.here").exists() or not (project.root / "left.here").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.kill(process.pid, how)
    said, _ = process.communicate(timeout=30)
    assert process.returncode not in (0, -how)
    assert "stopped: left" in said
    assert not Path("/proc", (project.root / "left.here").read_text().strip()).exists()


def test_a_stage_nobody_knows_is_a_mistake_of_the_command_line(tmp_path: Path) -> None:
    assert "'nobody'" in repro(toy(tmp_path / "toy"), "nobody", expect=2)
