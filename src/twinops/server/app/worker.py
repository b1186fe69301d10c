"""What each worker of several runs: open the governed store, then MLflow's app around it."""

from __future__ import annotations

from typing import Any

from twinops.server.app.app import create_app as governed_app
from twinops.server.app.serve import hush, open_store


def create_app() -> Any:
    """One worker's app."""
    hush()
    open_store()
    return governed_app()
