"""What the log tells of a day: what was live, who approved it, and on what evidence. From entries alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from twinops.entities.event import Kind


@dataclass(frozen=True)
class LoggedRuling:
    """A ruling as the log has it; `by` is a pseudonym, `ended`: it had run out or was taken back at the moment."""

    entry: int
    gate: str
    answer: str
    by: str
    role: str
    until: str
    ended: bool


@dataclass(frozen=True)
class Live:
    """One protected alias at a moment; `approved_by` is a pseudonym."""

    model: str
    alias: str
    version: int
    uid: str
    digest: str
    since: str
    set_by: str
    approval: int
    approved_by: str
    approved_at: str
    evidence: str
    policy: str
    separated: bool
    revoked: str | None
    rulings: tuple[LoggedRuling, ...] = ()
    """Rulings on single gates that the promotion rests on."""


def at(bodies: Iterable[bytes], moment: str) -> list[Live]:
    """What was live at that moment (UTC, as entries carry it; a day means its end)."""
    until = moment if "T" in moment else f"{moment}T23:59:59.999Z"
    told = _Told(until)
    for body in bodies:
        entry = json.loads(body)
        if entry["at"] <= until:
            told.note(entry)
    return [told.live(entry) for _, entry in sorted(told.aliases.items())]


def line(body: bytes, names: Mapping[str, str]) -> str:
    """One entry for a person: when, who, what, about what."""
    entry = json.loads(body)
    about = entry["about"]
    told = " ".join(f"{k}={_short(v)}" for k, v in about.items() if k not in ("digests", "root") and v is not None)
    who = names.get(entry["actor"], entry["actor"])
    return f"{entry['seq']:>6}  {entry['at'][:19]}  {who:14}  {entry['kind']:20}  {told}"


@dataclass
class _Told:
    """What entries up to a moment tell."""

    until: str
    aliases: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    approvals: dict[int, dict[str, Any]] = field(default_factory=dict)
    revoked: dict[str, str] = field(default_factory=dict)
    rulings: dict[int, dict[str, Any]] = field(default_factory=dict)
    ended: set[int] = field(default_factory=set)

    def note(self, entry: dict[str, Any]) -> None:
        """Take one entry in."""
        kind, about = entry["kind"], entry["about"]
        if kind == Kind.PROMOTED:
            self.aliases[about["model"], about["alias"]] = entry
        elif kind == Kind.TAKEN_DOWN:
            self.aliases.pop((about["model"], about["alias"]), None)
        elif kind == Kind.APPROVED:
            self.approvals[entry["seq"]] = entry
            self.revoked.pop(about["uid"], None)
        elif kind in (Kind.REVOKED, Kind.REJECTED):
            self.revoked[about["uid"]] = entry["at"]
        elif kind in (Kind.RULED, Kind.RULING_WITHDRAWN):
            self.ended |= {n for n, r in self.rulings.items() if _same_gate(r["about"], about)}
            if kind == Kind.RULED:
                self.rulings[entry["seq"]] = entry

    def live(self, entry: dict[str, Any]) -> Live:
        """One alias as it stood at the moment."""
        about = entry["about"]
        approval = self.approvals.get(about["approval"], {})
        return Live(
            model=about["model"],
            alias=about["alias"],
            version=about["version"],
            uid=about["uid"],
            digest=about["digest"],
            since=entry["at"],
            set_by=entry["actor"],
            approval=about["approval"],
            approved_by=approval.get("actor", ""),
            approved_at=approval.get("at", ""),
            evidence=about["evidence"],
            policy=about["policy"],
            separated=about["separated"],
            revoked=self.revoked.get(about["uid"]),
            rulings=tuple(self.ruled(self.rulings[n]) for n in about.get("settled", ()) if n in self.rulings),
        )

    def ruled(self, entry: dict[str, Any]) -> LoggedRuling:
        """One ruling, and whether it had ended."""
        about = entry["about"]
        ended = about["until"] < self.until[:10] or entry["seq"] in self.ended
        return LoggedRuling(
            entry["seq"], about["gate"], about["answer"], entry["actor"], about["role"], about["until"], ended
        )


def _same_gate(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return (one["uid"], one["gate"]) == (other["uid"], other["gate"])


def _short(value: Any) -> str:
    text = str(value)
    return f"{text[:12]}…" if len(text) > 40 and " " not in text else text
