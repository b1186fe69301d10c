"""The register of persons, in the key store's database: settlements stand in the ledger of rights, moves lie beside.

A settlement's entry holds the digest of its moves, so they are bound to the chain as everything else is. Moves that
no entry names were written by somebody who was killed: nobody reads them, and the next settlement writes them again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, replace

from twinops.adapters.key_database import KeyDatabase, KeyRows, database_at
from twinops.adapters.rights_ledger import RightsLedger
from twinops.entities.persons import (
    Cause,
    Change,
    PersonMove,
    PersonRegister,
    decisions,
    folded,
)
from twinops.entities.rights import Right, RightsAct, RightsEntry
from twinops.errors import IntegrityError

FILE = "persons.json"


@dataclass(frozen=True)
class LedgerOfPersons:
    """The register beside the ledger of rights, in the same database and followed by a file in the same way."""

    ledger: RightsLedger

    def known(self) -> PersonRegister:
        """As of the last settlement.

        Raises:
            IntegrityError: the project follows another register, or moves were changed.
        """
        self.ledger.check(FILE)
        register = folded(self._settlements(), decisions(self.ledger.entries()))
        return replace(register, model=self._model(register.settled))

    def settle(self, moves: Sequence[PersonMove], model: str, *, office: str, person: str) -> None:
        """Write moves and weights, then the entry that names them and `persons.json`.

        Raises:
            IntegrityError: the project follows another register.
        """
        self.ledger.check(FILE)
        digest, weights = _digest(moves), hashlib.sha256(model.encode()).hexdigest()
        rows = [(digest, *astuple(move)) for move in moves]
        with self._database.writing() as db:
            db.many("INSERT INTO person_move VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", rows)
            db.many("INSERT INTO person_model VALUES (?, ?) ON CONFLICT DO NOTHING", [(weights, model)])
        about = {"moves": str(len(moves)), "digest": digest, "model": weights}
        self.ledger.append(RightsAct(Right.SETTLED, "", office, person, about=about))

    def history(self) -> tuple[tuple[RightsEntry, tuple[PersonMove, ...]], ...]:
        """Every settlement with its moves, oldest first.

        Raises:
            IntegrityError: the project follows another register, or moves were changed.
        """
        self.ledger.check(FILE)
        return tuple(self._settlements())

    def _settlements(self) -> Iterator[tuple[RightsEntry, tuple[PersonMove, ...]]]:
        settled = [e for e in self.ledger.entries() if e.right is Right.SETTLED]
        if not settled:
            return
        with self._database.writing() as db:
            for entry in settled:
                yield entry, _moves(db, entry)

    def _model(self, settled: int) -> str:
        """The weights of the settlement with this number of entry; empty before the first."""
        entry = next((e for e in self.ledger.entries() if e.seq == settled), None)
        if entry is None:
            return ""
        with self._database.writing() as db:
            found = db.all("SELECT weights FROM person_model WHERE digest = ?", entry.act.about["model"])
        if not found or hashlib.sha256(found[0][0].encode()).hexdigest() != entry.act.about["model"]:
            raise _changed(entry, "weights")
        return str(found[0][0])

    @property
    def _database(self) -> KeyDatabase:
        return database_at(str(self.ledger.place), _TABLES)


def _moves(db: KeyRows, entry: RightsEntry) -> tuple[PersonMove, ...]:
    digest = entry.act.about["digest"]
    found = tuple(
        PersonMove(record, person, was, Change(change), Cause(cause), mark)
        for record, person, was, change, cause, mark in db.all(_READ, digest)
    )
    if _digest(found) != digest:
        raise _changed(entry, "moves")
    return found


def _changed(entry: RightsEntry, what: str) -> IntegrityError:
    return IntegrityError(
        f"The {what} of entry {entry.seq} of the ledger of rights were changed.", hint="Restore the key store."
    )


def _digest(moves: Iterable[PersonMove]) -> str:
    whole = hashlib.sha256()
    for move in sorted(moves, key=lambda m: m.record):
        whole.update("\0".join(astuple(move)).encode() + b"\n")
    return whole.hexdigest()


_TABLES = (
    "CREATE TABLE IF NOT EXISTS person_move (digest TEXT NOT NULL, record TEXT NOT NULL, person TEXT NOT NULL, "
    "was TEXT NOT NULL, change TEXT NOT NULL, cause TEXT NOT NULL, fingerprint TEXT NOT NULL, "
    "PRIMARY KEY (digest, record)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS person_model (digest TEXT PRIMARY KEY, weights TEXT NOT NULL) WITHOUT ROWID",
)
_READ = "SELECT record, person, was, change, cause, fingerprint FROM person_move WHERE digest = ? ORDER BY record"
