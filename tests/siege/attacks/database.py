"""SQL by the server's own role and by the database's owner: undoing records, forging state, shadowing look-ups."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import play
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from siege.client import Version
from siege.kit import Field, NotHereError, UnclearError, attack, harm, new_name, new_number

GROUP = "SQL by the server's role"
FORBIDDEN = (
    "UPDATE twinops_event SET body = 'x'",
    "DELETE FROM twinops_event",
    "TRUNCATE twinops_event",
    "UPDATE twinops_review SET act = 'approve'",
    "DELETE FROM twinops_promotion",
    "UPDATE twinops_ruling SET until = '2099-01-01'",
    "UPDATE twinops_evidence SET body = '{}'",
    "DELETE FROM twinops_rules",
    "DELETE FROM twinops_grant",
    "DELETE FROM twinops_protected",
    "UPDATE twinops_seal SET place = 'elsewhere/' || place",
    "UPDATE twinops_upload SET account = 'nobody'",
    "UPDATE twinops_run SET account = 'nobody'",
    "UPDATE twinops_version SET run_id = 'x'",
    "UPDATE twinops_version SET version = version + 1000",
    "UPDATE twinops_actor SET pseudonym = 'p-' || account",
    "UPDATE twinops_grant SET name = 'other'",
    "UPDATE twinops_version SET digest = 'x'",
    "UPDATE twinops_version SET files = '{}'",
    "UPDATE twinops_version SET registrar = 'nobody'",
    "UPDATE twinops_seal SET uid = 'x'",
    "UPDATE twinops_actor SET account = 'nobody'",
    "DELETE FROM twinops_actor",
    "UPDATE twinops_protected SET alias = 'x'",
    "UPDATE twinops_head SET id = 1",
    "INSERT INTO twinops_head (id, size, peaks) VALUES (2, 0, '')",
    "CREATE TEMPORARY TABLE twinops_grant (n INTEGER)",
    "CREATE TRIGGER mine BEFORE INSERT ON twinops_event EXECUTE FUNCTION twinops_truncate()",
    "CREATE RULE mine AS ON INSERT TO twinops_review DO INSTEAD NOTHING",
    "DROP TRIGGER twinops_alias_moved ON registered_model_aliases",
    "ALTER TABLE registered_model_aliases DISABLE TRIGGER ALL",
    "ALTER TABLE twinops_event DISABLE TRIGGER ALL",
    "CREATE OR REPLACE FUNCTION twinops_alias_moved() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
    "SET session_replication_role = replica",
    "DROP TABLE twinops_event",
    "CREATE TABLE mine (n INTEGER)",
)
OF_A_ROLE = ("UPDATE twinops_head SET id = 1", "DELETE FROM twinops_actor")
"""Only a role is kept from it: the one changes nothing, and by the other a person is forgotten."""
ON_SQLITE = tuple(s for s in FORBIDDEN if s.startswith(("UPDATE", "DELETE")) and s not in OF_A_ROLE)
"""SQLite has no roles: what its triggers refuse to anybody who does not drop them."""
FAR = 1_000_000
"""Beyond any number that the log gave."""


@contextmanager
def connected(address: Any) -> Iterator[Engine]:
    """An engine that is gone afterwards."""
    engine = create_engine(str(address))
    try:
        yield engine
    finally:
        engine.dispose()


def refused(engine: Engine, sql: str) -> str | None:
    """What the database says against it; None: it did it. Nothing is kept either way."""
    with engine.connect() as connection:
        try:
            if connection.execute(text(sql)).rowcount == 0:
                raise NotHereError("there is no such row yet")
        except DBAPIError as problem:
            return str(problem.orig)
        finally:
            connection.rollback()
    return None


@attack(GROUP, "a record is changed or removed, a trigger dropped, a table made", cases=FORBIDDEN,
        needs="database judges", stock="not applicable")  # fmt: skip
def forbidden(here: Field, sql: str) -> None:
    address = str(here.at.database_url)  # type: ignore[attr-defined]
    if address.startswith("sqlite") and sql not in ON_SQLITE:
        raise NotHereError("SQLite has no roles and no such statement")
    with connected(address) as engine:
        said = refused(engine, sql)
    harm(said is None, "it was done")
    if not any(word in str(said) for word in ("permission denied", "must be owner", "only added", "twinops")):
        raise UnclearError(str(said))


def _set(at: Any, version: Version, sql: tuple[str, ...] = ()) -> bool:
    """The alias set by SQL after these statements, in one session; was it kept?"""
    move = "UPDATE registered_model_aliases SET version = :v WHERE name = :n AND alias = 'production'"
    with connected(at.database_url) as engine:
        try:
            with engine.begin() as connection:
                for statement in sql:
                    connection.execute(text(statement))
                connection.execute(text(move), {"v": version.version, "n": version.name})
        except DBAPIError:
            return False
    return True


def _carried(at: Any, word: str) -> tuple[Version, Version]:
    """A model with something in production, and another version of it that nobody approved."""
    name = new_name(word)
    good = at.approved(new_number(), name=name)
    assert at.alias(good).status == 200
    return good, at.registered(new_number(), name=name)


MOVES: dict[str, tuple[str, ...]] = {
    "plainly": (),
    "after protection was emptied": ("DELETE FROM twinops_protected",),
    "behind a temporary table of protected aliases": ("CREATE TEMP TABLE twinops_protected (alias text)",),
    "behind a temporary table of grants": (
        "CREATE TEMP TABLE twinops_grant AS SELECT * FROM {s}twinops_grant",
        "UPDATE {t}twinops_grant SET active = 1, version = :other",
    ),
    "behind a temporary view": ("CREATE TEMP VIEW twinops_protected AS SELECT 'x'::text AS alias",),
    "with another search path": ("SET search_path = pg_temp", "CREATE TEMP TABLE twinops_protected (alias text)"),
}


@attack(
    GROUP, "the alias is moved by SQL", cases=list(MOVES), needs="database judges", stock="not applicable", large=True
)
def moved(here: Field, case: str) -> None:
    at: Any = here.at
    good, other = _carried(at, "moved")
    server = str(at.database_url).startswith("postgresql")
    if not server and ("VIEW" in str(MOVES[case]) or "search_path" in str(MOVES[case])):
        raise NotHereError("SQLite has no search path")
    schemas = {"s": "public.", "t": "pg_temp."} if server else {"s": "main.", "t": "temp."}
    told = [sql.format(**schemas).replace(":other", str(other.version)) for sql in MOVES[case]]
    with _protection(at):
        if _set(at, other, tuple(told)):
            served = at.in_production(good.name)
            _set(at, good, tuple(told))
            harm(served is not None, f"the row moved, version {served} is served")
            raise UnclearError("the row was moved, and is refused when it is resolved")


@contextmanager
def _protection(at: Any) -> Iterator[None]:
    """What an attack takes out of the list of protected aliases is put back."""
    with connected(at.owner_url) as engine:
        with engine.connect() as connection:
            before = [row[0] for row in connection.execute(text("SELECT alias FROM twinops_protected"))]
        try:
            yield
        finally:
            with engine.begin() as connection:
                there = {row[0] for row in connection.execute(text("SELECT alias FROM twinops_protected"))}
                for alias in set(before) - there:
                    connection.execute(text("INSERT INTO twinops_protected (alias) VALUES (:a)"), {"a": alias})


def _forged(connection: Connection, table: str, row: dict[str, Any]) -> None:
    names = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)


def _copy(connection: Connection, table: str, where: str, **told: Any) -> dict[str, Any]:
    found = connection.execute(text(f"SELECT * FROM {table} WHERE {where}"), told).mappings().first()
    assert found is not None, f"nothing in {table} where {where}"
    return dict(found)


@attack(
    GROUP, "a row is forged that revives a revoked version", needs="database judges", stock="not applicable", large=True
)
def forged_review(here: Field) -> None:
    at: Any = here.at
    good, _ = _carried(at, "forged")
    assert at.decided("revoke", good).status == 200
    assert at.in_production(good.name) is None
    with connected(at.database_url) as engine, suppress(DBAPIError), engine.begin() as connection:
        row = _copy(connection, "twinops_review", "act = 'approve' AND name = :n", n=good.name)
        newest = connection.execute(text("SELECT max(seq) FROM twinops_review")).scalar() or 0
        _forged(connection, "twinops_review", row | {"seq": newest + FAR})
    harm(at.in_production(good.name) is not None, "a forged approval revived what was revoked")


@attack(
    GROUP, "a grant is forged for an unapproved version", needs="database judges", stock="not applicable", large=True
)
def forged_grant(here: Field) -> None:
    at: Any = here.at
    good, other = _carried(at, "granted")
    uid, digest = at.shown(other)["uid"], None
    with connected(at.database_url) as engine:
        with engine.connect() as connection:
            digest = connection.execute(text("SELECT digest FROM twinops_version WHERE uid = :u"), {"u": uid}).scalar()
        with suppress(DBAPIError), engine.begin() as connection:
            change = "UPDATE twinops_grant SET version = :v, uid = :u, digest = :d WHERE name = :n"
            told = {"v": other.version, "u": uid, "d": digest, "n": good.name}
            connection.execute(text(change), told)
            move = "UPDATE registered_model_aliases SET version = :v WHERE name = :n AND alias = 'production'"
            connection.execute(text(move), told)
            review = _copy(connection, "twinops_review", "act = 'approve' AND name = :n", n=good.name)
            newest = connection.execute(text("SELECT max(seq) FROM twinops_review")).scalar() or 0
            _forged(connection, "twinops_review", review | {"seq": newest + FAR, "uid": uid, "version": other.version})
    harm(at.in_production(good.name) == other.version, "a forged grant and approval are served")


@attack(
    GROUP,
    "a policy without gates is forged into the active rules",
    needs="database judges",
    stock="not applicable",
    large=True,
)
def forged_rules(here: Field) -> None:
    at: Any = here.at
    name = new_name("ungoverned")
    version = at.registered(new_number(), name=name)
    bad = play.evidence(gain=-0.5, name=name)
    assert at.judged(version, given=bad).status == 200
    gate, of_gates = (
        re.compile(r"  - id: accuracy_activity\n.*\n.*\n"),
        "{accuracy_active_auc: a, accuracy_spend_mae: a,",
    )
    loose = gate.sub("", play.POLICY).replace("{accuracy_spend_mae: a,", of_gates)
    with connected(at.database_url) as engine, suppress(DBAPIError), engine.begin() as connection:
        row = _copy(connection, "twinops_rules", "kind = 'policy' ORDER BY seq DESC")
        _forged(connection, "twinops_rules", row | {"seq": row["seq"] + FAR, "body": loose})
    try:
        if at.call("GET", f"/twinops/api/version?name={name}&version=1", who="risk-officer").status == 200:
            at.decided("approve", version)
            at.alias(version)
            harm(at.in_production(name) is not None, "judged by a policy that nobody activated")
    finally:
        _without(at, "DELETE FROM twinops_rules WHERE seq > :far", far=FAR)
        at.broken.clear()  # a server that refuses to work on forged rules may say so


def _without(at: Any, sql: str, **told: Any) -> None:
    """Undo as the owner can: with the table's triggers dropped or off for the moment."""
    table = sql.split(" WHERE", maxsplit=1)[0].rsplit(maxsplit=1)[-1]
    with connected(at.owner_url) as engine, engine.begin() as connection, _untriggered(connection, table):
        connection.execute(text(sql), told)


@contextmanager
def _untriggered(connection: Connection, table: str) -> Iterator[None]:
    from twinops.server.registry import triggers

    if connection.dialect.name == "postgresql":
        connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        yield
        connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
        return
    listed = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :t"
    for name in connection.execute(text(listed), {"t": table}).scalars().all():
        connection.execute(text(f"DROP TRIGGER {name}"))
    yield
    triggers.install(connection)


@attack(GROUP, "an account is made an administrator, or an officer's password is written, in the accounts' own tables",
        needs="database judges", stock="not applicable", residual=True)  # fmt: skip
def accounts_table(here: Field) -> None:
    at: Any = here.at
    if str(at.database_url).startswith("sqlite"):
        raise NotHereError("on SQLite the accounts are in a file of their own")
    with connected(at.database_url) as engine:
        said = refused(engine, "UPDATE users SET is_admin = true WHERE username = 'scientist'")
    harm(said is None, "who holds the server's login to the database can take any account")


@attack(GROUP, "a trigger is dropped or replaced by the owner, and the alias moved", needs="owner judges",
        stock="not applicable", residual=True)  # fmt: skip
def owner_drops_a_trigger(here: Field) -> None:
    at: Any = here.at
    good, other = _carried(at, "dropped")
    move = text("UPDATE registered_model_aliases SET version = :v WHERE name = :n AND alias = 'production'")
    with connected(at.owner_url) as engine:
        try:
            with engine.begin() as connection, _untriggered(connection, "registered_model_aliases"):
                connection.execute(move, {"v": other.version, "n": good.name})
            here.sentence(at.resolved(good.name), "not set by this server")
            harm(True, "the row was moved; whoever resolves it is refused")
        finally:
            with engine.begin() as connection, _untriggered(connection, "registered_model_aliases"):
                connection.execute(move, {"v": good.version, "n": good.name})
