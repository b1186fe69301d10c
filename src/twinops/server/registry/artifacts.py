"""The artifact store: uploads are stamped, bytes of registered versions stay, approved ones are read only.

MLflow imports this module with itself, in every client too: what only a server needs is imported when it is used.
"""

from __future__ import annotations

import asyncio
import os
import posixpath
import shutil
import tempfile
from collections.abc import AsyncIterable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from mlflow.entities import FileInfo
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST
from mlflow.store.artifact.artifact_repo import ArtifactRepository, StreamUploadMixin

from twinops.adapters.mlflow.digests import UPLOADING
from twinops.server.refusals import mistake, refusal
from twinops.server.registry import callers as actors
from twinops.server.registry.home import APPROVED, Home
from twinops.server.registry.storage import Storage, below, plain

SCHEME = "twinops+"


def governed() -> Any:
    """The registry store of this process; without ours nothing is written at all."""
    from mlflow.server.handlers import _get_model_registry_store

    from twinops.server.registry.store import GovernedStore

    store = _get_model_registry_store()
    if not isinstance(store, GovernedStore):
        raise refusal("the registry of this server is not governed; nothing is stored.")
    return store


def elsewhere(*_: Any, **__: Any) -> Any:
    """What MLflow is given for every address that is not ours: it would read and write there with the server's keys."""
    raise refusal("artifacts of this server lie in its own store, nowhere else.")


@dataclass(frozen=True)
class Upload:
    """A file that is being received, and where it shall lie."""

    place: str
    received: Path
    file: BinaryIO

    def end(self) -> None:
        """Nothing of it stays where it was received."""
        self.file.close()
        self.received.unlink(missing_ok=True)


class SealedRepository(ArtifactRepository, StreamUploadMixin):
    """Files below the artifact root, and read-only below `twinops-approved` the approved copies.

    It has none of MLflow's mixins for parts or presigned places: whoever held one could write past every check.
    """

    store: Callable[[], Any] = staticmethod(governed)

    def __init__(self, artifact_uri: str, tracking_uri: str | None = None, registry_uri: str | None = None) -> None:
        super().__init__(artifact_uri, tracking_uri, registry_uri)
        self._home = Home.here()
        # runs that were made without a server lie on the disk, wherever uploads go now
        self._storage = self._home.uploads if artifact_uri.startswith(SCHEME) else self._home.disk
        self._base = below(self._storage, artifact_uri.removeprefix(SCHEME))
        self._stamped: set[tuple[str, str]] = set()

    # writing

    def log_artifact(self, local_file: str, artifact_path: str | None = None) -> None:
        """One file."""
        with Path(local_file).open("rb") as stream:
            self.log_artifact_from_stream(stream, Path(local_file).name, artifact_path)

    def log_artifacts(self, local_dir: str, artifact_path: str | None = None) -> None:
        """File by file, so that each is checked."""
        base = Path(local_dir)
        for path in sorted(p for p in base.rglob("*") if p.is_file()):
            self.log_artifact(
                str(path), f"{artifact_path or ''}/{path.relative_to(base).parent.as_posix()}".lstrip("/")
            )

    def log_artifact_from_stream(
        self, stream: BinaryIO, artifact_file_name: str, artifact_path: str | None = None
    ) -> None:
        """One file, as it comes."""
        upload = self._begin(artifact_file_name, artifact_path)
        try:
            shutil.copyfileobj(stream, upload.file, 1024 * 1024)
            self._keep(upload)
        finally:
            upload.end()

    async def log_artifact_from_async_stream(
        self, chunks: AsyncIterable[bytes], artifact_file_name: str, artifact_path: str | None = None
    ) -> None:
        """The same, while the loop does other things."""
        upload = await asyncio.to_thread(self._begin, artifact_file_name, artifact_path)
        try:
            async for chunk in chunks:
                await asyncio.to_thread(upload.file.write, chunk)
            await asyncio.to_thread(self._keep, upload)
        finally:
            upload.end()

    def delete_artifacts(self, artifact_path: str | None = None) -> None:
        """Nothing sealed, and nothing that holds something sealed."""
        place = self._writable(artifact_path or "")
        with self._home.uploading():
            self.store().against_sealed(place, above=True)
            if not place:
                raise refusal("the whole artifact store is not removed.")
            self._storage.remove(place)

    def _begin(self, name: str, artifact_path: str | None) -> Upload:
        """Refused before anything is received or made, where it could not be kept."""
        place = self._writable(f"{artifact_path or ''}/{posixpath.basename(name)}".lstrip("/"))
        self.store().against_sealed(place)
        self._storage.spool.mkdir(parents=True, exist_ok=True)
        handle, path = tempfile.mkstemp(prefix=UPLOADING, dir=self._storage.spool)
        return Upload(place, Path(path), os.fdopen(handle, "wb"))

    def _keep(self, upload: Upload) -> None:
        """Check and stamp at the last moment: an upload may have begun before the folder was sealed."""
        upload.file.close()
        staged = self._storage.stage(upload.received)
        try:
            with self._home.uploading():
                self.store().against_sealed(upload.place)
                self._stamp(upload.place.rpartition("/")[0])
                self._storage.publish(staged, upload.place)
        except BaseException:
            self._storage.discard(staged)
            raise

    def _writable(self, path: str) -> str:
        """The place as seals name it; approved copies are not written to, whoever asks."""
        place = self._place(path)
        names = place.split("/")
        if names[0] == APPROVED:
            raise refusal("nothing is stored outside the artifact store.")
        if any(name.startswith(UPLOADING) for name in names):
            raise mistake(f"names that begin with {UPLOADING!r} are reserved.")
        return place

    def _stamp(self, folder: str) -> None:
        account = actors.current()
        if (folder, account) in self._stamped:
            return
        self.store().stamp_upload(folder, account)
        if len(self._stamped) > 10_000:
            self._stamped.clear()
        self._stamped.add((folder, account))

    # reading

    def get_local_path(self, artifact_path: str) -> str | None:
        """Where a file lies on this machine, if it does."""
        storage, place = self._read(artifact_path)
        try:
            path = storage.path(place)
        except FileNotFoundError:
            raise _missing() from None
        return None if path is None else str(path)

    def list_artifacts(self, path: str | None = None) -> list[FileInfo]:
        """Files and folders directly there."""
        storage, place = self._read(path or "")
        told = plain(path or "")
        return [FileInfo(posixpath.join(told, c.name), c.size is None, c.size) for c in storage.children(place)]

    def download_artifacts(self, artifact_path: str, dst_path: str | None = None) -> str:
        """One file; whole folders are fetched by clients, file by file."""
        local = self.get_local_path(artifact_path) if dst_path is None else None
        if local is not None:
            return local
        into = Path(
            dst_path or tempfile.mkdtemp(prefix=f"twinops-{os.getpid()}-"),
            posixpath.basename(plain(artifact_path)) or "artifact",
        )
        self._download_file(artifact_path, str(into))
        return str(into)

    def _download_file(self, remote_file_path: str, local_path: str) -> None:
        storage, place = self._read(remote_file_path)
        if storage.children(place):
            raise mistake("this is a folder, not a file.")
        try:
            storage.fetch(place, Path(local_path))
        except FileNotFoundError:
            raise _missing() from None

    def _read(self, path: str) -> tuple[Storage, str]:
        """Approved copies lie elsewhere; only whole digests are answered, so nobody lists them all."""
        place = self._place(path)
        first, _, rest = place.partition("/")
        if first != APPROVED:
            return self._storage, place
        if not rest:
            raise _missing()
        self.store().against_revoked(rest.partition("/")[0])
        return self._home.copies, rest

    def _place(self, path: str) -> str:
        return plain(f"{self._base}/{plain(path)}".lstrip("/"))


def _missing() -> MlflowException:
    return MlflowException("No such artifact", RESOURCE_DOES_NOT_EXIST)
