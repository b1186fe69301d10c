"""The entry point for `mlflow server --app-name twinops`; importing it checks what is known before a worker starts."""

from __future__ import annotations

from mlflow.server import handlers

from twinops.server.app import app, startup_checks
from twinops.server.registry.home import Home

startup_checks.store_only(handlers._model_registry_store)


def create_app() -> object:
    """MLflow's app, governed."""
    Home.here().keep_private()
    return app.create_app()
