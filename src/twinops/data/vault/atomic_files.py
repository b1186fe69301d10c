"""Several files that must change together or not at all: staged beside, promised in one file, then moved into place.

A run that breaks off before the promise leaves everything as it was; one that breaks off after it is finished by the
next. Whoever wrote the files anew in between wins: then the promise is dropped. What is staged is as sealed as what it
replaces.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twinops.entities.canonical import to_json
from twinops.whole_files import told_in, write

PROMISE = "promise.json"


@dataclass(frozen=True)
class Journal:
    """A folder in which files are staged under the paths, relative to `root`, that they will have."""

    root: Path
    folder: Path

    def begin(self) -> Path:
        """The empty folder to stage in; whatever was staged without a promise is gone."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        return self.folder

    def commit(self, told: dict[str, Any]) -> None:
        """Promise that all that is staged will be in place, remembering what it replaces; then put it there."""
        staged = {p.relative_to(self.folder).as_posix() for p in self.folder.rglob("*") if p.is_file()}
        files = {
            name: {"before": _digest(self.root / name), "after": _digest(self.folder / name)} for name in sorted(staged)
        }
        write(self.folder / PROMISE, to_json({"files": files, "told": told}))
        self.finish()

    def finish(self) -> dict[str, Any] | None:
        """Keep a promise that stands, and say what was told with it; None: there is none to keep."""
        promise = self.folder / PROMISE
        if not promise.is_file():
            return None
        with told_in(
            promise, hint=f"Delete the folder {self.folder.name}: what it was to replace still stands."
        ) as said:
            files = {str(name): set(is_or_was.values()) for name, is_or_was in said["files"].items()}
            told = dict(said["told"])
        # a third version means somebody wrote the files anew: theirs counts
        known = all(_digest(self.root / name) in is_or_was for name, is_or_was in files.items())
        if known:
            for name in files:
                _move(self.folder / name, self.root / name)
        promise.unlink()
        shutil.rmtree(self.folder)
        return told if known else None


def _move(staged: Path, place: Path) -> None:
    """Into place, unless it is there already."""
    if staged.is_file():
        place.parent.mkdir(parents=True, exist_ok=True)
        staged.replace(place)


def _digest(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
