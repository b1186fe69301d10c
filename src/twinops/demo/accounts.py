"""Synthetic social accounts of a part of the people, as ActivityPub actors they handed in, one JSON object a line."""

from __future__ import annotations

import html
import json
from datetime import date

import numpy as np

from twinops.demo import names
from twinops.demo.dirt import Dirt, Texts, decorated, hostile, slip, texts, twice_decoded, unique_map
from twinops.demo.dirt import without_accents as plain
from twinops.demo.identities import MadeUpPeople, Records
from twinops.demo.writing import addresses, days, emails, family, given, spelt

SHARE = 0.55
"""Of the people have an account they handed in."""
SERVER = "social.example"


def accounts(people: MadeUpPeople, seed: int) -> Records:
    """One account for about 55 % of the people, in the order of handles."""
    dirt = Dirt(np.random.default_rng([seed, 5]))
    person = np.flatnonzero(dirt.chance(len(people), SHARE))
    who, n = people.taken(person), len(person)
    aliases, many = texts(names.ALIASES), len(names.ALIASES)
    alias = aliases[dirt.rng.integers(0, many, n)] + "_" + aliases[dirt.rng.integers(0, many, n)]
    handle = _handles(who, dirt, alias)
    _, _, city = addresses(who, dirt, moved=0.15)
    order = np.argsort(handle.astype(str), kind="stable")
    columns = {
        "account": handle + f"@{SERVER}",
        "handle": handle,
        "display_name": _display(who, dirt, alias),
        "email": emails(who, dirt, missing=0.31, old=0.18),
        "city": dirt.lost(city, 0.14),
        "published": days(np.datetime64("2017-06-30") - dirt.rng.integers(0, 2000, n)),
        "summary": dirt.some(texts(["synthetic person"] * n), 0.02, hostile),
    }
    return Records({k: v[order] for k, v in columns.items()}, person[order])


def to_jsonl(records: Records) -> bytes:
    """One ActivityStreams 2.0 `Person` a line, as in a Mastodon archive's `actor.json`. Every summary is synthetic."""
    rows = zip(*records.columns.values(), strict=True)
    return b"".join(
        json.dumps(_actor(dict(zip(records.columns, r, strict=True))), ensure_ascii=False).encode("utf-8") + b"\n"
        for r in rows
    )


def owners(records: Records, people: MadeUpPeople) -> list[tuple[str, str]]:
    """Every account, as its posts name it, with the household of its person (truth): `demo.social` writes around it."""
    return list(zip(records.columns["account"].tolist(), people.household[records.person].tolist(), strict=True))


def joined(records: Records) -> dict[str, date]:
    """Every account's first day."""
    days = (date.fromisoformat(day) for day in records.columns["published"].tolist())
    return dict(zip(records.columns["account"].tolist(), days, strict=True))


def _actor(row: dict[str, str]) -> dict[str, object]:
    """An actor with e-mail and town as profile fields, where given."""
    mail = f'<a href="mailto:{html.escape(row["email"])}">{html.escape(row["email"])}</a>' if row["email"] else ""
    fields = [
        {"type": "PropertyValue", "name": name, "value": value}
        for name, value in (("E-mail", mail), ("City", row["city"]))
        if value
    ]
    return {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": f"https://{SERVER}/users/{row['handle']}",
        "type": "Person",
        "preferredUsername": row["handle"],
        "name": row["display_name"],
        "summary": f"<p>{row['summary']}</p>",
        "published": f"{row['published']}T00:00:00Z",
        "attachment": fields,
        "synthetic": True,
    }


def _handles(who: MadeUpPeople, dirt: Dirt, alias: Texts) -> Texts:
    """A handle of the name, a part of it, or an alias; every handle once."""
    first, last = (
        unique_map(spelt(v, dirt, native=0), lambda v: "".join(c for c in plain(v).lower() if c.isalnum()))
        for v in (who.given, who.surname)
    )
    nick = unique_map(
        np.where(who.short == "", who.given, who.short),
        lambda v: "".join(c for c in plain(v).lower() if c.isascii() and c.isalnum()) or "me",
    )
    year = texts([f"{y % 100:02d}" for y in who.born.astype("datetime64[Y]").astype(int) + 1970])
    out = dirt.mixed(
        (0.26, first + "." + last),
        (0.2, first + last + year),
        (0.16, unique_map(first, lambda v: v[:1]) + last),
        (0.14, nick + year),
        (0.22, alias + year),
    )
    count: dict[str, int] = {}
    for i, handle in enumerate(out.tolist()):
        count[handle] = seen = count.get(handle, -1) + 1
        out[i] = f"{handle}{seen + 1}" if seen else handle
    return out


def _display(who: MadeUpPeople, dirt: Dirt, alias: Texts) -> Texts:
    """The name shown: in full, shortened, or an alias; with slips, emoji and now and then an attack."""
    first, last = (
        spelt(given(who, dirt, short=0.18, initial=0), dirt, native=0.5),
        spelt(family(who, dirt, maiden=0.25), dirt, native=0.5),
    )
    out = dirt.mixed(
        (0.66, first + " " + last),
        (0.1, first + " " + unique_map(last, lambda v: f"{v[:1]}.")),
        (0.06, first),
        (0.06, last + " " + first),
        (0.10, alias),
    )
    out = dirt.some(dirt.some(out, 0.06, slip), 0.02, twice_decoded)
    return dirt.some(dirt.some(out, 0.18, decorated), 0.01, lambda v, d: f"{v} {hostile('', d)}")
