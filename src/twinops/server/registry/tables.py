"""Our own tables in the registry's database. Numbers come from the audit log's head, so nothing is counted twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.types import TypeDecorator, TypeEngine

from twinops.entities.approval import Act, DigestSet
from twinops.entities.event import Kind, stamp
from twinops.errors import ServiceError
from twinops.server.registry.triggers import install


class Kept(TypeDecorator[Any]):
    """A value kept as text or a number that both databases have: `write` makes it, `read` turns it back."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: TypeEngine[Any], write: Callable[[Any], Any], read: Callable[[Any], Any]) -> None:
        super().__init__()
        self.kind, self.write, self.read = kind, write, read

    def load_dialect_impl(self, _dialect: Any) -> Any:
        """The column's type in the database."""
        return self.kind

    def process_bind_param(self, value: Any, _dialect: Any) -> Any:
        """Towards the database."""
        return None if value is None else self.write(value)

    def process_result_value(self, value: Any, _dialect: Any) -> Any:
        """From the database."""
        return None if value is None else self.read(value)


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _readable_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _digests_json(digests: DigestSet) -> str:
    return _json(asdict(digests))


def _digests(told: str) -> DigestSet:
    return DigestSet(**json.loads(told))


FLAG = Kept(Integer(), int, bool)
MOMENT = Kept(String(24), stamp, datetime.fromisoformat)
DAY = Kept(String(10), date.isoformat, date.fromisoformat)
DIGESTS = Kept(Text(), _digests_json, _digests)
ACT = Kept(String(16), str, Act)
JSON, READABLE_JSON = Kept(Text(), _json, json.loads), Kept(Text(), _readable_json, json.loads)
BIG, INT, TEXT = BigInteger(), Integer(), Text()
UID, WORD, MODEL, ACCOUNT, PLACE = String(32), String(64), String(256), String(255), String(500)
OURS = MetaData()


def _table(name: str, /, *, keys: int = 1, optional: Iterable[str] = (), **columns: TypeEngine[Any]) -> Table:
    """The first columns are the key; all are filled but the optional ones; an `id` is `seq`, its event's number."""
    made = [
        Column("seq" if key == "id" else key, kind, key=key, primary_key=n < keys, nullable=key in optional)
        for n, (key, kind) in enumerate(columns.items())
    ]
    for column in made:
        column.autoincrement = False  # the audit log's head numbers everything
    return Table(f"twinops_{name}", OURS, *made)


HEAD = Table(
    "twinops_head",
    OURS,
    Column("id", INT, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    Column("size", BIG, nullable=False),
    Column("peaks", TEXT, nullable=False),
)
EVENT = _table("event", seq=BIG, body=TEXT)
NOTE = _table("note", size=BIG, note=TEXT, keys=2)  # a note that somebody else put there is not in the way of ours
RESTORE = _table("restore", seq=BIG, account=ACCOUNT, reason=TEXT)
ACTOR = _table("actor", account=ACCOUNT, pseudonym=UID)
ACTOR.append_constraint(UniqueConstraint("pseudonym"))
VERSION = _table(
    "version", uid=UID, name=MODEL, version=INT, created_ms=BIG, run_id=UID, place=PLACE, registrar=ACCOUNT,
    digest=WORD, files=JSON, separated=FLAG, deleted=INT, seq=BIG, optional=["run_id"],
)  # fmt: skip
SEAL = _table("seal", place=PLACE, uid=UID)
UPLOAD = _table("upload", place=PLACE, account=ACCOUNT, keys=2)
RUN = _table("run", run_id=UID, account=ACCOUNT)
EVIDENCE = _table("evidence", seq=BIG, uid=UID, account=ACCOUNT, at=MOMENT, digest=WORD, body=READABLE_JSON)
REVIEW = _table(
    "review", id=BIG, uid=UID, act=ACT, account=ACCOUNT, at=MOMENT, reason=TEXT, name=MODEL, version=INT,
    digests=DIGESTS, expires=MOMENT, separated=FLAG, optional=["digests", "expires"],
)  # fmt: skip
RULING = _table(
    "ruling", id=BIG, uid=UID, gate=WORD, answer=String(16), evidence=WORD, account=ACCOUNT, role=WORD, at=MOMENT,
    until=DAY, reason=TEXT, digests=DIGESTS, withdrawn=FLAG,
)  # fmt: skip
GRANT = _table(
    "grant", name=MODEL, alias=MODEL, version=INT, uid=UID, digest=WORD, active=FLAG, etag=BIG, etag_before=BIG,
    keys=2, optional=["etag_before"],
)  # fmt: skip
PROMOTION = _table("promotion", seq=BIG, uid=UID)
RULES = _table(
    "rules", seq=BIG, kind=String(16), body=TEXT, digest=WORD, account=ACCOUNT, signature=TEXT, optional=["signature"]
)
PROTECTED = _table("protected", alias=MODEL)
_NOW = VERSION.c.deleted == 0
Index("twinops_version_now", VERSION.c.name, VERSION.c.version, unique=True, sqlite_where=_NOW, postgresql_where=_NOW)
Index("twinops_version_run", VERSION.c.run_id)
Index("twinops_version_name", VERSION.c.name)
Index("twinops_evidence_uid", EVIDENCE.c.uid, EVIDENCE.c.seq)
Index("twinops_ruling_uid", RULING.c.uid, RULING.c.id)
Index("twinops_review_uid", REVIEW.c.uid, REVIEW.c.id)
Index("twinops_seal_uid", SEAL.c.uid)
Index("twinops_promotion_uid", PROMOTION.c.uid)


def insert_into(table: Table, dialect: str) -> Any:
    """An INSERT that can say what happens when the row is there already, which each database spells itself."""
    return (postgresql if dialect == "postgresql" else sqlite).insert(table)


def prepare(connection: Connection) -> bool:
    """Make what is not there yet and put the triggers in anew: a migration of MLflow's may have dropped them.

    True when the tables were made now.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(7478692)))
    new = not connection.dialect.has_table(connection, HEAD.name)
    if not new and not _owns(connection):
        _against_missing(connection)
        return False  # the owner made tables and triggers; the start-up check tells of triggers
    promotions_known = new or connection.dialect.has_table(connection, PROMOTION.name)
    for table in OURS.sorted_tables:
        connection.execute(CreateTable(table, if_not_exists=True))
        for index in table.indexes:
            connection.execute(CreateIndex(index, if_not_exists=True))
    connection.execute(
        insert_into(HEAD, connection.dialect.name).values(id=1, size=0, peaks="").on_conflict_do_nothing()
    )
    if not promotions_known:
        _read_promotions(connection)
    install(connection)
    return new


def _read_promotions(connection: Connection) -> None:
    """Once, in a database from before the table: what the log says was promoted."""
    told = f'"kind":"{Kind.PROMOTED.value}"'
    found = connection.execute(select(EVENT).where(EVENT.c.body.contains(told, autoescape=True))).all()
    for row in found:
        connection.execute(insert(PROMOTION).values(seq=row.seq, uid=json.loads(row.body)["about"]["uid"]))


def _against_missing(connection: Connection) -> None:
    lacking = missing(connection)
    if lacking:
        raise ServiceError(
            f"The database lacks {', '.join(lacking)}.", hint="Start this version once as the database's owner."
        )


def missing(connection: Connection) -> list[str]:
    """Our tables that are not there."""
    return [name for name in OURS.tables if not connection.dialect.has_table(connection, name)]


def _owns(connection: Connection) -> bool:
    """May this login change the tables? On PostgreSQL the server need not."""
    if connection.dialect.name != "postgresql":
        return True
    owner = (
        "SELECT tableowner = current_user FROM pg_tables"
        " WHERE tablename = 'twinops_head' AND schemaname = current_schema()"
    )
    return bool(connection.execute(text(owner)).scalar())
