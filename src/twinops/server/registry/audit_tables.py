"""Hold everything in the database against the log, in one snapshot: tables, triggers, and the log's own signed head."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Connection, create_engine, select
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from twinops.governance.log.told import Told
from twinops.server.registry import audit_log as ledger
from twinops.server.registry import standing, tables, triggers
from twinops.server.registry.tables import NOTE
from twinops.server.registry.transaction import Transaction
from twinops.server.registry.witness import SIGNED, Seen, fits


def of_transaction(now: Transaction) -> list[str]:
    """What is wrong in a running server's database; its log was verified when it was read."""
    return [*triggers.faults(now.session.connection()), *standing.all_differences(now.session, now.seen())]


def of_database(address: str, keys: list[bytes]) -> list[str]:
    """What is wrong in a database that nobody need be serving; nothing is written."""
    url = make_url(address)
    if url.get_backend_name() == "sqlite":
        place = Path(str(url.database)).resolve().as_uri()
        engine = create_engine(url.set(database=place, query={"mode": "ro", "uri": "true"}))
    else:
        engine = create_engine(url, isolation_level="REPEATABLE READ")
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN")
            return _of(connection, keys)
    finally:
        engine.dispose()


def _of(connection: Connection, keys: list[bytes]) -> list[str]:
    missing = [f"the table {name} is missing" for name in tables.missing(connection)]
    if missing:
        return missing
    with Session(connection) as session:
        bodies = list(ledger.bodies(session))
        found = [*_unsigned(session, bodies, keys), *triggers.faults(connection)]
        told = Told()
        try:
            told.take(bodies)
            return found + standing.all_differences(session, Seen(told, told.size))
        except (ValueError, KeyError, TypeError, AttributeError):
            return [*found, f"what entry {told.size} of the log or a row of the tables says cannot be read"]


def _unsigned(session: Session, bodies: Iterable[bytes], keys: list[bytes]) -> list[str]:
    """A log from before heads were signed has no signature to miss."""
    head = ledger.head(session)
    notes = session.execute(select(NOTE.c.note).where(NOTE.c.size == head.size)).scalars()
    if any(fits(note, head, keys) for note in notes) or not any(SIGNED in body for body in bodies):
        return []
    return ["the log's head is not signed by the server's key: its end was written by somebody else"]
