"""Where the server keeps what is its own: everything below `registry/`, which git ignores and trainers cannot write."""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from twinops.governance.log.checkpoint import raw
from twinops.server.registry import bucket
from twinops.server.registry.storage import Disk, Storage
from twinops.whole_files import OWNER_ALONE, write, write_once

VARIABLE = "TWINOPS_HOME"
DATABASE = "TWINOPS_DATABASE_URL"
APPROVED = "twinops-approved"
"""First part of the artifact path under which approved bytes are served."""


@dataclass(frozen=True)
class Home:
    """One project's server."""

    root: Path

    @classmethod
    def here(cls) -> Home:
        """The server of this process, as whoever started it said."""
        return cls(Path(os.environ.get(VARIABLE, ".")).resolve())

    @property
    def folder(self) -> Path:
        """The server's own folder."""
        return self.root / "registry"

    @property
    def database(self) -> str:
        """SQLAlchemy's address of the one database for runs, registry, log and accounts."""
        url = os.environ.get(DATABASE, "")
        if url.startswith(("postgresql://", "postgres://")):
            return "postgresql+psycopg://" + url.split("://", 1)[1]
        return url or f"sqlite:///{self.root / 'mlflow.db'}"

    @property
    def accounts(self) -> str:
        """SQLAlchemy's address of MLflow's accounts; a file of its own on SQLite."""
        return self.database if not self.database.startswith("sqlite") else f"sqlite:///{self.folder / 'accounts.db'}"

    @property
    def artifacts(self) -> Path:
        """What trainers upload, where it lies on disk."""
        return self.root / "mlruns"

    @property
    def approved(self) -> Path:
        """Copies of approved bytes, by digest, where they lie on disk; no route writes here."""
        return self.folder / "approved"

    @cached_property
    def disk(self) -> Disk:
        """The project's own folder of artifacts; runs that were made without a server lie there in any case."""
        return Disk(self.artifacts)

    @cached_property
    def uploads(self) -> Storage:
        """What trainers upload, wherever it lies."""
        return self._kept("mlruns", self.disk)

    @cached_property
    def copies(self) -> Storage:
        """Copies of approved bytes, by digest, wherever they lie; no route writes here."""
        return self._kept("approved", Disk(self.approved, mode=0o400))

    def _kept(self, part: str, disk: Disk) -> Storage:
        return bucket.named(os.environ.get(bucket.VARIABLE, ""), part, disk=disk, spool=self.folder / "uploading")

    def claim(self) -> None:
        """See that both are there and nobody else's.

        Raises:
            ServiceError: a bucket does not answer, or another server works in it.
        """
        for kept in (self.uploads, self.copies):
            kept.claim(self._once("artifacts.owner"))

    @property
    def evidence(self) -> Path:
        """Files that came with evidence, by the evidence's digest."""
        return self.folder / "evidence"

    @property
    def checkpoints(self) -> Path:
        """Signed checkpoints; keep them on another machine (`TWINOPS_CHECKPOINTS` names a mount)."""
        return Path(os.environ.get("TWINOPS_CHECKPOINTS") or self.folder / "checkpoints")

    def keep_private(self) -> None:
        """From now on, and for what lies there already: for the user that the server runs as, and for nobody else.

        What belongs to another user is left as it is: a mount for checkpoints that another machine reads.
        """
        os.umask(0o077)
        databases = self.root.glob("mlflow.db*")
        for path in (*databases, *map(Path, (self.folder, self.artifacts, self.checkpoints))):
            _close(path)
            for folder, folders, files in os.walk(path):
                for name in (*folders, *files):
                    _close(Path(folder, name))

    @contextmanager
    def sealing(self) -> Iterator[None]:
        """No upload is put in place meanwhile, by any worker."""
        with self._upload_lock(fcntl.LOCK_EX):
            yield

    @contextmanager
    def uploading(self) -> Iterator[None]:
        """No version is sealed meanwhile; other uploads go on."""
        with self._upload_lock(fcntl.LOCK_SH):
            yield

    @contextmanager
    def _upload_lock(self, how: int) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "uploads.lock").open("a") as file:
            fcntl.flock(file, how)
            yield

    @property
    def public_key_file(self) -> Path:
        """What clients and auditors check signatures against."""
        return self.folder / "registry.pub"

    @cached_property
    def key(self) -> Ed25519PrivateKey:
        """Signs checkpoints and passes; made at the first start, readable by the server's user only."""
        path = self.folder / "registry.key"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            self._retire()
            made = Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
            _write_once(path, made.hex())
            write(self.public_key_file, raw(self._read_key(path).public_key()).hex() + "\n")
        return self._read_key(path)

    @property
    def public_key(self) -> bytes:
        """The 32 bytes of the public key."""
        return raw(self.key.public_key())

    @property
    def retired_keys_file(self) -> Path:
        """Public keys of before: what they signed then stays signed."""
        return self.folder / "retired.pub"

    @property
    def known_keys(self) -> list[bytes]:
        """The public key and those before it."""
        old = self.retired_keys_file.read_text(encoding="utf-8").split() if self.retired_keys_file.exists() else []
        return [self.public_key, *(bytes.fromhex(line) for line in old)]

    def _retire(self) -> None:
        """Somebody moved the key away to have a new one."""
        if self.public_key_file.exists():
            with self.retired_keys_file.open("a", encoding="utf-8") as file:
                file.write(self.public_key_file.read_text(encoding="utf-8"))

    @cached_property
    def secret(self) -> str:
        """What form tokens are made with."""
        return self._once("form.key")

    def _once(self, name: str) -> str:
        """A secret of this server, made when it is first asked for."""
        path = self.folder / name
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            _write_once(path, secrets.token_hex(32))
        return path.read_text(encoding="utf-8").strip()

    @staticmethod
    def _read_key(path: Path) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text(encoding="utf-8").strip()))


def _close(path: Path) -> None:
    with suppress(FileNotFoundError):
        held = path.lstat()
        wide = stat.S_IMODE(held.st_mode) & 0o077
        if wide and held.st_uid == os.geteuid() and not stat.S_ISLNK(held.st_mode):
            path.chmod(stat.S_IMODE(held.st_mode) & 0o700)


def _write_once(path: Path, text: str) -> None:
    """Write a secret nobody else may read; whoever comes second keeps the first one's."""
    write_once(path, text + "\n", mode=OWNER_ALONE)
