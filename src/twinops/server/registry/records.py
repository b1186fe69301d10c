"""Rows of our own tables as records: one way to read and one to write each of them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, Table, func, insert, select, update
from sqlalchemy.orm import Session

from twinops.entities.approval import Act, Review, Ruling
from twinops.governance.people import offices as offices_file
from twinops.governance.people.offices import Offices
from twinops.governance.policy import limits as policy_file
from twinops.governance.policy.limits import Policy
from twinops.server.registry.callers import UNKNOWN
from twinops.server.registry.tables import (
    EVIDENCE,
    GRANT,
    PROMOTION,
    PROTECTED,
    REVIEW,
    RULES,
    RULING,
    RUN,
    SEAL,
    UPLOAD,
    VERSION,
    insert_into,
)

R = TypeVar("R")
DECIDED = (Act.APPROVE, Act.REJECT, Act.REVOKE)


@dataclass(frozen=True)
class Recorded:
    """A version as it was when it was registered. `place` is its folder below the artifact root."""

    uid: str
    name: str
    version: int
    created_ms: int
    run_id: str | None
    place: str
    registrar: str
    digest: str
    files: dict[str, str]
    separated: bool
    seq: int


@dataclass(frozen=True)
class Grant:
    """A protected alias: which version it may point to, and the number of its last event."""

    name: str
    alias: str
    version: int
    uid: str
    digest: str
    active: bool
    etag: int
    etag_before: int | None


@dataclass(frozen=True)
class Submitted:
    """Evidence as the gate runner handed it in. `body` holds evidence, documents' digests, commit and authors."""

    seq: int
    uid: str
    account: str
    at: datetime
    digest: str
    body: dict[str, Any]


@dataclass(frozen=True)
class ActiveRules:
    """The policy and the offices file that are active on this server."""

    policy: Policy | None
    offices: Offices | None


def _read(session: Session, record: type[R], of: Select[Any]) -> list[R]:
    """Rows as records; the select names the record's own columns."""
    return [record(*row) for row in session.execute(of)]


def _of(table: Table, record: type[Any], *where: ColumnElement[bool]) -> Select[Any]:
    return select(*(table.c[f.name] for f in fields(record))).where(*where)


def _values(record: Any) -> dict[str, Any]:
    return {f.name: getattr(record, f.name) for f in fields(record)}


def version_of(session: Session, name: str, version: int, *, created_ms: int | None = None) -> Recorded | None:
    """What is recorded of the version that now has this name and number.

    `created_ms` must fit, where it is given: numbers start again after a model is deleted.
    """
    here = (VERSION.c.deleted == 0, VERSION.c.name == name, VERSION.c.version == int(version))
    found = _read(session, Recorded, _of(VERSION, Recorded, *here))
    return next((made for made in found if created_ms in (None, made.created_ms)), None)


def all_versions(session: Session) -> list[tuple[str, int]]:
    """Name and number of every version that is not deleted."""
    listed = select(VERSION.c.name, VERSION.c.version).where(VERSION.c.deleted == 0).order_by(VERSION.c.seq.desc())
    return [(row.name, row.version) for row in session.execute(listed)]


def keep_version(session: Session, made: Recorded) -> None:
    """Record a new version and seal its folder."""
    session.execute(insert(VERSION), {**_values(made), "deleted": 0})
    _add(session, SEAL, place=made.place, uid=made.uid)


def forget_version(session: Session, uid: str) -> None:
    """Mark as deleted; what was recorded stays, and the number may be given again to something else."""
    session.execute(update(VERSION).where(VERSION.c.uid == uid).values(deleted=1))


def rename_versions(session: Session, name: str, new: str) -> None:
    """Records follow a model's new name."""
    session.execute(update(VERSION).where(VERSION.c.deleted == 0, VERSION.c.name == name).values(name=new))


def grant_of(session: Session, name: str, alias: str) -> Grant | None:
    """The grant of a protected alias, active or not."""
    return next(iter(_read(session, Grant, _of(GRANT, Grant, GRANT.c.name == name, GRANT.c.alias == alias))), None)


def active_grants(session: Session, name: str | None = None) -> list[Grant]:
    """Protected aliases that a model carries, or (no name) all of them."""
    carried = _of(GRANT, Grant, GRANT.c.active == 1).order_by(GRANT.c.name, GRANT.c.alias)
    return _read(session, Grant, carried if name is None else carried.where(GRANT.c.name == name))


def keep_grant(session: Session, grant: Grant) -> None:
    """Write a grant over the one of the same alias."""
    values = _values(grant)
    new = insert_into(GRANT, session.get_bind()).values(values)
    changed = {name: new.excluded[name] for name in values if not GRANT.c[name].primary_key}
    session.execute(new.on_conflict_do_update(index_elements=[GRANT.c.name, GRANT.c.alias], set_=changed))


def keep_promotion(session: Session, seq: int, uid: str) -> None:
    """Note that this version carries a protected alias from this event on."""
    session.execute(insert(PROMOTION).values(seq=seq, uid=uid))


def promoted_commits(session: Session, name: str) -> list[str]:
    """Commits that evidence on versions came from which were promoted at some time, newest promotion first."""
    last = select(PROMOTION.c.uid, func.max(PROMOTION.c.seq).label("seq")).group_by(PROMOTION.c.uid).subquery()
    found = (
        select(EVIDENCE.c.body)
        .join(VERSION, VERSION.c.uid == EVIDENCE.c.uid)
        .join(last, last.c.uid == VERSION.c.uid)
        .where(VERSION.c.name == name)
        .order_by(last.c.seq.desc(), EVIDENCE.c.seq.desc())
    )
    return [body["commit"] for body in session.execute(found).scalars() if body.get("commit")]


def protected_aliases(session: Session) -> tuple[str, ...]:
    """Aliases that need an approval."""
    return tuple(session.execute(select(PROTECTED.c.alias).order_by(PROTECTED.c.alias)).scalars())


def newest_evidence(session: Session, uid: str) -> int | None:
    """The number of the newest evidence on this version."""
    return session.execute(select(func.max(EVIDENCE.c.seq)).where(EVIDENCE.c.uid == uid)).scalar()


def evidence_of(session: Session, uid: str) -> Submitted | None:
    """The newest evidence on this version."""
    newest = _of(EVIDENCE, Submitted, EVIDENCE.c.uid == uid).order_by(EVIDENCE.c.seq.desc()).limit(1)
    return next(iter(_read(session, Submitted, newest)), None)


def keep_evidence(session: Session, made: Submitted) -> None:
    """Add evidence; older evidence stays."""
    session.execute(insert(EVIDENCE), _values(made))


def reviews_of(session: Session, uid: str) -> tuple[Review, ...]:
    """Every act on this version, oldest first."""
    return tuple(_read(session, Review, _of(REVIEW, Review, REVIEW.c.uid == uid).order_by(REVIEW.c.id)))


def last_decision(session: Session, uid: str) -> Act | None:
    """The newest approval, rejection or revocation of this version."""
    decided = select(REVIEW.c.act).where(REVIEW.c.uid == uid, REVIEW.c.act.in_(DECIDED))
    return session.execute(decided.order_by(REVIEW.c.id.desc()).limit(1)).scalar()


def decisions_on(session: Session, digest: str) -> list[Act | None]:
    """The newest decision on each version that holds exactly these bytes."""
    held = session.execute(select(VERSION.c.uid).where(VERSION.c.digest == digest)).scalars().all()
    return [last_decision(session, uid) for uid in held]


def keep_review(session: Session, made: Review) -> None:
    """Add one act."""
    session.execute(insert(REVIEW), _values(made))


def rulings_of(session: Session, uid: str) -> tuple[Ruling, ...]:
    """Every ruling on this version, oldest first."""
    return tuple(_read(session, Ruling, _of(RULING, Ruling, RULING.c.uid == uid).order_by(RULING.c.id)))


def keep_ruling(session: Session, made: Ruling) -> None:
    """Add one ruling, or its end."""
    session.execute(insert(RULING), _values(made))


def newest_rules(session: Session) -> int | None:
    """The number of the last activation."""
    return session.execute(select(func.max(RULES.c.seq))).scalar()


def rules_of(session: Session) -> ActiveRules:
    """What was activated last of each kind."""
    policy, offices = _active(session, "policy"), _active(session, "offices")
    return ActiveRules(
        None if policy is None else policy_file.read(policy, name="the active policy"),
        None if offices is None else offices_file.read(offices, name="the active offices file"),
    )


def _active(session: Session, kind: str) -> str | None:
    told = select(RULES.c.body).where(RULES.c.kind == kind).order_by(RULES.c.seq.desc()).limit(1)
    return session.execute(told).scalar()


def contributors(session: Session, made: Recorded) -> tuple[frozenset[str], tuple[str, ...]]:
    """Accounts that registered the version, put files into it, or own its run; and in words whom we cannot name."""
    below = UPLOAD.c.place.startswith(f"{made.place}/", autoescape=True)
    uploads = session.execute(select(UPLOAD.c.account).where((UPLOAD.c.place == made.place) | below)).scalars()
    owner = session.execute(select(RUN.c.account).where(RUN.c.run_id == (made.run_id or ""))).scalar()
    accounts = {made.registrar, *uploads, owner or UNKNOWN}
    unknown = ("somebody who was not logged in",) if UNKNOWN in accounts else ()
    return frozenset(accounts - {UNKNOWN}), unknown


def stamp_upload(session: Session, place: str, account: str) -> None:
    """Note who put a file into this folder."""
    _add(session, UPLOAD, place=place, account=account)


def stamp_run(session: Session, run_id: str, account: str) -> None:
    """Note who began a run; the first stamp stays."""
    _add(session, RUN, run_id=run_id, account=account)


def _add(session: Session, table: Table, **values: str) -> None:
    """Unless it is there."""
    session.execute(insert_into(table, session.get_bind()).values(values).on_conflict_do_nothing())


def sealed(session: Session, place: str, *, above: bool = False) -> str | None:
    """The sealed folder this place lies in, or (`above`) that lies in this place; None: neither."""
    parts = place.split("/")
    upward = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    within: str | None = session.execute(select(SEAL.c.place).where(SEAL.c.place.in_(upward))).scalar()
    if within is not None or not above:
        return within
    below = SEAL.c.place.startswith(f"{place}/" if place else "", autoescape=True)
    return session.execute(select(SEAL.c.place).where(below).limit(1)).scalar()
