"""Where bytes lie: files by place, below one root on a disk or in a bucket. Who may write is not decided here.

A place is a path of plain names with `/` between them; no place leads out of its root.
"""

from __future__ import annotations

import os
import secrets
import shutil
import unicodedata
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from twinops.adapters.mlflow import digests
from twinops.server.refusals import mistake, refusal

MAX_PLACE = 900
"""Bytes of a place; S3 takes keys of 1,024 and the prefix is before it."""


@dataclass(frozen=True)
class Child:
    """A file or folder directly in a place; `size` in bytes, None for a folder."""

    name: str
    size: int | None


class Storage(Protocol):
    """What both kinds of storage do. A file is there whole or not at all."""

    @property
    def address(self) -> str:
        """The root as MLflow spells it, without a slash at its end."""

    @property
    def spool(self) -> Path:
        """A folder of this machine in which uploads are received."""

    def digests(self, place: str) -> dict[str, str]:
        """SHA-256 of every file in a place, by its path there, read now.

        Raises:
            IntegrityError: nothing is there, something that is no plain file, or more than anyone would sign for.
        """

    def names(self, place: str) -> set[str]:
        """Paths of all files in a place, unread; none where there is none."""

    def children(self, place: str) -> list[Child]:
        """What lies directly in a place, by name; nothing where there is none, or where it is a file."""

    def opened(self, place: str) -> AbstractContextManager[Path]:
        """The folder as one of this machine, for as long as it is looked at; it may be missing or empty."""

    def path(self, place: str, /) -> Path | None:
        """Where a file lies on this machine; None: it must be fetched."""

    def fetch(self, place: str, into: Path) -> None:
        """Copy one file to a path of this machine.

        Raises:
            FileNotFoundError: there is none.
        """

    def stage(self, received: Path) -> str:
        """Bring a received file as near to its place as it can be without being in it."""

    def publish(self, staged: str, place: str) -> None:
        """Put what was staged in its place, at once, over what was there."""

    def discard(self, staged: str) -> None:
        """Throw away what was staged and not published."""

    def copy(self, source: Storage, place: str, to: str) -> None:
        """Copy a file of another storage of the same kind, at once.

        Raises:
            FileNotFoundError: it is gone there.
        """

    def remove(self, place: str) -> None:
        """Remove a file, or a folder with all that is in it."""

    def claim(self, owner: str, /) -> None:
        """See that it answers and is this server's own, and clear what a killed one left half done.

        Raises:
            ServiceError: it does not answer, or another server's artifacts are kept there.
        """


@dataclass(frozen=True)
class Disk:
    """A folder of this machine. `mode` is what its files may be: private, and read-only for copies."""

    root: Path
    mode: int = 0o600

    @property
    def address(self) -> str:
        """As `file:///...`."""
        return self.root.as_uri()

    @property
    def spool(self) -> Path:
        """The root itself: what is received is renamed into its place."""
        return self.root

    def digests(self, place: str) -> dict[str, str]:
        """See `Storage`."""
        return digests.listing(self._at(place))

    def names(self, place: str) -> set[str]:
        """See `Storage`."""
        folder = self._at(place)
        return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}

    def children(self, place: str) -> list[Child]:
        """See `Storage`."""
        folder = self._at(place)
        if not folder.is_dir():
            return []
        found = sorted(p for p in folder.iterdir() if not p.name.startswith(digests.UPLOADING))
        return [Child(p.name, None if p.is_dir() else p.stat().st_size) for p in found]

    @contextmanager
    def opened(self, place: str) -> Iterator[Path]:
        """See `Storage`."""
        yield self._at(place)

    def path(self, place: str, /) -> Path | None:
        """See `Storage`."""
        path = self._at(place)
        if not path.exists():
            raise FileNotFoundError(place)
        return path

    def fetch(self, place: str, into: Path) -> None:
        """See `Storage`."""
        shutil.copyfile(self._at(place), into)

    def stage(self, received: Path) -> str:
        """It lies near enough where it was received."""
        return str(received)

    def publish(self, staged: str, place: str) -> None:
        """See `Storage`."""
        target = self._at(place)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            Path(staged).chmod(self.mode)
            Path(staged).replace(target)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            raise mistake("a file and a folder cannot have the same place.") from None

    def discard(self, staged: str) -> None:
        """See `Storage`."""
        Path(staged).unlink(missing_ok=True)

    def copy(self, source: Storage, place: str, to: str) -> None:
        """See `Storage`."""
        self.root.mkdir(parents=True, exist_ok=True)
        half = self.root / f"{digests.UPLOADING}{secrets.token_hex(8)}"
        try:
            source.fetch(place, half)
            self.publish(str(half), to)
        finally:
            half.unlink(missing_ok=True)

    def remove(self, place: str) -> None:
        """See `Storage`."""
        path = self._at(place)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    def claim(self, _owner: str, /) -> None:
        """Make the folder; that no other server works here is a lock's business."""
        self.root.mkdir(parents=True, exist_ok=True)

    def _at(self, place: str) -> Path:
        """The path of a place. No link is followed: a folder with a second name could be written to by that one."""
        path = self.root / place
        if Path(os.path.realpath(path)) != Path(os.path.realpath(self.root), place):
            raise refusal("nothing is kept outside the artifact store, nor behind a link.")
        return path


def plain(path: str) -> str:
    """A place as it is spelled once and for all; refused where it leads out of its root or hides a name.

    >>> plain("1//run/./artifacts/")
    '1/run/artifacts'
    """
    names = [name for name in path.split("/") if name not in ("", ".")]
    if path.startswith("/") or ".." in names:
        raise refusal("nothing is kept outside the artifact store.")
    if any("\\" in name or any(unicodedata.category(c) in ("Cc", "Cs") for c in name) for name in names):
        raise mistake("a name of a file holds characters that no file should have.")
    if len("/".join(names).encode()) > MAX_PLACE or any(len(name.encode()) > 255 for name in names):
        raise mistake("the name of a file is too long.")
    return "/".join(names)


def below(storage: Storage, address: str) -> str:
    """The place that an address of MLflow's names; refused where it is not in this storage."""
    wanted, root = urlsplit(address), urlsplit(storage.address)
    path, top = unquote(wanted.path), f"{unquote(root.path)}/"
    same = (wanted.scheme or "file", wanted.netloc) == (root.scheme, root.netloc)
    if not same or wanted.query or wanted.fragment or not f"{path}/".startswith(top):
        raise refusal("artifacts of this server lie in its own store, nowhere else.")
    return plain(path[len(top) :].lstrip("/"))
