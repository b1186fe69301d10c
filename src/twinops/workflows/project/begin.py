"""Make a project in a new folder: its own files, its first parameters and declarations. Nothing is ever overwritten."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from twinops.errors import ParamsError
from twinops.whole_files import write
from twinops.workflows.places import Places
from twinops.workflows.project.own_files import LOCK, Installed, digests, owners, record, renewed

MAY_BE_THERE = frozenset({".git"})
"""A clone of a repository that is still empty holds nothing else."""


@dataclass(frozen=True)
class Begun:
    """The new project: its folder, and how many files were written."""

    root: Path
    files: int


def begin(places: Places, *, installed: Installed, own: bool) -> Begun:
    """Write every file a project begins with; `own`: of the owner's data, with open declarations.

    Raises:
        ParamsError: the folder holds something.
    """
    against_full(places.root)
    renewable = renewed(installed)
    texts = {**renewable, **owners(installed, own=own), LOCK: record(installed.version, digests(renewable))}
    for path, text in texts.items():
        write(places.root / path, text)
    return Begun(places.root, len(texts))


def against_full(root: Path) -> None:
    """Refuse a folder in which anything lies: whose it is cannot be known."""
    if root.exists() and not root.is_dir():
        raise ParamsError(f"{root} is a file.", hint="Name a folder that is new or empty.")
    found = sorted(p.name for p in root.iterdir() if p.name not in MAY_BE_THERE) if root.is_dir() else []
    if found:
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        raise ParamsError(
            f"{root} is not empty: {found[0]}{more} lies there. Nothing was written.",
            hint="Name a folder that is new or empty.",
        )
