"""Compose everything and run it: one process, or a parent with workers, around MLflow's own app."""

from __future__ import annotations

import fcntl
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from twinops.adapters.mlflow.embedded import MlflowStore
from twinops.entities.approval import Actor
from twinops.entities.event import Kind
from twinops.errors import ParamsError, ServiceError
from twinops.server.app import startup_checks
from twinops.server.registry.home import VARIABLE, Home
from twinops.whole_files import OWNER_ALONE, write

_ACCOUNTS_INI = """[mlflow]
default_permission = READ
database_uri = {database}
admin_username = admin
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
auth_cache_ttl_seconds = 60
"""


@dataclass(frozen=True)
class Started:
    """What the first minutes of a server did, for whoever started it."""

    passwords: dict[str, str]
    """Shown once; the database holds hashes."""
    adopted: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    altered: tuple[str, ...] = ()
    """Triggers that somebody changed since the last start; they were put in anew."""
    untold: list[str] = field(default_factory=list)
    """Rows that are not what the log tells."""
    policy: str | None = None
    offices: str | None = None
    nobody: tuple[str, ...] = ()
    """Who is named in the offices file and cannot act, in sentences."""


@dataclass(frozen=True)
class Listening:
    """Where the server listens, and how many processes answer there."""

    host: str
    port: int
    workers: int = 1


@dataclass(frozen=True)
class Starting:
    """What whoever starts the server decides: take over earlier work, accept a database that was put back, and why."""

    adopt: bool = False
    restored: str | None = None


def serve(home: Home, at: Listening, *, how: Starting = Starting(), tell: Any = print) -> None:
    """Prepare, say what must be said once, and serve until stopped.

    Raises:
        ServiceError: another server works in this folder, a layer is missing, or the database is older than it was.
    """
    home.keep_private()
    with _alone(home):
        configure(home)
        made = prepare(home, how)
        for line in told(made, f"http://{at.host}:{at.port}"):
            tell(line)
        _run(at)


def configure(home: Home) -> None:
    """Settings that MLflow reads when it loads; nothing of it may be loaded before.

    Raises:
        ServiceError: something else is set that a governed server must not follow, or the artifact store is away.
    """
    startup_checks.against_settings(os.environ)
    home.folder.mkdir(parents=True, exist_ok=True)
    home.claim()
    ini = home.folder / "accounts.ini"
    write(ini, _ACCOUNTS_INI.format(database=home.accounts.replace("%", "%%")), mode=OWNER_ALONE)
    os.environ.update(
        {
            VARIABLE: str(home.root),
            "MLFLOW_AUTH_CONFIG_PATH": str(ini),
            "MLFLOW_FLASK_SERVER_SECRET_KEY": home.secret,
            "MLFLOW_BASIC_AUTH_FAIL_CLOSED": "true",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_ENABLE_REMOTE_ASSISTANT": "false",
            "MLFLOW_SERVER_ENABLE_CUSTOM_SCORERS": "false",
            "MLFLOW_ENABLE_WORKSPACES": "false",
            "MLFLOW_ENABLE_AI_GATEWAY": "false",
            "_MLFLOW_SGI_NAME": "uvicorn",
            "_MLFLOW_SERVER_FILE_STORE": home.database,
            "_MLFLOW_SERVER_REGISTRY_STORE": f"twinops+{home.database}",
            "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
            "_MLFLOW_SERVER_ARTIFACT_DESTINATION": f"twinops+{home.uploads.address}",
            "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        }
    )
    hush()


def hush() -> None:
    """Leave out what MLflow says of its own dependencies; what goes wrong is still told."""
    warnings.filterwarnings("ignore", module=r"mlflow(\.|$)")
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("mlflow.server.auth").setLevel(logging.ERROR)


def prepare(home: Home, how: Starting) -> Started:
    """Tables, triggers, accounts, first offices file, adoption, and a checkpoint for what a crash left unsigned."""
    beside = MlflowStore(home.root)
    if home.database == f"sqlite:///{beside.database}":
        beside.made(os.environ["_MLFLOW_SERVER_ARTIFACT_ROOT"])
    store = open_store()
    from mlflow.server.handlers import _get_tracking_store

    from twinops.server.app import accounts
    from twinops.server.app.adopt import adopt as take_over
    from twinops.server.app.adopt import local
    from twinops.server.officer import rules
    from twinops.server.registry import audit_tables, cases, restoring
    from twinops.server.registry import callers as actors

    _get_tracking_store()
    passwords = accounts.first_start(home.accounts)
    store.roles_of = lambda account: Actor(account, admin=True) if account == local() else accounts.actor_of(account)
    with actors.acting(local()):
        if how.restored is not None:
            restoring.accept(store, how.restored)
        restoring.against_older(store)
        altered = _altered(store)
        offices = _first_offices(store, home)
        store.log(Kind.STARTED, _about_start(store, altered))
    adopted, left = take_over(store) if how.adopt or store.new else ([], [])
    store.keep_checkpoint()
    with store.reading() as now:
        active = cases.rules(now)
        untold = audit_tables.of_transaction(now)
    return Started(
        nobody=rules.nobody_here(store, active.offices) if active.offices else (),
        passwords=passwords,
        adopted=adopted,
        left=left,
        altered=altered,
        untold=untold,
        policy=active.policy.version if active.policy else None,
        offices=active.offices.version if active.offices else offices,
    )


def _altered(store: Any) -> tuple[str, ...]:
    """What is other than the last start left it, by the log; an upgrade of twinops alone is no such thing."""
    from twinops.server.registry import triggers

    with store.reading() as now:
        last = now.seen().told.started
    left = last["about"].get("triggers") if last else None
    return store.altered if left and left != triggers.digest(store.triggers_before) else ()


def _about_start(store: Any, altered: tuple[str, ...]) -> dict[str, Any]:
    """What the log says of a start: versions, that heads are signed from here on, and the triggers it leaves."""
    from twinops.server.registry import triggers

    with store.engine.connect() as connection:
        left = triggers.digest(triggers.found(connection))
    about: dict[str, Any] = {"twinops": version("twinops"), "mlflow": version("mlflow"), "heads": "signed"}
    return {**about, "triggers": left, **({"altered": len(altered)} if altered else {})}


def open_store() -> Any:
    """The governed store of this process, under both names that plugins may have registered."""
    from mlflow.server import handlers

    from twinops.server.registry.store import GovernedStore

    registry = handlers._model_registry_store_registry
    for scheme in SCHEMES:
        registry.register(scheme, GovernedStore)
    return handlers._get_model_registry_store()


SCHEMES = ("twinops+sqlite", "twinops+postgresql", "twinops+postgresql+psycopg")


def told(made: Started, address: str) -> Iterator[str]:
    """What is said at the start."""
    for line in made.adopted:
        yield f"adopted, roles not separated: {line}"
    for line in made.left:
        yield f"not adopted: {line}"
    for line in made.altered:
        yield f"put in anew: {line}"
    for line in made.untold[:5]:
        yield f"not as the log tells: {line}"
    if made.untold:
        yield f"{len(made.untold)} difference(s) between database and log; `twinops audit verify` tells all."
    if made.passwords:
        yield "First start. These passwords are shown this once and written nowhere; keep them now:"
        yield from (f"  {name:14} {password}" for name, password in made.passwords.items())
    if made.offices is None:
        yield "No offices file is active, so nothing passes: put compliance/offices.yaml there and start again."
    yield from made.nobody
    if made.policy is None:
        yield (
            "No policy is active, so the pages show what was brought along and judge nothing: "
            "the risk officer runs `twinops policy activate compliance/policy.yaml`."
        )
    yield f"Registry, ledger and review pages: {address}  (review: {address}/twinops/)"


def _first_offices(store: Any, home: Home) -> str | None:
    from mlflow.exceptions import MlflowException

    from twinops.server.officer import acts as desk
    from twinops.server.registry import cases

    with store.reading() as now:
        active = cases.rules(now).offices
    path = home.root / "compliance" / "offices.yaml"
    if active is not None or not path.is_file():
        return active.version if active else None
    try:
        desk.activate(store, "offices", path.read_text(encoding="utf-8"))
    except MlflowException as problem:
        raise ParamsError(problem.message, hint="Mend compliance/offices.yaml, then start again.") from None
    with store.reading() as now:
        active = cases.rules(now).offices
    return active.version if active else None


def _run(at: Listening) -> None:
    import uvicorn

    from twinops.adapters.connections import BoundedProtocol, proxies
    from twinops.server.app.app import create_app

    settings: dict[str, Any] = {"host": at.host, "port": at.port, "log_level": "warning", "access_log": False}
    # said even where it is one: uvicorn takes it from WEB_CONCURRENCY otherwise
    settings |= {"timeout_graceful_shutdown": 5, "workers": at.workers}
    settings |= {"ws": "none", "server_header": False, "http": BoundedProtocol}
    settings |= {"proxy_headers": bool(proxies()), "forwarded_allow_ips": list(proxies())}
    made = create_app()  # in the parent too: a worker that cannot start would be started again for ever
    if at.workers == 1:
        uvicorn.run(made, **settings)
    else:
        uvicorn.run("twinops.server.app.worker:create_app", factory=True, **settings)


@contextmanager
def _alone(home: Home) -> Iterator[None]:
    """One server per folder. The lock goes with the process, so a killed server leaves none behind."""
    home.folder.mkdir(parents=True, exist_ok=True)
    with (home.folder / "server.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise ServiceError(
                f"A server works in this folder already (process {file.read().strip() or 'unknown'}).",
                hint="Stop it first, or use it.",
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)
