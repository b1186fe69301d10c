"""State follows the log: what somebody writes by hand serves nothing, and `audit verify` names it, on both databases.

Each attack is made from outside, with SQL, against a running server: as the owner of the database, who first switches
every trigger off and puts them back afterwards, and on PostgreSQL as the server's own role with the grants that
`docs/operate.md` gives it. Before each the whole is sound, and after each it is put back as it was.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import live as living
import play
import preloaded
import pytest
from live import Live, Version
from sqlalchemy import Connection, Engine, MetaData, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from siege.servers import granted
from twinops.entities.event import Event, Kind
from twinops.governance.log.merkle import Frontier, leaf_hash
from twinops.server.registry import triggers

pytestmark = pytest.mark.pipeline
READS = int(os.environ.get("TWINOPS_READS", "300"))
PROMOTIONS = int(os.environ.get("TWINOPS_PROMOTIONS", "12"))
UNDONE = (
    "twinops_protected", "twinops_review", "twinops_ruling", "twinops_rules", "twinops_evidence", "twinops_promotion",
    "twinops_grant", "twinops_seal", "twinops_run", "twinops_upload", "twinops_version", "registered_model_aliases",
)  # fmt: skip
REVIEW = (
    "INSERT INTO twinops_review (seq, uid, act, account, at, reason, name, version, digests, expires, separated)"
    " SELECT seq + 100000, uid, 'approve', account, at, reason, name, version, digests, expires, separated"
    " FROM twinops_review WHERE act = 'approve' AND name = 'revoked'"
)


@dataclass
class Door:
    """A running server, what stands in it, and somebody with a login to its database."""

    live: Live
    owner: Engine
    attacker: Engine
    produced: Version
    unapproved: Version
    revoked: Version
    kept: dict[Any, list[dict[str, Any]]] = field(default_factory=dict)
    """Rows as they were before the first attack."""

    @property
    def owns(self) -> bool:
        return self.attacker is self.owner

    def written(self, *statements: str) -> bool:
        """Run it as the attacker can; False: the database refused it."""
        self.keep()
        try:
            with self.attacker.begin() as connection:
                if self.owns:
                    switch_off(connection)
                for statement in statements:
                    connection.execute(text(statement))
                if self.owns:
                    triggers.install(connection)
        except DBAPIError:
            assert not self.owns, "the owner can write anything"
            return False
        return True

    def keep(self) -> None:
        """Remember every row of our tables, once."""
        if self.kept:
            return
        known = MetaData()
        known.reflect(self.owner, only=UNDONE)
        with self.owner.connect() as connection:
            for name in UNDONE:
                found = connection.execute(known.tables[name].select())
                self.kept[known.tables[name]] = [dict(row._mapping) for row in found]

    def put_back(self) -> None:
        """Rows and triggers as they were, so that the next attack meets a sound database."""
        with self.owner.begin() as connection:
            switch_off(connection)
            for table, rows in self.kept.items():
                connection.execute(table.delete())
                if rows:
                    connection.execute(table.insert(), rows)
            triggers.install(connection)

    def uid(self, name: str, version: int = 1) -> str:
        with self.owner.connect() as connection:
            asked = text("SELECT uid FROM twinops_version WHERE name = :name AND version = :version AND deleted = 0")
            return str(connection.execute(asked, {"name": name, "version": version}).scalar())

    def faults(self) -> list[str]:
        """What the server finds; the command line is asked besides, on the database itself."""
        told = self.live.call("GET", "/twinops/api/state", who="dpo")
        assert told.status == 200, told.body
        return list(told.json["faults"])

    def verified(self) -> tuple[int, str]:
        """Exit code and words of `twinops audit verify` on the database, without asking the server."""
        done = preloaded.run(
            ["--project", str(self.live.root), "audit", "verify"], at=self.live.root, told=self.live.environment()
        )
        return done.returncode, done.stdout + done.stderr

    def named(self, *words: str) -> None:
        """Both name it."""
        code, told = self.verified()
        assert code == 4, told
        for said in (told, "\n".join(self.faults())):
            missing = [word for word in words if word not in said]
            assert not missing, (missing, said)


def switch_off(connection: Connection) -> None:
    """What an owner of the database does first."""
    for table, name in triggers.found(connection):
        on = f" ON {table}" if connection.dialect.name == "postgresql" else ""
        connection.exec_driver_sql(f"DROP TRIGGER {name}{on}")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Live, Engine]]:
    root = tmp_path_factory.mktemp(request.param)
    if request.param == "sqlite":
        with living.serving(root) as live:
            owner = create_engine(f"sqlite:///{root}/mlflow.db", connect_args={"timeout": 20})
            yield live, owner
            owner.dispose()
        return
    with as_the_servers_role(root, request.getfixturevalue("postgres").database()) as found:
        yield found


@contextmanager
def as_the_servers_role(root: Path, owners: str) -> Iterator[tuple[Live, Engine]]:
    """The owner starts it once and grants what the documentation says; then it runs as that role."""
    with living.serving(root, owners) as first:
        passwords = first.passwords
    owner = create_engine(owners.replace("postgresql://", "postgresql+psycopg://"))
    granted(owners.replace("postgresql://", "postgresql+psycopg://"))
    live = Live(root, living.free_port(), owners.replace("owner@", "twinops_app@"), 2, None, passwords)
    try:
        live.start()
        yield live, owner
    finally:
        live.stop()
        owner.dispose()


@pytest.fixture(scope="module")
def stage(server: tuple[Live, Engine]) -> tuple[Version, Version, Version]:
    """What is in production, what nobody approved, and what was revoked."""
    live = server[0]
    produced, revoked = live.approved(1), live.approved(3, name="revoked")
    assert live.alias(produced).status == live.alias(revoked).status == 200
    assert live.decided("revoke", revoked).status == 200
    return produced, live.registered(2), revoked


@pytest.fixture(params=["owner", "role"])
def door(
    request: pytest.FixtureRequest, server: tuple[Live, Engine], stage: tuple[Version, Version, Version]
) -> Iterator[Door]:
    live, owner = server
    if request.param == "role" and live.database is None:
        pytest.skip("SQLite has no roles")
    attacker = owner
    if request.param == "role":
        attacker = create_engine(str(live.database).replace("postgresql://", "postgresql+psycopg://"))
    made = Door(live, owner, attacker, *stage)
    assert made.faults() == []
    yield made
    made.put_back()
    if attacker is not owner:
        attacker.dispose()
    assert made.faults() == []
    assert live.resolved().status == 200


def refused(answer: living.Answer, *words: str) -> None:
    assert answer.status == 403, (answer.status, answer.body)
    missing = [word for word in words if word not in answer.json["message"]]
    assert not missing, answer.json["message"]


def test_a_sound_database_is_said_to_be_sound(door: Door) -> None:
    code, told = door.verified()
    assert (code, "Nothing was changed" in told) == (0, True), told


def test_without_its_list_of_protected_aliases_production_stays_protected(door: Door) -> None:
    emptied = door.written("DELETE FROM twinops_protected")
    assert emptied is door.owns
    refused(door.live.alias(door.unapproved), "is not approved")
    new = f"INSERT INTO registered_model_aliases (workspace, name, alias, version) VALUES ('default', '{play.MODEL}', "
    for alias in ("PRODUCTION", "production "):
        with pytest.raises((DBAPIError, OperationalError), match="protected"), door.attacker.begin() as connection:
            connection.execute(text(f"{new} '{alias}', {door.unapproved.version})"))


def test_an_approval_written_by_hand_revives_nothing(door: Door) -> None:
    assert door.written(REVIEW), "the server's role adds reviews: this is not the database's to refuse"
    refused(door.live.resolved("revoked"))
    refused(door.live.alias(door.revoked), "not what the log tells")
    uri = "/api/2.0/mlflow/model-versions/get-download-uri?name=revoked&version=1"
    refused(door.live.call("GET", uri, who="scientist"), "revoked")
    refused(door.live.call("GET", "/twinops/api/pass?name=revoked&alias=production", who="scientist"))
    door.named("review", "no entry of the log tells of it")


def test_a_revocation_that_is_taken_out_still_holds(door: Door) -> None:
    if not door.written("DELETE FROM twinops_review WHERE act = 'revoke'"):
        return
    refused(door.live.resolved("revoked"), "revoked")
    refused(door.live.alias(door.revoked), "not what the log tells")
    door.named("review", "the table does not hold it")


def test_a_grant_written_by_hand_serves_nothing(door: Door) -> None:
    fresh = door.live.registered(4, name=f"fresh{door.owns:d}")
    uid = door.uid(fresh.name)
    done = door.written(
        "INSERT INTO twinops_grant (name, alias, version, uid, digest, active, etag, etag_before)"
        f" SELECT name, 'production', version, uid, digest, 1, 1, 0 FROM twinops_version WHERE uid = '{uid}'",
        "INSERT INTO registered_model_aliases (workspace, name, alias, version)"
        f" VALUES ('default', '{fresh.name}', 'production', 1)",
    )
    assert done
    refused(door.live.resolved(fresh.name))
    door.named(f"grant {fresh.name}@production", "no entry of the log tells of it", "alias ")


def test_a_grant_that_was_moved_serves_nothing(door: Door) -> None:
    done = door.written(
        f"UPDATE twinops_grant SET version = {door.unapproved.version}, uid = '{door.uid(play.MODEL, 2)}', digest ="
        f" (SELECT digest FROM twinops_version WHERE uid = '{door.uid(play.MODEL, 2)}'), etag = etag + 1"
        f" WHERE name = '{play.MODEL}'",
        f"UPDATE registered_model_aliases SET version = {door.unapproved.version} WHERE name = '{play.MODEL}'",
    )
    assert done, "the server's role moves grants: this is not the database's to refuse"
    refused(door.live.resolved())
    door.named("grant twin@production: its version", "alias twin@production: its version")


@pytest.mark.parametrize(
    ("statement", "word"),
    [
        ("UPDATE twinops_version SET registrar = 'nobody' WHERE name = 'twin'", "its account"),
        ("UPDATE twinops_version SET digest = 'x', files = '{}' WHERE name = 'twin'", "its digest"),
        ("UPDATE twinops_version SET created_ms = created_ms + 1 WHERE name = 'twin'", "its created_ms"),
        ("UPDATE twinops_version SET name = 'other' WHERE name = 'twin'", "its name"),
        ("UPDATE twinops_version SET deleted = 1 WHERE name = 'twin'", "its deleted"),
    ],
)
def test_a_version_that_was_changed_is_not_served(door: Door, statement: str, word: str) -> None:
    if not door.written(statement):
        return
    assert door.live.resolved().status in (403, 404)
    door.named("version ", word)


def test_a_folder_that_is_no_longer_sealed_is_named(door: Door) -> None:
    if door.written("UPDATE twinops_seal SET place = 'x' WHERE place IN (SELECT min(place) FROM twinops_seal)"):
        door.named("seal ", "the table does not hold it")


def test_who_worked_on_a_version_cannot_be_taken_out(door: Door) -> None:
    door.live.assign("risk-officer", "scientist")
    mine = door.live.uploaded(5, who="risk-officer", name=f"mine{door.owns:d}")
    door.live.call("POST", f"{living.API}/registered-models/create", {"name": mine.name}, who="scientist")
    made = door.live.post(f"{living.API}/model-versions/create", mine.request, who="scientist").json["model_version"]
    mine.version = int(made["version"])
    assert door.live.judged(mine).status == 200
    refused(door.live.decided("approve", mine), "worked on this version")
    hidden = "SET account = 'scientist' WHERE account = 'risk-officer'"
    if door.written(f"UPDATE twinops_upload {hidden}", f"UPDATE twinops_run {hidden}"):
        answer = door.live.call("POST", "/twinops/api/review", {**mine.which, "act": "approve", "reason": play.PLAY},
                                who="risk-officer")  # fmt: skip
        refused(answer, "its by is not what the log tells", "twinops audit verify")
        door.named("its by")


def test_rules_written_by_hand_give_nobody_an_office(door: Door) -> None:
    grab = play.OFFICES.replace("{account: scientist,", "{account: scientist, office: risk officer,").replace("'", "''")
    done = door.written(
        "INSERT INTO twinops_rules (seq, kind, body, digest, account, signature)"
        f" VALUES (900001, 'offices', '{grab}', 'x', 'risk-officer', NULL)"
    )
    assert done
    body = {**door.unapproved.which, "act": "approve", "digest": None, "reason": play.PLAY}
    refused(door.live.call("POST", "/twinops/api/review", body, who="scientist"), "holds no office")
    assert door.live.resolved().status == 200, "who only loads is not troubled"
    door.named("rules 900001", "no entry of the log tells of it")


def test_rulings_and_evidence_written_by_hand_count_for_nothing(door: Door) -> None:
    uid = door.uid(play.MODEL)
    digests = json.dumps(
        dict.fromkeys(("model", "data", "evidence", "documents", "card", "dpia", "policy", "officers"), "x")
    )
    assert door.written(
        "INSERT INTO twinops_evidence (seq, uid, account, at, digest, body)"
        f" SELECT 900003, '{door.uid(play.MODEL, 2)}', account, at, digest, body"
        f" FROM twinops_evidence WHERE uid = '{uid}'"
    )
    asked = {**door.unapproved.which, "act": "approve", "digest": None, "reason": play.PLAY}
    refused(door.live.call("POST", "/twinops/api/review", asked, who="risk-officer"))
    assert door.live.shown(door.unapproved)["decision"] is None, "evidence that no entry tells of judges nothing"
    assert door.written(
        "INSERT INTO twinops_ruling"
        " (seq, uid, gate, answer, evidence, account, role, at, until, reason, digests, withdrawn)"
        f" VALUES (900002, '{uid}', 'consent', 'failed', 'x', 'risk-officer', 'risk officer',"
        f" '2026-01-01T00:00:00.000Z', '2099-01-01', 'why', '{digests}', 0)"
    )
    refused(door.live.alias(door.produced), "ruling 900002")
    door.named("ruling 900002", "evidence 900003")


def test_an_alias_row_written_by_hand_is_not_served(door: Door) -> None:
    done = door.written(
        f"UPDATE registered_model_aliases SET version = {door.unapproved.version} WHERE name = '{play.MODEL}'"
    )
    assert done is door.owns
    if done:
        refused(door.live.resolved(), "not set by this server")
        door.named("alias twin@production: its version")


def test_a_temporary_table_does_not_answer_in_place_of_ours(door: Door) -> None:
    temporary = "pg_temp" if door.live.database else "temp"
    shadow = (
        "CREATE TEMPORARY TABLE twinops_grant (name TEXT, alias TEXT, version INTEGER, active INTEGER)",
        f"INSERT INTO {temporary}.twinops_grant VALUES ('{play.MODEL}', 'production', {door.unapproved.version}, 1)",
        f"UPDATE registered_model_aliases SET version = {door.unapproved.version} WHERE name = '{play.MODEL}'",
    )

    def attack() -> None:
        engine = create_engine(door.attacker.url, poolclass=NullPool)  # the table goes with its connection
        with engine.begin() as connection:
            for statement in shadow:
                connection.execute(text(statement))

    with pytest.raises(DBAPIError, match="protected" if door.owns else "permission denied"):
        attack()


def test_a_trigger_that_does_nothing_under_our_name_is_named(door: Door) -> None:
    on = "registered_model_aliases"
    if door.live.database:
        nothing = (
            "CREATE OR REPLACE FUNCTION twinops_alias_new() RETURNS trigger LANGUAGE plpgsql"
            " SET search_path = pg_catalog, pg_temp AS $$ BEGIN RETURN NEW; END $$"
        )
        statements = [nothing, f"ALTER TABLE {on} DISABLE TRIGGER twinops_alias_moved"]
    else:
        statements = [
            "DROP TRIGGER twinops_alias_new",
            f"CREATE TRIGGER twinops_alias_new BEFORE INSERT ON {on} WHEN FALSE BEGIN SELECT RAISE(ABORT, ''); END",
            "DROP TRIGGER twinops_alias_moved",
        ]
    try:
        with door.attacker.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))
    except DBAPIError:
        assert not door.owns
        return
    switched_off = "was altered" if door.live.database else "is missing"
    door.named(
        "the trigger twinops_alias_new on registered_model_aliases was altered", f"alias_moved on {on} {switched_off}"
    )


# the end of the log, and the way back in time: each on a server of its own


@pytest.fixture(params=["sqlite", "postgresql"])
def own(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Live, Engine]]:
    database = None if request.param == "sqlite" else request.getfixturevalue("postgres").database()
    with living.serving(tmp_path, database) as live:
        address = str(live.database).replace("postgresql://", "postgresql+psycopg://")
        owner = create_engine(address if live.database else f"sqlite:///{tmp_path}/mlflow.db")
        yield live, owner
        owner.dispose()


def forge(owner: Engine, kind: Kind, about: dict[str, Any]) -> None:
    """An entry with its number and a head that fits, by somebody who holds the database and not the key."""
    with owner.begin() as connection:
        size, peaks = connection.execute(text("SELECT size, peaks FROM twinops_head")).one()
        body = Event(kind, "p-1", "2026-11-28T00:00:00.000Z", about).body(size)
        grown = Frontier.from_text(size, peaks).appended(leaf_hash(body.encode()))
        connection.execute(text("INSERT INTO twinops_event (seq, body) VALUES (:n, :b)"), {"n": size, "b": body})
        connection.execute(
            text("UPDATE twinops_head SET size = :n, peaks = :p"), {"n": grown.size, "p": grown.to_text()}
        )


def test_an_entry_that_the_server_did_not_sign_stops_it_and_is_named(own: tuple[Live, Engine]) -> None:
    live, owner = own
    revoked = live.approved(1)
    assert live.alias(revoked).status == 200
    assert live.decided("revoke", revoked).status == 200
    with owner.connect() as connection:
        uid = connection.execute(text("SELECT uid FROM twinops_version")).scalar()
    told = {"model": "twin", "version": 1, "uid": uid, "digests": None, "expires": None, "separated": True}
    forge(owner, Kind.APPROVED, told)
    refused(live.resolved(), "not written by this server")
    refused(live.alias(revoked), "not written by this server")
    door = Door(live, owner, owner, revoked, revoked, revoked)
    code, said = door.verified()
    assert (code, "head is not signed by the server's key" in said) == (4, True), said
    live.stop()
    told = started(live)
    assert "not the one that was served last" in told, told


def started(live: Live, *options: str) -> str:
    """What a start says that ends by itself."""
    done = preloaded.run(
        ["--project", str(live.root), "server", "--port", str(live.port), *options],
        at=live.root,
        told=live.environment(),
    )
    assert done.returncode != 0
    return str(done.stdout + done.stderr)


@contextmanager
def backup(live: Live, postgres: Callable[[], living.Postgres], folder: Path) -> Iterator[Callable[[], None]]:
    """A copy of the database as it is now, and the way to put it back."""
    if live.database is None:
        with (
            closing(sqlite3.connect(live.root / "mlflow.db")) as now,
            closing(sqlite3.connect(folder / "copy")) as copy,
        ):
            now.backup(copy)
        yield partial(_put_back_file, live.root, folder / "copy")
        return
    server, name = postgres(), live.database.rpartition("/")[2]
    server._run("pg_dump", "-h", str(server.folder), "-p", str(server.port), "-U", "owner", "-Fc", "-f",
                str(server.folder / name), name)  # fmt: skip
    words = ("-h", str(server.folder), "-p", str(server.port), "-U", "owner", "--clean", "-d", name)
    yield partial(server._run, "pg_restore", *words, str(server.folder / name))


def _put_back_file(root: Path, copy: Path) -> None:
    for file in root.glob("mlflow.db*"):
        file.unlink()
    shutil.copyfile(copy, root / "mlflow.db")


def test_an_older_database_is_not_served_until_somebody_says_why(
    own: tuple[Live, Engine], tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> None:
    live, owner = own
    version = live.approved(1)
    assert live.alias(version).status == 200
    with backup(live, lambda: request.getfixturevalue("postgres"), tmp_path_factory.mktemp("backup")) as put_it_back:
        assert live.decided("revoke", version).status == 200
        live.stop()
        owner.dispose()
        put_it_back()
    assert "only" in (told := started(live)), told
    assert "--accept-restore" in told
    assert "reason of at least" in started(live, "--accept-restore", "no")
    reason = "The disk died; this is Monday's backup."
    live.start("--accept-restore", reason)
    assert live.resolved().status == 200, "the revocation was lost with the newer database, as somebody accepted"
    log = [json.loads(e) for e in live.call("GET", "/twinops/api/log", who="dpo").json["entries"]]
    accepted = next(e for e in log if e["kind"] == "log.restored")
    assert reason not in json.dumps(log)
    with owner.connect() as connection:
        kept = connection.execute(text("SELECT seq, account, reason FROM twinops_restore")).one()
    assert (kept.seq, kept.reason, kept.account.startswith("local:")) == (accepted["seq"], reason, True)
    for n in range(3):
        assert live.judged(live.registered(10 + n)).status == 200
    live.stop()
    assert "Nothing is to be accepted" in started(live, "--accept-restore", reason)
    live.start()
    door = Door(live, owner, owner, version, version, version)
    code, told = door.verified()
    assert (code, "left behind" in told) == (0, True), told


def test_everything_that_happens_has_its_checkpoint_before_the_answer_and_refusals_soon_after(tmp_path: Path) -> None:
    store = play.open_store(tmp_path)
    newest = lambda: max(int(p.stem[:12]) for p in store.home.checkpoints.glob("*.txt"))  # noqa: E731
    size = lambda: store.witness.told.size  # noqa: E731
    assert newest() == size(), "activations"
    version = play.registered(store, 1)
    assert newest() == size(), "registrations"
    play.with_evidence(store, version)
    assert newest() == size(), "evidence"
    for _ in range(5):
        with play.refused():
            play.set_alias(store, version)
    play.wait_until(lambda: newest() == size(), seconds=10)
    assert len(list(store.home.checkpoints.glob("*.txt"))) < size(), "refusals share one"
    store._dispose_engine()


def test_a_log_from_before_heads_were_signed_is_taken_over_and_signed_from_then_on(tmp_path: Path) -> None:
    with living.serving(tmp_path) as live:
        version = live.approved(1)
        assert live.alias(version).status == 200
        live.stop()
        older(tmp_path)
        live.start()
        assert live.resolved().status == 200
        assert live.call("GET", "/twinops/api/state", who="dpo").json["faults"] == []
        live.stop()
        with closing(sqlite3.connect(tmp_path / "mlflow.db")) as connection, connection:
            connection.execute("DROP TABLE twinops_note")
        assert "not written by this server" in started(live), "taken over once"


def older(root: Path) -> None:
    """The database as an earlier version would have left it: entries that tell less, and no signed heads."""
    more = {"place", "created", "by", "text", "protects", "reason", "body", "heads", "triggers"}
    with closing(sqlite3.connect(root / "mlflow.db")) as connection, connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        head = Frontier()
        for seq, body in connection.execute("SELECT seq, body FROM twinops_event ORDER BY seq").fetchall():
            entry = json.loads(body)
            about = {n: v for n, v in entry["about"].items() if n not in more}
            told = Event(Kind(entry["kind"]), entry["actor"], entry["at"], about).body(seq)
            connection.execute("UPDATE twinops_event SET body = ? WHERE seq = ?", (told, seq))
            head = head.appended(leaf_hash(told.encode()))
        connection.execute("UPDATE twinops_head SET peaks = ?", (head.to_text(),))
        connection.execute("DROP TABLE twinops_note")
        connection.execute("DROP TABLE twinops_restore")
    shutil.rmtree(root / "registry" / "checkpoints")


# honest readers


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_who_reads_while_others_promote_is_never_refused(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    database = None if kind == "sqlite" else request.getfixturevalue("postgres").database()
    with living.serving(tmp_path, database, workers=1 if kind == "sqlite" else 2) as live:
        versions = [live.approved(n) for n in range(2)]
        assert live.alias(versions[0]).status == 200
        over = threading.Event()
        answers: list[list[tuple[int, bytes]]] = [[] for _ in range(4)]

        def read(mine: list[tuple[int, bytes]]) -> None:
            while not (over.is_set() and len(mine) >= READS // len(answers)):
                answer = live.resolved()
                mine.append((answer.status, b"" if answer.status == 200 else answer.body))

        readers = [threading.Thread(target=read, args=(mine,)) for mine in answers]
        for reader in readers:
            reader.start()
        promoted = 0
        while promoted < PROMOTIONS or sum(map(len, answers)) < READS:
            if promoted < PROMOTIONS:
                promoted += 1
                assert live.alias(versions[promoted % 2]).status == 200
            else:
                over.wait(0.05)
        over.set()
        for reader in readers:
            reader.join()
    every = [a for mine in answers for a in mine]
    bad = [a for a in every if a[0] != 200]
    assert len(every) >= READS
    assert bad == [], bad[:3]
