"""Load what a protected alias points to: signed pass, digests, allow-list, trial in a child process, only then here."""

from __future__ import annotations

import json
import logging
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from twinops.adapters.mlflow import described, digests, trial_load
from twinops.adapters.registry_client import log_memory
from twinops.adapters.registry_client.client import Door, RefusedError
from twinops.entities.canonical import from_json
from twinops.errors import IntegrityError, ParamsError
from twinops.governance.log import signed_pass as passport
from twinops.governance.log.signed_pass import Asked
from twinops.whole_files import write

_log = logging.getLogger(__name__)
PASS = "pass.json"  # noqa: S105  # a file's name
MODEL = "model"
MOST_PASS = 1024**2
"""Bytes: two thousand file names with their digests are a fifth of it."""
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
    ends: datetime | None
    """Of a bundle: its last moment. None: the registry vouched for it just now."""

    @property
    def ended(self) -> str:
        """That the approval has ended by the registry's clock, where it serves all the same; else nothing."""
        return str(self.approval.get("ended") or "")  # passes of older registries say nothing of it


def load(uri: str, *, key: str | Path | None = None, version: int | None = None) -> Any:
    """The predictor behind `name@alias` on the registry of TWINOPS_SERVER, or in an exported bundle.

    `version`: only this one will do.

    Raises:
        RefusedError: unsigned, unapproved, revoked, ended, replayed, changed, or of a kind that could run code.
    """
    with verified(uri, key=key, version=version) as found:
        try:
            trial_load.try_out(found.folder)
        except IntegrityError as problem:
            raise RefusedError(problem.what, hint=problem.hint) from None
        if found.ended:
            _log.warning("%s version %d: %s", found.name, found.version, found.ended)
        return trial_load.load(found.folder)


def vouched(uri: str, *, key: str | Path | None = None) -> tuple[int, str]:
    """Version and digest of what the registry vouches for now; of a bundle, once its files are what they were.

    Raises:
        RefusedError: unsigned, unapproved, revoked, ended, replayed or changed.
    """
    public = _key(key)
    if Path(uri).is_dir():
        found = _opened(Path(uri), public)
        return found.version, found.digest
    given = _believed(_asked(uri, public), public)
    return int(given["version"]), str(given["digest"])


@contextmanager
def verified(uri: str, *, key: str | Path | None = None, version: int | None = None) -> Iterator[Verified]:
    """Fetch and check; the folder is gone afterwards unless it is a bundle's own."""
    public = _key(key)
    if Path(uri).is_dir():
        yield _opened(Path(uri), public, version)
        return
    with tempfile.TemporaryDirectory(prefix=f"twinops-load-{os.getpid()}-") as scratch:
        yield _checked(_fetched(_asked(uri, public, version), Path(scratch) / MODEL, public), Path(scratch) / MODEL)


def export(uri: str, into: Path, *, key: str | Path | None = None) -> Verified:
    """Leave a bundle that can be verified and loaded offline until its approval ends: the files and the signed pass."""
    if into.exists() and any(into.iterdir()):
        raise ParamsError(f"{into} is not empty.", hint="Name a new folder.")
    public = _key(key)
    try:
        given = _fetched(_asked(uri, public), into / MODEL, public)
        write(into / PASS, json.dumps(given, indent=1, sort_keys=True) + "\n")
        return _opened(into, public)
    except RefusedError:
        shutil.rmtree(into, ignore_errors=True)
        raise


def _asked(uri: str, public: bytes, version: int | None = None) -> Asked:
    """What is asked for now, with a nonce that no other call has."""
    name, at, alias = uri.rpartition("@")
    if not at or not name or not alias:
        raise ParamsError(f"{uri!r} is neither a bundle nor name@alias.", hint="For example twin@production.")
    return Asked(name, alias, secrets.token_hex(passport.NONCE_BYTES), version, log_memory.recall(public))


def _fetched(asked: Asked, into: Path, public: bytes) -> dict[str, Any]:
    """The pass, believed before a byte of the model is asked for, and then the files it names."""
    door, given, left = Door.from_environment(), _believed(asked, public), digests.MAX_BYTES
    for file in _names(given):
        content = door.artifact(f"{given['place']}/{file}", most=left)
        left -= len(content)
        write(into / file, content)
    return given


def _believed(asked: Asked, public: bytes) -> dict[str, Any]:
    """The pass that answers this call."""
    given = Door.from_environment().get("pass", name=asked.name, alias=asked.alias, nonce=asked.nonce)
    _refuse(passport.against_signature(given, key=public))
    _refuse(passport.against_replay(given, asked, now=datetime.now(UTC)))
    log_memory.remember(public, passport.logged(given))
    return given


def _names(given: dict[str, Any]) -> list[str]:
    """File names of a pass; none leads out of the folder."""
    names = list(given.get("files") or {})
    bad = [n for n in names if PurePosixPath(n).is_absolute() or ".." in PurePosixPath(n).parts or "\\" in n]
    if bad or len(names) > digests.MAX_FILES:
        raise RefusedError("The pass names files outside the model.")
    return names


def _opened(bundle: Path, public: bytes, version: int | None = None) -> Verified:
    """A bundle, which is a pass and the model's folder and nothing else, before its end."""
    found = sorted(path.name for path in bundle.iterdir())
    if found != sorted((PASS, MODEL)) or any((bundle / name).is_symlink() for name in found):
        raise RefusedError(f"{bundle.name} holds more or less than {PASS} and {MODEL}: {', '.join(found)[:200]}.")
    given = _pass_of(bundle)
    _refuse(passport.against_signature(given, key=public))
    _refuse(passport.against_end(given, now=datetime.now(UTC)))
    if version not in (None, given["version"]):
        raise RefusedError(f"The bundle holds version {given['version']}, not {version}.")
    return replace(_checked(given, bundle / MODEL), ends=passport.end(given))


def _pass_of(bundle: Path) -> dict[str, Any]:
    try:
        with (bundle / PASS).open("rb") as file:
            text = file.read(MOST_PASS + 1)
        given = from_json(text) if len(text) <= MOST_PASS else None
    except (OSError, ValueError):
        given = None
    if not isinstance(given, dict):
        raise RefusedError(f"{bundle.name} holds no readable {PASS}.")
    return given


def _checked(given: dict[str, Any], folder: Path) -> Verified:
    """Files as the believed pass names them, and of a kind that runs no code."""
    try:
        files = digests.listing(folder)
    except IntegrityError as problem:
        raise RefusedError(problem.what) from None
    _refuse(passport.against_files(given, files))
    _refuse(described.dangers(folder, files))
    return Verified(
        given["name"], int(given["version"]), given["digest"], given["approval"], given["issued"], folder, None
    )


def _refuse(faults: tuple[str, ...]) -> None:
    if faults:
        raise RefusedError(" ".join(faults))


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
