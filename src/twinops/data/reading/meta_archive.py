"""The JSON downloads of Facebook and Instagram: posts, comments and whose they are.

Other people stay out: under whose post a comment stands is not kept, only whether it was ours; tags, likes of others'
posts and messages are not opened. Meta writes UTF-8 as if it were Latin-1; that is put right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from twinops.data.reading import archive, csv_records, plain_text, strict_json
from twinops.data.reading.activitypub import MAX_TEXT, event_id
from twinops.data.reading.dates import Calendar
from twinops.data.reading.reading import Collector, Fault, Refused
from twinops.data.reading.x_archive import each

MARKS = {
    "*profile_information/profile_information.json": "facebook.com",
    "*personal_information/personal_information.json": "instagram.com",
}
"""The member that says whose it is, and of which platform."""
_POSTS, _COMMENTS = r"(?:your_posts\w*|posts)_\d+\.json", r"(?:post_comments(?:_\d+)?|comments)\.json"
MEMBERS = (
    *MARKS, "*posts/your_posts*.json", "*content/posts_*.json", "*media/posts_*.json",
    "*comments_and_reactions/comments.json", "*comments/comments.json", "*comments/post_comments*.json",
)  # fmt: skip
_NAME = re.compile(r"[\w.+-]{1,64}")


def account(found: Mapping[str, bytes], collector: Collector, *, calendar: Calendar) -> None:
    """Take in whose archive it is: account, handle, name, e-mail, city, since.

    Raises:
        Refused: nothing tells whose, or since when.
    """
    host, about = _about(found)
    name = _name_of(about)
    row = (f"{name.casefold()}@{host}", name, about["name"], about["email"], about["city"])
    collector.admit((*row, calendar.of_seconds(about["since"])), unique=row[0])


def events(found: Mapping[str, bytes], collector: Collector, *, place: str, calendar: Calendar, brand: str) -> None:
    """Read posts and comments into the collector; what is hostile is refused.

    Raises:
        Refused: nothing tells whose it is.
    """
    host, about = _about(found)
    who, ours = f"{_name_of(about).casefold()}@{host}", brand.casefold()

    def post(item: dict[str, Any]) -> None:
        when = item.get("timestamp", item.get("creation_timestamp"))
        media = item.get("media")
        first = media[0] if isinstance(media, list) and media and isinstance(media[0], dict) else {}
        said = _first(item, "post") or item.get("title") if "media" in item else _first(item, "post")
        day = calendar.of_seconds(first.get("creation_timestamp") if when is None else when)
        _take(collector, (who, day, 0, 0), said or first.get("title"), f"{place}{when}")

    def comment(item: dict[str, Any]) -> None:
        said, when, under = _comment_of(item)
        day = calendar.of_seconds(when)
        _take(collector, (who, day, int(bool(ours) and ours in under.casefold()), 1), said, f"{place}{when}")

    for member in sorted(found):
        name = member.rpartition("/")[2]
        take = post if re.fullmatch(_POSTS, name) else comment if re.fullmatch(_COMMENTS, name) else None
        if take is not None:
            where = f"{place}/{member}"
            each(collector, _items(found[member], collector, where), None, take, where)


def _take(collector: Collector, row: tuple[str, int, int, int], said: Any, at: str) -> None:
    """One event; the same words at the same second are the same."""
    who, day, brand, reply = row
    content = _right(said) if isinstance(said, str) else ""
    if len(content) > MAX_TEXT:
        raise Refused(Fault.OVERSIZED)
    if csv_records.is_formula(content):
        raise Refused(Fault.FORMULA)
    name = event_id(who, at, str(reply), content)
    text = plain_text.from_html(content) or None
    collector.admit((who, name, "Create", day, brand, reply, text), unique=name)


def _comment_of(item: dict[str, Any]) -> tuple[Any, Any, str]:
    """Words, seconds since 1970, and what names whose post it stands under."""
    told = item.get("string_map_data")
    if isinstance(told, dict):
        value = {k: v for k, v in told.items() if isinstance(v, dict)}
        owner = value.get("Media Owner", {}).get("value")
        return (
            value.get("Comment", {}).get("value"),
            value.get("Time", {}).get("timestamp"),
            owner if isinstance(owner, str) else "",
        )
    inner: dict[str, Any] = next(
        (d["comment"] for d in _dicts(item.get("data")) if isinstance(d.get("comment"), dict)), {}
    )
    title = item.get("title")
    return inner.get("comment"), item.get("timestamp"), _right(title) if isinstance(title, str) else ""


def _first(item: dict[str, Any], field: str) -> Any:
    return next((d[field] for d in _dicts(item.get("data")) if isinstance(d.get(field), str)), None)


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    yield from (v for v in value if isinstance(v, dict)) if isinstance(value, list) else ()


def _items(data: bytes, collector: Collector, place: str) -> list[Any]:
    """The array of a member, or the one under its only name; a member that is neither is refused as a whole."""
    try:
        value = strict_json.parse_all(data, most=archive.MAX_MEMBER)
        if isinstance(value, dict):
            value = next((v for v in value.values() if isinstance(v, list)), None)
        # one post alone is written without brackets
        if not isinstance(value, list):
            raise Refused(Fault.UNKNOWN_VALUE)
    except Refused as refusal:
        collector.refuse(data, refusal.reason, place=place)
        return []
    return value


def _about(found: Mapping[str, bytes]) -> tuple[str, dict[str, Any]]:
    """The platform, and user name, name, e-mail, city and day of joining as far as they are told."""
    for member, data in sorted(found.items()):
        for mark, host in MARKS.items():
            if member.endswith(mark[1:]):
                value = strict_json.parse_all(data, most=archive.MAX_MEMBER)
                if not isinstance(value, dict):
                    raise Refused(Fault.NOT_AN_OBJECT)
                return host, _facebook(value) if host == "facebook.com" else _instagram(value)
    raise Refused(Fault.MISSING)


def _facebook(value: dict[str, Any]) -> dict[str, Any]:
    about = next((v for k, v in value.items() if k.startswith("profile") and isinstance(v, dict)), {})
    emails = _within(about, "emails", "emails")
    first = next((e for e in emails if isinstance(e, str)), None) if isinstance(emails, list) else None
    return {
        "username": about.get("username"), "name": _text(_within(about, "name", "full_name")), "email": _text(first),
        "city": _text(_within(about, "current_city", "name")), "since": about.get("registration_timestamp", 0),
    }  # fmt: skip


def _instagram(value: dict[str, Any]) -> dict[str, Any]:
    first = next(_dicts(value.get("profile_user")), {})
    told = first.get("string_map_data")
    said = {k: _within(told, k, "value") for k in ("Username", "Name", "Email")} if isinstance(told, dict) else {}
    return {
        "username": said.get("Username"), "name": _text(said.get("Name")), "email": _text(said.get("Email")),
        "city": None, "since": 0,
    }  # fmt: skip


def _within(value: dict[str, Any], *names: str) -> Any:
    found: Any = value
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _name_of(about: dict[str, Any]) -> str:
    """The user name; who has none is called by the e-mail address."""
    name = about["username"] or (about["email"] or "").replace("@", ".at.")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise Refused(Fault.BAD_ID if name else Fault.MISSING)
    return name


def _text(value: Any) -> str | None:
    return _right(value)[:200] if isinstance(value, str) and value else None


def _right(text: str) -> str:
    """UTF-8 that was written as Latin-1, put right; anything else as it is.

    >>> _right("caf\u00c3\u00a9"), _right("café")
    ('café', 'café')
    """
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text
