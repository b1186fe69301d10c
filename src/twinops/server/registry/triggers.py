"""What the database itself refuses, to a stock MLflow client on the database's address or anyone with plain SQL.

A protected alias needs an active grant for exactly its version; what carries one is neither removed, renamed nor moved.
Our own records are only added to. Whoever owns the database can drop all this: the log kept outside tells.
Every look-up names its schema, so that no other table of the same name can answer instead.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text

ALWAYS = "production"
"""Protected whatever an offices file says: this stands in the trigger's text. A table holds what offices files add."""
_PLAIN = "lower(trim(NEW.alias, ' ' || {nl} || {tab}))"
_ALIAS = "(PLAIN = 'ALWAYS' OR PLAIN IN (SELECT p.alias FROM {schema}.twinops_protected p))"
_ALIAS = _ALIAS.replace("PLAIN", _PLAIN).replace("ALWAYS", ALWAYS)


def _granted(row: str) -> str:
    exists = (
        "EXISTS (SELECT 1 FROM {schema}.twinops_grant g WHERE g.active = 1"
        " AND g.name = ROW.name AND g.version = ROW.version AND g.alias = ROW.alias)"
    )
    return exists.replace("ROW", row)


_CARRIES = "EXISTS (SELECT 1 FROM {schema}.twinops_grant g WHERE g.active = 1 AND g.name = OLD.name)"
_THIS_CARRIES = (
    "EXISTS (SELECT 1 FROM {schema}.twinops_grant g"
    " WHERE g.active = 1 AND g.name = OLD.name AND g.version = OLD.version)"
)
_RECORDED = (
    "EXISTS (SELECT 1 FROM {schema}.twinops_version v"
    " WHERE v.deleted = 0 AND v.name = OLD.name AND v.version = OLD.version)"
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
    Trigger("alias_new", "registered_model_aliases", "INSERT", f"{_ALIAS} AND NOT {_granted('NEW')}",
     "this alias is protected and this version has no approval"),
    Trigger("alias_moved", "registered_model_aliases", "UPDATE",
     f"({_ALIAS} AND NOT {_granted('NEW')}) OR (NEW.alias <> OLD.alias AND {_granted('OLD')})",
     "this alias is protected and this version has no approval"),
    Trigger("alias_gone", "registered_model_aliases", "DELETE", _granted("OLD"), "this alias is protected"),
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
    Trigger("event_order", "twinops_event", "INSERT",
     "NEW.seq <> (SELECT h.size FROM {schema}.twinops_head h WHERE h.id = 1)",
     "the audit log is numbered without gaps"),
    Trigger("head_back", "twinops_head", "UPDATE", "NEW.size < OLD.size OR NEW.size > OLD.size + 1",
     "the audit log only grows"),
    Trigger("version_fixed", "twinops_version", "UPDATE",
     "NEW.uid <> OLD.uid OR NEW.digest <> OLD.digest OR NEW.files <> OLD.files OR NEW.registrar <> OLD.registrar"
     " OR NEW.place <> OLD.place OR NEW.separated <> OLD.separated OR NEW.created_ms <> OLD.created_ms"
     " OR NEW.version <> OLD.version OR NEW.seq <> OLD.seq OR NEW.run_id IS DISTINCT FROM OLD.run_id"
     " OR NEW.deleted < OLD.deleted", "what was recorded of a version stays"),
    Trigger("grant_fixed", "twinops_grant", "UPDATE",
     "NEW.name <> OLD.name OR NEW.alias <> OLD.alias OR NEW.etag <= OLD.etag", "a grant changes with an event only"),
    Trigger("actor_fixed", "twinops_actor", "UPDATE", "TRUE", "a pseudonym stays with its account"),
)  # fmt: skip
_JUDGED = (
    "EXISTS (SELECT 1 FROM {schema}.twinops_version v WHERE v.deleted = 0 AND v.run_id IN (RUN) AND ("
    "EXISTS (SELECT 1 FROM {schema}.twinops_grant g WHERE g.uid = v.uid AND g.active = 1)"
    " OR EXISTS (SELECT 1 FROM {schema}.twinops_review r WHERE r.uid = v.uid AND r.act <> 'request')"
    " OR (v.separated = 1 AND EXISTS (SELECT 1 FROM {schema}.twinops_evidence e WHERE e.uid = v.uid))))"
)
_MODEL = "(SELECT m.source_run_id FROM {schema}.logged_models m WHERE m.model_id = ROW.model_id)"
RUNS = {
    **dict.fromkeys(("runs", "params", "metrics", "latest_metrics", "tags"), "ROW.run_uuid"),
    "inputs": "ROW.source_id, ROW.destination_id",
    "logged_models": "ROW.source_run_id",
    **dict.fromkeys(("logged_model_params", "logged_model_metrics", "logged_model_tags"), _MODEL),
}
"""Where MLflow keeps what is known of a run and its logged models, and the run that a row there belongs to."""
_LISTED = "ROW.tag_key <> 'mlflow.modelVersions' AND "
"""MLflow's own note on a logged model of which versions were made from it; nothing reads it back."""
APPEND_ONLY = tuple(
    f"twinops_{t}"
    for t in (
        "event", "note", "restore", "evidence", "review", "ruling", "promotion", "rules", "protected", "seal", "run",
        "upload",
    )
)  # fmt: skip
KEPT = ("twinops_head", "twinops_version", "twinops_grant")
TRUNCATED = (*APPEND_ONLY, *KEPT, "twinops_actor", "registered_model_aliases")
"""Tables that PostgreSQL would empty without asking any row's trigger."""
_OPERATIONS = {"INSERT": 4, "DELETE": 8, "UPDATE": 16, "TRUNCATE": 32}
_EACH_ROW, _BEFORE = 1, 2  # bits of pg_trigger.tgtype, as are the operations


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
        judged = free + _JUDGED.replace("RUN", run)
        belongs = {row: judged.replace("ROW", row) for row in ("NEW", "OLD")}
        for operation, rows in {"INSERT": ["NEW"], "UPDATE": ["NEW", "OLD"], "DELETE": ["OLD"]}.items():
            condition = " OR ".join(f"({belongs[row]})" for row in rows)
            yield Trigger(f"{table}_{operation.lower()}", table, operation, condition, told)


def install(connection: Connection) -> None:
    """Put every trigger in, whatever stood there before."""
    if connection.dialect.name == "sqlite":
        for rule in rules():
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS main.twinops_{rule.name}")
            connection.exec_driver_sql(_sqlite(rule))
        return
    schema = _schema(connection)
    for rule in rules():
        _put(connection, rule, schema=schema)
    connection.exec_driver_sql(_function("truncate", _raising("records are only added to"), schema=schema))
    for table in TRUNCATED:
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS twinops_truncate ON {schema}.{table}")
        connection.exec_driver_sql(
            f"CREATE TRIGGER twinops_truncate BEFORE TRUNCATE ON {schema}.{table}"
            f" EXECUTE FUNCTION {schema}.twinops_truncate()"
        )


def faults(connection: Connection) -> tuple[str, ...]:
    """Every trigger that is missing, switched off, other than it should be, or somebody else's on our own tables."""
    wanted, there = _wanted(connection), found(connection)
    told = (f"the trigger {name} on {table} is missing" for table, name in sorted(wanted.keys() - there.keys()))
    more = (f"the trigger {name} on {table} is not ours" for table, name in sorted(there.keys() - wanted.keys()))
    both = sorted(wanted.keys() & there.keys())
    other = (
        f"the trigger {name} on {table} was altered"
        for table, name in both
        if wanted[table, name] != there[table, name]
    )
    return (*told, *more, *other)


def digest(there: Mapping[tuple[str, str], str]) -> str:
    """One digest over all definitions, so that the log can hold what a start left there."""
    return hashlib.sha256("\0".join(f"{k}{v}" for k, v in sorted(there.items())).encode()).hexdigest()


def found(connection: Connection) -> dict[tuple[str, str], str]:
    """What stands in the database, by table and name: our triggers wherever they are, and all on our own tables."""
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text("SELECT tbl_name, name, sql FROM main.sqlite_master WHERE type = 'trigger'"))
    else:
        rows = connection.execute(text(_INSTALLED), {"schema": _schema(connection)})
    every = {(row[0], row[1]): str(row[2]) for row in rows}
    return {(t, n): sql for (t, n), sql in every.items() if t.startswith("twinops_") or n.startswith("twinops_")}


_INSTALLED = """
SELECT c.relname, t.tgname, concat_ws(' ', t.tgtype, t.tgenabled, t.tgqual IS NULL, t.tgnargs,
    coalesce(array_length(t.tgattr, 1), 0), n.nspname = :schema, p.proname,
    l.lanname, p.prosecdef, p.proconfig::text, p.prosrc)
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace AND s.nspname = :schema
JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE NOT t.tgisinternal
"""


def _wanted(connection: Connection) -> dict[tuple[str, str], str]:
    if connection.dialect.name == "sqlite":
        return {(rule.table, f"twinops_{rule.name}"): _sqlite(rule) for rule in rules()}
    schema = _schema(connection)
    wanted = {}
    for rule in rules():
        kind = _EACH_ROW | _BEFORE | _OPERATIONS[rule.operation]
        wanted[rule.table, f"twinops_{rule.name}"] = _as_installed(rule.name, kind, _body(rule, schema))
    kind = _BEFORE | _OPERATIONS["TRUNCATE"]
    body = _raising("records are only added to")
    return wanted | {(table, "twinops_truncate"): _as_installed("truncate", kind, body) for table in TRUNCATED}


def _as_installed(name: str, kind: int, body: str) -> str:
    """As `_INSTALLED` reads it: switched on; no condition, arguments or columns; our function, settings and text."""
    return f'{kind} O t 0 0 t twinops_{name} plpgsql f {{"search_path={_SEARCH}"}} {body}'


_SEARCH = "pg_catalog, pg_temp"


def _schema(connection: Connection) -> str:
    """Where MLflow's tables and ours are."""
    return str(connection.execute(text("SELECT quote_ident(current_schema())")).scalar())


def _sqlite(rule: Trigger) -> str:
    condition = rule.condition.replace("IS DISTINCT FROM", "IS NOT")
    condition = condition.format(nl="char(10)", tab="char(9)", schema="main")
    return (
        f"CREATE TRIGGER twinops_{rule.name} BEFORE {rule.operation} ON {rule.table} WHEN {condition}"
        f" BEGIN SELECT RAISE(ABORT, 'twinops: {rule.sentence}'); END"
    )


def _put(connection: Connection, rule: Trigger, *, schema: str) -> None:
    name, table = f"twinops_{rule.name}", f"{schema}.{rule.table}"
    connection.exec_driver_sql(_function(rule.name, _body(rule, schema), schema=schema))
    connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name} ON {table}")
    connection.exec_driver_sql(
        f"CREATE TRIGGER {name} BEFORE {rule.operation} ON {table} FOR EACH ROW EXECUTE FUNCTION {schema}.{name}()"
    )


def _function(name: str, body: str, *, schema: str) -> str:
    """A function that looks nothing up along the caller's path, on which a temporary table would come first."""
    return (
        f"CREATE OR REPLACE FUNCTION {schema}.twinops_{name}() RETURNS trigger LANGUAGE plpgsql"
        f" SET search_path = {_SEARCH} AS $${body}$$"
    )


def _body(rule: Trigger, schema: str) -> str:
    condition = rule.condition.format(nl="chr(10)", tab="chr(9)", schema=schema)
    answer = "OLD" if rule.operation == "DELETE" else "NEW"
    return f" BEGIN IF {condition} THEN {_raise(rule.sentence)} END IF; RETURN {answer}; END "


def _raising(sentence: str) -> str:
    return f" BEGIN {_raise(sentence)} END "


def _raise(sentence: str) -> str:
    return f"RAISE EXCEPTION 'twinops: {sentence}' USING ERRCODE = '42501';"
