"""The last words of an update say whether model and documents are of before it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from twinops.cli import update as module


@pytest.mark.parametrize(
    ("candidate", "usable", "ran", "behind"),
    [(False, True, 5, True), (False, True, 0, False), (True, True, 5, False), (False, False, 5, False)],
)
def test_an_update_that_leaves_the_candidate_behind_knows_it(monkeypatch, candidate, usable, ran, behind):
    done = SimpleNamespace(ran=ran, cached=0, unchanged=11)
    monkeypatch.setattr(module.dvc_repro, "reproduce", lambda *_, **__: done)
    project = SimpleNamespace(run=lambda _: usable, root=Path())
    assert module._reproduce(project, candidate=candidate, many=False) is behind


def test_what_it_then_says_names_the_command_that_makes_them_anew():
    assert "`make run` makes them anew" in module.BEHIND
