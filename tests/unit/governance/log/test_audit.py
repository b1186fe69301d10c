"""The audit log: RFC 6962's own vectors, proofs, checkpoints, and every way of tampering that we know of."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from twinops.entities.event import Event, Kind
from twinops.governance.log import checkpoint, merkle
from twinops.governance.log import history as audit_story
from twinops.governance.log.verify import Report, check

# leaves and roots published with Certificate Transparency's reference implementation of RFC 6962
LEAVES = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
SIZE, EACH = 2_000, 50
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = checkpoint.raw(KEY.public_key())


def body(n: int, *, word: str = "x") -> bytes:
    return Event(Kind.PROMOTED, "p-1", "2026-11-23T18:00:00.000Z", {"version": n, "word": word}).body(n).encode()


def bodies(size: int = SIZE, *, word: str = "x") -> list[bytes]:
    return [body(n, word=word) for n in range(size)]


def signed(entries: list[bytes], size: int, key: Ed25519PrivateKey = KEY) -> str:
    return checkpoint.signed(checkpoint.Checkpoint("log", size, root_of(map(merkle.leaf_hash, entries[:size]))), key)


def root_of(leaves: Iterable[bytes]) -> bytes:
    size, peaks = 0, []
    for leaf in leaves:
        size = merkle.grow(peaks, size, leaf)
    return merkle.Frontier(size, tuple(peaks)).root


def head(entries: list[bytes]) -> tuple[int, str]:
    return len(entries), root_of(map(merkle.leaf_hash, entries)).hex()


@pytest.fixture(scope="module")
def notes() -> list[str]:
    """One outside checkpoint per promotion, here every fiftieth entry."""
    entries = bodies()
    return [signed(entries, size) for size in range(EACH, SIZE + 1, EACH)]


def checked(entries: list[bytes], notes: list[str], claimed: tuple[int, str] | None = None) -> Report:
    return check(entries, notes, [PUBLIC], head=claimed)


def test_the_roots_are_those_of_rfc_6962() -> None:
    leaves = [merkle.leaf_hash(bytes.fromhex(leaf)) for leaf in LEAVES]
    assert root_of([]) == merkle.EMPTY
    frontier = merkle.Frontier()
    for n, root in enumerate(ROOTS):
        frontier = frontier.appended(leaves[n])
        assert root_of(leaves[: n + 1]).hex() == frontier.root.hex() == root
        assert merkle.Frontier.from_text(n + 1, frontier.to_text()) == frontier


def test_an_untouched_log_raises_no_alarm(notes: list[str]) -> None:
    entries = bodies()
    found = checked(entries, notes, head(entries))
    assert (found.faults, found.size, found.witnessed) == ((), SIZE, SIZE)
    later = [*entries, body(SIZE)]
    assert checked(later, notes, head(later)).sound, "growing is no fault"


def renumbered(entries: list[bytes]) -> list[bytes]:
    return [b.rpartition(b'"seq":')[0] + b'"seq":%d}' % n for n, b in enumerate(entries)]


ATTACKS = {
    "edit row": lambda e: [*e[:700], e[700].replace(b'"x"', b'"y"'), *e[701:]],
    "delete row": lambda e: [*e[:700], *e[701:]],
    "delete and renumber": lambda e: renumbered([*e[:700], *e[701:]]),
    "swap two": lambda e: [*e[:700], e[701], e[700], *e[702:]],
    "truncate": lambda e: e[:1990],
    "truncate and mend the head": lambda e: e[:1990],
    "owner of the database writes the log anew": lambda e: bodies(word="y"),
    "root on the server, old entry": lambda e: renumbered([*e[:100], body(100, word="y"), *e[101:]]),
    "root on the server, newest entry": lambda e: renumbered([*e[:1999], body(1999, word="y")]),
    "backup of 100 entries ago": lambda e: e[:-100],
    "backup of 500 entries ago": lambda e: e[:-500],
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_each_named_attack_is_found(notes: list[str], attack: str) -> None:
    """Eleven of `trust.md`; in all but the first five the attacker mends the database's own head as well."""
    entries = ATTACKS[attack](bodies())
    honest = attack in ("edit row", "delete row", "delete and renumber", "swap two", "truncate")
    claimed = head(bodies()) if honest else head(entries)
    assert not checked(entries, notes, claimed).sound


def test_a_thousand_random_tamperings_are_found_and_a_thousand_untouched_logs_are_not(notes: list[str]) -> None:
    random_ = random.Random(7)
    size = 60
    entries = bodies(size)
    few = [signed(entries, n) for n in range(10, size + 1, 10)]
    missed = []
    for number in range(1_000):
        changed = tampered(entries, random_)
        if changed == entries:
            continue
        if checked(changed, few, head(changed)).sound:
            missed.append(number)
    assert missed == []
    for _ in range(1_000):
        longer = [*entries, *(body(size + n) for n in range(random_.randrange(9)))]
        assert checked(longer, few, head(longer)).sound


def tampered(entries: list[bytes], random_: random.Random) -> list[bytes]:
    made = list(entries)
    for _ in range(random_.choice((1, 1, 2, 3))):
        if len(made) < 2:
            break
        n = random_.randrange(len(made) - 1)
        how = random_.randrange(6)
        if how == 0:
            at = random_.randrange(len(made[n]))
            made[n] = made[n][:at] + bytes([made[n][at] ^ (1 << random_.randrange(8))]) + made[n][at + 1 :]
        elif how == 1:
            del made[n]
        elif how == 2:
            made[n], made[n + 1] = made[n + 1], made[n]
        elif how == 3:
            made.insert(n, body(n, word="forged"))
        elif how == 4:
            made = made[: max(1, n)]
        else:
            made = renumbered([*made[:n], *made[n + 1 :]])
    return made


def test_a_fork_and_a_foreign_signature_are_found(notes: list[str]) -> None:
    entries = bodies()
    stranger = signed(entries, 100, Ed25519PrivateKey.generate())
    assert "no known key" in checked(entries, [stranger]).faults[0]
    fork = signed(bodies(word="y"), 100)
    assert any("forked" in fault for fault in checked(entries, [*notes, fork]).faults)


def test_a_checkpoint_is_a_signed_note_and_survives_being_kept_among_others() -> None:
    entries = bodies(3)
    note = signed(entries, 3)
    assert note.splitlines()[:2] == ["log", "3"]
    assert checkpoint.opened(note, [PUBLIC]).size == 3
    assert checkpoint.notes_in(note + "\n" + note) == [note, note]
    for bad in ("", note.replace("3\n", "4\n", 1), note.replace("log", "other"), "a\nb\nc\n\n— x y\n"):
        with pytest.raises(ValueError, match="checkpoint"):
            checkpoint.opened(bad, [PUBLIC])


def test_a_million_entries_are_verified_in_five_seconds_of_one_processor() -> None:
    """Scaled down tenfold here; `make test-server-full` reads the million."""
    import os

    size = int(os.environ.get("TWINOPS_AUDIT_SIZE", "100000"))
    entries = (
        b'{"about":{"w":"%s"},"actor":"p-1","at":"2026-11-23T18:00:00.000Z","kind":"alias.set","seq":%d}'
        % (b"x" * 150, n)
        for n in range(size)
    )
    started = time.process_time()
    found = check(entries, [], [])
    assert found.size == size
    assert time.process_time() - started < 5 * size / 1_000_000 * 1.5 + 0.2


def test_the_log_alone_tells_what_was_live_on_a_day() -> None:
    def entry(n: int, kind: Kind, day: int, **about: object) -> bytes:
        return Event(kind, f"p-{n}", f"2026-11-{day:02d}T12:00:00.000Z", about).body(n).encode()

    promotion = {
        "model": "twin",
        "alias": "production",
        "digest": "d",
        "evidence": "e",
        "policy": "p",
        "separated": True,
    }
    log = [
        entry(0, Kind.APPROVED, 1, uid="a"),
        entry(1, Kind.PROMOTED, 2, version=1, uid="a", approval=0, **promotion),
        entry(2, Kind.APPROVED, 5, uid="b"),
        entry(3, Kind.PROMOTED, 6, version=2, uid="b", approval=2, **promotion),
        entry(4, Kind.REVOKED, 8, uid="b"),
        entry(5, Kind.TAKEN_DOWN, 9, model="twin", alias="production"),
    ]
    told = {day: audit_story.at(log, f"2026-11-{day:02d}") for day in (1, 3, 7, 8, 9)}
    assert told[1] == told[9] == []
    assert (told[3][0].version, told[3][0].approved_by, told[3][0].set_by) == (1, "p-0", "p-1")
    assert (told[7][0].version, told[7][0].approved_by, told[7][0].revoked) == (2, "p-2", None)
    assert told[8][0].revoked
    assert "alias.set" in audit_story.line(log[1], {"p-1": "scientist"})
