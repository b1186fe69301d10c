"""Bring twinops' own files of a project up to the installed version, and leave what the owner changed as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from enum import Enum
from pathlib import Path

import yaml

from twinops.entities.rights import FOLLOWED, RightsHead
from twinops.errors import ParamsError
from twinops.whole_files import write
from twinops.workflows.project.own_files import LOCK, Installed, Texts, digest, digests, record, recorded, renewed
from twinops.workflows.watched_pipeline import OwnThings, plain


class Fate(Enum):
    """What becomes of a file."""

    NEW = "new"
    CHANGED = "changed"
    GONE = "gone"
    CONFLICT = "conflict"
    """The owner and twinops both changed it: it is left as it is."""


@dataclass(frozen=True)
class FileChange:
    """One file that the installed version has otherwise."""

    path: str
    fate: Fate
    before: str | None
    now: str | None

    @property
    def diff(self) -> str:
        """Line by line."""
        before, now = ((text or "").splitlines(keepends=True) for text in (self.before, self.now))
        return "".join(unified_diff(before, now, fromfile=f"a/{self.path}", tofile=f"b/{self.path}"))


@dataclass(frozen=True)
class Upgraded:
    """What the installed version would change, or changed."""

    version: str
    changes: tuple[FileChange, ...]
    written: bool

    @property
    def conflicts(self) -> tuple[str, ...]:
        """Files that both changed."""
        return tuple(change.path for change in self.changes if change.fate is Fate.CONFLICT)


def upgrade(things: OwnThings, *, installed: Installed, write_it: bool = False, mine: Sequence[str] = ()) -> Upgraded:
    """Compare three ways: what twinops wrote, what lies here, what the installed version would write.

    `mine` names files that the owner has joined by hand: they count as hers from now on.

    Raises:
        ParamsError: the folder was not made by `twinops init`.
    """
    places = things.places
    known, wanted = recorded(places.root), renewed(installed)
    strangers = sorted(set(mine) - wanted.keys())
    if strangers:
        raise ParamsError(f"{strangers[0]} is no file that twinops renews.", hint=f"They stand in {LOCK}.")
    known |= {path: digest(wanted[path]) for path in mine}
    changes = tuple(_changes(places.root, known, wanted))
    if write_it:
        known = {path: known.get(path, "") if _left(path, changes) else told for path, told in digests(wanted).items()}
        _settle(things, changes)
    if write_it or mine:
        write(places.root / LOCK, record(installed.version, known))
    return Upgraded(installed.version, changes, written=write_it)


def _left(path: str, changes: Sequence[FileChange]) -> bool:
    return any(change.path == path and change.fate is Fate.CONFLICT for change in changes)


def _settle(things: OwnThings, changes: Sequence[FileChange]) -> None:
    places = things.places
    for change in changes:
        path = places.root / change.path
        if change.fate is Fate.GONE:
            path.unlink()
        elif change.fate is not Fate.CONFLICT:
            write(path, things.watched(str(change.now)) if path == places.pipeline else str(change.now))
    # a project may be from before there was a ledger of rights, or a retention run
    for file, told in {**dict.fromkeys(FOLLOWED, RightsHead().to_text()), "retained.json": "{}\n"}.items():
        if not (places.root / file).is_file():
            write(places.root / file, told)


def _changes(root: Path, known: Mapping[str, str], wanted: Texts) -> Iterator[FileChange]:
    for path in sorted({*known, *wanted}):
        lies, comes = _without_sources(path, _text(root / path), root), wanted.get(path)
        untouched = (None if lies is None else digest(lies)) == known.get(path)
        hers = comes is None and not untouched
        if lies == comes or hers or (comes is not None and digest(comes) == known.get(path)):
            continue
        yield FileChange(path, _fate(lies, comes) if untouched else Fate.CONFLICT, lies, comes)


def _fate(lies: str | None, comes: str | None) -> Fate:
    if lies is None:
        return Fate.NEW
    return Fate.GONE if comes is None else Fate.CHANGED


def _without_sources(path: str, text: str | None, root: Path) -> str | None:
    """`dvc.yaml` without the lines that `watching` puts there for the owner's sources: they are nobody's edit."""
    if text is None or path != "dvc.yaml":
        return text
    try:
        return plain(text, root)
    except (yaml.YAMLError, KeyError, TypeError):
        return text  # no pipeline any more: whatever it is, the owner made it


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8") if path.is_file() else None
    except UnicodeDecodeError:
        raise ParamsError(f"{path.name} is no UTF-8 text.", hint="Restore it from git.") from None
