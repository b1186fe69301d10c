"""Every file of your own below `ideas/` that params.yaml names is greeted by the checks of its shelf."""

from __future__ import annotations

from pathlib import Path

import twinops

ROOT = Path(__file__).resolve().parents[1]


def test_every_idea_keeps_what_its_shelf_promises() -> None:
    found = twinops.open_project(ROOT).run("ideas.check")
    assert [f"{one.path}: {one.sentence}: {one.problem}" for one in found if one.problem] == []
