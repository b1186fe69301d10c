"""What the database itself refuses, to a stock MLflow client on the database's address or anyone with plain SQL.

A protected alias needs an active grant for exactly its version; what carries one is neither removed, renamed nor moved.
Our own records are only added to. Whoever owns the database can drop all this: the log kept outside tells.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, text

_ALIAS = "lower(trim(NEW.alias, ' ' || {nl} || {tab})) IN (SELECT alias FROM twinops_protected)"
_GRANTED = (
    "EXISTS (SELECT 1 FROM twinops_grant g WHERE g.active = 1 AND g.name = {row}.name"
    " AND g.version = {row}.version AND g.alias = {row}.alias)"
)
_CARRIES = "EXISTS (SELECT 1 FROM twinops_grant g WHERE g.active = 1 AND g.name = OLD.name)"
_THIS_CARRIES = (
    "EXISTS (SELECT 1 FROM twinops_grant g WHERE g.active = 1 AND g.name = OLD.name AND g.version = OLD.version)"
)
_RECORDED = (
    "EXISTS (SELECT 1 FROM twinops_version v WHERE v.deleted = 0 AND v.name = OLD.name AND v.version = OLD.version)"
)
_MOVED = (
    "(NEW.storage_location IS DISTINCT FROM OLD.storage_location"
    " OR NEW.creation_time IS DISTINCT FROM OLD.creation_time)"
)
_STAGED = (
    "NEW.current_stage IS DISTINCT FROM OLD.current_stage AND NEW.current_stage NOT IN ('None', 'Deleted_Internal')"
)


@dataclass(frozen=True)
class Trigger:
    """On which operation on which table a row is refused, if the condition holds, and in which sentence."""

    name: str
    table: str
    operation: str
    condition: str
    sentence: str


RULES = (
    Trigger("alias_new", "registered_model_aliases", "INSERT", f"{_ALIAS} AND NOT {_GRANTED.format(row='NEW')}",
     "this alias is protected and this version has no approval"),
    Trigger("alias_moved", "registered_model_aliases", "UPDATE",
     f"({_ALIAS} AND NOT {_GRANTED.format(row='NEW')}) OR (NEW.alias <> OLD.alias AND {_GRANTED.format(row='OLD')})",
     "this alias is protected and this version has no approval"),
    Trigger("alias_gone", "registered_model_aliases", "DELETE", _GRANTED.format(row="OLD"), "this alias is protected"),
    Trigger("model_renamed", "registered_models", "UPDATE", f"NEW.name <> OLD.name AND {_CARRIES}",
     "a version of this model carries a protected alias"),
    Trigger("model_gone", "registered_models", "DELETE", _CARRIES, "a version of this model carries a protected alias"),
    Trigger("version_staged", "model_versions", "UPDATE", _STAGED, "legacy stages are switched off"),
    Trigger("version_born_staged", "model_versions", "INSERT", "NEW.current_stage NOT IN ('None', 'Deleted_Internal')",
     "legacy stages are switched off"),
    Trigger("version_moved", "model_versions", "UPDATE", f"{_MOVED} AND {_RECORDED}",
     "a recorded version stays where it is"),
    Trigger("version_unmade", "model_versions", "UPDATE",
     f"NEW.current_stage = 'Deleted_Internal' AND OLD.current_stage <> 'Deleted_Internal' AND {_THIS_CARRIES}",
     "this version carries a protected alias"),
    Trigger("version_gone", "model_versions", "DELETE", _THIS_CARRIES, "this version carries a protected alias"),
    Trigger("event_order", "twinops_event", "INSERT", "NEW.seq <> (SELECT size FROM twinops_head WHERE id = 1)",
     "the audit log is numbered without gaps"),
    Trigger("head_back", "twinops_head", "UPDATE", "NEW.size < OLD.size OR NEW.size > OLD.size + 1",
     "the audit log only grows"),
    Trigger("version_fixed", "twinops_version", "UPDATE",
     "NEW.uid <> OLD.uid OR NEW.digest <> OLD.digest OR NEW.files <> OLD.files OR NEW.registrar <> OLD.registrar"
     " OR NEW.place <> OLD.place OR NEW.separated <> OLD.separated OR NEW.created_ms <> OLD.created_ms"
     " OR NEW.deleted < OLD.deleted", "what was recorded of a version stays"),
)  # fmt: skip
_JUDGED = (
    "EXISTS (SELECT 1 FROM twinops_version v WHERE v.deleted = 0 AND v.run_id IN ({run}) AND ("
    "EXISTS (SELECT 1 FROM twinops_grant g WHERE g.uid = v.uid AND g.active = 1)"
    " OR EXISTS (SELECT 1 FROM twinops_review r WHERE r.uid = v.uid AND r.act <> 'request')"
    " OR (v.separated = 1 AND EXISTS (SELECT 1 FROM twinops_evidence e WHERE e.uid = v.uid))))"
)
_MODEL = "(SELECT m.source_run_id FROM logged_models m WHERE m.model_id = {row}.model_id)"
RUNS = {
    **dict.fromkeys(("runs", "params", "metrics", "latest_metrics", "tags"), "{row}.run_uuid"),
    "inputs": "{row}.source_id, {row}.destination_id",
    "logged_models": "{row}.source_run_id",
    **dict.fromkeys(("logged_model_params", "logged_model_metrics", "logged_model_tags"), _MODEL),
}
"""Where MLflow keeps what is known of a run and its logged models, and the run that a row there belongs to."""
_LISTED = "{row}.tag_key <> 'mlflow.modelVersions' AND "
"""MLflow's own note on a logged model of which versions were made from it; nothing reads it back."""
APPEND_ONLY = tuple(f"twinops_{t}" for t in ("event", "evidence", "review", "ruling", "promotion", "rules"))
KEPT = ("twinops_head", "twinops_version", "twinops_grant", "twinops_seal", "twinops_run", "twinops_upload")


def rules() -> tuple[Trigger, ...]:
    """Every trigger there must be."""
    told = "records are only added to"
    changed = [Trigger(f"{t}_update", t, "UPDATE", "TRUE", told) for t in APPEND_ONLY]
    gone = [Trigger(f"{t}_delete", t, "DELETE", "TRUE", told) for t in (*APPEND_ONLY, *KEPT)]
    return (*RULES, *changed, *gone, *_of_runs())


def _of_runs() -> Iterator[Trigger]:
    """Neither who made the run nor an administrator changes what stands behind a version that was judged."""
    told = "this run stands behind a version that was judged; it stays as it was"
    for table, run in RUNS.items():
        free = _LISTED if table == "logged_model_tags" else ""
        belongs = {row: (free + _JUDGED.format(run=run)).format(row=row) for row in ("NEW", "OLD")}
        for operation, rows in {"INSERT": ["NEW"], "UPDATE": ["NEW", "OLD"], "DELETE": ["OLD"]}.items():
            condition = " OR ".join(f"({belongs[row]})" for row in rows)
            yield Trigger(f"{table}_{operation.lower()}", table, operation, condition, told)


def names() -> frozenset[str]:
    """Names of all triggers, as the start-up check looks for them."""
    return frozenset(f"twinops_{rule.name}" for rule in rules())


def install(connection: Connection) -> None:
    """Put every trigger in, whatever stood there before."""
    install_one = _sqlite if connection.dialect.name == "sqlite" else _postgresql
    for rule in rules():
        install_one(connection, rule)
    if connection.dialect.name == "postgresql":
        _against_truncate(connection)


def present(connection: Connection) -> frozenset[str]:
    """Names of our triggers that are there and switched on."""
    sql = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if connection.dialect.name == "sqlite"
        else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')"
    )
    return names() & {row[0] for row in connection.execute(text(sql))}


def _against_truncate(connection: Connection) -> None:
    """PostgreSQL empties a table without asking any row's trigger."""
    connection.exec_driver_sql(
        "CREATE OR REPLACE FUNCTION twinops_truncate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'twinops: records are only added to' USING ERRCODE = '42501'; END $$"
    )
    for table in (*APPEND_ONLY, *KEPT, "registered_model_aliases"):
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS twinops_truncate ON {table}")
        connection.exec_driver_sql(
            f"CREATE TRIGGER twinops_truncate BEFORE TRUNCATE ON {table} EXECUTE FUNCTION twinops_truncate()"
        )


def _sqlite(connection: Connection, rule: Trigger) -> None:
    condition = rule.condition.replace("IS DISTINCT FROM", "IS NOT").format(nl="char(10)", tab="char(9)")
    connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS twinops_{rule.name}")
    connection.exec_driver_sql(
        f"CREATE TRIGGER twinops_{rule.name} BEFORE {rule.operation} ON {rule.table} WHEN {condition}"
        f" BEGIN SELECT RAISE(ABORT, 'twinops: {rule.sentence}'); END"
    )


def _postgresql(connection: Connection, rule: Trigger) -> None:
    name, condition = f"twinops_{rule.name}", rule.condition.format(nl="chr(10)", tab="chr(9)")
    answer = "OLD" if rule.operation == "DELETE" else "NEW"
    connection.exec_driver_sql(
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {condition}"
        f" THEN RAISE EXCEPTION 'twinops: {rule.sentence}' USING ERRCODE = '42501'; END IF; RETURN {answer}; END $$"
    )
    connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name} ON {rule.table}")
    connection.exec_driver_sql(
        f"CREATE TRIGGER {name} BEFORE {rule.operation} ON {rule.table} FOR EACH ROW EXECUTE FUNCTION {name}()"
    )
