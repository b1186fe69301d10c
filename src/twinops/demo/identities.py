"""Synthetic people around households: who they truly are. From them CRM, registrations and social accounts are written.

Nobody here exists. One card holder per household; some households have a relative in the CRM who shares surname,
address, and now and then e-mail, telephone or card with the holder. Who is who is known only here (`truth`), and is
for evaluation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Self

import numpy as np
import pyarrow as pa

from twinops.demo import names
from twinops.demo.dirt import Texts, in_latin, texts, unique_map, without_accents

RELATIVES = 0.14
"""Share of households with a second person in the CRM."""
LAST_BIRTHDAY = np.datetime64("1999-12-31")
GROWN_UP = np.datetime64("1973-06-30")
"""Holders born before may have a child in the CRM; a few of these children are minors."""


@dataclass(frozen=True)
class MadeUpPeople:
    """One row per person, every field an array of the same length."""

    household: Texts
    holder: np.ndarray
    given: Texts
    short: Texts
    surname: Texts
    maiden: Texts
    born: np.ndarray
    email: Texts
    old_email: Texts
    phone: Texts
    old_phone: Texts
    place: np.ndarray
    """Current (row 0) and former (row 1) address: indexes of street, house number, postcode in town, town."""

    def __len__(self) -> int:
        return len(self.household)

    def taken(self, rows: np.ndarray) -> Self:
        """The people of these rows, in this order."""
        cut = {f.name: getattr(self, f.name)[..., rows] for f in fields(self)}
        return replace(self, **cut)


@dataclass(frozen=True)
class Records:
    """A source's dirty records as columns of text, and the row in `MadeUpPeople` behind each (truth)."""

    columns: dict[str, Texts]
    person: np.ndarray

    def __len__(self) -> int:
        return len(self.person)


def people_of(households: Sequence[str], seed: int) -> MadeUpPeople:
    """True persons around these households; person i is the holder of household i, relatives follow."""
    rng = np.random.default_rng([seed, 1])
    n = len(households)
    holders = _strangers(texts(list(households)), rng)
    return _with_relatives(holders, np.sort(rng.permutation(n)[: round(n * RELATIVES)]), rng)


def truth(source: str, records: Records, *, key: str) -> pa.Table:
    """Which record belongs to which person: one row per record. Evaluation alone may read it."""
    return pa.table(
        {
            "source": pa.array([source] * len(records)),
            "record": pa.array(records.columns[key].tolist(), pa.string()),
            "person": pa.array(records.person, pa.int64()),
        }
    )


def _strangers(household: Texts, rng: np.random.Generator) -> MadeUpPeople:
    n = len(household)
    given, short, surname, maiden = _names(n, rng)
    born = LAST_BIRTHDAY - rng.integers(0, 365 * 64, n)
    latin_given, latin_surname = _latin(given), _latin(surname)
    email = _unique(_addresses(latin_given, latin_surname, born, rng))
    other = _unique(_addresses(latin_given, latin_surname, born, rng, spread=2), taken=email)
    numbers = (_numbers(n, rng), _numbers(n, rng))
    place = np.stack([_places(n, rng), _places(n, rng)], axis=1)
    return MadeUpPeople(
        household, np.ones(n, dtype=bool), given, short, surname, maiden, born, email, other, *numbers, place
    )


def _with_relatives(holders: MadeUpPeople, kin: np.ndarray, rng: np.random.Generator) -> MadeUpPeople:
    """The holders, then one relative for each of `kin`: a spouse, or a child that may bear the parent's name."""
    elder, own = holders.taken(kin), _strangers(holders.household[kin], rng)
    n = len(kin)
    same_name, child, junior = rng.random(n) < 0.85, rng.random(n) < 0.4, rng.random(n) < 0.05
    shared_email, shared_phone = rng.random(n) < 0.30, rng.random(n) < 0.35
    born = elder.born + np.where(
        (child | junior) & (elder.born < GROWN_UP),
        rng.integers(20 * 365, 31 * 365, n),
        rng.integers(-6 * 365, 6 * 365, n),
    )
    relative = replace(
        own,
        holder=np.zeros(n, dtype=bool),
        born=born,
        place=elder.place,
        given=np.where(junior, elder.given, own.given),
        short=np.where(junior, elder.short, own.short),
        surname=np.where(same_name | junior, elder.surname, own.surname),
        email=np.where(shared_email, elder.email, own.email),
        phone=np.where(shared_phone, elder.phone, own.phone),
    )
    both = {
        f.name: np.concatenate([getattr(holders, f.name), getattr(relative, f.name)], axis=-1) for f in fields(holders)
    }
    return MadeUpPeople(**both)


def _names(n: int, rng: np.random.Generator) -> tuple[Texts, Texts, Texts, Texts]:
    """Given name, short form, surname, and the surname at birth of women who changed it ("" elsewhere)."""
    given = names.given_names()
    out = [np.full(n, "", dtype=object) for _ in range(4)]
    region = rng.choice(len(names.REGION_SHARE), n, p=np.array(list(names.REGION_SHARE.values())))
    female = rng.random(n) < 0.5
    for i, name in enumerate(names.REGION_SHARE):
        for sex, form in (("f", "feminine"), ("m", "masculine")):
            rows = np.flatnonzero((region == i) & (female == (sex == "f")))
            firsts = [g for g in given if g.region == name and g.sex == sex]
            lasts = _surnames_of(name, form)
            pick = _zipf(len(firsts), len(rows), rng, bend=0.6)
            out[0][rows] = texts([g.name for g in firsts])[pick]
            out[1][rows] = texts([g.short for g in firsts])[pick]
            out[2][rows] = lasts[_zipf(len(lasts), len(rows), rng, bend=0.7)]
            changed = (rng.random(len(rows)) < 0.3) & (sex == "f")
            out[3][rows] = np.where(changed, lasts[_zipf(len(lasts), len(rows), rng, bend=0.7)], "")
    return out[0], out[1], out[2], out[3]


@cache
def _surnames_of(region: str, form: str) -> Texts:
    """The surnames of a region, `feminine` or `masculine`; read, never changed."""
    return texts([getattr(s, form) for s in names.surnames() if s.region == region])


def _zipf(size: int, n: int, rng: np.random.Generator, *, bend: float) -> np.ndarray:
    """Ranks below `size`: a few common, many rare."""
    weights = np.cumsum(1 / np.arange(1, size + 1) ** bend)
    ranks = np.searchsorted(weights / weights[-1], rng.random(n), side="right")
    return np.asarray(ranks.clip(0, size - 1))


def _latin(values: Texts) -> Texts:
    return unique_map(values, lambda v: without_accents(in_latin(v, "a")).lower().replace(" ", "").replace("'", ""))


def _addresses(given: Texts, surname: Texts, born: np.ndarray, rng: np.random.Generator, *, spread: int = 0) -> Texts:
    """An e-mail address the way this person would choose one."""
    n = len(given)
    initial = unique_map(given, lambda v: v[:1])
    year = texts([f"{y % 100:02d}" for y in born.astype("datetime64[Y]").astype(int) + 1970])
    aliases, many = texts(names.ALIASES), len(names.ALIASES)
    alias = aliases[rng.integers(0, many, n)] + aliases[rng.integers(0, many, n)]
    local = np.choose(
        rng.choice(5, n, p=[0.38, 0.2, 0.17, 0.13, 0.12]),
        [given + "." + surname, given + surname + year, initial + "." + surname, given + "_" + year, alias + year],
    )
    domain = texts(list(names.DOMAINS))[(_zipf(len(names.DOMAINS), n, rng, bend=0.8) + spread) % len(names.DOMAINS)]
    return np.asarray(local + "@" + domain)


def _unique(addresses: Texts, *, taken: Texts | None = None) -> Texts:
    """Later owners of an address get a number into it: nobody can register what is taken."""
    count: dict[str, int] = dict.fromkeys(taken.tolist(), 1) if taken is not None else {}
    out = []
    for address in addresses.tolist():
        seen = count.get(address, 0)
        count[address] = seen + 1
        out.append(address.replace("@", f"{seen + 6}@", 1) if seen else address)
    return texts(out)


def _numbers(n: int, rng: np.random.Generator) -> Texts:
    """Telephone numbers under +999, which is assigned to no country."""
    return texts([f"{d:09d}" for d in rng.integers(10**8, 10**9, n).tolist()])


def _places(n: int, rng: np.random.Generator) -> np.ndarray:
    """Street, house number, postcode within the town, and town, as indexes; large towns have more postcodes."""
    town = _zipf(len(names.towns()), n, rng, bend=0.9)
    street, number = rng.integers(0, len(names.streets()), n), rng.integers(1, 140, n)
    return np.stack([street, number, rng.integers(0, 60 // (1 + town // 6) + 1, n), town])
