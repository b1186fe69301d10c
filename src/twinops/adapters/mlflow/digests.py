"""Digests of a model folder's files: every one of them, hidden ones too, and nothing but plain files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from pathlib import Path

from twinops.entities.canonical import digest
from twinops.errors import IntegrityError

UPLOADING = ".artifact.uploading."
"""MLflow stages uploads under this name inside the destination folder; they are no part of a model yet."""

MAX_FILES = 2_000
MAX_BYTES = 2 * 1024**3
MAX_DEPTH = 32
_MOST = "A model is at most 2,000 files and 2 GiB."


def listing(folder: Path) -> dict[str, str]:
    """SHA-256 of every file by its path in the folder. Hidden files count; links, hard ones too, are refused.

    Raises:
        IntegrityError: no folder, no file, a link, or more than anyone would sign for.
    """
    found = list(islice(_files(folder), MAX_FILES + 1))
    against_unsignable(folder.name, [path.stat().st_size for path in found])
    return dict(sorted((path.relative_to(folder).as_posix(), sha256(path)) for path in found))


def against_unsignable(name: str, sizes: Collection[int]) -> None:
    """Nobody signs for nothing, nor for more than anyone could look at.

    Raises:
        IntegrityError: no file, or too many, or too large.
    """
    if not sizes:
        raise IntegrityError(f"There is no file in {name}.", hint="Upload the model before it is registered.")
    if len(sizes) > MAX_FILES or sum(sizes) > MAX_BYTES:
        raise IntegrityError(f"{name} holds too much.", hint=_MOST)


def digest_of(files: Mapping[str, str]) -> str:
    """One digest over all paths and contents."""
    return digest(dict(files))


def sha256(path: Path) -> str:
    """SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _files(folder: Path) -> Iterator[Path]:
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
