"""Rows of our own tables as records, and the case they make: one version with all that bears on it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

from twinops.entities.approval import Act, DigestSet, Review, Ruling
from twinops.governance import offices as offices_file
from twinops.governance import policy as policy_file
from twinops.governance.offices import Offices
from twinops.governance.policy import Policy
from twinops.server.actors import UNKNOWN

_VERSION_NOW = """
SELECT uid, name, version, created_ms, run_id, place, registrar, digest, files, separated, seq
FROM twinops_version WHERE deleted = 0 AND name = :name AND version = :version
"""
_ALL = "SELECT name, version FROM twinops_version WHERE deleted = 0 ORDER BY seq DESC"


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


def version_of(session: Session, name: str, version: int, *, created_ms: int | None = None) -> Recorded | None:
    """What is recorded of the version that now has this name and number.

    `created_ms` must fit, where it is given: numbers start again after a model is deleted.
    """
    row = session.execute(
        text(_VERSION_NOW),
        {"name": name, "version": int(version)},
    ).one_or_none()
    if row is None or (created_ms is not None and row.created_ms != created_ms):
        return None
    return Recorded(
        uid=row.uid,
        name=row.name,
        version=row.version,
        created_ms=row.created_ms,
        run_id=row.run_id,
        place=row.place,
        registrar=row.registrar,
        digest=row.digest,
        files=json.loads(row.files),
        separated=bool(row.separated),
        seq=row.seq,
    )


def all_versions(session: Session) -> list[tuple[str, int]]:
    """Name and number of every version that is not deleted."""
    return [(row.name, row.version) for row in session.execute(text(_ALL))]


def keep_version(session: Session, made: Recorded) -> None:
    """Record a new version and seal its folder."""
    session.execute(
        text(
            "INSERT INTO twinops_version (uid, name, version, created_ms, run_id, place, registrar, digest, files,"
            " separated, deleted, seq) VALUES (:uid, :name, :version, :created_ms, :run_id, :place, :registrar,"
            " :digest, :files, :separated, 0, :seq)"
        ),
        {**asdict(made), "files": json.dumps(made.files, sort_keys=True), "separated": int(made.separated)},
    )
    session.execute(
        text("INSERT INTO twinops_seal (place, uid) VALUES (:place, :uid) ON CONFLICT DO NOTHING"),
        {"place": made.place, "uid": made.uid},
    )


def forget_version(session: Session, uid: str) -> None:
    """Mark as deleted; what was recorded stays, and the number may be given again to something else."""
    session.execute(text("UPDATE twinops_version SET deleted = 1 WHERE uid = :uid"), {"uid": uid})


def grant_of(session: Session, name: str, alias: str) -> Grant | None:
    """The grant of a protected alias, active or not."""
    row = session.execute(
        text(
            "SELECT name, alias, version, uid, digest, active, etag, etag_before FROM twinops_grant"
            " WHERE name = :name AND alias = :alias"
        ),
        {"name": name, "alias": alias},
    ).one_or_none()
    if row is None:
        return None
    fields = dict(row._mapping)
    return Grant(**{**fields, "active": bool(row.active)})


def active_grants(session: Session, name: str) -> list[Grant]:
    """Protected aliases that a model carries."""
    found = session.execute(
        text("SELECT alias FROM twinops_grant WHERE active = 1 AND name = :name ORDER BY alias"), {"name": name}
    ).scalars()
    return [grant for alias in list(found) if (grant := grant_of(session, name, alias)) is not None]


def keep_grant(session: Session, grant: Grant) -> None:
    """Write a grant over the one of the same alias."""
    session.execute(
        text(
            "INSERT INTO twinops_grant (name, alias, version, uid, digest, active, etag, etag_before) VALUES"
            " (:name, :alias, :version, :uid, :digest, :active, :etag, :etag_before) ON CONFLICT (name, alias)"
            " DO UPDATE SET version = excluded.version, uid = excluded.uid, digest = excluded.digest,"
            " active = excluded.active, etag = excluded.etag, etag_before = excluded.etag_before"
        ),
        {**asdict(grant), "active": int(grant.active)},
    )


def protected_aliases(session: Session) -> tuple[str, ...]:
    """Aliases that need an approval."""
    return tuple(session.execute(text("SELECT alias FROM twinops_protected ORDER BY alias")).scalars())


def evidence_of(session: Session, uid: str, *, known: dict[int, Submitted] | None = None) -> Submitted | None:
    """The newest evidence on this version; `known` holds what was read before, by its number."""
    seq = session.execute(text("SELECT max(seq) FROM twinops_evidence WHERE uid = :uid"), {"uid": uid}).scalar()
    if seq is None:
        return None
    if known is not None and seq in known:
        return known[seq]
    row = session.execute(
        text("SELECT uid, account, at, digest, body FROM twinops_evidence WHERE seq = :seq"), {"seq": seq}
    ).one()
    found = Submitted(seq, row.uid, row.account, _moment(row.at), row.digest, json.loads(row.body))
    if known is not None:
        if len(known) >= 256:
            known.clear()
        known[seq] = found
    return found


def keep_evidence(session: Session, made: Submitted, *, at: str) -> None:
    """Add evidence; older evidence stays."""
    session.execute(
        text(
            "INSERT INTO twinops_evidence (seq, uid, account, at, digest, body) VALUES"
            " (:seq, :uid, :account, :at, :digest, :body)"
        ),
        {
            "seq": made.seq,
            "uid": made.uid,
            "account": made.account,
            "at": at,
            "digest": made.digest,
            "body": json.dumps(made.body, sort_keys=True, ensure_ascii=False),
        },
    )


def reviews_of(session: Session, uid: str) -> tuple[Review, ...]:
    """Every act on this version, oldest first."""
    rows = session.execute(
        text(
            "SELECT seq, uid, act, account, at, reason, name, version, digests, expires, separated FROM twinops_review"
            " WHERE uid = :uid ORDER BY seq"
        ),
        {"uid": uid},
    )
    return tuple(
        Review(
            id=r.seq,
            uid=r.uid,
            act=Act(r.act),
            account=r.account,
            at=_moment(r.at),
            reason=r.reason,
            name=r.name,
            version=r.version,
            digests=DigestSet(**json.loads(r.digests)) if r.digests else None,
            expires=_moment(r.expires) if r.expires else None,
            separated=bool(r.separated),
        )
        for r in rows
    )


def last_decision(session: Session, uid: str) -> str | None:
    """The newest approval, rejection or revocation of this version."""
    sql = (
        "SELECT act FROM twinops_review WHERE uid = :uid AND act IN ('approve', 'reject', 'revoke')"
        " ORDER BY seq DESC LIMIT 1"
    )
    return session.execute(text(sql), {"uid": uid}).scalar()


def keep_review(session: Session, made: Review, *, at: str, expires: str | None) -> None:
    """Add one act."""
    session.execute(
        text(
            "INSERT INTO twinops_review"
            " (seq, uid, act, account, at, reason, name, version, digests, expires, separated) VALUES"
            " (:seq, :uid, :act, :account, :at, :reason, :name, :version, :digests, :expires, :separated)"
        ),
        {
            "seq": made.id,
            "uid": made.uid,
            "act": made.act.value,
            "account": made.account,
            "at": at,
            "reason": made.reason,
            "name": made.name,
            "version": made.version,
            "digests": json.dumps(asdict(made.digests), sort_keys=True) if made.digests else None,
            "expires": expires,
            "separated": int(made.separated),
        },
    )


def rulings_of(session: Session, uid: str) -> tuple[Ruling, ...]:
    """Every ruling on this version, oldest first."""
    rows = session.execute(
        text(
            "SELECT seq, uid, gate, answer, evidence, account, role, at, until, reason, digests, withdrawn"
            " FROM twinops_ruling WHERE uid = :uid ORDER BY seq"
        ),
        {"uid": uid},
    )
    return tuple(
        Ruling(
            id=r.seq,
            uid=r.uid,
            gate=r.gate,
            answer=r.answer,
            evidence=r.evidence,
            account=r.account,
            role=r.role,
            at=_moment(r.at),
            until=date.fromisoformat(r.until),
            reason=r.reason,
            digests=DigestSet(**json.loads(r.digests)),
            withdrawn=bool(r.withdrawn),
        )
        for r in rows
    )


def keep_ruling(session: Session, made: Ruling, *, at: str) -> None:
    """Add one ruling, or its end."""
    session.execute(
        text(
            "INSERT INTO twinops_ruling"
            " (seq, uid, gate, answer, evidence, account, role, at, until, reason, digests, withdrawn) VALUES"
            " (:id, :uid, :gate, :answer, :evidence, :account, :role, :at, :until, :reason, :digests, :withdrawn)"
        ),
        {
            **asdict(made),
            "at": at,
            "until": made.until.isoformat(),
            "digests": json.dumps(asdict(made.digests), sort_keys=True),
            "withdrawn": int(made.withdrawn),
        },
    )


def rules_of(session: Session) -> tuple[Policy | None, Offices | None]:
    """The policy and the offices file that are active on this server."""
    found = {
        kind: session.execute(
            text("SELECT body FROM twinops_rules WHERE kind = :kind ORDER BY seq DESC LIMIT 1"), {"kind": kind}
        ).scalar()
        for kind in ("policy", "offices")
    }
    policy, offices = found["policy"], found["offices"]
    return (
        None if policy is None else policy_file.read(policy, name="the active policy"),
        None if offices is None else offices_file.read(offices, name="the active offices file"),
    )


def contributors(session: Session, made: Recorded) -> tuple[frozenset[str], tuple[str, ...]]:
    """Accounts that registered the version, put files into it, or own its run; and in words whom we cannot name."""
    uploads = session.execute(
        text("SELECT account FROM twinops_upload WHERE place = :place OR place LIKE :below ESCAPE '\\'"),
        {"place": made.place, "below": f"{_escaped(made.place)}/%"},
    )
    accounts = {made.registrar, *uploads.scalars()}
    owner = session.execute(
        text("SELECT account FROM twinops_run WHERE run_id = :run_id"), {"run_id": made.run_id or ""}
    ).scalar()
    accounts.add(owner or UNKNOWN)
    unknown = ("somebody who was not logged in",) if UNKNOWN in accounts else ()
    return frozenset(accounts - {UNKNOWN}), unknown


def stamp_upload(session: Session, place: str, account: str) -> None:
    """Note who put a file into this folder."""
    session.execute(
        text("INSERT INTO twinops_upload (place, account) VALUES (:place, :account) ON CONFLICT DO NOTHING"),
        {"place": place, "account": account},
    )


def stamp_run(session: Session, run_id: str, account: str) -> None:
    """Note who began a run; the first stamp stays."""
    session.execute(
        text("INSERT INTO twinops_run (run_id, account) VALUES (:run_id, :account) ON CONFLICT DO NOTHING"),
        {"run_id": run_id, "account": account},
    )


def sealed(session: Session, place: str, *, above: bool = False) -> str | None:
    """The sealed folder this place lies in, or (`above`) that lies in this place; None: neither."""
    parts = place.split("/")
    upward = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    within = text("SELECT place FROM twinops_seal WHERE place IN :upward").bindparams(
        bindparam("upward", expanding=True)
    )
    found = session.execute(within, {"upward": upward}).scalar()
    if found is None and above:
        found = session.execute(
            text("SELECT place FROM twinops_seal WHERE place LIKE :below ESCAPE '\\' LIMIT 1"),
            {"below": f"{_escaped(place)}/%" if place else "%"},
        ).scalar()
    return found


def _escaped(place: str) -> str:
    return place.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _moment(text_: str) -> datetime:
    return datetime.fromisoformat(text_)
