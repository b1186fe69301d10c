"""Refuse to start half-wired: every layer must be in place, everything that could go round them switched off."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from twinops.errors import ServiceError
from twinops.server.registry import restoring
from twinops.server.registry.home import Home

OFF = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "jobs run code on the server",
    "MLFLOW_ENABLE_REMOTE_ASSISTANT": "the assistant runs commands on the server",
    "MLFLOW_SERVER_ENABLE_CUSTOM_SCORERS": "custom scorers run code on the server",
    "MLFLOW_ENABLE_WORKSPACES": "deleting a workspace goes round the registry store",
    "MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE": "hosts and origins would not be checked",
}
"""Settings that must say no, and why."""


def check(store: Any, home: Home) -> None:
    """Raise with everything that is wrong, or nothing.

    Raises:
        ServiceError: a layer is missing or a door is open.
    """
    found = [*_settings(), *_layers(store, home)]
    if found:
        raise ServiceError(
            f"This server is not wholly governed: {'; '.join(found)}.", hint="Start it with `twinops server`."
        )
    restoring.against_older(store)


def store_only(store: Any) -> None:
    """What can be told before the worker's own settings are known."""
    from twinops.server.registry.store import GovernedStore

    if store is not None and not isinstance(store, GovernedStore):
        raise ServiceError(
            "This server's registry is stock MLflow's.",
            hint="Start it with `twinops server`, or give --registry-store-uri twinops+sqlite:///... ",
        )


def _settings() -> Iterator[str]:
    for name, why in OFF.items():
        if os.environ.get(name, "false").strip().lower() not in ("", "0", "false"):
            yield f"{name} is on ({why})"
    if os.environ.get("MLFLOW_SERVER_ENABLE_JOB_EXECUTION") is None:
        yield "MLFLOW_SERVER_ENABLE_JOB_EXECUTION is not off (jobs run code on the server)"
    if os.environ.get("MLFLOW_BASIC_AUTH_FAIL_CLOSED", "").lower() not in ("1", "true"):
        yield "MLFLOW_BASIC_AUTH_FAIL_CLOSED is not on (routes without a rule would be open)"


def _layers(store: Any, home: Home) -> Iterator[str]:
    from mlflow.server import auth, constants
    from mlflow.store.artifact.artifact_repository_registry import _artifact_repository_registry as repositories

    from twinops.server.registry import triggers
    from twinops.server.registry.artifacts import SealedRepository
    from twinops.server.registry.store import GovernedStore

    if not isinstance(store, GovernedStore):
        yield "the registry store is not ours"
    else:
        with store.engine.connect() as connection:
            wrong = triggers.faults(connection)
        if wrong:
            more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
            yield f"in the database {', '.join(wrong[:3])}{more} (the database's owner starts the server once)"
        backend = os.environ.get(constants.BACKEND_STORE_URI_ENV_VAR, "")
        if backend != store.db_uri:
            yield "runs and registry are not in one database"
    destination = os.environ.get(constants.ARTIFACTS_DESTINATION_ENV_VAR, "")
    if (
        destination != f"twinops+{home.artifacts.as_uri()}"
        or os.environ.get(constants.SERVE_ARTIFACTS_ENV_VAR) != "true"
    ):
        yield "artifacts do not go through our store"
    if not os.environ.get(constants.ARTIFACT_ROOT_ENV_VAR, "").startswith("mlflow-artifacts:"):
        yield "new experiments would not keep their artifacts here"
    for scheme in ("file", "", "twinops+file"):
        if repositories.get_registered_artifact_repositories().get(scheme) is not SealedRepository:
            yield f"artifacts of the scheme {scheme!r} go round our store"
    if auth.auth_config.auth_cache_ttl_seconds <= 0:
        yield "auth_cache_ttl_seconds is 0 (each call would verify passwords anew)"
    if auth.auth_config.authorization_function != "mlflow.server.auth:authenticate_request_basic_auth":
        yield "logins are checked by a function that we do not know"
