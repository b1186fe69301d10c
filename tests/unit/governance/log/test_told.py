"""What the log says must stand in the tables: rows from entries, older moments, and each way in which tables differ."""

from __future__ import annotations

from typing import Any

import pytest

from twinops.entities.event import Event, Kind
from twinops.governance.log import merkle
from twinops.governance.log.checkpoint import Checkpoint, raw, signed
from twinops.governance.log.told import Rows, Salted, Told, carried, differences, rows_of, sealed
from twinops.governance.log.verify import check

U1, U2 = "u1", "u2"
WHY = Salted.of("because", "s").told
MADE = {"digest": "d1", "files": 2, "run": "r1", "created": 5, "place": "p1", "by": ["p-1", "p-2"]}
DECIDED = {"digests": "ds", "expires": "2027-01-01T00:00:00.000Z", "separated": True, "reason": WHY, "root": "00"}
RULED = {"gate": "drift", "answer": "failed", "role": "risk officer", "until": "2026-12-24", "digests": "ds"}
STORY: tuple[tuple[Kind, dict[str, Any]], ...] = (
    (Kind.STARTED, {"twinops": "1"}),
    (Kind.RULES, {"kind": "policy", "digest": "pd", "signed": False, "text": "pt"}),
    (Kind.REGISTERED, {"model": "twin", "version": 1, "uid": U1, **MADE}),
    (Kind.EVIDENCE, {"model": "twin", "version": 1, "uid": U1, "evidence": "e1", "forced": True, "body": "b1"}),
    (Kind.APPROVED, {"model": "twin", "version": 1, "uid": U1, **DECIDED}),
    (Kind.RULED, {"model": "twin", "version": 1, "uid": U1, **RULED, "evidence": "m1", "why": WHY}),
    (Kind.PROMOTED, {"model": "twin", "alias": "production", "version": 1, "uid": U1, "digest": "d1", "before": 0}),
    (Kind.REFUSED, {"model": "twin", "why": "no"}),
    (Kind.REVOKED, {"model": "twin", "version": 1, "uid": U1, **DECIDED, "expires": None}),
    (Kind.TAKEN_DOWN, {"model": "twin", "alias": "production", "version": 1, "uid": U1, "why": WHY}),
    (Kind.RENAMED, {"model": "twin", "now": "other"}),
    (Kind.REGISTERED, {"model": "twin", "version": 1, "uid": U2, **MADE}),
    (Kind.DELETED, {"model": "twin", "version": 1, "uid": U2}),
)


def body(seq: int, kind: Kind, about: dict[str, Any]) -> bytes:
    return Event(kind, "p-1", f"2026-11-28T00:00:{seq:02d}.000Z", about).body(seq).encode()


BODIES = [body(seq, *told) for seq, told in enumerate(STORY)]


@pytest.fixture
def told() -> Told:
    made = Told()
    made.take(BODIES)
    return made


def as_stored(rows: Rows) -> Rows:
    """The rows a sound database holds: texts themselves in place of their digests."""
    return {key: {n: "because" if isinstance(v, Salted) else v for n, v in row.items()} for key, row in rows.items()}


def every(told: Told) -> Rows:
    return rows_of(told.entries())


def test_every_table_follows_from_the_log(told: Told) -> None:
    rows = every(told)
    assert set(rows) == {
        ("rules", 1), ("version", U1), ("version", U2), ("evidence", 3), ("review", 4), ("review", 8), ("ruling", 5),
        ("promotion", 6), ("grant", "twin@production"),
    }  # fmt: skip
    assert (rows["version", U1]["name"], rows["version", U1]["deleted"]) == ("other", False), "a model was renamed"
    assert (rows["version", U2]["name"], rows["version", U2]["deleted"]) == ("twin", True)
    grant = rows["grant", "twin@production"]
    assert grant == {"version": 1, "uid": U1, "active": False, "etag": 10, "digest": "d1", "etag_before": 7}
    assert rows["review", 8]["act"] == "revoke"
    assert rows["ruling", 5]["evidence"] == "m1"


def test_an_older_moment_is_the_same_lists_cut(told: Told) -> None:
    rows = rows_of(e for e in told.entries() if e["seq"] < 8)
    assert carried(rows) == {("alias", "twin@production"): {"version": 1}}
    assert carried(every(told)) == {}, "it was taken down"


def test_the_first_version_of_a_folder_seals_it(told: Told) -> None:
    entries = [*told.versions[U1], *told.versions[U2]]
    assert sealed(entries) == {("seal", "p1"): {"uid": U1}}


def test_entries_of_older_logs_tell_fewer_fields_and_those_are_not_compared() -> None:
    old = Told()
    fewer = {"digest": "d1", "files": 2, "run": "r1"}
    old.take([body(0, Kind.REGISTERED, {"model": "twin", "version": 1, "uid": U1, **fewer})])
    row = every(old)["version", U1]
    assert {"place", "created_ms", "by"} & set(row) == set()
    assert list(differences(every(old), {("version", U1): {**row, "place": "anywhere"}})) == []


def test_each_difference_is_named_in_both_directions_without_its_value(told: Told) -> None:
    rows = every(told)
    found = as_stored(rows)
    assert list(differences(rows, found)) == []
    found["review", 99] = dict(found["review", 4])
    found["version", U1]["digest"] = "forged-secret"
    del found["ruling", 5]
    said = "\n".join(differences(rows, found))
    assert "review 99: the table holds it, no entry of the log tells of it" in said
    assert "ruling 5: the log tells of it, the table does not hold it" in said
    assert "version u1: its digest is not what the log tells" in said
    assert "secret" not in said


def test_who_worked_on_it_may_be_more_and_never_fewer(told: Told) -> None:
    rows = every(told)
    found = as_stored(rows)
    found["version", U1]["by"] = frozenset({"p-1", "p-2", "p-3"})
    assert list(differences(rows, found)) == []
    found["version", U1]["by"] = frozenset({"p-1"})
    assert list(differences(rows, found)) == ["version u1: its by is not what the log tells"]


def test_a_reason_is_compared_by_its_salted_digest() -> None:
    made = Salted.of("because it fits", "5a17")
    assert made.fits("because it fits")
    assert not made.fits("because it pays")
    assert not made.fits(None)
    assert "fits" not in made.told


def test_checkpoints_of_a_log_that_was_left_behind_are_excused_by_an_entry_alone() -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.from_private_bytes(b"k" * 32)

    def note(entries: list[bytes]) -> str:
        head = Told()
        head.take(entries)
        return signed(Checkpoint("log", head.size, head.frontier.root), key)

    kept, left = BODIES[:5], BODIES[:9]
    notes, keys = [note(kept), note(left)], [raw(key.public_key())]
    found = check(kept, notes, keys)
    assert (found.unfitting, len(found.faults), found.left) == ((9,), 1, 0)
    went_on = [*kept, body(5, Kind.RESTORED, {"since": 9, "left": 9, "why": WHY})]
    went_on += [body(n, Kind.REFUSED, {"why": "x"}) for n in range(6, 12)]
    found = check(went_on, [*notes, note(went_on)], keys)
    assert (found.faults, found.left, found.witnessed) == ((), 1, 12)
    later = check(went_on, [*notes, note(BODIES[:10])], keys)
    assert later.unfitting == (10,), "what was signed after it is not excused"


def test_a_frontier_grows_as_the_entries_do(told: Told) -> None:
    again = merkle.Frontier()
    for entry in BODIES:
        again = again.appended(merkle.leaf_hash(entry))
    assert told.frontier == Told().grown(BODIES) == again
