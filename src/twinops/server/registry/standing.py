"""Rows of our tables as they are compared with the log: of one version before it is believed, or all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from mlflow.store.model_registry.dbmodels.models import SqlRegisteredModelAlias
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from twinops.adapters.mlflow.digests import digest_of
from twinops.entities.canonical import digest
from twinops.entities.event import stamp
from twinops.governance.log.told import Entry, Rows, carried, differences, rows_of, sealed
from twinops.governance.people.lookalikes import resembles
from twinops.server.refusals import refusal
from twinops.server.registry import records
from twinops.server.registry.tables import (
    ACTOR,
    EVIDENCE,
    GRANT,
    PROMOTION,
    RESTORE,
    REVIEW,
    RULES,
    RULING,
    SEAL,
    VERSION,
)
from twinops.server.registry.transaction import Transaction
from twinops.server.registry.witness import Seen

UNTOLD = "the records in the database are not what the log tells, so nothing is decided or served on them: "


def against_untold(now: Transaction, entries: Iterable[Entry], found: Rows, *, tables: tuple[str, ...]) -> None:
    """Refuse where rows of these tables are not what these entries tell.

    Raises:
        MlflowException: a row without entry, an entry without row, or another value.
    """
    told = {key: row for key, row in rows_of(entries).items() if key[0] in tables}
    actors = {row["account"] for row in told.values() if "account" in row}
    people = frozenset(actors.union(*(row.get("by", ()) for row in told.values())))
    known = now.known.once("people", people, lambda: pseudonyms(now.session, people))
    wrong = list(differences(_known(told, known), _named(found, known)))
    if wrong:
        raise refusal(UNTOLD + "; ".join(wrong[:3]) + ". `twinops audit verify` tells all.")


def pseudonyms(session: Session, wanted: Iterable[str] | None = None) -> dict[str, str]:
    """Pseudonyms of accounts that are not forgotten."""
    known: Select[Any] = select(ACTOR.c.account, ACTOR.c.pseudonym)
    if wanted is not None:
        known = known.where(ACTOR.c.pseudonym.in_(wanted))
    return {row.account: row.pseudonym for row in session.execute(known)}


def all_differences(session: Session, seen: Seen) -> list[str]:
    """Everything in which our tables and MLflow's protected aliases differ from the log."""
    entries = seen.everything()
    told = rows_of(entries)
    told |= sealed(entries) | carried(told)
    known = pseudonyms(session)
    found = _named(_everything(session), known)
    older = {e["about"]["uid"] for e in entries if "uid" in e["about"] and "place" not in e["about"]}
    found = {k: row for k, row in found.items() if not (k[0] == "seal" and k not in told and row["uid"] in older)}
    return list(differences(_known(told, known), found))


def version(made: Any, *, deleted: bool = False) -> Rows:
    """A version's row, or its record."""
    row = {
        "name": made.name,
        "version": made.version,
        "run_id": made.run_id,
        "digest": made.digest,
        "files": digest_of(made.files),
        "account": made.registrar,
        "separated": made.separated,
        "deleted": deleted,
        "seq": made.seq,
        "created_ms": made.created_ms,
        "place": hidden(made.place),
    }
    return {("version", made.uid): row}


def hidden(place: str) -> str:
    """A folder as the log tells it: people name folders as they like."""
    return hashlib.sha256(place.encode()).hexdigest()


def grant(row: Any) -> Rows:
    """A grant's row, or its record."""
    names = ("version", "uid", "digest", "active", "etag", "etag_before")
    return {("grant", f"{row.name}@{row.alias}"): {name: getattr(row, name) for name in names}}


def review(row: Any) -> Rows:
    """A review's row, or its record."""
    values = {name: getattr(row, name) for name in ("uid", "account", "reason", "name", "version", "separated")}
    given = {"act": row.act.value, "at": stamp(row.at), "expires": stamp(row.expires) if row.expires else None}
    return {("review", row.id): values | given | {"digests": row.digests.digest if row.digests else None}}


def ruling(row: Any) -> Rows:
    """A ruling's row, or its record."""
    names = ("uid", "gate", "answer", "evidence", "account", "role", "reason", "withdrawn")
    values = {name: getattr(row, name) for name in names}
    dated = {"at": stamp(row.at), "until": row.until.isoformat(), "digests": row.digests.digest}
    return {("ruling", row.id): values | dated}


def evidence(row: Any) -> Rows:
    """The row of evidence, or its record."""
    values = {name: getattr(row, name) for name in ("uid", "account", "digest")}
    return {("evidence", row.seq): values | {"at": stamp(row.at), "body": digest(row.body)}}


def rules(row: Any) -> Rows:
    """The row of an activation."""
    values = {name: getattr(row, name) for name in ("kind", "digest", "account")}
    signature = hidden(row.signature) if row.signature is not None else None
    return {
        ("rules", row.seq): values | {"signed": signature is not None, "body": hidden(row.body), "signature": signature}
    }


def _everything(session: Session) -> Rows:
    rows: Rows = {}
    for row in session.execute(select(VERSION)):
        rows |= version(row, deleted=bool(row.deleted))
        rows["version", row.uid]["by"] = records.contributing(session, row)
    for table, made in ((GRANT, grant), (REVIEW, review), (RULING, ruling), (EVIDENCE, evidence), (RULES, rules)):
        for row in session.execute(select(table)):
            rows |= made(row)
    rows |= {("promotion", row.seq): {"uid": row.uid} for row in session.execute(select(PROMOTION))}
    rows |= {("seal", hidden(row.place)): {"uid": row.uid} for row in session.execute(select(SEAL))}
    rows |= {("restore", r.seq): {"account": r.account, "reason": r.reason} for r in session.execute(select(RESTORE))}
    return rows | _aliases(session)


def _aliases(session: Session) -> Rows:
    """MLflow's rows of protected aliases, look-alikes included."""
    guarded = records.protected_aliases(session)
    columns = SqlRegisteredModelAlias.__table__.c
    listed = session.execute(select(columns["name"], columns["alias"], columns["version"])).all()
    return {
        ("alias", f"{row.name}@{row.alias}"): {"version": row.version}
        for row in listed
        if row.alias in guarded or resembles(row.alias, guarded)
    }


def _named(rows: Rows, known: Mapping[str, str]) -> Rows:
    """With pseudonyms in place of accounts."""
    for row in rows.values():
        if "account" in row:
            row["account"] = known.get(row["account"])
        if "by" in row:
            row["by"] = frozenset(known[account] for account in row["by"] if account in known)
    return rows


def _known(rows: Rows, known: Mapping[str, str]) -> Rows:
    """Who was forgotten is not compared."""
    still = frozenset(known.values())
    for row in rows.values():
        if row.get("account") not in still:
            row.pop("account", None)
        if "by" in row:
            row["by"] &= still
    return rows
