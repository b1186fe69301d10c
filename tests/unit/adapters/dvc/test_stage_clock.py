"""Whoever waits is told how far it is, and how long it takes at most."""

from __future__ import annotations

from pathlib import Path

from twinops.adapters.dvc.stage_clock import EVERY, StageClock

PLAN = ("collect", "features", "drift")


def test_it_is_told_from_what_stages_took_last_time(tmp_path: Path) -> None:
    clock = StageClock.of(tmp_path)
    assert clock.said(PLAN, (), lanes=2) == "0 of 3 stages are up to date"
    clock.took |= {"collect": 30.0, "features": 10.0, "drift": 2.04}
    clock.keep()
    again = StageClock.of(tmp_path)
    assert again.took == {"collect": 30.0, "features": 10.0, "drift": 2.0}
    said = again.said(PLAN, ("features",), lanes=2)
    assert said == "1 of 3 stages are up to date; 30 s more at most, as they took last time", "one stage is not parted"


def test_it_is_not_told_all_the_time(tmp_path: Path) -> None:
    clock = StageClock(tmp_path / "took.json", {"drift": 2.0})
    assert clock.said(PLAN, (), lanes=1)
    assert clock.said(PLAN, ("collect",), lanes=1) is None
    clock.told -= EVERY
    assert (
        clock.said(PLAN, ("collect",), lanes=1)
        == "1 of 3 stages are up to date; 2 s more at most, as they took last time"
    )


def test_something_else_in_its_place_is_nothing_known(tmp_path: Path) -> None:
    for text in ("", "[1]", '{"drift": "soon"}', "\xff"):
        (tmp_path / "twinops-took.json").write_text(text, encoding="utf-8")
        assert StageClock.of(tmp_path).took == {}
