"""What the log says must stand in the registry's tables, and where they say otherwise. From entries and rows alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from twinops.entities.event import Kind
from twinops.governance.log.merkle import Frontier, grow, leaf_hash

Entry = dict[str, Any]
Rows = dict[tuple[str, Any], dict[str, Any]]
"""What is compared of each row, by table and key. An entry of an older log may tell fewer fields."""
ACTS = {
    Kind.REQUESTED: "request",
    Kind.APPROVED: "approve",
    Kind.REJECTED: "reject",
    Kind.ASKED: "ask",
    Kind.REVOKED: "revoke",
}
DECISIONS = (Kind.APPROVED, Kind.REJECTED, Kind.REVOKED)
MADE = (Kind.REGISTERED, Kind.ADOPTED)
MOVES = (Kind.PROMOTED, Kind.TAKEN_DOWN)


@dataclass(frozen=True)
class Salted:
    """What the log holds of a person's text: a digest that says nothing without the text and its salt."""

    told: str

    @classmethod
    def of(cls, text: str, salt: str) -> Salted:
        """Of this text; the salt is the caller's, so that nothing here is random."""
        return cls(f"{salt}:{hashlib.sha256((salt + text).encode()).hexdigest()}")

    def fits(self, text: Any) -> bool:
        """Was it made of this text?"""
        return isinstance(text, str) and Salted.of(text, self.told.partition(":")[0]) == self


@dataclass
class Told:
    """Entries by what they are about, each list in the log's order: an older moment is the same lists, cut."""

    size: int = 0
    peaks: list[bytes] = field(default_factory=list)
    versions: dict[str, list[Entry]] = field(default_factory=dict)
    """By uid; moves of aliases are not among them: a version may be promoted a thousand times."""
    aliases: dict[tuple[str, str], list[Entry]] = field(default_factory=dict)
    """By model and protected alias."""
    rules: list[Entry] = field(default_factory=list)
    restores: list[Entry] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    """Every name that a model with a version ever had."""
    started: Entry | None = None
    """The newest start of a server."""
    _live: dict[str, set[str]] = field(default_factory=dict)

    def entries(self) -> list[Entry]:
        """Every entry that a row follows from, in the log's order."""
        kept = (*self.versions.values(), *self.aliases.values(), self.rules, self.restores)
        found = {entry["seq"]: entry for entries in kept for entry in entries}
        return [found[seq] for seq in sorted(found)]

    @property
    def frontier(self) -> Frontier:
        """How far it was read."""
        return Frontier(self.size, tuple(self.peaks))

    def grown(self, bodies: Iterable[bytes]) -> Frontier:
        """The frontier that these entries would lead to; nothing is taken in yet."""
        size, peaks = self.size, list(self.peaks)
        for body in bodies:
            size = grow(peaks, size, leaf_hash(body))
        return Frontier(size, tuple(peaks))

    def take(self, bodies: Iterable[bytes]) -> None:
        """Take entries in that follow those already here."""
        for body in bodies:
            self._note(json.loads(body))
            self.size = grow(self.peaks, self.size, leaf_hash(body))

    def _note(self, entry: Entry) -> None:
        kind, about = entry["kind"], entry["about"]
        if kind == Kind.REFUSED:
            return
        if kind == Kind.STARTED:
            self.started = entry
        elif kind == Kind.RULES:
            self.rules.append(entry)
        elif kind == Kind.RESTORED:
            self.restores.append(entry)
        elif kind == Kind.RENAMED:
            self._rename(entry)
        elif kind in MOVES:
            self.aliases.setdefault((about["model"], about["alias"]), []).append(entry)
        elif "uid" in about:
            self._about_version(entry)

    def _about_version(self, entry: Entry) -> None:
        kind, about = entry["kind"], entry["about"]
        self.names.add(about["model"])
        uid, live = about["uid"], self._live.setdefault(about["model"], set())
        if kind in MADE:
            live.add(uid)
        elif kind == Kind.DELETED:
            live.discard(uid)
        self.versions.setdefault(uid, []).append(entry)

    def _rename(self, entry: Entry) -> None:
        self.names |= {entry["about"]["model"], entry["about"]["now"]}
        moved = self._live.pop(entry["about"]["model"], set())
        self._live.setdefault(entry["about"]["now"], set()).update(moved)
        for uid in moved:
            self.versions[uid].append(entry)


def rows_of(entries: Iterable[Entry]) -> Rows:
    """Rows of our own tables that these entries tell of, taken together in their order."""
    rows: Rows = {}
    for entry in entries:
        make = _MAKE.get(entry["kind"])
        if make:
            make(rows, entry)
    return rows


def sealed(entries: Iterable[Entry]) -> Rows:
    """The first version of each folder seals it; entries of older logs do not tell the folder."""
    rows: Rows = {}
    for entry in entries:
        if entry["kind"] in MADE and "place" in entry["about"]:
            rows.setdefault(("seal", entry["about"]["place"]), {"uid": entry["about"]["uid"]})
    return rows


def carried(rows: Rows) -> Rows:
    """MLflow's own alias rows that follow from the grants."""
    return {
        ("alias", key): {"version": row["version"]} for (t, key), row in rows.items() if t == "grant" and row["active"]
    }


def differences(told: Rows, found: Rows) -> Iterator[str]:
    """Each row that no entry tells of, each entry without its row, and each field that differs; no value is shown.

    A field that was not looked for in `found` is not compared.
    """
    for key in sorted({*told, *found}, key=str):
        where = f"{key[0]} {key[1]}"
        if key not in found:
            yield f"{where}: the log tells of it, the table does not hold it"
        elif key not in told:
            yield f"{where}: the table holds it, no entry of the log tells of it"
        else:
            row = found[key]
            wrong = [name for name, value in told[key].items() if name in row and not _fits(value, row[name])]
            yield from (f"{where}: its {name} is not what the log tells" for name in wrong)


def _fits(told: Any, found: Any) -> bool:
    if isinstance(told, Salted):
        return told.fits(found)
    if isinstance(told, frozenset):  # at least these
        return bool(told <= found)
    return bool(told == found)


def _made(rows: Rows, entry: Entry) -> None:
    about = entry["about"]
    row = {
        "name": about["model"],
        "version": about["version"],
        "run_id": about["run"],
        "digest": about["digest"],
        "files": about["digest"],
        "account": entry["actor"],
        "separated": entry["kind"] == Kind.REGISTERED,
        "deleted": False,
        "seq": entry["seq"],
        "created_ms": about.get("created"),
        "place": about.get("place"),
        "by": frozenset(about["by"]) if "by" in about else None,
    }
    rows["version", about["uid"]] = _told(row, "created_ms", "place", "by")


def _renamed(rows: Rows, entry: Entry) -> None:
    about = entry["about"]
    for (table, _), row in rows.items():
        if table == "version" and row["name"] == about["model"] and not row["deleted"]:
            row["name"] = about["now"]


def _deleted(rows: Rows, entry: Entry) -> None:
    rows["version", entry["about"]["uid"]]["deleted"] = True


def _moved(rows: Rows, entry: Entry) -> None:
    about, seq, up = entry["about"], entry["seq"], entry["kind"] == Kind.PROMOTED
    key = ("grant", f"{about['model']}@{about['alias']}")
    given = about if up else rows.get(key, {})
    row = {"version": about["version"], "uid": about["uid"], "active": up, "etag": seq + 1}
    row |= {"digest": given.get("digest"), "etag_before": given.get("before" if up else "etag")}
    rows[key] = _told(row, "digest", "etag_before")
    if up:
        rows["promotion", seq] = {"uid": about["uid"]}


def _evidence(rows: Rows, entry: Entry) -> None:
    about = entry["about"]
    row = {"uid": about["uid"], "digest": about["evidence"], "body": about.get("body")}
    rows["evidence", entry["seq"]] = _dated(entry, row)


def _review(rows: Rows, entry: Entry) -> None:
    about = entry["about"]
    row = {"uid": about["uid"], "act": ACTS[entry["kind"]], "name": about["model"], "version": about["version"]}
    row |= {name: about[name] for name in ("digests", "expires", "separated")}
    row["reason"] = Salted(about["reason"]) if "reason" in about else None
    rows["review", entry["seq"]] = _dated(entry, row)


def _ruling(rows: Rows, entry: Entry) -> None:
    about = entry["about"]
    row = {name: about[name] for name in ("uid", "gate", "answer", "role", "until", "digests")}
    row |= {"withdrawn": entry["kind"] == Kind.RULING_WITHDRAWN, "evidence": about.get("evidence")}
    rows["ruling", entry["seq"]] = _dated(entry, row | {"reason": Salted(about["why"])})


def _rules(rows: Rows, entry: Entry) -> None:
    about = entry["about"]
    row = {"kind": about["kind"], "digest": about["digest"], "account": entry["actor"], "signed": about["signed"]}
    row |= {"body": about.get("text"), "signature": about.get("signature")}
    rows["rules", entry["seq"]] = _told(row, "body", "signature")


def _restored(rows: Rows, entry: Entry) -> None:
    rows["restore", entry["seq"]] = {"account": entry["actor"], "reason": Salted(entry["about"]["why"])}


_MAKE: dict[str, Callable[[Rows, Entry], None]] = {
    **dict.fromkeys(MADE, _made),
    Kind.RENAMED: _renamed,
    Kind.DELETED: _deleted,
    Kind.EVIDENCE: _evidence,
    **dict.fromkeys(ACTS, _review),
    Kind.RULED: _ruling,
    Kind.RULING_WITHDRAWN: _ruling,
    **dict.fromkeys(MOVES, _moved),
    Kind.RULES: _rules,
    Kind.RESTORED: _restored,
}


def _dated(entry: Entry, row: Mapping[str, Any]) -> dict[str, Any]:
    return _told({**row, "account": entry["actor"], "at": entry["at"]}, "reason", "body", "evidence")


def _told(row: Mapping[str, Any], *optional: str) -> dict[str, Any]:
    """Without what this entry, being of an older log, does not tell."""
    return {name: value for name, value in row.items() if value is not None or name not in optional}
