"""The ledger of updates: what came, what was measured, which limits broke, which review was asked for; no person."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twinops.entities.canonical import digest, to_json
from twinops.entities.measure import Measure
from twinops.errors import DataError
from twinops.whole_files import write
from twinops.workflows.places import Places

Entry = dict[str, Any]


@dataclass(frozen=True)
class Updates:
    """All updates, in order."""

    entries: tuple[Entry, ...] = ()

    @property
    def last(self) -> Entry | None:
        """The newest."""
        return self.entries[-1] if self.entries else None

    def with_one(self, entry: Entry) -> Updates:
        """The same and one more; the same update again takes the place of itself."""
        return Updates((*self.without(entry["id"]).entries, entry))

    def without(self, one: str) -> Updates:
        """All others: what this update finds does not hang on whether it ran before."""
        return Updates(tuple(e for e in self.entries if e["id"] != one))

    def measured(self) -> list[tuple[str, dict[str, Measure]]]:
        """Of each forecast that was scored, in order: the day it was sealed, and what was found in the end."""
        rounds: dict[str, dict[str, Measure]] = {}
        for entry in self.entries:
            for scored in entry["scored"]:
                found = [Measure.from_dict(m) for m in scored["measures"]]
                rounds[scored["sealed_on"]] = {m.name: m for m in found}
        return sorted((day, found) for day, found in rounds.items() if found)


def read(places: Places) -> Updates:
    """The ledger; empty before the first update.

    Raises:
        DataError: the file holds something else.
    """
    if not places.updates.is_file():
        return Updates()
    try:
        return Updates(tuple(dict(e) for e in json.loads(places.updates.read_text(encoding="utf-8"))["updates"]))
    except (ValueError, KeyError, TypeError):
        raise DataError("reports/updates.json is no ledger of updates.", hint="Restore it from git.") from None


def keep(places: Places, updates: Updates) -> None:
    """Write it."""
    write(places.updates, to_json({"updates": list(updates.entries)}, indent=1) + "\n")


def id_of(about: Mapping[str, Any]) -> str:
    """By what an update is known: everything it was made from."""
    return digest(dict(about))[:16]
