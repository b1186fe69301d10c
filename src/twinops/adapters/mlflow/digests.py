"""Digests of a model folder's files: every one of them, hidden ones too, and nothing but plain files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from twinops.entities.canonical import digest
from twinops.errors import IntegrityError

UPLOADING = ".artifact.uploading."
"""MLflow stages uploads under this name inside the destination folder; they are no part of a model yet."""

MAX_FILES = 2_000
MAX_BYTES = 2 * 1024**3
MAX_DEPTH = 32
_MOST = "A model is at most 2,000 files and 2 GiB."


def listing(folder: Path, *, ignored: str = "") -> dict[str, str]:
    """SHA-256 of every file by its path in the folder. Hidden files count; links, hard ones too, are refused.

    `ignored` begins the names that a server stages uploads under; elsewhere there is none to ignore.

    Raises:
        IntegrityError: no folder, no file, a link, or more than anyone would sign for.
    """
    found: dict[str, str] = {}
    total = 0
    for path in _files(folder, ignored):
        total += path.stat().st_size
        if len(found) >= MAX_FILES or total > MAX_BYTES:
            raise IntegrityError(f"{folder.name} holds too much.", hint=_MOST)
        found[path.relative_to(folder).as_posix()] = sha256(path)
    if not found:
        raise IntegrityError(f"There is no file in {folder.name}.", hint="Upload the model before it is registered.")
    return dict(sorted(found.items()))


def digest_of(files: Mapping[str, str]) -> str:
    """One digest over all paths and contents."""
    return digest(dict(files))


def sha256(path: Path) -> str:
    """SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _files(folder: Path, ignored: str) -> Iterator[Path]:
    """Every plain file, without following anything; a chain of folders is not walked to its end by recursion."""
    if not folder.is_dir() or folder.is_symlink():
        raise IntegrityError(f"There is no folder {folder.name}.", hint="Upload the model before it is registered.")
    left, looked = [(folder, 0)], 0
    while left:
        here, depth = left.pop()
        if depth > MAX_DEPTH:
            raise IntegrityError(f"{folder.name} is nested too deeply.", hint=f"At most {MAX_DEPTH} folders deep.")
        with os.scandir(here) as entries:
            for entry in entries:
                looked += 1
                if looked > 2 * MAX_FILES:
                    raise IntegrityError(f"{folder.name} holds too much.", hint=_MOST)
                if ignored and entry.name.startswith(ignored):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    left.append((Path(entry.path), depth + 1))
                else:
                    yield _plain(entry)


def _plain(entry: os.DirEntry[str]) -> Path:
    """One name, one file: what has a second name can be written to by it, and a name is something one can read."""
    if not entry.name.isprintable():
        raise IntegrityError("A file has a name that cannot be shown.", hint="Give it a plain name.")
    if not entry.is_file(follow_symlinks=False) or entry.stat(follow_symlinks=False).st_nlink != 1:
        raise IntegrityError(f"{entry.name} is a link or no plain file.", hint="A model is made of plain files.")
    return Path(entry.path)
