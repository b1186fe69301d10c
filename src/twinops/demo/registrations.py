"""Synthetic registrations for the loyalty card: what the holder of each household wrote on the form at the till."""

from __future__ import annotations

import numpy as np

from twinops.demo.dirt import Dirt, Texts, slip, texts
from twinops.demo.identities import MadeUpPeople, Records
from twinops.demo.writing import addresses, csv_lines, days, emails, family, given, phones, spelt

COLUMNS = ("card", "name", "street", "postcode", "city", "email", "phone", "registered", "clerk_remark")


def registrations(people: MadeUpPeople, seed: int) -> Records:
    """One registration per household, of its holder, in the order of card numbers."""
    dirt = Dirt(np.random.default_rng([seed, 4]))
    holders = np.flatnonzero(people.holder)
    person = holders[np.argsort(people.household[holders].astype(str), kind="stable")]
    who, n = people.taken(person), len(person)
    street, postcode, city = addresses(who, dirt, moved=0.11)
    columns = {
        "card": who.household,
        "name": _name(who, dirt),
        "street": street,
        "postcode": dirt.lost(postcode, 0.04),
        "city": city,
        "email": emails(who, dirt, missing=0.33, old=0.12),
        "phone": phones(who, dirt, missing=0.50, old=0.14),
        "registered": days(np.datetime64("2016-12-31") - dirt.rng.integers(0, 1200, n)),
        "clerk_remark": texts(["synthetic"] * n),
    }
    return Records(columns, person)


def to_csv(records: Records) -> bytes:
    """Comma-separated UTF-8 with a byte order mark, as a spreadsheet saves it. Every remark says synthetic."""
    return "".join(csv_lines(records, COLUMNS)).encode("utf-8-sig")


def _name(who: MadeUpPeople, dirt: Dirt) -> Texts:
    """One field for the whole name: given name first or last, in capitals, with a title or the given name's initial."""
    first = dirt.some(spelt(given(who, dirt, short=0.10, initial=0.08), dirt, native=0.25), 0.06, slip)
    last = dirt.some(spelt(family(who, dirt, maiden=0.35), dirt, native=0.25), 0.07, slip)
    out = dirt.mixed(
        (0.62, first + " " + last),
        (0.2, last + ", " + first),
        (0.1, "Ms/Mr " + first + " " + last),
        (0.08, last + " " + first),
    )
    return dirt.some(out, 0.15, lambda v, _: v.upper())
