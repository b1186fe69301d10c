"""What customers write becomes cases before anything learns from them."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from twinops.adapters.dvc import repro as dvc_repro
from twinops.cli import repro as module
from twinops.workflows.subject.heard import Heard


@pytest.mark.parametrize(
    ("requests", "order"),
    [
        ({"Afmelden": "unsubscribe"}, [["collect_synthetic@care_cases"], "subject.heard", []]),
        ({}, [[]]),
    ],
)
def test_make_run_takes_messages_in_and_opens_cases_before_the_rest_of_the_pipeline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, requests: dict[str, str], order: list[Any]
) -> None:
    done: list[Any] = []

    def reproduce(_root: Path, stages: Any, **_: Any) -> dvc_repro.Outcome:
        done.append(list(stages))
        return dvc_repro.Outcome(0, 0, 1, 0.0)

    def run(verb: str, **_: Any) -> Heard:
        done.append(verb)
        return Heard()

    desk = SimpleNamespace(requests=requests)
    project = SimpleNamespace(root=tmp_path, run=run, params=SimpleNamespace(own=SimpleNamespace(root={"desk": desk})))
    (tmp_path / "params.yaml").touch()
    monkeypatch.setattr(dvc_repro, "reproduce", reproduce)
    monkeypatch.setattr(module, "home", lambda _: project)
    monkeypatch.setattr(module, "_has_own", lambda _: False)
    monkeypatch.setattr(module, "against_other", lambda _: None)
    monkeypatch.setattr(module.one_at_a_time, "at_work", lambda *_: nullcontext())
    assert CliRunner().invoke(module.app, [], obj=tmp_path).exit_code == 0
    assert done == order
