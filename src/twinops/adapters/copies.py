"""Where copies of a project's data lie: its folders, DVC's cache, run cache and remotes, every revision, MLflow."""

from __future__ import annotations

import configparser
import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from twinops.entities.erasure import CopyFound
from twinops.entities.rights import pseudonym

MOST_BYTES = 256 * 2**20
"""Of a file in which names are looked for in the open; behind it is not read."""

PLAIN = {
    "executed notebooks": ("reports/notebooks",),
    "reports and documents": ("reports", "model_cards", "compliance"),
    "MLflow runs and artifacts": ("mlruns", "mlartifacts", "mlflow.db", "registry"),
    "logs and scratch": (".twinops", "logs"),
    "exports": ("exports",),
    "released tables": ("data/releases",),
}
"""What holds no sealed rows, and should hold nobody's name: kind -> places."""
_TOKEN = re.compile(rb"[\w.+@-]{6,128}")
_MD5 = re.compile(rb"md5: ([0-9a-f]{32})(?:\.dir)?")
_SEALED = b"twinops.sealed"


@dataclass(frozen=True)
class ProjectCopies:
    """The copies that can be reached from one project folder."""

    root: Path

    def look(self, sids: frozenset[str], names: frozenset[str]) -> tuple[CopyFound, ...]:
        """Kind by kind; a remote that is no folder is named and not looked into."""
        wanted = _Wanted(sids, names)
        # a copy that was made for the person tells whose it is by their pseudonym (`twinops subject export`)
        handed_out = _Wanted(sids, names | {pseudonym(sid) for sid in sids})
        return (
            self._sealed("data as it lies here", "data/", sorted((self.root / "data").rglob("*.parquet")), wanted),
            self._sealed("living twins", "live/", sorted((self.root / "live").rglob("*.parquet")), wanted),
            self._sealed("sealed tables beside", "*.parquet, exports/", self._beside(), wanted),
            self._revisions(),
            self._sealed("DVC cache", ".dvc/cache", self._objects(self.root / ".dvc" / "cache" / "files"), wanted),
            self._run_cache(),
            *(self._remote(name, url, wanted) for name, url in sorted(self._remotes().items())),
            *(self._plain(kind, places, handed_out if kind == "exports" else wanted) for kind, places in PLAIN.items()),
        )

    def listed(self, digest: str, sids: frozenset[str]) -> frozenset[str] | None:
        """Which of the subjects a sealed file of this MD5 holds; the cache is asked, then this folder's remotes."""
        homes = [self.root / ".dvc" / "cache", *filter(None, map(self._folder_of, self._remotes().values()))]
        for home in homes:
            path = home / "files" / "md5" / digest[:2] / digest[2:]
            if path.is_file():
                held = _Wanted(sids, frozenset()).held_in(path)
                return frozenset(s.hex() for s in held or ())
        return None

    @staticmethod
    def _sealed(kind: str, where: str, files: Iterable[Path], wanted: _Wanted) -> CopyFound:
        counts = [len(held) for path in files if (held := wanted.held_in(path)) is not None]
        return CopyFound(kind, where, len(counts), sum(n > 0 for n in counts), sum(counts))

    @staticmethod
    def _objects(folder: Path) -> list[Path]:
        return sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.endswith(".dir"))

    def _beside(self) -> list[Path]:
        """Tables that somebody had written into the project's folder (`twinops score --out`)."""
        return sorted((*self.root.glob("*.parquet"), *(self.root / "exports").rglob("*.parquet")))

    def _revisions(self) -> CopyFound:
        """Revisions of git that name data: each points to objects of the cache and the remotes by their MD5."""
        revisions = _git(self.root, "log", "--all", "--format=%H", "--", "dvc.lock").decode().split()
        objects = {m for r in revisions for m in _MD5.findall(_git(self.root, "show", f"{r}:./dvc.lock"))}
        where = f"{len(revisions):,} revisions of dvc.lock, {len(objects):,} objects by MD5"
        return CopyFound("git revisions", where, len(revisions))

    def _run_cache(self) -> CopyFound:
        runs = [p for p in (self.root / ".dvc" / "cache" / "runs").rglob("*") if p.is_file()]
        return CopyFound("DVC run cache", ".dvc/cache/runs: MD5s of objects, no rows", len(runs))

    def _remote(self, name: str, url: str, wanted: _Wanted) -> CopyFound:
        folder = self._folder_of(url)
        if folder is None or not folder.is_dir():
            parts = urlsplit(url)
            return CopyFound("DVC remote", f"{name} ({parts.scheme or 'folder'}://{parts.hostname or '...'})")
        return self._sealed("DVC remote", f"{name} (a folder)", self._objects(folder / "files"), wanted)

    def _remotes(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for name in ("config", "config.local"):
            told = configparser.ConfigParser(interpolation=None)
            told.read(self.root / ".dvc" / name)
            for section in told.sections():
                if "remote" in section and "url" in told[section]:
                    found[section.strip("'\"").removeprefix("remote").strip().strip('"')] = told[section]["url"]
        return found

    def _folder_of(self, url: str) -> Path | None:
        return None if "://" in url else (self.root / ".dvc" / url).resolve()

    def _plain(self, kind: str, places: tuple[str, ...], wanted: _Wanted) -> CopyFound:
        files = [p for place in places for p in _files(self.root / place) if not self._told_before(p, kind)]
        found = {_whole_copy(p) for p in files if wanted.named_in(p)}
        hits = tuple(sorted(wanted.without_names(p.relative_to(self.root)) for p in found))
        return CopyFound(
            kind, ", ".join(p for p in places if (self.root / p).exists()) or "none", len(files), open=hits
        )

    def _told_before(self, path: Path, kind: str) -> bool:
        return kind == "reports and documents" and "notebooks" in path.relative_to(self.root).parts


@dataclass(frozen=True)
class _Wanted:
    """Whom to look for."""

    sids: frozenset[str]
    names: frozenset[str]

    @cached_property
    def _raw(self) -> np.ndarray:
        return np.array(sorted(bytes.fromhex(s) for s in self.sids), dtype="S16")

    @cached_property
    def _words(self) -> frozenset[bytes]:
        """Short numbers stand everywhere by chance; they are not looked for."""
        told = {w.encode() for w in (*self.sids, *self.names) if len(w) >= 6}
        return frozenset(told | {w.lower() for w in told})

    def held_in(self, path: Path) -> list[bytes] | None:
        """The subjects of a sealed file among them; None: it is no such file, or none that was written by us."""
        if not path.is_file():
            return None
        try:
            with pq.ParquetFile(path) as file:
                if _SEALED not in (file.metadata.metadata or {}):
                    return None
                held = file.read(columns=["sid"])["sid"].cast(pa.binary(16)).combine_chunks()
        except (pa.ArrowException, OSError, KeyError, ValueError):
            return None
        buffer = held.buffers()[1]
        there = np.frombuffer(buffer, dtype="S16", count=len(held), offset=held.offset * 16) if len(held) else ()
        # numpy drops trailing zero bytes of S16 on both sides alike
        return [bytes(s).ljust(16, b"\0") for s in np.intersect1d(np.asarray(there, dtype="S16"), self._raw)]

    def named_in(self, path: Path) -> bool:
        """Whether one of the names stands in the file, as a word."""
        if not self._words:
            return False
        with path.open("rb") as file:
            content = file.read(MOST_BYTES)
        return not self._words.isdisjoint(token.lower() for token in _TOKEN.findall(content)) or self._in_name(path)

    def _in_name(self, path: Path) -> bool:
        return any(word in path.name.encode() for word in self._words)

    def without_names(self, path: Path) -> str:
        """The path as it may be told."""
        told = path.as_posix()
        for word in sorted(self._words, key=len, reverse=True):
            told = told.replace(word.decode(), "*")
        return told


def _whole_copy(path: Path) -> Path:
    """The folder of a copy that was handed out, where its file for machines tells whose it is."""
    return path.parent if path.name == "data.json" and (path.parent / "your-data.html").is_file() else path


def _files(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield place
    elif place.is_dir():
        yield from sorted(p for p in place.rglob("*") if p.is_file() and not p.is_symlink())


def _git(folder: Path, *words: str) -> bytes:
    try:
        done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, check=False)
    except FileNotFoundError:
        return b""
    return done.stdout if done.returncode == 0 else b""
