"""The artifact store: uploads are stamped, bytes of registered versions stay, approved ones are read only.

MLflow imports this module with itself, in every client too: what only a server needs is imported when it is used.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

from twinops.server.refusals import refusal
from twinops.server.registry import callers as actors
from twinops.server.registry.home import APPROVED, Home

SCHEME = "twinops+"


def governed() -> Any:
    """The registry store of this process; without ours nothing is written at all."""
    from mlflow.server.handlers import _get_model_registry_store

    from twinops.server.registry.store import GovernedStore

    store = _get_model_registry_store()
    if not isinstance(store, GovernedStore):
        raise refusal("the registry of this server is not governed; nothing is stored.")
    return store


class SealedRepository(LocalArtifactRepository):
    """Local files below the artifact root, and read-only below `twinops-approved` the approved copies."""

    store: Callable[[], Any] = staticmethod(governed)

    def __init__(self, artifact_uri: str, tracking_uri: str | None = None, registry_uri: str | None = None) -> None:
        super().__init__(artifact_uri.removeprefix(SCHEME), tracking_uri, registry_uri)
        self._home = Home.here()
        self._stamped: set[tuple[str, str]] = set()

    # writing

    def _publish_staged_artifact(
        self, temp_file_path: str, destination_file_path: str, finalize_temp_path: Any = None
    ) -> None:
        """Check and stamp at the last moment: an upload may have begun before the folder was sealed."""
        place = self._place(destination_file_path)
        with self._home.uploading():
            self.store().against_sealed(place)
            self._stamp(place.rpartition("/")[0])
            super()._publish_staged_artifact(temp_file_path, destination_file_path, finalize_temp_path)

    def _create_staging_artifact(
        self, artifact_file_name: str, artifact_path: str | None = None
    ) -> tuple[int, str, str]:
        target = Path(self.artifact_dir, artifact_path or "", Path(artifact_file_name).name)
        self.store().against_sealed(self._place(str(target)))
        return super()._create_staging_artifact(artifact_file_name, artifact_path)

    def log_artifacts(self, local_dir: str, artifact_path: str | None = None) -> None:
        """File by file, so that each is checked."""
        base = Path(local_dir)
        for path in sorted(p for p in base.rglob("*") if p.is_file()):
            below = path.relative_to(base).parent.as_posix()
            self.log_artifact(str(path), os.path.normpath(f"{artifact_path or '.'}/{below}"))

    def delete_artifacts(self, artifact_path: str | None = None) -> None:
        """Nothing sealed, and nothing that holds something sealed."""
        place = self._place(str(Path(self.artifact_dir, artifact_path or "")))
        with self._home.uploading():
            self.store().against_sealed(place, above=True)
            super().delete_artifacts(artifact_path)

    # reading

    def get_local_path(self, artifact_path: str) -> str:
        """Where a file lies; approved copies lie elsewhere."""
        inner = self._approved(artifact_path)
        return inner[0].get_local_path(inner[1]) if inner else super().get_local_path(artifact_path)

    def list_artifacts(self, path: str | None = None) -> Any:
        """Files and folders; approved copies under their own first name."""
        inner = self._approved(path)
        if inner is None:
            return super().list_artifacts(path)
        found = inner[0].list_artifacts(inner[1])
        for info in found:
            info._path = f"{APPROVED}/{info.path}"
        return found

    def _download_file(self, remote_file_path: str, local_path: str) -> None:
        inner = self._approved(remote_file_path)
        if inner:
            inner[0]._download_file(inner[1], local_path)
        else:
            super()._download_file(remote_file_path, local_path)

    def _approved(self, path: str | None) -> tuple[LocalArtifactRepository, str] | None:
        """The approved store and the path in it; only whole digests are answered, so nobody lists them all."""
        parts = os.path.normpath(path or "").split("/")
        if parts[0] != APPROVED:
            return None
        if len(parts) < 2:
            raise MlflowException("No such artifact", RESOURCE_DOES_NOT_EXIST)
        self.store().against_revoked(parts[1])
        return LocalArtifactRepository(str(self._home.approved)), "/".join(parts[1:])

    def _place(self, path: str) -> str:
        """The path below the artifact root, as seals name it; everything else is refused."""
        real = os.path.realpath(path)
        root = os.path.realpath(self._home.artifacts)
        below = os.path.relpath(real, root)
        if below == ".":
            return ""
        if below.startswith("..") or below.split("/")[0] == APPROVED:
            raise refusal("nothing is stored outside the artifact store.")
        return below

    def _stamp(self, folder: str) -> None:
        account = actors.current()
        if (folder, account) in self._stamped:
            return
        self.store().stamp_upload(folder, account)
        if len(self._stamped) > 10_000:
            self._stamped.clear()
        self._stamped.add((folder, account))
