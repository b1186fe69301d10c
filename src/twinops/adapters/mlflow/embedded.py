"""The embedded MLflow of one project, a SQLite file and a folder beside it, or the registry server named instead.

The one place that opens either.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from twinops.adapters.quiet import be_quiet
from twinops.errors import ServiceError

SERVER = "TWINOPS_SERVER"
"""Names a registry server to work with instead; the login stands in MLflow's own variables."""

RETRIES = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
"""MLflow's own variable: unless it is set, its client asks for four minutes, and says nothing meanwhile."""
TRIES, TIME_OUT_S = 3, 10
WAITS_S = (2.0, 4.0)
"""Between the tries."""
NAME_IT = f"Start it, or name the right one in {SERVER}; without {SERVER} the project's own MLflow is asked."

KEY = "twinops.key"
"""The tag by which a run or a version is found again."""
_log = logging.getLogger(__name__)


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
        """An MLflow client of this store.

        Raises:
            ServiceError: the database cannot be opened, or what answers in the server's place is no MLflow.
        """
        be_quiet()
        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
        if self.server:
            os.environ.setdefault(RETRIES, str(TRIES - 1))
            _against_stranger(self.server)
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


@cache
def _against_stranger(server: str) -> None:
    """Ask once a process whether MLflow answers there: with its own client, so by its own certificates and login.

    Raises:
        ServiceError: nobody does, or it is something else.
    """
    from mlflow.exceptions import MlflowException
    from mlflow.utils.credentials import get_default_host_creds
    from mlflow.utils.rest_utils import http_request

    ask: Any = http_request
    login: Any = get_default_host_creds
    for tried in range(1, TRIES + 1):
        if tried > 1:
            _log.warning("The server of %s does not answer; asking again (%d of %d) ...", SERVER, tried, TRIES)
            time.sleep(WAITS_S[tried - 2])
        try:
            how: dict[str, Any] = {"max_retries": 0, "timeout": TIME_OUT_S, "raise_on_status": False}
            found = ask(login(server), "/health", "GET", **how)
        except MlflowException:
            continue
        if found.status_code >= 500:
            continue
        # a server before it may ask for a login
        if found.status_code not in (401, 403) and (found.status_code, found.text.strip()) != (200, "OK"):
            raise ServiceError(f"What answers at the address of {SERVER} is no MLflow.", hint=NAME_IT)
        return
    raise ServiceError(f"The server of {SERVER} did not answer, asked {TRIES} times.", hint=NAME_IT)
