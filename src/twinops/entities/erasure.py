"""An erasure (GDPR art. 17): whose keys go, what keeps them away, and what every clone is told of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from twinops.entities.canonical import to_json


@dataclass(frozen=True)
class Erasing:
    """What one act destroys: keys of subjects, with what else names them so that they stay away.

    `contacts` are addresses in their one spelling (`contact`), `batches` quarantines that hold a row of theirs;
    `told` is for the certificate and names nobody.
    """

    sids: tuple[str, ...]
    contacts: tuple[str, ...] = ()
    batches: tuple[tuple[str, str], ...] = ()
    told: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CopyFound:
    """One kind of copy and what of the persons is in it.

    `files` were looked into, `sealed` of them hold frames of theirs (`frames` in all), `open` are files in which one of
    their names stands in the open, with the names taken out of the paths. None: it could not be looked into from here.
    """

    kind: str
    where: str
    files: int | None = None
    sealed: int = 0
    frames: int = 0
    open: tuple[str, ...] = ()


@dataclass(frozen=True)
class ErasureMarks:
    """What `epoch.json` holds: how many acts of erasure there were, and the pseudonyms of the erased."""

    epoch: int = 0
    erased: frozenset[str] = frozenset()

    @classmethod
    def from_text(cls, text: str | bytes) -> ErasureMarks:
        """Read the file's text.

        Raises:
            ValueError: it is something else.
        """
        raw = json.loads(text)
        if not isinstance(raw, dict) or not isinstance(raw.get("epoch"), int):
            raise ValueError("no epoch")
        return cls(raw["epoch"], frozenset(map(str, raw.get("erased", ()))))

    def to_text(self) -> str:
        """The file's text."""
        listed = {"erased": sorted(self.erased)} if self.erased else {}
        return to_json({"epoch": self.epoch, **listed}) + "\n"

    def joined(self, other: ErasureMarks) -> ErasureMarks:
        """What either knows."""
        return ErasureMarks(max(self.epoch, other.epoch), self.erased | other.erased)


@dataclass(frozen=True)
class KeyBackup:
    """A copy of the key store that was taken: where to, when (ISO day), under which wrapping key."""

    where: str
    day: str
    kek: int


@dataclass(frozen=True)
class KeyStanding:
    """How the key store stands. `kek_age_days` counts from the last rotation; `due`: old copies live too long."""

    database: str
    wrapping: str
    epoch: int
    kek: int
    kek_age_days: int
    subjects: int
    suppressed: int
    backups: tuple[KeyBackup, ...] = ()

    @property
    def due(self) -> bool:
        """Copies of the store made before the last rotation die with it; at least every thirty days."""
        return self.kek_age_days > MOST_KEK_DAYS


MOST_KEK_DAYS = 30
"""Art. 12(3) gives a month: so long may a copy of the key store outlive an erasure."""


def contact(text: str | None) -> str | None:
    """An address in its one spelling, or None where there is none.

    >>> contact(" Ann@Example.org "), contact("")
    ('ann@example.org', None)
    """
    told = "".join((text or "").split()).casefold().removeprefix("mailto:")
    return told or None
