"""What a stage has claimed is claimed once; what it has not, and what others hold, DVC decides."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from dvc import rwlock as dvcs
from dvc.fs import localfs
from dvc.lock import LockError

from twinops.adapters.dvc.claimed_once import claimed_once

HELD = {"twinops repro train": (["/p/in"], ["/p/out"])}


def claim(folder: Path, holder: str, read: list[str], write: list[str]) -> object:
    return dvcs.rwlock(str(folder), localfs, holder, read, write, False)


def told(folder: Path) -> dict[str, object]:
    path = folder / "rwlock"
    return json.loads(path.read_text()) if path.is_file() else {}


def test_what_a_stage_holds_is_not_written_down_again_and_the_rest_is(tmp_path: Path) -> None:
    with claimed_once(HELD.get):
        with claim(tmp_path, "twinops repro train", ["/p/in", "/p/out"], ["/p/out"]):
            assert told(tmp_path) == {}
        with claim(tmp_path, "twinops repro train", ["/p/in"], ["/p/in"]):
            assert set(told(tmp_path)["write"]) == {"/p/in"}
        with claim(tmp_path, "twinops repro drift", ["/p/in"], []):
            assert set(told(tmp_path)["read"]) == {"/p/in"}
    with claim(tmp_path, "twinops repro train", ["/p/in"], ["/p/out"]):
        assert set(told(tmp_path)["write"]) == {"/p/out"}


def test_what_another_writes_is_refused(tmp_path: Path) -> None:
    with (
        claimed_once(HELD.get),
        claim(tmp_path, "dvc pull", [], ["/p/other"]),
        pytest.raises(LockError),
        claim(tmp_path, "twinops repro train", ["/p/other"], []),
    ):
        pytest.fail("another writes it")
