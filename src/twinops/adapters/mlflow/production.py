"""Find the evidence that production rests on: by the alias in the project's own MLflow, or in a revision of git."""

from __future__ import annotations

import subprocess
from pathlib import Path
from urllib.parse import unquote, urlparse

from twinops.adapters.mlflow.embedded import MlflowStore

ALIAS = "production"
ARTIFACTS_OF = """
SELECT run.artifact_uri FROM registered_model_aliases AS alias
JOIN model_versions AS version ON version.name = alias.name AND version.version = alias.version
JOIN runs AS run ON run.run_uuid = version.run_id
WHERE alias.name = ? AND alias.alias = ?
"""


class MlflowProduction:
    """Keeps the Production port's promises with MLflow on SQLite; read from the database, so it takes milliseconds."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._store = MlflowStore(root)

    def evidence(self, model: str) -> str | None:
        """The Evidence file in the run of the version that the alias points to."""
        rows = self._store.peek(ARTIFACTS_OF, model, ALIAS)
        place = urlparse(str(rows[0][0])) if rows else None
        if place is None or place.scheme not in ("", "file"):
            return None
        path = Path(unquote(place.path)) / "reports" / "evidence.json"
        return path.read_text(encoding="utf-8") if path.is_file() else None

    def at(self, revision: str, path: Path) -> str | None:
        """A file as a revision of git has it."""
        if revision.startswith("-"):
            return None
        command = ["git", "-C", str(self._root), "show", f"{revision}:./{path.as_posix()}"]
        try:
            done = subprocess.run(command, capture_output=True, check=False)
        except FileNotFoundError:
            return None
        return done.stdout.decode() if done.returncode == 0 else None
