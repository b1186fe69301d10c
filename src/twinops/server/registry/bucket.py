"""The same in a bucket of an S3-compatible store: every byte comes and goes through this server, no client has a key.

Endpoint, region and credentials are boto3's own settings (`AWS_...`), or `MLFLOW_S3_ENDPOINT_URL`.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import TEMPORARILY_UNAVAILABLE

from twinops.adapters.mlflow import digests
from twinops.errors import IntegrityError, ParamsError, ServiceError
from twinops.server.registry.storage import Child, Disk, Storage, plain

VARIABLE = "TWINOPS_ARTIFACTS"
"""Names a bucket for artifacts, `s3://bucket/prefix`; the project's own disk by default."""
OWNER = ".twinops-owner"
"""Says whose artifacts these are: two servers with two databases would each overwrite what the other sealed."""
AT_ONCE = 1_000
"""Keys that S3 removes in one call."""
_CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Bucket:
    """A prefix of a bucket. Objects are there whole or not at all, and a copy inside the bucket is one act."""

    bucket: str
    prefix: str
    spool: Path

    @property
    def address(self) -> str:
        """As `s3://bucket/prefix`."""
        return f"s3://{self.bucket}/{self.prefix}"

    def digests(self, place: str) -> dict[str, str]:
        """See `Storage`. No ETag and no metadata is believed: the bytes are read."""
        found = dict(islice(self._objects(f"{place}/"), digests.MAX_FILES + 1))
        digests.against_unsignable(place.rpartition("/")[2], found.values())
        strange = sorted(found.keys() - _plain_files(found))
        if strange:
            raise IntegrityError(f"{strange[0]!r} is no plain file.", hint="A model is made of plain files.")
        return {name: self._sha256(f"{place}/{name}") for name in sorted(found)}

    def names(self, place: str) -> set[str]:
        """See `Storage`."""
        return {name for name, _ in self._objects(f"{place}/")}

    def children(self, place: str) -> list[Child]:
        """See `Storage`."""
        top = self._key(f"{place}/" if place else "")
        found: dict[str, int | None] = {}
        with _asked():
            for page in self._pages(Prefix=top, Delimiter="/"):
                found |= {at["Prefix"][len(top) : -1]: None for at in page.get("CommonPrefixes", ())}
                found |= {at["Key"][len(top) :]: at["Size"] for at in page.get("Contents", ())}
        hidden = ("", OWNER)
        named = sorted(n for n in found if n not in hidden and not n.startswith(digests.UPLOADING))
        return [Child(name, found[name]) for name in named]

    @contextmanager
    def opened(self, place: str) -> Iterator[Path]:
        """See `Storage`."""
        with tempfile.TemporaryDirectory(prefix=f"twinops-{os.getpid()}-") as scratch:
            found = dict(islice(self._objects(f"{place}/"), digests.MAX_FILES + 1))
            small = len(found) <= digests.MAX_FILES and sum(found.values()) <= digests.MAX_BYTES
            for name in _plain_files(found) if small else ():
                into = Path(scratch, name)
                into.parent.mkdir(parents=True, exist_ok=True)
                with suppress(FileNotFoundError):
                    self.fetch(f"{place}/{name}", into)
            yield Path(scratch)

    def path(self, _place: str, /) -> Path | None:
        """Nowhere on this machine."""
        return None

    def fetch(self, place: str, into: Path) -> None:
        """See `Storage`."""
        with _asked(), into.open("wb") as file:
            for chunk in self._read(place):
                file.write(chunk)

    def stage(self, received: Path) -> str:
        """Under a name of its own in the bucket, so that nothing waits for the network while a place is decided on."""
        staged = f"{digests.UPLOADING}{secrets.token_hex(16)}"
        with _asked():
            self._client.upload_file(str(received), self.bucket, self._key(staged))
        return staged

    def publish(self, staged: str, place: str) -> None:
        """See `Storage`."""
        self.copy(self, staged, place)
        self.discard(staged)

    def discard(self, staged: str) -> None:
        """See `Storage`."""
        with _asked():
            self._client.delete_object(Bucket=self.bucket, Key=self._key(staged))

    def copy(self, source: Storage, place: str, to: str) -> None:
        """See `Storage`; no byte leaves the bucket."""
        bucket, _, prefix = source.address.removeprefix("s3://").partition("/")
        there = {"Bucket": bucket, "Key": f"{prefix}/{place}"}
        with _asked():
            self._client.copy(there, self.bucket, self._key(to))

    def remove(self, place: str) -> None:
        """See `Storage`."""
        self.discard(place)
        inside = self._objects(f"{place}/")
        while some := [{"Key": self._key(f"{place}/{name}")} for name, _ in islice(inside, AT_ONCE)]:
            with _asked():
                gone = self._client.delete_objects(Bucket=self.bucket, Delete={"Objects": some, "Quiet": True})
            if gone.get("Errors"):
                raise _away(str(gone["Errors"][0].get("Code")))

    def claim(self, owner: str) -> None:
        """See `Storage`."""
        self.spool.mkdir(parents=True, exist_ok=True)
        try:
            found = self._owner() or self._write_owner(owner)
            left = [digests.UPLOADING + rest for rest, _ in self._objects(digests.UPLOADING)]
        except MlflowException as problem:
            raise ServiceError(
                f"The bucket {self.bucket!r} cannot be used: {problem.message}", hint="Check its name and the keys."
            ) from None
        if found != owner:
            raise ServiceError(
                f"Another server keeps its artifacts in {self.address}.", hint="Give each server a prefix of its own."
            )
        for name in left:
            self.discard(name)
        for path in self.spool.glob(f"{digests.UPLOADING}*"):
            path.unlink(missing_ok=True)

    def _owner(self) -> str:
        try:
            with _asked():
                return b"".join(self._read(OWNER)).decode()
        except FileNotFoundError:
            return ""

    def _write_owner(self, owner: str) -> str:
        with _asked():
            self._client.put_object(Bucket=self.bucket, Key=self._key(OWNER), Body=owner.encode())
        return self._owner()

    def _sha256(self, place: str) -> str:
        found = hashlib.sha256()
        try:
            with _asked():
                for chunk in self._read(place):
                    found.update(chunk)
        except FileNotFoundError:
            raise IntegrityError("A file of the version is gone.", hint="Register it anew.") from None
        return found.hexdigest()

    def _read(self, place: str) -> Iterator[bytes]:
        answer = self._client.get_object(Bucket=self.bucket, Key=self._key(place))
        return iter(answer["Body"].iter_chunks(_CHUNK))

    def _objects(self, top: str) -> Iterator[tuple[str, int]]:
        """Every object below, by its key's rest, with its size; a thousand to a page."""
        above = self._key(top)
        with _asked():
            for page in self._pages(Prefix=above):
                for at in page.get("Contents", ()):
                    yield at["Key"][len(above) :], at["Size"]

    def _pages(self, **asked: str) -> Iterator[dict[str, Any]]:
        return iter(self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, **asked))

    def _key(self, place: str) -> str:
        return f"{self.prefix}/{place}"

    @cached_property
    def _client(self) -> Any:
        try:
            from boto3.session import Session
        except ImportError:
            raise ServiceError(
                "A bucket needs boto3, which is not installed.", hint="pip install 'twinops[s3]'"
            ) from None
        from botocore.config import Config

        # whoever waits for the bucket may hold the registry's one writer lock
        patience = {"connect_timeout": 5, "read_timeout": 20, "retries": {"mode": "standard", "total_max_attempts": 3}}
        style = {"addressing_style": os.environ.get("MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE", "auto")}
        endpoint = os.environ.get("MLFLOW_S3_ENDPOINT_URL") or None
        return Session().client("s3", endpoint_url=endpoint, config=Config(s3=style, **patience))


def named(variable: str, part: str, *, disk: Disk, spool: Path) -> Storage:
    """The storage that the variable names, one part of it; the disk where it is not set.

    Raises:
        ParamsError: it names something else than a bucket.
    """
    if not variable:
        return disk
    told = urlsplit(variable)
    names = [*told.path.strip("/").split("/"), part] if told.path.strip("/") else [part]
    odd = told.scheme != "s3" or not told.netloc or told.query or told.fragment or "@" in told.netloc
    if odd or any(name in ("", ".", "..") for name in names):
        hint = f"Say {VARIABLE}=s3://bucket/prefix, or unset it."
        raise ParamsError(f"{VARIABLE} is {variable[:80]!r}, which is no bucket.", hint=hint)
    return Bucket(told.netloc, "/".join(names), spool)


def _plain_files(names: Collection[str]) -> set[str]:
    """Those that could lie on a disk: a bucket also takes `a` beside `a/b`, and names that lead elsewhere."""
    folders = {above.as_posix() for name in names for above in PurePosixPath(name).parents}
    return {name for name in names if _is_plain(name) and name not in folders}


def _is_plain(name: str) -> bool:
    try:
        return bool(name) and plain(name) == name
    except MlflowException:
        return False


@contextmanager
def _asked() -> Iterator[None]:
    """A bucket that does not answer is told as 503, a missing object as what a disk says of a missing file."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as problem:
        code = str(problem.response.get("Error", {}).get("Code"))
        if code in ("404", "NoSuchKey"):
            raise FileNotFoundError("no such object") from None
        raise _away(code) from None
    except (BotoCoreError, Boto3Error) as problem:
        raise _away(type(problem).__name__) from None


def _away(why: str) -> MlflowException:
    return MlflowException(f"twinops: the artifact store did not answer ({why}). Ask again.", TEMPORARILY_UNAVAILABLE)
