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

pytestmark = pytest.mark.pipeline


def run(engine: Engine, sql: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(sql))


def test_the_servers_role_works_and_cannot_undo_what_was_recorded(tmp_path: Path) -> None:
    why = living.why_no_postgresql()
    if why:
        pytest.skip(why)
    told = (candidate.ROOT / "docs" / "operate.md").read_text()
    grants = re.search(r"```sql\n(.*?)```", told, re.DOTALL)
    assert grants
    with living.postgresql() as cluster:
        owners = cluster.database().replace("postgresql://", "postgresql+psycopg://")
        made = play.open_store(tmp_path, owners)
        made._dispose_engine()
        owner = create_engine(owners)
        with owner.begin() as connection:
            connection.execute(text("CREATE ROLE twinops_app LOGIN"))
            for statement in grants[1].split(";\n"):
                if statement.strip():
                    connection.execute(text(statement))
        apps = owners.replace("owner@", "twinops_app@")
        store = play.open_store(tmp_path, apps, rules=False)
        version = play.approved(store, 1)
        play.set_alias(store, version)
        play.acted(store, Act.REVOKE, version)
        for sql in (
            "UPDATE twinops_event SET body = 'x'",
            "DELETE FROM twinops_event",
            "TRUNCATE twinops_event",
            "UPDATE twinops_review SET act = 'approve'",
            "DROP TRIGGER twinops_alias_moved ON registered_model_aliases",
            "ALTER TABLE twinops_event DISABLE TRIGGER ALL",
            "DROP TABLE twinops_event",
        ):
            with pytest.raises(DBAPIError, match=r"permission denied|must be owner|only added"):
                run(store.engine, sql)
        with pytest.raises(DBAPIError, match="only added"):
            run(owner, "TRUNCATE twinops_event")
        store._dispose_engine()
        owner.dispose()
