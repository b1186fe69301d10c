"""Files and folders by their MD5, as DVC's lock file tells them."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from fnmatch import translate
from functools import lru_cache
from pathlib import Path
from time import time_ns

SETTLED_NS = 2_000_000_000


def md5_of(place: Path, *, ignored: Sequence[str] = ()) -> str | None:
    """The MD5 of a file; of a folder that of its listing, with `.dir` behind it. None: neither is there."""
    if place.is_dir():
        return _of_listing(tuple((name, _file_md5(path, about)) for name, path, about in _files(place, ignored)))
    return _file_md5(str(place.absolute()), place.stat()) if place.is_file() else None


@lru_cache(maxsize=64)
def _of_listing(files: tuple[tuple[str, str], ...]) -> str:
    """The same files with the same bytes are asked for again and again."""
    listing = [{"md5": md5, "relpath": name} for name, md5 in sorted(files)]
    return hashlib.md5(json.dumps(listing, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + ".dir"


def ignored_in(root: Path) -> tuple[str, ...]:
    """Names that DVC leaves out, from a project's `.dvcignore`."""
    path = root / ".dvcignore"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return tuple(line.strip().rstrip("/") for line in lines if line.strip() and not line.startswith("#"))


def _files(folder: Path, ignored: Sequence[str]) -> Iterator[tuple[str, str, os.stat_result]]:
    """Name below the folder, path, and what the system says of each; as text, since a folder has a thousand."""
    left_out = re.compile("|".join(map(translate, ignored)) or "(?!)").match
    folders = [("", str(folder.absolute()))]
    while folders:
        below, path = folders.pop()
        with os.scandir(path) as entries:
            for entry in entries:
                if left_out(entry.name):
                    continue
                if entry.is_dir():
                    folders.append((f"{below}{entry.name}/", entry.path))
                else:
                    yield below + entry.name, entry.path, entry.stat()


def _file_md5(path: str, about: os.stat_result) -> str:
    as_it_is = (about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)
    # of a file that was written just now the clock may not tell what is written next
    old = max(about.st_mtime_ns, about.st_ctime_ns) < time_ns() - SETTLED_NS
    return _known(path, as_it_is) if old else _read(path)


@lru_cache(maxsize=4096)
def _known(path: str, _as_it_is: tuple[int, ...]) -> str:
    """Read once in a process while it is the same: a command looks at its own code before each thing that it does."""
    return _read(path)


def _read(path: str) -> str:
    with open(path, "rb") as file:  # noqa: PTH123  (of text)
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
