"""A synthetic CRM export: profiles of every person, some twice, as a CSV with the dirt that real exports have."""

from __future__ import annotations

import numpy as np

from twinops.demo.dirt import Dirt, attached, digit_slip, hostile, slip, texts, twice_decoded
from twinops.demo.identities import MadeUpPeople, Records
from twinops.demo.writing import addresses, birthdays, csv_lines, days, emails, family, given, phones, spelt

COLUMNS = (
    "crm_id", "first_name", "last_name", "birth_date", "email", "phone", "street", "postcode", "city", "loyalty_card",
    "updated", "internal_note",
)  # fmt: skip
TWICE = 0.05
"""Share of persons the CRM holds twice."""

BROKEN = (
    b"C%d,too,few,cells,synthetic\r\n",
    b'C%d,"never closed,synthetic,,,,,,,,2017-01-01,synthetic\r\n',
    b"C%d,Nul\0byte,Synthetic,,,,,,,,2017-01-01,synthetic\r\n",
    b"C%d,,,,,,,,,,2017-01-01,synthetic\r\n",
    b"C%d,Tomorrow,Synthetic,,,,,,,,2917-01-01,synthetic\r\n",
    b"C%d,Wrong,Synthetic,1985-02-30,,,,,,,2017-01-01,synthetic\r\n",
    b"=C%d,Formula,Synthetic,,,,,,,,2017-01-01,synthetic\r\n",
    b"C%d,Bytes\x81\xff,Synthetic,,,,,,,,2017-01-01,synthetic\r\n",
)
"""Lines that must not enter: they stand for nobody."""


def profiles(people: MadeUpPeople, seed: int) -> Records:
    """One profile per person and 5 % duplicates, in no order."""
    dirt = Dirt(np.random.default_rng([seed, 2]))
    person = dirt.rng.permutation(
        np.concatenate([np.arange(len(people)), np.flatnonzero(dirt.chance(len(people), TWICE))])
    )
    who, n = people.taken(person), len(person)
    first, last = _names(who, dirt)
    street, postcode, city = addresses(who, dirt, moved=0.10)
    unknown = dirt.chance(n, 0.08)
    columns = {
        "crm_id": texts([f"C{i:08d}" for i in (10_000_019 + dirt.rng.permutation(n) * 7).tolist()]),
        "first_name": first,
        "last_name": last,
        "birth_date": birthdays(who, dirt, missing=0.28),
        "email": emails(who, dirt, missing=0.29, old=0.12),
        "phone": phones(who, dirt, missing=0.47, old=0.12),
        "street": np.where(unknown, "", street),
        "postcode": np.where(unknown, "", postcode),
        "city": dirt.lost(city, 0.03),
        "loyalty_card": dirt.some(dirt.lost(who.household, 0.65), 0.02, digit_slip),
        "updated": days(np.datetime64("2017-12-31") - dirt.rng.integers(0, 900, n)),
        "internal_note": dirt.some(texts(["synthetic"] * n), 0.02, hostile),
    }
    return Records(columns, person)


def to_csv(records: Records, seed: int) -> bytes:
    """The export's bytes: commas, mostly UTF-8, some lines in Windows-1252, some broken. Every note says synthetic."""
    rng = np.random.default_rng([seed, 3])
    odd = rng.random(len(records) + 1) < 0.02
    lines = [
        line.encode("cp1252", "replace") if strange else line.encode("utf-8")
        for line, strange in zip(csv_lines(records, COLUMNS), odd.tolist(), strict=True)
    ]
    for i, place in enumerate(sorted(rng.integers(1, len(lines) + 1, max(len(BROKEN), len(records) // 300)).tolist())):
        lines.insert(place + i, BROKEN[i % len(BROKEN)] % (90_000_000 + i))
    return b"".join(lines)


def _names(who: MadeUpPeople, dirt: Dirt) -> tuple[np.ndarray, np.ndarray]:
    """First and last name as typed into a form: short forms, slips, former names, the two swapped, a few attacks."""
    first = dirt.some(spelt(given(who, dirt, short=0.12, initial=0.03), dirt, native=0.4), 0.06, slip)
    last = dirt.some(spelt(family(who, dirt, maiden=0.2), dirt, native=0.4), 0.07, slip)
    last = dirt.some(last, 0.03, lambda v, _: v.upper())
    swapped = dirt.chance(len(who), 0.015)
    first, last = np.where(swapped, last, first), np.where(swapped, first, last)
    return dirt.some(first, 0.002, attached), dirt.some(dirt.some(last, 0.002, attached), 0.003, twice_decoded)
