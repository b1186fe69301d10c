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
        files = sorted((p.relative_to(place).as_posix(), p) for p in _files(place, ignored))
        listing = [{"md5": _file_md5(p), "relpath": name} for name, p in files]
        return hashlib.md5(json.dumps(listing, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + ".dir"
    return _file_md5(place) if place.is_file() else None


def ignored_in(root: Path) -> tuple[str, ...]:
    """Names that DVC leaves out, from a project's `.dvcignore`."""
    path = root / ".dvcignore"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return tuple(line.strip().rstrip("/") for line in lines if line.strip() and not line.startswith("#"))


def _files(folder: Path, ignored: Sequence[str]) -> Iterator[Path]:
    left_out = re.compile("|".join(map(translate, ignored)) or "(?!)").match
    folders = [str(folder)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if left_out(entry.name):
                    continue
                if entry.is_dir():
                    folders.append(entry.path)
                else:
                    yield Path(entry.path)


def _file_md5(path: Path) -> str:
    about = path.stat()
    as_it_is = (about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)
    # of a file that was written just now the clock may not tell what is written next
    old = max(as_it_is[2:]) < time_ns() - SETTLED_NS
    return _known(path.absolute(), as_it_is) if old else _read(path)


@lru_cache(maxsize=4096)
def _known(path: Path, _as_it_is: tuple[int, ...]) -> str:
    """Read once in a process while it is the same: a command looks at its own code before each thing that it does."""
    return _read(path)


def _read(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
