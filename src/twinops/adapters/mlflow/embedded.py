"""The embedded MLflow of one project, a SQLite file and a folder beside it, or the registry server named instead.

The one place that opens either.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twinops.adapters.quiet import be_quiet
from twinops.errors import ServiceError

SERVER = "TWINOPS_SERVER"
"""Names a registry server to work with instead; the login stands in MLflow's own variables."""

KEY = "twinops.key"
"""The tag by which a run or a version is found again."""


@dataclass(frozen=True)
class MlflowStore:
    """Opens MLflow, which takes seconds, only when something must be written."""

    root: Path

    @property
    def database(self) -> Path:
        """MLflow's own file; git ignores it."""
        return self.root / "mlflow.db"

    @property
    def artifacts(self) -> Path:
        """MLflow's own folder; git ignores it."""
        return self.root / "mlruns"

    @property
    def server(self) -> str | None:
        """The address of the registry server, if one is named."""
        return os.environ.get(SERVER, "").rstrip("/") or None

    @property
    def uri(self) -> str:
        """For tracking and registry alike; MLflow's own variables do not change it."""
        return self.server or f"sqlite:///{self.database}"

    def client(self) -> Any:
        """An MLflow client of this store."""
        be_quiet()
        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        try:
            self.made()
            return MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)
        except MlflowException as problem:
            raise ServiceError(
                f"MLflow cannot open {self.database.name}: {str(problem)[:200]}",
                hint="Was it made by a newer MLflow? Move it away and run again: it is filled anew.",
            ) from None

    def made(self, artifacts: str | None = None) -> None:
        """Let MLflow make its tables in a file beside, renamed when it is whole.

        They are made in many steps: killed between two, MLflow would never open the file again. `artifacts` is where
        the default experiment keeps its own; MLflow's own folder by default.
        """
        if self.server or self.database.is_file():
            return
        from mlflow.store.tracking import DEFAULT_LOCAL_FILE_AND_ARTIFACT_PATH as OWN
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        lock = self.root / ".twinops" / "mlflow-tables.lock"
        lock.parent.mkdir(exist_ok=True)
        with lock.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if self.database.is_file():
                return
            half = self.root / "mlflow.db.half"
            for left in self.root.glob("mlflow.db.half*"):
                left.unlink()
            opened: Any = SqlAlchemyStore
            opened(f"sqlite:///{half}", artifacts or OWN)._dispose_engine()
            half.replace(self.database)

    def peek(self, sql: str, *values: str) -> list[tuple[Any, ...]] | None:
        """Rows straight from the database, read only, in milliseconds; None when it cannot be read this way."""
        if self.server:
            return None
        if not self.database.is_file():
            return []
        try:
            with closing(sqlite3.connect(f"{self.database.as_uri()}?mode=ro", uri=True, timeout=10)) as connection:
                return connection.execute(sql, values).fetchall()
        except sqlite3.Error:
            return None  # another MLflow's tables, or a damaged file: the caller asks MLflow, which will tell

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One writer at a time on this machine, so that two commands never make two runs for one key."""
        lock = self.root / ".twinops" / "mlflow.lock"
        lock.parent.mkdir(exist_ok=True)
        with lock.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
