"""Reviews that updates ask an officer for: kept until a registry has them, each asked for once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

from twinops.entities.canonical import to_json
from twinops.whole_files import LIVING, told_in, write
from twinops.workflows.places import Places
from twinops.workflows.update.ledger import Entry

FILE = "reviews.json"
MOST = 3_000
"""Characters of a reason; a registry takes 4,000."""


@dataclass(frozen=True)
class Asked:
    """One review: by which update, of which model, why; `handed_in`: where it is now, nothing while it waits."""

    update: str
    model: str
    reason: str
    handed_in: str = ""


HandIn = Callable[[Asked], str]
"""Gives one to the registry and says where it is; raises where none takes it."""


def reviews(entry: Entry, *, places: Places) -> tuple[Asked, ...]:
    """All that were ever asked for, with this update's where a limit is newly broken. Twice the same is once."""
    known = _kept(places)
    if entry["broken"] and all(one.update != entry["id"] for one in known):
        known = (*known, Asked(entry["id"], entry["model"]["name"], _reason(entry)))
        keep(places, known)
    return known


def keep(places: Places, asked: tuple[Asked, ...]) -> None:
    """Write them."""
    write(places.live(FILE), to_json({"asked": [asdict(one) for one in asked]}, indent=1) + "\n")


def _kept(places: Places) -> tuple[Asked, ...]:
    path = places.live(FILE)
    if not path.is_file():
        return ()
    with told_in(path, hint=LIVING) as told:
        return tuple(Asked(**one) for one in told["asked"])


def _reason(entry: Entry) -> str:
    broken = [j["sentence"] for j in entry["judged"] if j["name"] in entry["broken"]]
    return f"Monitoring as of {entry['as_of']} (update {entry['id']}): {' '.join(broken)}"[:MOST]
