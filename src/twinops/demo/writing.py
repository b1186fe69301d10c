"""How people and clerks write down a name, an address, a telephone number or a date; every file in its own way."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from functools import partial
from operator import itemgetter

import numpy as np

from twinops.demo import names
from twinops.demo.dirt import Dirt, Texts, digit_slip, in_latin, slip, texts, twice_decoded, unique_map, without_accents
from twinops.demo.identities import MadeUpPeople, Records


def spelt(values: Texts, dirt: Dirt, *, native: float) -> Texts:
    """A name in its own alphabet (about this share) or in Latin letters; accents often lost, bytes decoded twice."""
    ways = [unique_map(values, partial(in_latin, way=way)) for way in ("a", "b")]
    out = dirt.mixed((native, values), ((1 - native) * 0.65, ways[0]), ((1 - native) * 0.35, ways[1]))
    out = dirt.some(out, 0.35, without_accents)
    return dirt.some(out, 0.03, twice_decoded)


def given(who: MadeUpPeople, dirt: Dirt, *, short: float, initial: float) -> Texts:
    """The name in full, or the short form people use, or an initial."""
    nick = np.where(who.short == "", who.given, who.short)
    return dirt.mixed(
        (short, nick), (initial, unique_map(who.given, lambda v: f"{v[:1]}.")), (1 - short - initial, who.given)
    )


def family(who: MadeUpPeople, dirt: Dirt, *, maiden: float) -> Texts:
    """Surname; about this share of those who changed it still go by the former."""
    return np.where(dirt.chance(len(who), maiden) & (who.maiden != ""), who.maiden, who.surname)


def emails(who: MadeUpPeople, dirt: Dirt, *, missing: float, old: float) -> Texts:
    """Current or former address; some mistyped, tagged or in capitals."""
    out = np.where(dirt.chance(len(who), old), who.old_email, who.email)
    out = dirt.some(out, 0.035, slip)
    out = dirt.some(out, 0.04, lambda v, d: v.replace("@", ("+shop", "+news", "+club")[d % 3] + "@", 1))
    out = dirt.some(out, 0.10, lambda v, _: v.upper())
    return dirt.lost(out, missing)


def phones(who: MadeUpPeople, dirt: Dirt, *, missing: float, old: float) -> Texts:
    """Current or former number, in the shapes people write them."""
    out = np.where(dirt.chance(len(who), old), who.old_phone, who.phone)
    out = dirt.some(out, 0.03, digit_slip)
    a, b, c = (unique_map(out, itemgetter(slice(at, at + 3))) for at in (0, 3, 6))
    shapes = [
        (0.4, "+999" + out),
        (0.2, "+999 " + a + " " + b + " " + c),
        (0.15, "00999" + a + "/" + b + c),
        (0.15, "0" + a + "-" + b + "-" + c),
        (0.1, "(+999) " + out),
    ]
    return dirt.lost(dirt.mixed(*shapes), missing)


def addresses(who: MadeUpPeople, dirt: Dirt, *, moved: float) -> tuple[Texts, Texts, Texts]:
    """Street with number, postcode and town; about this share gives the former address."""
    street, number, part, town = np.where(dirt.chance(len(who), moved), who.place[:, 1], who.place[:, 0])
    full, short = (texts(list(column))[street] for column in zip(*names.streets(), strict=True))
    door = texts([str(i) for i in range(150)])[number]
    line = dirt.mixed(
        (0.55, full + " " + door),
        (0.25, short + " " + door),
        (0.12, door + " " + full),
        (0.08, full + " " + door + "/2"),
    )
    city = texts(names.towns())[town]
    code = texts([f"{t:03d}{p:02d}" for t in range(len(names.towns())) for p in range(61)])[town * 61 + part]
    return (
        dirt.some(dirt.some(line, 0.3, without_accents), 0.06, slip),
        dirt.some(code, 0.03, digit_slip),
        dirt.some(dirt.some(city, 0.3, without_accents), 0.03, slip),
    )


def days(values: np.ndarray) -> Texts:
    """Dates as ISO 8601."""
    return texts(np.datetime_as_string(values.astype("datetime64[D]")).tolist())


def birthdays(who: MadeUpPeople, dirt: Dirt, *, missing: float) -> Texts:
    """Date of birth, ISO or as in most of Europe; some with a wrong digit, day and month swapped, or 1 January."""
    iso = dirt.some(days(who.born), 0.03, digit_slip)
    iso = dirt.some(iso, 0.015, lambda v, _: f"{v[:4]}-{v[8:10]}-{v[5:7]}" if v[8:10] <= "12" else v)
    iso = dirt.some(iso, 0.01, lambda v, _: f"{v[:4]}-01-01")
    return dirt.lost(dirt.some(iso, 0.3, lambda v, _: f"{v[8:10]}.{v[5:7]}.{v[:4]}"), missing)


def csv_lines(records: Records, columns: tuple[str, ...]) -> Iterator[str]:
    """Header and records as CSV text (RFC 4180), one string each."""
    for row in (columns, *zip(*(records.columns[c].tolist() for c in columns), strict=True)):
        line = io.StringIO()
        csv.writer(line, lineterminator="\r\n").writerow(row)
        yield line.getvalue()
