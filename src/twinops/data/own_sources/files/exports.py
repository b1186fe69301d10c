"""The exports that people ask of a platform (GDPR art. 20): which one it is, whose, and what happened there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from twinops.data.reading import activitypub, archive, meta_archive, strict_json, x_archive
from twinops.data.reading.dates import Calendar
from twinops.data.reading.reading import Collector, Fault, Refused
from twinops.data.sources import social_accounts

MEMBERS = (*activitypub.MEMBERS, *x_archive.MEMBERS, *meta_archive.MEMBERS)
ENDINGS = (".zip", ".tar.gz", ".tgz")
NOT_READ = ("messages", "profile", "private_key", "recipients", "shared_text", "bookmarks", "contacts", "media")
"""What such exports hold beside what is read."""


def is_export(path: Path) -> bool:
    """It is a packed archive by its name, or an unpacked one by what lies in it."""
    if not path.is_dir():
        return path.name.endswith(ENDINGS)
    marks = ("actor.json", x_archive.MARK, *meta_archive.MARKS)
    return any(next(path.glob(mark), None) is not None for mark in marks)


def read_events(path: Path, collector: Collector, *, calendar: Calendar, brand: str) -> None:
    """Posts, comments, shares and likes of one export; what is hostile or torn is refused, never raised."""
    try:
        found = archive.members(path, MEMBERS)
        events = {"activitypub": activitypub.events, "x": x_archive.events, "meta": meta_archive.events}[_which(found)]
        events(found, collector, place=path.name, calendar=calendar, brand=brand)
    except Refused as refusal:
        collector.refuse(b"", refusal.reason, place=path.name)


def read_account(path: Path, collector: Collector, *, calendar: Calendar) -> None:
    """Whose export it is, as a row of `social_accounts`; what is hostile or torn is refused, never raised."""
    try:
        found = archive.members(path, MEMBERS)
        which = _which(found)
        if which == "activitypub":
            social_accounts.take(strict_json.parse(found["actor.json"]), collector, calendar)
        else:
            read = {"x": x_archive.account, "meta": meta_archive.account}[which]
            read(found, collector, calendar=calendar)
    except Refused as refusal:
        collector.refuse(b"", refusal.reason, place=path.name)


def _which(found: Mapping[str, bytes]) -> str:
    if "actor.json" in found:
        return "activitypub"
    if x_archive.MARK in found:
        return "x"
    if any(member.endswith(mark[1:]) for member in found for mark in meta_archive.MARKS):
        return "meta"
    raise Refused(Fault.NO_EXPORT)
