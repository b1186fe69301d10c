"""PostgreSQL with two roles, as `docs/operate.md` says: the server's login can undo no record and drop no trigger."""

from __future__ import annotations

import re
from pathlib import Path

import candidate
import live as living
import play
import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from twinops.entities.approval import Act
from twinops.governance.log.verify import check
from twinops.server.registry.tables import OURS

pytestmark = pytest.mark.pipeline


GRANTS = re.compile(r"```sql\n(.*?)```", re.DOTALL)
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
    "UPDATE twinops_grant SET name = 'other'",
    "UPDATE twinops_version SET digest = 'x'",
    "UPDATE twinops_version SET files = '{}'",
    "UPDATE twinops_version SET registrar = 'nobody'",
    "UPDATE twinops_seal SET uid = 'x'",
    "UPDATE twinops_run SET account = 'nobody'",
    "UPDATE twinops_upload SET account = 'nobody'",
    "UPDATE twinops_actor SET account = 'nobody'",
    "DELETE FROM twinops_actor",
    "DELETE FROM twinops_protected",
    "UPDATE twinops_protected SET alias = 'x'",
    "DELETE FROM twinops_note",
    "INSERT INTO twinops_head (id, size, peaks) VALUES (2, 0, '')",
    "UPDATE twinops_head SET id = 1",
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
NO = r"permission denied|must be owner|only added"


def granted(owner: Engine) -> None:
    """What the documentation says the owner runs."""
    sql = GRANTS.search((candidate.ROOT / "docs" / "operate.md").read_text())
    assert sql
    with owner.begin() as connection:
        if not connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = 'twinops_app'")).scalar():
            connection.execute(text("CREATE ROLE twinops_app LOGIN"))
        connection.exec_driver_sql(sql[1].replace("%", "%%"))


def test_the_documented_grants_name_every_table_of_ours() -> None:
    sql = GRANTS.search((candidate.ROOT / "docs" / "operate.md").read_text())
    assert sql
    revoked = {name for line in re.findall(r"REVOKE UPDATE, DELETE ON (.*?) FROM", sql[1]) for name in line.split(", ")}
    assert revoked == set(OURS.tables)


def run(engine: Engine, sql: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(sql))


def test_the_servers_role_works_and_cannot_undo_what_was_recorded(tmp_path: Path, postgres: living.Postgres) -> None:
    owners = postgres.database().replace("postgresql://", "postgresql+psycopg://")
    made = play.open_store(tmp_path, owners)
    made._dispose_engine()
    owner = create_engine(owners)
    granted(owner)
    apps = owners.replace("owner@", "twinops_app@")
    store = play.open_store(tmp_path, apps, rules=False)
    version = play.approved(store, 1)
    play.set_alias(store, version)
    play.acted(store, Act.REVOKE, version)
    for sql in FORBIDDEN:
        with pytest.raises(DBAPIError, match=NO):
            run(store.engine, sql)
    with pytest.raises(DBAPIError, match="only added"):
        run(owner, "TRUNCATE twinops_event")
    store._dispose_engine()
    owner.dispose()


def test_a_whole_server_runs_as_that_role_promotes_and_cannot_be_made_to_forget(
    tmp_path: Path, postgres: living.Postgres
) -> None:
    owners = postgres.database()
    with living.serving(tmp_path, owners) as first:
        passwords = first.passwords
    owner = create_engine(owners.replace("postgresql://", "postgresql+psycopg://"))
    granted(owner)
    app = create_engine(owners.replace("postgresql://owner@", "postgresql+psycopg://twinops_app@"))
    server = living.Live(tmp_path, living.free_port(), owners.replace("owner@", "twinops_app@"), 2, None, passwords)
    try:
        server.start()
        assert "passwords" not in server.said
        version = server.approved(1)
        answer = server.alias(version)
        assert answer.status == 200, answer.body
        assert server.resolved().json["model_version"]["version"] == str(version.version)
        assert server.alias(server.registered(2)).status == 403
        made = {"username": "late", "password": "a-long-enough-password"}
        assert server.call("POST", f"{living.API}/users/create", made, who="admin").status == 200
        for sql in FORBIDDEN:
            with pytest.raises(DBAPIError, match=NO):
                run(app, sql)
        log = server.call("GET", "/twinops/api/log", who="dpo").json
        notes = [p.read_text() for p in sorted((tmp_path / "registry" / "checkpoints").glob("*.txt"))]
        key = bytes.fromhex((tmp_path / "registry" / "registry.pub").read_text())
        found = check([e.encode() for e in log["entries"]], notes, [key], head=(log["size"], log["root"]))
        assert found.faults == ()
        assert "alias.set" in "".join(log["entries"])
        assert "Traceback" not in (tmp_path / "server.log").read_text()
    finally:
        server.stop()
        app.dispose()
        owner.dispose()
