"""Every record with its person: groups of records under the ids that the register of persons knows."""

from __future__ import annotations

import hmac
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from twinops.data.linkage.linking import Linked, names_of
from twinops.data.linkage.normalise import RAW
from twinops.data.linkage.persons import named
from twinops.entities.canonical import to_json
from twinops.entities.persons import PersonRegister, record_name
from twinops.ports import KeyStore

IDS = ("persons", "ids")
"""The key that persons' ids are made with: it lies in the key store, and whoever shares the store makes the same."""
COLUMNS = ("sid", "source", "person", "fingerprint")


@dataclass(frozen=True)
class Registering:
    """The register of persons, the keys, and the source whose records are the households."""

    known: PersonRegister
    keys: KeyStore
    home: str


def registered(raw: pa.Table, done: Linked | None, by: Registering) -> pa.Table:
    """One row per record: `sid, source, person, fingerprint`."""
    rows = raw.sort_by([("source", "ascending"), ("record", "ascending")]).to_pylist()
    groups = _groups(rows, done, by.home)
    person = named(by.known, groups, founding=founding(by.keys))
    marks = fingerprints(rows, by.keys)
    names = [record_name(r["source"], r["record"]) for r in rows]
    sids, sources = ([r[c] for r in rows] for c in ("record", "source"))
    columns = (sids, sources, [person[n] for n in names], [marks[n] for n in names])
    return pa.table({c: pa.array(values, pa.string()) for c, values in zip(COLUMNS, columns, strict=True)})


def with_persons(links: pa.Table, people: pa.Table) -> pa.Table:
    """The links with the person's id in place of the group's number, which tells of one run alone."""
    names = zip(*(people[c].to_pylist() for c in ("source", "sid", "person")), strict=True)
    person = {(source, sid): found for source, sid, found in names}
    ours = [person[r] for r in zip(links["source"].to_pylist(), links["record"].to_pylist(), strict=True)]
    return links.set_column(links.column_names.index("cluster"), "person", pa.array(ours, pa.string()))


def fingerprints(rows: Sequence[dict[str, str | None]], keys: KeyStore) -> dict[str, str]:
    """Of each record a keyed hash of what is compared, under its own key: it tells a change, and goes with the key."""
    held = keys.subject_keys({str(r["record"]) for r in rows})
    return {
        record_name(str(r["source"]), str(r["record"])): _mark(held[str(r["record"])], r)
        for r in rows
        if r["record"] in held
    }


def _mark(key: bytes, row: dict[str, str | None]) -> str:
    said = to_json([row[c] for c in RAW if c not in ("source", "record")])
    return hmac.digest(key, b"linkage\0" + said.encode(), "sha256")[:8].hex()


def _groups(rows: Sequence[dict[str, str | None]], done: Linked | None, home: str) -> list[tuple[str, ...]]:
    """Records of one person, home records first: they found it."""
    if done is None:
        return [(record_name(str(r["source"]), str(r["record"])),) for r in rows]
    together: dict[int, list[str]] = defaultdict(list)
    for name, group in zip(names_of(done.records), done.resolved.person.tolist(), strict=True):
        together[group].append(name)
    return [in_order(group, home=home) for group in together.values()]


def in_order(group: Sequence[str], *, home: str) -> tuple[str, ...]:
    """Home records before others, then by name: the first founds the person."""
    return tuple(sorted(group, key=lambda name: (not name.startswith(f"{home}:"), name)))


def founding(keys: KeyStore) -> Callable[[str, int], str]:
    """How new persons are named: nobody without the key store can tell an id from a record, or a record from an id."""
    key = keys.batch_key(*IDS)

    def founded(founder: str, turn: int) -> str:
        return hmac.digest(key, f"{founder}\0{turn}".encode(), "sha256")[:16].hex()

    return founded
