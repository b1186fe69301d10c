"""Refuse to start half-wired: every layer must be in place, everything that could go round them switched off."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from twinops.errors import ServiceError
from twinops.server.registry import restoring
from twinops.server.registry.home import Home

if TYPE_CHECKING:
    from twinops.server.registry.store import GovernedStore

FAMILIES = ("MLFLOW_", "_MLFLOW_", "GUNICORN_", "UVICORN_", "FLASK_", "PROMETHEUS_")
"""Beginnings of the names of settings that MLflow's server or what runs it follows."""
SET = (
    "MLFLOW_AUTH_CONFIG_PATH", "MLFLOW_FLASK_SERVER_SECRET_KEY", "MLFLOW_BASIC_AUTH_FAIL_CLOSED", "_MLFLOW_SGI_NAME",
    "_MLFLOW_SERVER_FILE_STORE", "_MLFLOW_SERVER_REGISTRY_STORE", "_MLFLOW_SERVER_ARTIFACT_ROOT",
    "_MLFLOW_SERVER_ARTIFACT_DESTINATION", "_MLFLOW_SERVER_SERVE_ARTIFACTS",
)  # fmt: skip
"""What `twinops server` sets itself, over whatever was there, and `check` looks at."""
INTERNAL = ("_MLFLOW_SERVER_BOOT_ID", "_MLFLOW_SERVER_TLS_LISTENER", "_MLFLOW_TELEMETRY_SESSION_ID")
"""What MLflow tells its own workers, of no effect on who may do what."""
HARMLESS = (
    # logins and addresses of a client that is used from the same shell; a server calls no server
    "MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN",
    "MLFLOW_TRACKING_SERVER_CERT_PATH", "MLFLOW_REGISTRY_URI",
    "MLFLOW_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_ID", "MLFLOW_HTTP_REQUEST_TIMEOUT", "MLFLOW_HTTP_REQUEST_MAX_RETRIES",
    # what is said, and to whom
    "MLFLOW_DISABLE_TELEMETRY", "MLFLOW_LOGGING_LEVEL", "MLFLOW_CONFIGURE_LOGGING", "MLFLOW_DISABLE_AGENT_HINT",
    # who may reach the server, checked besides by our own guard
    "MLFLOW_SERVER_ALLOWED_HOSTS",
    # connections to the database
    "MLFLOW_SQLALCHEMYSTORE_POOL_SIZE", "MLFLOW_SQLALCHEMYSTORE_POOL_RECYCLE", "MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW",
    # the bucket that TWINOPS_ARTIFACTS names
    "MLFLOW_S3_ENDPOINT_URL", "MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE",
    # MLflow's webhooks, which tell and decide nothing
    "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY", "MLFLOW_WEBHOOK_REQUEST_TIMEOUT", "MLFLOW_WEBHOOK_REQUEST_MAX_RETRIES",
    "MLFLOW_WEBHOOK_DELIVERY_MAX_WORKERS", "MLFLOW_WEBHOOK_CACHE_TTL",
)  # fmt: skip
"""Settings that change nothing of what is promised: each was read in MLflow 3.17 and 3.18. What is new is refused."""
SEALED = ("", "file", "twinops+file", "twinops+s3")
"""Schemes of artifact addresses that our own store answers; MLflow is refused every other."""
OFF = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "jobs run code on the server",
    "MLFLOW_ENABLE_REMOTE_ASSISTANT": "the assistant runs commands on the server",
    "MLFLOW_SERVER_ENABLE_CUSTOM_SCORERS": "custom scorers run code on the server",
    "MLFLOW_ENABLE_WORKSPACES": "deleting a workspace goes round the registry store",
    "MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE": "hosts and origins would not be checked",
    "_MLFLOW_IN_JOB_EXECUTOR": "scorers run code on the server",
    "MLFLOW_ENABLE_AI_GATEWAY": "the gateway calls out with the server's secrets",
    "MLFLOW_ARTIFACTS_PRESIGNED_ONLY": "clients would read and write artifacts past the sealed store",
}
"""Settings that must say no, and why."""
ON_BY_ITSELF = ("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "MLFLOW_ENABLE_AI_GATEWAY")
"""Those of them that are on where nothing is said."""


def against_settings(environment: Mapping[str, str]) -> None:
    """Refuse to follow what nobody has looked at: a list of bad settings would be short by the next version's.

    Raises:
        ServiceError: a setting of MLflow or of what runs it is on no list of ours, or is one that we set ourselves.
    """
    found = [f"{name} is set, which this server does not follow" for name in _unknown(environment, (*OFF, *HARMLESS))]
    found += _open_doors(environment)
    if found:
        raise ServiceError(
            f"This server would not be wholly governed: {'; '.join(found)}.", hint="Unset that, then start again."
        )


def _unknown(environment: Mapping[str, str], known: Collection[str]) -> list[str]:
    """Settings that are not known; the empty text is no setting."""
    return sorted(n for n, value in environment.items() if value and n not in known and n.upper().startswith(FAMILIES))


def _open_doors(environment: Mapping[str, str]) -> list[str]:
    return [f"{name} is on ({why})" for name, why in OFF.items() if _on(environment.get(name))]


def _on(value: str | None) -> bool:
    return (value or "").strip().lower() not in ("", "0", "false")


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
    yield from _open_doors(os.environ)
    for name in _unknown(os.environ, (*OFF, *HARMLESS, *SET, *INTERNAL)):
        yield f"{name} is set, which this server does not follow"
    for name in ON_BY_ITSELF:
        if os.environ.get(name) is None:
            yield f"{name} is not off ({OFF[name]})"
    if os.environ.get("MLFLOW_BASIC_AUTH_FAIL_CLOSED", "").lower() not in ("1", "true"):
        yield "MLFLOW_BASIC_AUTH_FAIL_CLOSED is not on (routes without a rule would be open)"


def _layers(store: Any, home: Home) -> Iterator[str]:
    from mlflow.server import auth

    from twinops.server.registry.store import GovernedStore

    if isinstance(store, GovernedStore):
        yield from _database(store)
    else:
        yield "the registry store is not ours"
    yield from _artifacts(home)
    if auth.auth_config.auth_cache_ttl_seconds <= 0:
        yield "auth_cache_ttl_seconds is 0 (each call would verify passwords anew)"
    if auth.auth_config.authorization_function != "mlflow.server.auth:authenticate_request_basic_auth":
        yield "logins are checked by a function that we do not know"


def _database(store: GovernedStore) -> Iterator[str]:
    from mlflow.server import constants
    from mlflow.server.handlers import _get_tracking_store
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    from twinops.server.registry import triggers

    with store.engine.connect() as connection:
        wrong = triggers.faults(connection)
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        yield f"in the database {', '.join(wrong[:3])}{more} (the database's owner starts the server once)"
    if os.environ.get(constants.BACKEND_STORE_URI_ENV_VAR, "") != store.db_uri:
        yield "runs and registry are not in one database"
    if type(_get_tracking_store()) is not SqlAlchemyStore:
        yield "runs are kept by a store that we do not know"


def _artifacts(home: Home) -> Iterator[str]:
    from mlflow.server import constants
    from mlflow.store.artifact.artifact_repository_registry import _artifact_repository_registry as repositories

    from twinops.server.registry.artifacts import SealedRepository, elsewhere

    kept = f"twinops+{home.uploads.address}"
    serving = os.environ.get(constants.SERVE_ARTIFACTS_ENV_VAR) == "true"
    if os.environ.get(constants.ARTIFACTS_DESTINATION_ENV_VAR, "") != kept or not serving:
        yield "artifacts do not go through our store"
    if not os.environ.get(constants.ARTIFACT_ROOT_ENV_VAR, "").startswith("mlflow-artifacts:"):
        yield "new experiments would not keep their artifacts here"
    answering = repositories.get_registered_artifact_repositories()
    for scheme in sorted({*answering, *SEALED}):
        if answering.get(scheme) is not (SealedRepository if scheme in SEALED else elsewhere):
            yield f"artifacts of the scheme {scheme!r} go round our store"
