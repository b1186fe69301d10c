"""Every file of your own below `ideas/` that params.yaml names is greeted by the checks of its shelf."""

from __future__ import annotations

from pathlib import Path

import pytest

import twinops

ROOT = Path(__file__).resolve().parents[1]
FOUND = twinops.open_project(ROOT).run("ideas.check")


@pytest.mark.parametrize("one", FOUND, ids=lambda one: f"{one.path}: {one.sentence}")
def test_an_idea_keeps_what_its_shelf_promises(one) -> None:
    assert one.problem == ""
