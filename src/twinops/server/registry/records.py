"""Rows of our own tables as records: one way to read and one to write each of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from mlflow.store.model_registry.dbmodels.models import SqlModelVersion
from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Table,
    Text,
    bindparam,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    type_coerce,
    union,
    update,
)
from sqlalchemy.orm import Session

from twinops import plugins
from twinops.entities.approval import Act, Review, Ruling
from twinops.governance.people import offices as offices_file
from twinops.governance.people.offices import Offices
from twinops.governance.policy import adopted_base as base_file
from twinops.governance.policy import judge as judge_file
from twinops.governance.policy import limits as policy_file
from twinops.governance.policy.adopted_base import AdoptedBase
from twinops.governance.policy.judge import ActiveJudge
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
from twinops.server.registry.triggers import ALWAYS

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
    """The policy, the offices file and the judge that are active on this server."""

    policy: Policy | None
    offices: Offices | None
    judge: ActiveJudge | None = None


@dataclass(frozen=True)
class Adoption:
    """An adopted base, who accepted it, and the number of that entry."""

    base: AdoptedBase
    account: str
    seq: int


def _read(session: Session, record: type[R], of: Select[Any], **told: Any) -> list[R]:
    """Rows as records; the select names the record's own columns."""
    return [record(*row) for row in session.execute(of, told)]


def _of(table: Table, record: type[Any], *where: ColumnElement[bool]) -> Select[Any]:
    return select(*(table.c[f.name] for f in fields(record))).where(*where)


# said once, asked at every move of an alias: to build a statement costs as much as to run it
_GRANT = _of(GRANT, Grant, GRANT.c.name == bindparam("name"), GRANT.c.alias == bindparam("alias"))
_REVIEWS = _of(REVIEW, Review, REVIEW.c.uid == bindparam("uid")).order_by(REVIEW.c.id)
_RULINGS = _of(RULING, Ruling, RULING.c.uid == bindparam("uid")).order_by(RULING.c.id)


def _values(record: Any) -> dict[str, Any]:
    return {f.name: getattr(record, f.name) for f in fields(record)}


def version_of(session: Session, name: str, version: int, *, created_ms: int | None = None) -> Recorded | None:
    """What is recorded of the version that now has this name and number.

    `created_ms` must fit, where it is given: numbers start again after a model is deleted.
    """
    here = (VERSION.c.deleted == 0, VERSION.c.name == name, VERSION.c.version == int(version))
    found = _read(session, Recorded, _of(VERSION, Recorded, *here))
    return next((made for made in found if created_ms in (None, made.created_ms)), None)


def version_among(session: Session, *of_mlflow: ColumnElement[bool]) -> tuple[bool, Recorded | None]:
    """Does MLflow have such a version, and what is recorded of the very one?"""
    known = SqlModelVersion.__table__
    same = (VERSION.c.name == known.c.name) & (VERSION.c.version == known.c.version)
    ours = same & (VERSION.c.created_ms == known.c.creation_time) & (VERSION.c.deleted == 0)
    columns = (VERSION.c[f.name] for f in fields(Recorded))
    row = session.execute(select(*columns).select_from(known.outerjoin(VERSION, ours)).where(*of_mlflow)).first()
    return row is not None, Recorded(*row) if row is not None and row.uid is not None else None


def all_versions(session: Session) -> list[tuple[str, int]]:
    """Name and number of every version that is not deleted."""
    listed = select(VERSION.c.name, VERSION.c.version).where(VERSION.c.deleted == 0).order_by(VERSION.c.seq.desc())
    return [(row.name, row.version) for row in session.execute(listed)]


def looked_at(session: Session, name: str) -> list[int]:
    """Numbers of a model's versions on which there is evidence, a review or a request for one, or a ruling."""
    acts = (exists().where(table.c.uid == VERSION.c.uid) for table in (EVIDENCE, REVIEW, RULING))
    found = select(VERSION.c.version).where(VERSION.c.deleted == 0, VERSION.c.name == name, or_(*acts))
    return list(session.scalars(found.order_by(VERSION.c.version)))


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
    return next(iter(_read(session, Grant, _GRANT, name=name, alias=alias)), None)


def active_grants(session: Session, name: str | None = None) -> list[Grant]:
    """Protected aliases that a model carries, or (no name) all of them."""
    carried = _of(GRANT, Grant, GRANT.c.active == 1).order_by(GRANT.c.name, GRANT.c.alias)
    return _read(session, Grant, carried if name is None else carried.where(GRANT.c.name == name))


def keep_grant(session: Session, grant: Grant) -> None:
    """Write a grant over the one of the same alias."""
    session.execute(_over_grant(session.get_bind().dialect.name), _values(grant))


@cache
def _over_grant(dialect: str) -> Any:
    new = insert_into(GRANT, dialect)
    changed = {column.name: new.excluded[column.name] for column in GRANT.c if not column.primary_key}
    return new.on_conflict_do_update(index_elements=[GRANT.c.name, GRANT.c.alias], set_=changed)


def keep_promotion(session: Session, seq: int, uid: str) -> None:
    """Note that this version carries a protected alias from this event on."""
    session.execute(insert(PROMOTION), {"seq": seq, "uid": uid})


def promoted_commits(session: Session, name: str) -> list[str]:
    """Commits that evidence on versions came from which were promoted at some time, newest promotion first."""
    return [body["commit"] for body in session.execute(_promoted(name)).scalars() if body.get("commit")]


def was_promoted(session: Session, name: str, commit: str) -> bool:
    """Is it one of these commits? Evidence is large: only what holds the word is read."""
    holding = _promoted(name).where(type_coerce(EVIDENCE.c.body, Text).contains(commit, autoescape=True))
    return any(body.get("commit") == commit for body in session.execute(holding).scalars())


def _promoted(name: str) -> Select[Any]:
    """Evidence on versions that were promoted at some time."""
    last = select(PROMOTION.c.uid, func.max(PROMOTION.c.seq).label("seq")).group_by(PROMOTION.c.uid).subquery()
    return (
        select(EVIDENCE.c.body)
        .join(VERSION, VERSION.c.uid == EVIDENCE.c.uid)
        .join(last, last.c.uid == VERSION.c.uid)
        .where(VERSION.c.name == name)
        .order_by(last.c.seq.desc(), EVIDENCE.c.seq.desc())
    )


def protected_aliases(session: Session) -> tuple[str, ...]:
    """Aliases that need an approval: the one that always does, what offices files ever added, what was ever granted."""
    added = session.execute(union(select(PROTECTED.c.alias), select(GRANT.c.alias))).scalars()
    return tuple(sorted({ALWAYS, *added}))


def protect(session: Session, alias: str) -> None:
    """From now on this alias needs an approval."""
    _add(session, PROTECTED, alias=alias)


def evidence_at(session: Session, seq: int) -> Submitted | None:
    """Evidence by its number."""
    return next(iter(_read(session, Submitted, _of(EVIDENCE, Submitted, EVIDENCE.c.seq == seq))), None)


def keep_evidence(session: Session, made: Submitted) -> None:
    """Add evidence; older evidence stays."""
    session.execute(insert(EVIDENCE), _values(made))


def reviews_of(session: Session, uid: str) -> tuple[Review, ...]:
    """Every act on this version, oldest first."""
    return tuple(_read(session, Review, _REVIEWS, uid=uid))


def last_decision(session: Session, uid: str) -> Act | None:
    """The newest approval, rejection or revocation of this version."""
    decided = select(REVIEW.c.act).where(REVIEW.c.uid == uid, REVIEW.c.act.in_(DECIDED))
    return session.execute(decided.order_by(REVIEW.c.id.desc()).limit(1)).scalar()


def holding(session: Session, digest: str) -> list[str]:
    """The versions that hold exactly these bytes."""
    return list(session.execute(select(VERSION.c.uid).where(VERSION.c.digest == digest)).scalars())


def keep_review(session: Session, made: Review) -> None:
    """Add one act."""
    session.execute(insert(REVIEW), _values(made))


def rulings_of(session: Session, uid: str) -> tuple[Ruling, ...]:
    """Every ruling on this version, oldest first."""
    return tuple(_read(session, Ruling, _RULINGS, uid=uid))


def keep_ruling(session: Session, made: Ruling) -> None:
    """Add one ruling, or its end."""
    session.execute(insert(RULING), _values(made))


def rules_at(session: Session, numbers: list[int]) -> list[Row[Any]]:
    """Activations by their numbers."""
    return list(session.execute(select(RULES).where(RULES.c.seq.in_(numbers))))


def active_rules(rows: Mapping[str, Row[Any]]) -> ActiveRules:
    """Parsed, by kind."""
    policy, offices, judge = (rows[kind].body if kind in rows else None for kind in ("policy", "offices", "judge"))
    active = None if judge is None else judged_by(rows["judge"])
    with plugins.only(active.judge.ideas if active else ()):
        return _active(policy, offices, active)


def _active(policy: str | None, offices: str | None, judge: ActiveJudge | None) -> ActiveRules:
    return ActiveRules(
        None if policy is None else policy_file.read(policy, name="the active policy"),
        None if offices is None else offices_file.read(offices, name="the active offices file"),
        judge,
    )


def judged_by(row: Row[Any]) -> ActiveJudge:
    """A judge that was activated, and by whom."""
    return ActiveJudge(judge_file.read(row.body, name="the active judge"), row.account)


def adoption(row: Row[Any]) -> Adoption:
    """A commit up to which a model's history is upstream's, as officers accepted it."""
    return Adoption(base_file.read(row.body), row.account, row.seq)


def files_of(rows: Sequence[Row[Any]]) -> frozenset[tuple[str, str]]:
    """SHA-256 of each file with every account that stood behind it."""
    return frozenset((hashlib.sha256(row.body.encode()).hexdigest(), row.account) for row in rows)


def contributing(session: Session, made: Any) -> frozenset[str]:
    """Accounts that registered the version, put files into it, or own its run; `unknown` where nobody was logged in."""
    below = UPLOAD.c.place.startswith(f"{made.place}/", autoescape=True)
    uploads = select(UPLOAD.c.account, literal(0)).where((UPLOAD.c.place == made.place) | below)
    owner = select(RUN.c.account, literal(1)).where(RUN.c.run_id == (made.run_id or ""))
    found = session.execute(union(uploads, owner)).all()
    nobody = [] if any(owns for _, owns in found) else [UNKNOWN]
    return frozenset({made.registrar, *(account for account, _ in found), *nobody})


def named(accounts: frozenset[str]) -> tuple[frozenset[str], tuple[str, ...]]:
    """Accounts, and in words whom we cannot name."""
    unknown = ("somebody who was not logged in",) if UNKNOWN in accounts else ()
    return accounts - {UNKNOWN}, unknown


def stamp_upload(session: Session, place: str, account: str) -> None:
    """Note who put a file into this folder."""
    _add(session, UPLOAD, place=place, account=account)


def stamp_run(session: Session, run_id: str, account: str) -> None:
    """Note who began a run; the first stamp stays."""
    _add(session, RUN, run_id=run_id, account=account)


def _add(session: Session, table: Table, **values: str) -> None:
    """Unless it is there."""
    new = insert_into(table, session.get_bind().dialect.name)
    session.execute(new.values(values).on_conflict_do_nothing())


def judged_run(session: Session, run_ids: Sequence[str]) -> str | None:
    """The first of these runs that stands behind a version which was judged; the triggers ask the same."""
    grant = select(GRANT.c.uid).where(GRANT.c.uid == VERSION.c.uid, GRANT.c.active == 1)
    act = select(REVIEW.c.uid).where(REVIEW.c.uid == VERSION.c.uid, REVIEW.c.act != Act.REQUEST)
    given = select(EVIDENCE.c.uid).where(EVIDENCE.c.uid == VERSION.c.uid, VERSION.c.separated == 1)
    judged = grant.exists() | act.exists() | given.exists()
    found = select(VERSION.c.run_id).where(VERSION.c.deleted == 0, VERSION.c.run_id.in_(run_ids), judged)
    return session.execute(found.limit(1)).scalar()


def sealed(session: Session, place: str, *, above: bool = False) -> str | None:
    """The sealed folder this place lies in, or (`above`) that lies in this place; None: neither."""
    parts = place.split("/")
    upward = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    within: str | None = session.execute(select(SEAL.c.place).where(SEAL.c.place.in_(upward))).scalar()
    within = within or judged_run(session, parts)
    if within is not None or not above:
        return within
    below = SEAL.c.place.startswith(f"{place}/" if place else "", autoescape=True)
    return session.execute(select(SEAL.c.place).where(below).limit(1)).scalar()
