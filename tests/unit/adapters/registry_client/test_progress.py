"""A forced run says how far it is by what lies on the disk, and how long it still takes by the run before."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from twinops.adapters.registry_client import progress

OUTS = {"one": ["a.txt"], "two": ["b.txt", "c"]}


def run(root: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two stages, one after the other."""
    monkeypatch.setattr(progress, "EVERY", 0.02)
    said: list[str] = []
    with progress.told(root, OUTS, said.append):
        for name in ("a.txt", "b.txt"):
            (root / name).write_text("new")
            time.sleep(0.2)
        (root / "c").mkdir(exist_ok=True)
        (root / "c").touch()
        time.sleep(0.2)
    return said


def test_stages_are_counted_when_all_they_make_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "b.txt").write_text("old")
    (tmp_path / "c").mkdir()
    time.sleep(0.05)
    said = run(tmp_path, monkeypatch)
    assert [line.split(",")[0] for line in said] == ["forced run: 1 of 2 stages", "forced run: 2 of 2 stages"]
    assert len(json.loads((tmp_path / progress.LAST).read_text())) == 2
    assert "s left" in run(tmp_path, monkeypatch)[0]


def test_what_is_left_goes_by_the_last_run_and_a_run_that_failed_is_no_measure(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), progress.told(tmp_path, OUTS, lambda _line: None):
        raise RuntimeError("a stage failed")
    assert not (tmp_path / progress.LAST).exists()
    (tmp_path / ".twinops").mkdir()
    for broken in ("", "{}", "[null]", '["x"]'):
        (tmp_path / progress.LAST).write_text(broken)
        with progress.told(tmp_path, OUTS, lambda _line: None):
            pass
