"""What docs/updates.md tells people to copy parses, and runs the command with options that it has."""

from __future__ import annotations

import re
import shlex
import sys
from types import ModuleType
from typing import Any

import pytest
import typer
import yaml
from candidate import ROOT

from twinops.cli import update

PAGE = (ROOT / "docs" / "updates.md").read_text(encoding="utf-8")
COMMAND = "twinops update"


def block(language: str) -> str:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[0]


def taken(line: str) -> None:
    """The words behind the command are options that it takes."""
    words = shlex.split(line.split(COMMAND, 1)[1].partition(">")[0], comments=True)
    command = typer.main.get_command(update.app)
    command.make_context("update", words, resilient_parsing=False)


def test_every_line_with_the_command_has_options_that_it_takes() -> None:
    lines = [line for line in block("").splitlines() if line.startswith(COMMAND)]
    assert len(lines) == 5
    for line in lines:
        taken(line)


def test_the_line_for_cron_has_five_times_and_the_command() -> None:
    (line,) = block("cron").splitlines()
    times, command = line.split(None, 5)[:5], line.split(None, 5)[5]
    for said, high in zip(times, (59, 23, 31, 12, 7), strict=True):
        assert said == "*" or 0 <= int(said) <= high
    taken(command)


def test_the_job_of_a_ci_is_yaml_and_runs_the_command() -> None:
    job = yaml.safe_load(block("yaml"))["update"]
    (line,) = (said for said in job["script"] if COMMAND in said)
    taken(line)
    assert job["resource_group"], "one run at a time"


def test_the_example_for_airflow_makes_one_task_that_runs_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow is not installed here: its two names are played, and the example is run for real."""
    tasks: list[dict[str, Any]] = []
    dags: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    class Played:
        def __init__(self, *said: Any, **told: Any) -> None:
            dags.append((said, told))

        def __enter__(self) -> Played:
            return self

        def __exit__(self, *_: object) -> None: ...

    for name in ("airflow", "airflow.sdk", "airflow.providers", "airflow.providers.standard",
                 "airflow.providers.standard.operators", "airflow.providers.standard.operators.bash"):  # fmt: skip
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    sys.modules["airflow.sdk"].DAG = Played  # type: ignore[attr-defined]
    bash = sys.modules["airflow.providers.standard.operators.bash"]
    bash.BashOperator = lambda **told: tasks.append(told)  # type: ignore[attr-defined]
    exec(compile(block("python"), "updates.md", "exec"), {})  # noqa: S102  (our own page)
    assert len(tasks) == len(dags) == 1
    taken(tasks[0]["bash_command"])
    assert dags[0][1]["max_active_runs"] == 1
