"""The app plugin: MLflow's own app with basic-auth, our guard around it, our pages in it, a check before it starts."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

from twinops.entities.event import Kind
from twinops.server import understood
from twinops.server.app import accounts, bounds, guard, startup_checks
from twinops.server.app.logins import Logins
from twinops.server.refusals import tell_as_refusals
from twinops.server.registry import callers as actors
from twinops.server.registry import places
from twinops.server.registry.home import Home
from twinops.server.registry.outbox import Outbox

ROUTES = (
    "twinops.server.app.api",
    "twinops.server.officer.pages",
    "twinops.server.officer.requests",
    "twinops.server.officer.pairs",
)
"""Modules with `routes()`: what they answer is added to MLflow's app. Each is (path, method, function)."""


def create_app(flask: Any = None) -> Any:
    """What `mlflow server --app-name twinops` and `twinops server` run.

    Raises:
        ServiceError: something is missing that would leave a door open.
    """
    from mlflow.server import app as stock
    from mlflow.server import auth
    from mlflow.server.handlers import _get_model_registry_store, _get_tracking_store

    from twinops.server.registry.expiring import watch

    flask = flask or stock
    _close_other_stores()
    store: Any = _get_model_registry_store()
    runs: Any = _get_tracking_store()
    tell_as_refusals(runs.engine)
    startup_checks.check(store, Home.here())
    store.roles_of = accounts.actor_of
    store.outbox = Outbox(Home.here().root)
    watch(store, store.outbox)
    places.watch(Home.here())
    understood.watch(flask)
    _add_routes(flask, auth)
    flask.after_request(_stamp_new_run)
    flask.after_request(_log_refused_edit)
    asgi = auth.create_app(flask)
    _serve_static_files(asgi, flask)
    for each in (runs, auth.store):
        each.ManagedSessionMaker = understood.sessions(each.ManagedSessionMaker)
    flask.before_request(_log_account_changes)
    return _guarded(asgi, Logins(partial(_guessed, store)))


def _close_other_stores() -> None:
    """Ours for our own schemes, a refusal for every other: an experiment may name any address as its place."""
    from mlflow.store.artifact.artifact_repository_registry import _artifact_repository_registry as repositories

    from twinops.server.registry.artifacts import SealedRepository, elsewhere

    for scheme in {*repositories.get_registered_artifact_repositories(), *startup_checks.SEALED}:
        repositories.register(scheme, SealedRepository if scheme in startup_checks.SEALED else elsewhere)


def _serve_static_files(asgi: Any, flask: Any) -> None:
    """Past Flask, whose forty threads would be held by as many strangers who each ask for four megabytes."""
    from starlette.routing import Mount
    from starlette.staticfiles import StaticFiles

    class Lasting(StaticFiles):
        """Kept by browsers as long as MLflow says: its files' names change with their contents."""

        def file_response(self, *about: Any, **named: Any) -> Any:
            """With how long it lasts, in seconds."""
            made = super().file_response(*about, **named)
            made.headers["cache-control"] = "max-age=2419200"
            return made

    asgi.router.routes.insert(0, Mount("/static-files", Lasting(directory=flask.static_folder, check_dir=False)))


def _guessed(store: Any, account: str, times: int) -> None:
    """Keep in the audit log that passwords of an account are being guessed, without from where: a pseudonym will do."""
    with store.writing() as log:
        log.append(Kind.REFUSED, actors.UNKNOWN, {"act": "log in", "account": log.pseudonym(account), "times": times})


def _guarded(asgi: Any, logins: Logins) -> Any:
    from starlette.middleware import Middleware

    asgi.user_middleware.append(Middleware(guard.Stamp))
    around = (Middleware(guard.Unframed), Middleware(bounds.Bounds, logins=logins), Middleware(guard.OriginGuard))
    asgi.user_middleware[:0] = around
    return asgi


def _add_routes(flask: Any, auth: Any) -> None:
    """Every route gets a rule of its own: MLflow denies routes that have none."""
    for module in ROUTES:
        for path, method, function in importlib.import_module(module).routes():
            name = f"{function.__module__}.{function.__name__}"
            flask.add_url_rule(path, endpoint=name, view_func=function, methods=[method])
            rule: Callable[[], bool] = getattr(function, "rule", lambda: True)  # whoever is logged in
            auth.BEFORE_REQUEST_VALIDATORS[(path, method)] = rule
            if method == "GET":
                auth.BEFORE_REQUEST_VALIDATORS[(path, "HEAD")] = rule


def _stamp_new_run(response: Any) -> Any:
    """Note who began a run: MLflow keeps whatever author the client says."""
    from flask import request

    if request.method == "POST" and request.path.endswith("/mlflow/runs/create") and response.status_code == 200:
        from twinops.server.registry import records
        from twinops.server.registry.artifacts import governed

        made = (response.get_json(silent=True) or {}).get("run", {}).get("info", {})
        run_id = made.get("run_id") or made.get("run_uuid")
        if run_id:
            with governed().ManagedSessionMaker(read_only=False) as session:
                records.stamp_run(session, run_id, actors.current())
    return response


def _log_refused_edit(response: Any) -> Any:
    """What the database refused was rolled back whole; that it was tried is logged afterwards."""
    from flask import g, request

    from twinops.entities.event import Kind
    from twinops.server.registry.artifacts import governed

    why = g.pop("twinops_refused", None)
    if why:
        governed().log(Kind.REFUSED, {"act": "edit a run", "route": request.path.rpartition("/mlflow/")[2], "why": why})
    return response


ACCOUNT_ROUTES = ("/mlflow/users/", "/mlflow/roles/", "/mlflow/user-roles/", "/mlflow/role")


def _log_account_changes() -> Any:
    """Log the intent before an account or role changes; when it cannot be logged, it does not change."""
    from flask import request

    from twinops.server.registry.artifacts import governed

    changes = request.method not in ("GET", "HEAD", "OPTIONS") and any(part in request.path for part in ACCOUNT_ROUTES)
    if not changes:
        return None
    named = request.get_json(silent=True) or request.form or {}
    store = governed()
    why = accounts.against_name(str(named.get("username"))) if "/users/create" in request.path else None
    if why:
        return {"error_code": "PERMISSION_DENIED", "message": f"twinops: {why}"}, 403
    with store.writing() as log:
        whom = named.get("username")
        about = {
            "route": request.path.rpartition("/mlflow/")[2],
            "method": request.method,
            "account": log.pseudonym(str(whom)) if whom else None,
            "user_id": named.get("user_id"),
            "role_id": named.get("role_id"),
            "admin": named.get("is_admin"),
        }
        log.append(Kind.ACCOUNT, actors.current(), {k: v for k, v in about.items() if v is not None})
    return None
