"""The ledger of looks: every candidate that was measured on held-out days, and every opening of the final hold-out.

One line per event, as canonical JSON. Each names the digest of a line before it, so a line that is taken out or changed
leaves another that hangs on nothing. It may be any earlier line: two branches that git joins keep both their chains.
Whoever writes all lines anew is found by whoever remembers the newest digest: git, and a registry.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twinops.entities.canonical import from_json, to_json
from twinops.errors import IntegrityError

TRIED, OPENED, SPLIT = "tried", "opened", "split"
FIELDS: Mapping[str, frozenset[str]] = {
    TRIED: frozenset({"candidate", "days", "split"}),
    OPENED: frozenset({"candidate", "days", "split", "day", "revision", "by", "why", "number"}),
    SPLIT: frozenset({"split", "day", "by", "why"}),
}
"""What each kind of event tells, no more and no less."""
FACT, REMEMBERED = "looks", "looks.remembered"
"""What evidence calls the ledger, and a registry the newest line that it knows and misses."""
BEGINNING = "0" * 64
MOST_BYTES = 4 * 1024**2
SHORT = 16
"""So many digits of a digest tell lines apart; no one gains by a line that shares them with another."""


@dataclass(frozen=True)
class Look:
    """One event, the digest of the line it follows, and its own."""

    kind: str
    about: Mapping[str, Any]
    after: str

    @property
    def line(self) -> str:
        """As it is kept and hashed."""
        return to_json({"about": dict(self.about), "after": self.after, "kind": self.kind})

    @property
    def digest(self) -> str:
        """SHA-256 of the line."""
        return hashlib.sha256(self.line.encode()).hexdigest()


@dataclass(frozen=True)
class Looks:
    """All events, in order."""

    events: tuple[Look, ...] = ()

    @property
    def head(self) -> str:
        """Digest of the newest line."""
        return self.events[-1].digest if self.events else BEGINNING

    def text(self) -> str:
        """The file."""
        return "".join(f"{event.line}\n" for event in self.events)

    def with_one(self, kind: str, about: Mapping[str, Any]) -> Looks:
        """The same and one event more."""
        return Looks((*self.events, Look(kind, about, self.head)))

    def tried(self, days: tuple[int, ...]) -> int:
        """How many different candidates were measured on these days or some of them, whatever the split."""
        shared = (e for e in self.events if e.kind == TRIED and set(e.about["days"]) & set(days))
        return len({e.about["candidate"] for e in shared})

    def knows(self, kind: str, candidate: str) -> bool:
        """Whether this candidate was measured, or the hold-out opened for it."""
        return any(e.kind == kind and e.about["candidate"] == candidate for e in self.events)

    def openings(self, days: tuple[int, ...]) -> tuple[Look, ...]:
        """When the hold-out was opened on some of these days: a release is known by the days that judge it.

        Under another salt too: those households chose before they stood apart, so a new draw makes no look undone.
        """
        return tuple(e for e in self.events if e.kind == OPENED and set(e.about["days"]) & set(days))

    def opened_of(self, split: Mapping[str, Any]) -> int:
        """How often the households of this split were looked at, on whatever days."""
        return sum(e.kind == OPENED and e.about["split"]["salt"] == split["salt"] for e in self.events)

    def declares(self, split: Mapping[str, Any]) -> bool:
        """Whether this split is the first one, or was declared in an event of its own."""
        first = next((e.about["split"] for e in self.events), split)
        return split == first or any(e.kind == SPLIT and e.about["split"] == split for e in self.events)


def read(text: str, *, name: str = "looks.jsonl") -> Looks:
    """The ledger of this text, every line held against the one it follows.

    Raises:
        IntegrityError: a line was changed, taken out or put in, or the text is no ledger.
    """
    known, events = {BEGINNING}, []
    for number, line in enumerate(text.splitlines(), start=1):
        event = _event(line, name, number)
        if event.after not in known or (event.after == BEGINNING and number > 1):
            raise _broken(name, f"line {number} does not follow any line before it: one was changed or taken out")
        if event.digest in known:
            raise _broken(name, f"line {number} stands twice")
        known.add(event.digest)
        events.append(event)
    return Looks(tuple(events))


def told(looks: Looks, days: tuple[int, ...], split: Mapping[str, Any], candidate: str) -> dict[str, Any]:
    """What the ledger says of a candidate and its held-out days: aggregates for the evidence, nobody's name."""
    openings = looks.openings(days)
    return {
        "tried": looks.tried(days),
        "openings": [
            {name: e.about[name] for name in ("number", "day", "revision", "why", "days")}
            | {"candidate": e.about["candidate"][:SHORT], "of_this": e.about["candidate"] == candidate}
            for e in openings
        ],
        "of_this_split": looks.opened_of(split),
        "declared": looks.declares(split),
        "size": len(looks.events),
        "head": looks.head,
        "lines": [event.digest[:SHORT] for event in looks.events],
    }


def anchor(said: Mapping[str, Any]) -> dict[str, Any]:
    """Size, newest digest and openings of a ledger, as `told` tells of it, for a log nobody shortens; or nothing."""
    size, head, lines = said.get("size"), said.get("head"), said.get("lines")
    sound = type(size) is int and isinstance(head, str) and len(head) == len(BEGINNING) and isinstance(lines, list)
    newest = {"size": size, "head": head, "opened": said.get("of_this_split")}
    # what is no ledger itself must not be remembered against those that are
    return {FACT: newest} if sound and lines and len(lines) == size and not lacks(said, newest) else {}


def lacks(said: Any, remembered: Mapping[str, Any]) -> bool:
    """Whether a ledger, as `told` tells of it, is without the line that somebody remembers as its newest."""
    lines = said.get("lines") if isinstance(said, Mapping) else None
    found = lines if isinstance(lines, (list, tuple)) else ()
    return len(found) < remembered["size"] or (
        remembered["size"] > 0 and remembered["head"][:SHORT] not in {str(line) for line in found}
    )


def _event(line: str, name: str, number: int) -> Look:
    try:
        raw = from_json(line)
        event = Look(raw["kind"], raw["about"], raw["after"])
        fits = event.line == line and FIELDS[event.kind] == set(event.about) and _sound(event)
    except (ValueError, KeyError, TypeError, AttributeError):
        fits = False
    if not fits:
        raise _broken(name, f"line {number} is no event of it")
    return event


def _sound(event: Look) -> bool:
    """The parts that are counted by have the types they are counted with."""
    split, days = event.about["split"], event.about.get("days", [0])
    typed = set(split) == {"salt", "share"} and type(split["salt"]) is int and isinstance(split["share"], float)
    return typed and bool(days) and all(type(day) is int for day in days)


def _broken(name: str, why: str) -> IntegrityError:
    return IntegrityError(f"{name} is not the ledger of looks as it was written: {why}.", hint="Restore it from git.")
