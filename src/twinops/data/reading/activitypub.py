"""ActivityPub exports (Mastodon archives) as events in ActivityStreams 2.0 verbs: Create, Announce, Like, Follow.

One row per event: account, event_id, verb, day, brand, reply, text. Other people stay out: whom a person answered,
liked, shared or follows is not kept, only whether it was us (`brand`); shared words are not the sharer's; letters are
not posts.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from twinops.data.reading import archive, csv_records, plain_text, strict_json
from twinops.data.reading.dates import Calendar
from twinops.data.reading.reading import Collector, Fault, Refused
from twinops.data.schema import Column, Schema

VERBS = ("Create", "Announce", "Like", "Follow")
SCHEMA = Schema(
    (
        Column("account", "text"),
        Column("event_id", "text"),
        Column("verb", "text", allowed=VERBS),
        Column("day", "whole", -10_000, 36_500),
        Column("brand", "whole", 0, 1),
        Column("reply", "whole", 0, 1),
        Column("text", "text", nullable=True),
    ),
    key=("event_id",),
)
MEMBERS = ("actor.json", "outbox.json", "likes.json", "following_accounts.csv")
MAX_TEXT = 20_000

_PUBLIC = {"https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public"}
_ACCOUNT = re.compile(r"[\w.-]{1,64}")
_STAMP = re.compile(r"archive-(\d{8})")
_FOLLOWED = re.compile(r"[\w.-]+@", re.ASCII)


@dataclass(frozen=True)
class Export:
    """What one archive is read with: where events go, whose they are, when it was made, who we are."""

    into: Collector
    place: str
    actor: str
    account: str
    calendar: Calendar
    made: int
    brand: str

    def is_brand(self, link: object) -> bool:
        """The link leads to our own domain."""
        return isinstance(link, str) and _host(link) == self.brand


@dataclass(frozen=True)
class Collection:
    """A member that holds an ordered collection: where its items begin, and what takes one in."""

    member: str
    begins: re.Pattern[str]
    take: Callable[[bytes, Export], None]


def read_archive(path: Path, collector: Collector, *, calendar: Calendar, brand: str) -> None:
    """Read one person's export into the collector; what is hostile or torn is refused, never raised."""
    try:
        events(archive.members(path, MEMBERS), collector, place=path.name, calendar=calendar, brand=brand)
    except Refused as refusal:
        collector.refuse(b"", refusal.reason, place=path.name)


def events(found: Mapping[str, bytes], collector: Collector, *, place: str, calendar: Calendar, brand: str) -> None:
    """Read the members of one person's export into the collector.

    Raises:
        Refused: nothing tells whose it is.
    """
    actor, account = _actor(found.get("actor.json"))
    export = Export(collector, place, actor, account, calendar, _made(place, calendar), brand)
    _each(found.get("outbox.json"), export, OUTBOX)
    _each(found.get("likes.json"), export, LIKES)
    _follows(found.get("following_accounts.csv"), export)


def event_id(*parts: str) -> str:
    """A name for an event that does not tell whose it is.

    >>> len(event_id("https://social.example/users/a/statuses/1"))
    24
    """
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]


def _each(data: bytes | None, export: Export, collection: Collection) -> None:
    """Every item of a collection into the collector; items that are refused go to quarantine."""
    if data is None:
        return
    place = f"{export.place}/{collection.member}"
    try:
        for at, raw, whole in strict_json.items(data, collection.begins):
            try:
                if not whole:
                    raise strict_json.torn(raw)
                collection.take(raw, export)
            except Refused as refusal:
                export.into.refuse(raw, refusal.reason, place=f"{place}@{at}")
    except Refused as refusal:
        export.into.refuse(data, refusal.reason, place=place)


def _activity(raw: bytes, export: Export) -> None:
    """One item of the outbox."""
    activity = strict_json.parse(raw)
    name, verb = _text(activity, "id"), _text(activity, "type")
    if verb not in ("Create", "Announce"):
        raise Refused(Fault.UNKNOWN_VALUE)
    # art. 4(1): an archive may hold other people's activities
    if activity.get("actor") != export.actor:
        raise Refused(Fault.FOREIGN_ACTOR)
    day = export.calendar.of_text(activity.get("published"))
    # a letter is not a post, whoever handed it in
    if not _PUBLIC & {*_links(activity, "to"), *_links(activity, "cc")}:
        export.into.left_out["not_public"] += 1
        return
    if verb == "Announce":
        brand = export.is_brand(activity.get("object"))
        export.into.admit((export.account, event_id(name), verb, day, int(brand), 0, None), unique=name)
    else:
        _note(activity, name, day, export)


def _note(activity: dict[str, Any], name: str, day: int, export: Export) -> None:
    """A post of one's own."""
    note = activity.get("object")
    if not isinstance(note, dict) or note.get("type") not in ("Note", "Question", "Article"):
        raise Refused(Fault.UNKNOWN_VALUE)
    if note.get("attributedTo", export.actor) != export.actor:
        raise Refused(Fault.FOREIGN_ACTOR)
    content = note.get("content")
    if not isinstance(content, str):
        raise Refused(Fault.MISSING)
    if len(content) > MAX_TEXT:
        raise Refused(Fault.OVERSIZED)
    if csv_records.is_formula(content):
        raise Refused(Fault.FORMULA)
    # a content warning marks what may be of a special category (art. 9)
    if note.get("sensitive") is True or note.get("summary"):
        export.into.left_out["content_warning"] += 1
        return
    text = plain_text.from_html(content)
    if not text:
        raise Refused(Fault.EMPTY_TEXT)
    mentions = [t.get("href") for t in note.get("tag") or [] if isinstance(t, dict) and t.get("type") == "Mention"]
    answered = note.get("inReplyTo")
    brand = any(export.is_brand(link) for link in (*mentions, answered))
    export.into.admit(
        (export.account, event_id(name), "Create", day, int(brand), int(answered is not None), text), unique=name
    )


def _like(raw: bytes, export: Export) -> None:
    """One liked post. Exports do not say when: it is known from the day the export was made."""
    link = strict_json.parse_text(raw)
    if not _host(link):
        raise Refused(Fault.BAD_ID)
    name = event_id(export.account, "Like", link)
    export.into.admit((export.account, name, "Like", export.made, int(export.is_brand(link)), 0, None), unique=name)


def _follows(data: bytes | None, export: Export) -> None:
    """The accounts followed, of which only ours is kept; undated like the likes."""
    if data is None:
        return
    head, *below = csv_records.in_text(line.removesuffix(b"\r") for line in data.split(b"\n"))
    header = csv_records.cells_of(head, ",")
    # a header that is no CSV has no columns: every record is then refused, and none is read by guess
    shape = csv_records.Shape(0 if isinstance(header, Fault) else len(header), begins=_FOLLOWED)
    for record in csv_records.records(below, shape):
        try:
            if record.refused:
                raise Refused(record.refused)
            name, _, host = record.cells[0].rpartition("@")
            if not name or not host:
                raise Refused(Fault.BAD_ID)
            # whom else a person follows is data about those others
            if host.casefold() != export.brand:
                export.into.left_out["third_party_account"] += 1
                continue
            event = event_id(export.account, "Follow", record.cells[0])
            export.into.admit((export.account, event, "Follow", export.made, 1, 0, None), unique=event)
        except Refused as refusal:
            export.into.refuse(
                csv_records.in_bytes(record.raw),
                refusal.reason,
                place=f"{export.place}/following_accounts.csv:{record.line}",
            )


def _actor(data: bytes | None) -> tuple[str, str]:
    """The actor's link and account (`name@host`); nothing else of the profile is taken, least of all its keys."""
    if data is None:
        raise Refused(Fault.MISSING)
    profile = strict_json.parse(data)
    actor, name = _text(profile, "id"), _text(profile, "preferredUsername")
    host = _host(actor)
    if not host or not _ACCOUNT.fullmatch(name):
        raise Refused(Fault.BAD_ID)
    return actor, f"{name.casefold()}@{host}"


def _made(name: str, calendar: Calendar) -> int:
    """The day in the archive's name; without one, or before it has come, the as-of date: nothing is known early."""
    stamp = _STAMP.match(name)
    try:
        return (
            calendar.of_date(datetime.strptime(stamp[1], "%Y%m%d").replace(tzinfo=calendar.zone).date())
            if stamp
            else calendar.today
        )
    except (ValueError, Refused):
        return calendar.today


def _text(record: dict[str, Any], field: str) -> str:
    value = record.get(field)
    if not isinstance(value, str) or not value or len(value) > 2_000:
        raise Refused(Fault.MISSING if value is None else Fault.BAD_ID)
    return value


def _links(record: dict[str, Any], field: str) -> list[str]:
    value = record.get(field)
    return [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, str)]


def _host(link: str) -> str:
    try:
        parts = urlsplit(link)
        return (parts.hostname or "") if parts.scheme in ("https", "http") else ""
    except ValueError:
        return ""


OUTBOX = Collection("outbox.json", strict_json.ACTIVITY, _activity)
LIKES = Collection("likes.json", strict_json.LINK, _like)
