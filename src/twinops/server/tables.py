"""Our own tables in the registry's database. Numbers come from the audit log's head, so nothing is counted twice."""

from __future__ import annotations

from sqlalchemy import Connection, text

from twinops.server.triggers import install

TABLES = (
    "twinops_head (id INTEGER PRIMARY KEY CHECK (id = 1), size BIGINT NOT NULL, peaks TEXT NOT NULL)",
    "twinops_event (seq BIGINT PRIMARY KEY, body TEXT NOT NULL)",
    "twinops_actor (account VARCHAR(255) PRIMARY KEY, pseudonym VARCHAR(32) NOT NULL UNIQUE)",
    """twinops_version (uid VARCHAR(32) PRIMARY KEY, name VARCHAR(256) NOT NULL, version INTEGER NOT NULL,
        created_ms BIGINT NOT NULL, run_id VARCHAR(32), place VARCHAR(500) NOT NULL, registrar VARCHAR(255) NOT NULL,
        digest VARCHAR(64) NOT NULL, files TEXT NOT NULL, separated INTEGER NOT NULL, deleted INTEGER NOT NULL,
        seq BIGINT NOT NULL)""",
    "twinops_seal (place VARCHAR(500) PRIMARY KEY, uid VARCHAR(32) NOT NULL)",
    "twinops_upload (place VARCHAR(500) NOT NULL, account VARCHAR(255) NOT NULL, PRIMARY KEY (place, account))",
    "twinops_run (run_id VARCHAR(32) PRIMARY KEY, account VARCHAR(255) NOT NULL)",
    """twinops_evidence (seq BIGINT PRIMARY KEY, uid VARCHAR(32) NOT NULL, account VARCHAR(255) NOT NULL,
        at VARCHAR(24) NOT NULL, digest VARCHAR(64) NOT NULL, body TEXT NOT NULL)""",
    """twinops_review (seq BIGINT PRIMARY KEY, uid VARCHAR(32) NOT NULL, act VARCHAR(16) NOT NULL,
        account VARCHAR(255) NOT NULL, at VARCHAR(24) NOT NULL, reason TEXT NOT NULL, name VARCHAR(256) NOT NULL,
        version INTEGER NOT NULL, digests TEXT, expires VARCHAR(24), separated INTEGER NOT NULL)""",
    """twinops_ruling (seq BIGINT PRIMARY KEY, uid VARCHAR(32) NOT NULL, gate VARCHAR(64) NOT NULL,
        answer VARCHAR(16) NOT NULL, evidence VARCHAR(64) NOT NULL, account VARCHAR(255) NOT NULL,
        role VARCHAR(64) NOT NULL, at VARCHAR(24) NOT NULL, until VARCHAR(10) NOT NULL, reason TEXT NOT NULL,
        digests TEXT NOT NULL, withdrawn INTEGER NOT NULL)""",
    """twinops_grant (name VARCHAR(256) NOT NULL, alias VARCHAR(256) NOT NULL, version INTEGER NOT NULL,
        uid VARCHAR(32) NOT NULL, digest VARCHAR(64) NOT NULL, active INTEGER NOT NULL, etag BIGINT NOT NULL,
        etag_before BIGINT, PRIMARY KEY (name, alias))""",
    """twinops_rules (seq BIGINT PRIMARY KEY, kind VARCHAR(16) NOT NULL, body TEXT NOT NULL,
        digest VARCHAR(64) NOT NULL, account VARCHAR(255) NOT NULL, signature TEXT)""",
    "twinops_protected (alias VARCHAR(256) PRIMARY KEY)",
)
INDEXES = (
    "twinops_version_now ON twinops_version (name, version) WHERE deleted = 0",
    "twinops_version_run ON twinops_version (run_id)",
    "twinops_evidence_uid ON twinops_evidence (uid, seq)",
    "twinops_ruling_uid ON twinops_ruling (uid, seq)",
    "twinops_review_uid ON twinops_review (uid, seq)",
    "twinops_seal_uid ON twinops_seal (uid)",
)


def prepare(connection: Connection) -> bool:
    """Make what is not there yet and put the triggers in anew: a migration of MLflow's may have dropped them.

    True when the tables were made now.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(7478692)"))
    new = not connection.dialect.has_table(connection, "twinops_head")
    if not new and not _owns(connection):
        return False  # the owner made tables and triggers; the start-up check tells if one is missing
    for table in TABLES:
        connection.execute(text(f"CREATE TABLE IF NOT EXISTS {table}"))
    for index in INDEXES:
        unique = "UNIQUE " if "WHERE" in index else ""
        connection.execute(text(f"CREATE {unique}INDEX IF NOT EXISTS {index}"))
    connection.execute(text("INSERT INTO twinops_head VALUES (1, 0, '') ON CONFLICT DO NOTHING"))
    connection.execute(text("INSERT INTO twinops_protected VALUES ('production') ON CONFLICT DO NOTHING"))
    install(connection)
    return new


def _owns(connection: Connection) -> bool:
    """May this login change the tables? On PostgreSQL the server need not."""
    if connection.dialect.name != "postgresql":
        return True
    owner = "SELECT tableowner = current_user FROM pg_tables WHERE tablename = 'twinops_head' AND schemaname = 'public'"
    return bool(connection.execute(text(owner)).scalar())
