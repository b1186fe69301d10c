"""PostgreSQL with two roles, as `docs/operate.md` says: the server's login can undo no record and drop no trigger.

A whole server that runs so is besieged in `test_bypass.py`.
"""

from __future__ import annotations

import re
from pathlib import Path

import candidate
import live as living
import play
import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from siege.attacks.database import FORBIDDEN
from siege.servers import GRANTS, granted, psycopg
from twinops.entities.approval import Act
from twinops.server.registry.tables import OURS

pytestmark = pytest.mark.pipeline
NO = r"permission denied|must be owner|only added"


def test_the_documented_grants_name_every_table_of_ours() -> None:
    sql = GRANTS.search((candidate.ROOT / "docs" / "operate.md").read_text())
    assert sql
    revoked = {name for line in re.findall(r"REVOKE UPDATE, DELETE ON (.*?) FROM", sql[1]) for name in line.split(", ")}
    assert revoked == set(OURS.tables)


def run(engine: Engine, sql: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(sql))


def test_the_servers_role_works_and_cannot_undo_what_was_recorded(tmp_path: Path, postgres: living.Postgres) -> None:
    owners = psycopg(postgres.database())
    made = play.open_store(tmp_path, owners)
    made._dispose_engine()
    granted(owners)
    store = play.open_store(tmp_path, owners.replace("owner@", "twinops_app@"), rules=False)
    version = play.approved(store, 1)
    play.set_alias(store, version)
    play.acted(store, Act.REVOKE, version)
    for sql in FORBIDDEN:
        with pytest.raises(DBAPIError, match=NO):
            run(store.engine, sql)
    owner = create_engine(owners)
    with pytest.raises(DBAPIError, match="only added"):
        run(owner, "TRUNCATE twinops_event")
    store._dispose_engine()
    owner.dispose()
