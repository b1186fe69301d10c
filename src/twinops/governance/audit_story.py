"""What the log tells of a day: what was live, who approved it, and on what evidence. From entries alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from twinops.entities.event import Kind


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


def at(bodies: Iterable[bytes], moment: str) -> list[Live]:
    """What was live at that moment (UTC, as entries carry it; a day means its end)."""
    until = moment if "T" in moment else f"{moment}T23:59:59.999Z"
    aliases: dict[tuple[str, str], dict[str, Any]] = {}
    approvals: dict[int, dict[str, Any]] = {}
    revoked: dict[str, str] = {}
    for body in bodies:
        entry = json.loads(body)
        if entry["at"] > until:
            continue
        _note(entry, aliases, approvals, revoked)
    return [_live(entry, approvals, revoked) for _, entry in sorted(aliases.items())]


def line(body: bytes, names: Mapping[str, str]) -> str:
    """One entry for a person: when, who, what, about what."""
    entry = json.loads(body)
    about = entry["about"]
    told = " ".join(f"{k}={_short(v)}" for k, v in about.items() if k not in ("digests", "root") and v is not None)
    who = names.get(entry["actor"], entry["actor"])
    return f"{entry['seq']:>6}  {entry['at'][:19]}  {who:14}  {entry['kind']:20}  {told}"


def _note(
    entry: dict[str, Any],
    aliases: dict[tuple[str, str], dict[str, Any]],
    approvals: dict[int, dict[str, Any]],
    revoked: dict[str, str],
) -> None:
    kind, about = entry["kind"], entry["about"]
    if kind == Kind.PROMOTED:
        aliases[about["model"], about["alias"]] = entry
    elif kind == Kind.TAKEN_DOWN:
        aliases.pop((about["model"], about["alias"]), None)
    elif kind == Kind.APPROVED:
        approvals[entry["seq"]] = entry
        revoked.pop(about["uid"], None)
    elif kind in (Kind.REVOKED, Kind.REJECTED):
        revoked[about["uid"]] = entry["at"]


def _live(entry: dict[str, Any], approvals: dict[int, dict[str, Any]], revoked: dict[str, str]) -> Live:
    about = entry["about"]
    approval = approvals.get(about["approval"], {})
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
        revoked=revoked.get(about["uid"]),
    )


def _short(value: Any) -> str:
    text = str(value)
    return f"{text[:12]}…" if len(text) > 40 and " " not in text else text
