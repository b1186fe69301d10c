"""Take away half-written files and scratch folders of runs that are gone; some hold rows in the clear."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

import psutil

from twinops.adapters.dvc import locks
from twinops.whole_files import taken_away

OURS = ("data", "models", "reports", "model_cards", "live", "compliance", "keystore", ".twinops")
PLACES = (*OURS, ".dvc/cache", ".dvc/tmp")
HALF = re.compile(r"\..+\.(half|new)|.*\.[\w-]{22}\.tmp")
"""Ours are written beside and renamed when they are whole; DVC's carry 22 random characters."""
SCRATCH = re.compile(r"(?:tw|twinops(?:-[a-z]+)?)-(\d+)-\w+")
"""Scratch folders name the process they belong to."""


def mend(root: Path) -> list[str]:
    """What was taken away, in sentences; nothing of a run that is at work."""
    places = () if locks.at_work(root) else PLACES
    found = (p for place in places for p in (root / place).rglob("*"))
    files = [p for p in (*found, *(root.glob(".*") if places else ())) if HALF.fullmatch(p.name) and p.is_file()]
    folders = [folder for where in _temporary() for folder in where.iterdir() if _is_left(folder)]
    files = [path for path in files if taken_away(path)]
    empty = without_empty_runs(root / ".dvc" / "cache" / "runs") if places else []
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    said = {
        f"half-written file(s) in {root.name}": files,
        "entry(s) of DVC's cache of runs that hold nothing": empty,
        f"scratch folder(s) in {tempfile.gettempdir()}, of processes that have ended": folders,
    }
    return [f"Removed {len(found)} {what}." for what, found in said.items() if found]


def without_empty_runs(folder: Path) -> list[Path]:
    """Take away entries of DVC's cache of runs that hold nothing, which are given back.

    DVC makes an entry's folder before its file: a run that was killed in between leaves a folder on which every later
    run of that stage stops.
    """
    empty = [entry for entry in folder.glob("??/*") if entry.is_dir() and not any(entry.iterdir())]
    for entry in empty:
        entry.rmdir()
    return empty


def _temporary() -> set[Path]:
    places = (Path(tempfile.gettempdir()), Path(Path.cwd().anchor) / "tmp")
    return {place.resolve() for place in places if place.is_dir()}


def _is_left(folder: Path) -> bool:
    named = SCRATCH.fullmatch(folder.name)
    try:
        mine = named is not None and folder.is_dir() and folder.lstat().st_uid == os.getuid()
    except FileNotFoundError:
        return False
    return mine and named is not None and not psutil.pid_exists(int(named[1]))
