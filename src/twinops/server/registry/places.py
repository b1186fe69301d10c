"""Where artifacts may be kept: in the artifact store of this server, asked before a row or a folder is made.

MLflow's server reads and writes wherever a row says, a file system, a bucket or an address of the internal network.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from mlflow.store.tracking.dbmodels.models import SqlExperiment, SqlLoggedModel, SqlRun, SqlTraceTag
from mlflow.utils.mlflow_tags import MLFLOW_ARTIFACT_LOCATION
from sqlalchemy import event, inspect

from twinops.server.refusals import refusal
from twinops.server.registry.artifact_folders import place_of
from twinops.server.registry.home import Home

COLUMNS = {SqlExperiment: "artifact_location", SqlRun: "artifact_uri", SqlLoggedModel: "artifact_location"}
"""Rows that say where, and in which column."""


def watch(home: Home) -> None:
    """From now on, in this process, whichever route or store a row comes from."""
    for row, column in (*COLUMNS.items(), (SqlTraceTag, "value")):
        for moment in ("before_insert", "before_update"):
            event.listen(row, moment, partial(_within, home, column))


def _within(home: Home, column: str, _mapper: Any, _connection: Any, row: Any) -> None:
    if isinstance(row, SqlTraceTag) and row.key != MLFLOW_ARTIFACT_LOCATION:
        return
    named = getattr(row, column)
    if named and inspect(row).attrs[column].history.has_changes() and place_of(home, named) is None:
        raise refusal(f"artifacts are kept in this server's artifact store, not at {named[:200]!r}.")
