"""Steps that do not need each other run at once, none before what it needs, and the last one when all is done."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinops.adapters.dvc import locks
from twinops.adapters.dvc.processes import SideBySide
from twinops.adapters.dvc.schedule import Lanes
from twinops.adapters.dvc.warm import WORTH, Warm


@st.composite
def plans(draw: st.DrawFn) -> dict[str, frozenset[str]]:
    """Up to twelve steps; each may need any of those before it."""
    names = [f"s{i}" for i in range(draw(st.integers(1, 12)))]
    return {
        name: frozenset(draw(st.sets(st.sampled_from(names[:i])))) if i else frozenset() for i, name in enumerate(names)
    }


@given(plans(), st.integers(1, 4), st.randoms(use_true_random=False))
def test_every_step_runs_once_after_what_it_needs_and_no_more_than_the_lanes_at_once(needs, width, chance) -> None:
    lanes, order = Lanes(needs, width), []
    while not lanes.over:
        for step in lanes.startable():
            assert needs[step] <= lanes.done
            lanes.start(step)
            order.append(step)
        assert 1 <= len(lanes.running) <= width
        lanes.finish(chance.choice(sorted(lanes.running)))
    assert sorted(order) == sorted(needs)
    assert order[-1] == list(needs)[-1]


def test_the_longest_way_starts_first() -> None:
    needs = {"short": set(), "a": set(), "b": {"a"}, "c": {"b"}, "end": {"short", "c"}}
    lanes = Lanes({name: frozenset(needed) for name, needed in needs.items()}, width=1)
    assert lanes.startable() == ["a"]


def test_a_need_outside_the_plan_is_not_waited_for() -> None:
    assert Lanes({"b": frozenset({"a"})}, width=2).startable() == ["b"]


@pytest.fixture
def heard() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def commands(heard: list[tuple[str, str]]) -> Iterator[SideBySide]:
    running = SideBySide(lambda name, line: heard.append((name, line)))
    yield running
    running.stop()


def test_lines_come_out_whole_and_signed_and_so_does_one_without_an_end(commands: SideBySide, heard: list) -> None:
    commands.start("a", ["sh", "-c", "printf 'one\\ntw'; sleep 0.1; printf 'o\\n' >&2; printf three; exit 3"])
    ((command, code),) = commands.wait()
    assert (command.name, code) == ("a", 3)
    assert heard == [("a", "one"), ("a", "two"), ("a", "three")]
    assert list(command.said) == ["one", "two", "three"]
    assert commands.wait() == []


def test_what_a_command_leaves_running_is_not_waited_for(commands: SideBySide, heard: list) -> None:
    started = time.monotonic()
    commands.start("a", ["sh", "-c", "sleep 5 & echo $!"])
    assert [code for _, code in commands.wait()] == [0]
    assert time.monotonic() - started < 4
    psutil.Process(int(heard[0][1])).kill()


def test_stopping_ends_commands_and_what_they_started_also_in_sessions_of_their_own(
    commands: SideBySide, heard: list
) -> None:
    code = (
        "import subprocess, sys, time; "
        "print(subprocess.Popen(['sleep', '60'], start_new_session=True).pid, flush=True); time.sleep(60)"
    )
    commands.start("deep", [sys.executable, "-S", "-c", code])
    commands.start("soon", ["sh", "-c", "sleep 0.01"])
    ended: list[str] = []
    while "soon" not in ended:
        ended += [command.name for command, _ in commands.wait()]
    deadline = time.monotonic() + 20
    while not heard and time.monotonic() < deadline:
        commands.start("tick", ["sleep", "0.1"])
        commands.wait()
    grandchild = psutil.Process(int(dict(heard)["deep"]))
    assert commands.stop() == ["deep"]
    assert not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE
    assert commands.wait() == []


def test_ours_are_forked_once_it_is_worth_it_and_end_with_their_own_exit_code(
    commands: SideBySide, heard: list, tmp_path: Path
) -> None:
    warm, how = Warm(tmp_path), {"cwd": tmp_path, "env": {**os.environ, "TOLD": "1"}}
    assert [warm.begin("twinops run nothing", how) for _ in range(WORTH)] == [None] * WORTH
    assert warm.begin("twinops run nothing && rm x", how) is None
    assert warm.begin("cat x", how) is None
    for name in ("first", "second"):
        commands.begin(name, warm.begin("twinops run nothing", how))
    ended: dict[str, int] = {}
    while len(ended) < 2:
        ended |= {command.name: code for command, code in commands.wait()}
    assert ended == {"first": 2, "second": 2}
    assert sorted(name for name, line in heard if "'nothing'" in line) == ["first", "second"]


def test_a_forked_command_can_be_stopped(commands: SideBySide, tmp_path: Path) -> None:
    warm = Warm(tmp_path, asked=WORTH)
    commands.begin("a", warm.begin("twinops server", {"cwd": tmp_path, "env": dict(os.environ)}))
    assert commands.stop() == ["a"]
    assert commands.wait() == []


def running(*words: str, name: str = "twinops") -> Any:
    """A process as far as the doctor asks: its command line, and how the system calls it."""
    return SimpleNamespace(cmdline=lambda: list(words), name=lambda: name)


@pytest.mark.parametrize(
    ("words", "works"), [(["x", "repro"], False), (["x/twinops", "repro"], True), (["x/twinops", "update"], True)]
)
def test_the_doctor_knows_who_is_at_dvcs_work(words: list[str], works: bool) -> None:
    assert locks.is_dvc(running("python", *words)) is works
    assert locks.is_dvc(running("python", "x/dvc", "repro"))
    assert not locks.is_dvc(running("python", "x/twinops", "status"))
    assert not locks.is_dvc(running("python", "x/twinops", "update", name=locks.STAGES))


def test_commands_stay_in_the_group_of_the_program_that_started_them(commands: SideBySide, heard: list) -> None:
    own = subprocess.run(["sh", "-c", "ps -o pgid= -p $$"], capture_output=True, text=True, check=True).stdout.strip()
    commands.start("a", ["sh", "-c", "ps -o pgid= -p $$"])
    commands.wait()
    assert heard == [("a", own)] or heard[0][1].strip() == own
