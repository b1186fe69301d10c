"""The archive that X (Twitter) gives to people: `data/account.js`, `data/tweets.js`, `data/like.js`.

Other people stay out: whom a person answers or shares is not kept, only whether it was us; shared words are not the
sharer's; letters (direct messages) are not opened.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from twinops.data.reading import archive, csv_records, plain_text, strict_json
from twinops.data.reading.activitypub import MAX_TEXT, event_id
from twinops.data.reading.dates import Calendar
from twinops.data.reading.reading import Collector, Fault, Refused
from twinops.entities.canonical import to_json

MARK = "data/account.js"
MEMBERS = (MARK, "data/tweets*.js", "data/tweet.js", "data/like.js", "data/manifest.js")
HOST = "x.com"
_NAME = re.compile(r"[A-Za-z0-9_]{1,30}")


def account(found: Mapping[str, bytes], collector: Collector, *, calendar: Calendar) -> None:
    """Take in whose archive it is: account, handle, name, e-mail, city, since.

    Raises:
        Refused: nothing tells whose.
    """
    about = _about(found)
    name = _name_of(about)
    email, shown = (about.get(field) for field in ("email", "accountDisplayName"))
    since = calendar.of_text(about.get("createdAt"))
    row = (_account(name), name, _said(shown), _said(email), None, since)
    collector.admit(row, unique=_account(name))


def events(found: Mapping[str, bytes], collector: Collector, *, place: str, calendar: Calendar, brand: str) -> None:
    """Read posts, shares and likes into the collector; what is hostile is refused.

    Raises:
        Refused: nothing tells whose it is.
    """
    who = _account(_name_of(_about(found)))
    made = _made(found.get("data/manifest.js"), calendar)

    def post(item: dict[str, Any]) -> None:
        _post(item, collector, who=who, calendar=calendar, brand=brand.casefold())

    def like(item: dict[str, Any]) -> None:
        name = event_id(who, "Like", _text(item, "tweetId"))
        collector.admit((who, name, "Like", made, 0, 0, None), unique=name)

    for member in sorted(found):
        if re.fullmatch(r"data/tweets?(?:-part\d+)?\.js", member):
            each(collector, _items(found[member], collector, f"{place}/{member}"), "tweet", post, f"{place}/{member}")
    likes = found.get("data/like.js")
    if likes is not None:
        where = f"{place}/data/like.js"
        each(collector, _items(likes, collector, where), "like", like, where)


def each(
    collector: Collector, items: list[Any], of: str | None, take: Callable[[dict[str, Any]], None], place: str
) -> None:
    """Take every item, or what it holds under a name; what is refused goes to quarantine."""
    for at, item in enumerate(items):
        try:
            inner = item.get(of) if of and isinstance(item, dict) else item
            if not isinstance(inner, dict):
                raise Refused(Fault.NOT_AN_OBJECT)
            take(inner)
        except Refused as refusal:
            collector.refuse(to_json(item).encode(), refusal.reason, place=f"{place}#{at}")


def _post(item: dict[str, Any], collector: Collector, *, who: str, calendar: Calendar, brand: str) -> None:
    number, content = _text(item, "id_str"), item.get("full_text", item.get("text"))
    if not isinstance(content, str):
        raise Refused(Fault.MISSING)
    if len(content) > MAX_TEXT:
        raise Refused(Fault.OVERSIZED)
    if csv_records.is_formula(content):
        raise Refused(Fault.FORMULA)
    try:
        moment = datetime.strptime(_text(item, "created_at"), "%a %b %d %H:%M:%S %z %Y")
    except ValueError:
        raise Refused(Fault.BAD_TIME) from None
    day, name = calendar.of_moment(moment), event_id("x", number)
    about_us = int(bool(brand) and brand in _named(item))
    if content.startswith("RT @"):
        collector.admit((who, name, "Announce", day, about_us, 0, None), unique=name)
        return
    reply = int(item.get("in_reply_to_status_id_str") is not None)
    collector.admit((who, name, "Create", day, about_us, reply, plain_text.from_html(content) or None), unique=name)


def _named(item: dict[str, Any]) -> set[str]:
    """Whom the post answers and names, to find out whether that is us."""
    entities = item.get("entities")
    mentions = entities.get("user_mentions") if isinstance(entities, dict) else None
    named = [m.get("screen_name") for m in mentions or () if isinstance(m, dict)] if isinstance(mentions, list) else []
    return {n.casefold() for n in (*named, item.get("in_reply_to_screen_name")) if isinstance(n, str)}


def _items(data: bytes, collector: Collector, place: str) -> list[Any]:
    """The array behind `window.YTD... =`; a member that is none is refused as a whole."""
    try:
        return array_of(data)
    except Refused as refusal:
        collector.refuse(data, refusal.reason, place=place)
        return []


def array_of(data: bytes) -> list[Any]:
    """The JSON array in a member, behind what the platform assigns it to.

    >>> array_of(b'window.YTD.like.part0 = [{"like": {}}]')
    [{'like': {}}]

    Raises:
        Refused: there is none.
    """
    value = strict_json.parse_all(re.sub(rb"\A\s*window\.[\w.]{1,80}\s*=", b"", data), most=archive.MAX_MEMBER)
    if not isinstance(value, list):
        raise Refused(Fault.UNKNOWN_VALUE)
    return value


def _about(found: Mapping[str, bytes]) -> dict[str, Any]:
    first = next(iter(array_of(found[MARK])), None) if MARK in found else None
    about = first.get("account") if isinstance(first, dict) else None
    if not isinstance(about, dict):
        raise Refused(Fault.MISSING)
    return about


def _name_of(about: dict[str, Any]) -> str:
    name = about.get("username")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise Refused(Fault.BAD_ID)
    return name


def _account(name: str) -> str:
    return f"{name.casefold()}@{HOST}"


def _said(value: Any) -> str | None:
    return value[:200] if isinstance(value, str) and value else None


def _text(item: dict[str, Any], field: str) -> str:
    value = item.get(field)
    if not isinstance(value, str) or not value or len(value) > 100:
        raise Refused(Fault.MISSING if value is None else Fault.BAD_ID)
    return value


def _made(manifest: bytes | None, calendar: Calendar) -> int:
    """The day on which the archive was made; without it the as-of date: nothing is known early."""
    stamp = re.search(rb'"generationDate"\s*:\s*"([0-9T:.+Z-]{10,40})"', manifest or b"")
    try:
        return calendar.of_text(stamp[1].decode()) if stamp else calendar.today
    except Refused:
        return calendar.today
