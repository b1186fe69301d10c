"""Load what a protected alias points to: signed pass, digests, allow-list, trial in a child process, only then here."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from twinops.adapters.mlflow import digests, trial_load
from twinops.adapters.registry_client.client import Door, RefusedError
from twinops.errors import IntegrityError, ParamsError
from twinops.governance.log import signed_pass as passport

PASS = "pass.json"  # noqa: S105  # a file's name
MODEL = "model"
KEY_FILE = Path("registry") / "registry.pub"


@dataclass(frozen=True)
class Verified:
    """A version that may be loaded, and where its bytes lie."""

    name: str
    version: int
    digest: str
    approval: dict[str, Any]
    issued: str
    folder: Path


def load(uri: str, *, key: str | Path | None = None) -> Any:
    """The predictor behind `name@alias` on the registry of TWINOPS_SERVER, or in an exported bundle.

    Raises:
        RefusedError: unsigned, unapproved, revoked, changed, or of a kind that could run code.
    """
    with verified(uri, key=key) as found:
        loader, path = digests.data_file(found.folder)
        try:
            trial_load.try_out(loader, path)
        except IntegrityError as problem:
            raise RefusedError(problem.what, hint=problem.hint) from None
        return trial_load.load(loader, path)


@contextmanager
def verified(uri: str, *, key: str | Path | None = None) -> Iterator[Verified]:
    """Fetch and check; the folder is gone afterwards unless it is a bundle's own."""
    public = _key(key)
    if Path(uri).is_dir():
        yield _checked(_pass_of(Path(uri)), Path(uri) / MODEL, public)
        return
    with tempfile.TemporaryDirectory(prefix=f"twinops-load-{os.getpid()}-") as scratch:
        given = _fetch(uri, Path(scratch) / MODEL)
        yield _checked(given, Path(scratch) / MODEL, public)


def export(uri: str, into: Path, *, key: str | Path | None = None) -> Verified:
    """Leave a bundle that can be verified and loaded offline: the model's files and the signed pass."""
    if into.exists() and any(into.iterdir()):
        raise ParamsError(f"{into} is not empty.", hint="Name a new folder.")
    public = _key(key)
    given = _fetch(uri, into / MODEL)
    (into / PASS).write_text(json.dumps(given, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    try:
        return _checked(given, into / MODEL, public)
    except RefusedError:
        shutil.rmtree(into)
        raise


def _fetch(uri: str, into: Path) -> dict[str, Any]:
    name, at, alias = uri.rpartition("@")
    if not at or not name or not alias:
        raise ParamsError(f"{uri!r} is neither a bundle nor name@alias.", hint="For example twin@production.")
    door = Door.from_environment()
    given = door.get("pass", name=name, alias=alias)
    for file in _names(given):
        path = into / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(door.artifact(f"{given['place']}/{file}"))
    return given


def _names(given: dict[str, Any]) -> list[str]:
    """File names of a pass; none leads out of the folder."""
    names = list(given.get("files") or {})
    bad = [n for n in names if PurePosixPath(n).is_absolute() or ".." in PurePosixPath(n).parts or "\\" in n]
    if bad or len(names) > digests.MAX_FILES:
        raise RefusedError("The pass names files outside the model.")
    return names


def _pass_of(bundle: Path) -> dict[str, Any]:
    try:
        given = json.loads((bundle / PASS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise RefusedError(f"{bundle.name} holds no readable {PASS}.") from None
    if not isinstance(given, dict):
        raise RefusedError(f"{bundle.name} holds no readable {PASS}.")
    return given


def _checked(given: dict[str, Any], folder: Path, public: bytes) -> Verified:
    try:
        files = digests.listing(folder)
    except IntegrityError as problem:
        raise RefusedError(problem.what) from None
    faults = passport.faults(given, key=public, files=files, now=datetime.now(UTC))
    faults = faults or digests.dangers(folder)
    if faults:
        raise RefusedError(" ".join(faults))
    return Verified(given["name"], int(given["version"]), given["digest"], given["approval"], given["issued"], folder)


def _key(key: str | Path | None) -> bytes:
    """The registry's public key: 64 hexadecimal digits, or a file that holds them."""
    text = str(key) if key is not None else str(KEY_FILE)
    if Path(text).is_file():
        text = Path(text).read_text(encoding="utf-8").strip()
    try:
        public = bytes.fromhex(text)
    except ValueError:
        public = b""
    if len(public) != 32:
        raise ParamsError(
            "The registry's public key is not known here.",
            hint="Give --key: the file registry/registry.pub of the server, got from someone you trust.",
        )
    return public
