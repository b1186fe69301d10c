"""Bytes of versions on disk: where they lie, what they are, and the copy of approved ones that nobody uploads to."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import PERMISSION_DENIED
from sqlalchemy import Row

from twinops.adapters.mlflow import described, digests, trial_load
from twinops.errors import IntegrityError
from twinops.server.registry.home import APPROVED, Home
from twinops.server.registry.records import Recorded
from twinops.server.registry.transaction import Transaction


def place_of(home: Home, address: str) -> str | None:
    """The folder below the artifact root that an address names; None when it lies elsewhere or is ambiguous."""
    split = urlsplit(address)
    if split.query or split.fragment or unquote(split.path) != split.path:
        return None
    if split.scheme == "mlflow-artifacts" and not split.netloc:
        parts = PurePosixPath(split.path.lstrip("/")).parts
    elif split.scheme in ("", "file") and not split.netloc and split.path.startswith("/"):
        try:
            parts = Path(os.path.normpath(split.path)).relative_to(home.artifacts).parts
        except ValueError:
            return None
    else:
        return None
    if not parts or ".." in parts or parts[0] == APPROVED:
        return None
    return "/".join(parts)


def moved_place(home: Home, address: str) -> str | None:
    """The same for a project that was moved after it was made: what follows its own `mlruns/`, if that is here."""
    _, found, below = urlsplit(address).path.rpartition(f"/{home.artifacts.name}/")
    if not found or ".." in below.split("/") or not (home.artifacts / below).is_dir():
        return None
    return below.strip("/")


def listing(home: Home, place: str) -> dict[str, str]:
    """Digests of the files in a folder below the artifact root, which lies there itself and not behind a link.

    Uploads that are on their way are no part of it: once it is sealed they are refused.
    """
    return digests.listing(_unlinked(home.artifacts, place), ignored=digests.UPLOADING)


def _unlinked(root: Path, place: str) -> Path:
    """A folder that a link leads to could be written to by its other name, which nobody sealed."""
    if (root / place).resolve() != root.resolve() / place:
        raise IntegrityError(f"{place} lies behind a link.", hint="A model is made of plain folders and files.")
    return root / place


def dangers(home: Home, made: Recorded) -> tuple[str, ...]:
    """Why nobody may load it, by what it says of itself."""
    return described.dangers(home.artifacts / made.place, made.files)


def opened(now: Transaction, made: Recorded) -> str:
    """The digest of the one file that a loader opens; the same bytes are tried once.

    Raises:
        IntegrityError: there is no such file, or it does not load.
    """
    against = (*differences(now.home, made), *dangers(now.home, made))
    if against:
        raise IntegrityError(" ".join(against), hint="Register a model that is one file and its description.")
    folder = now.home.artifacts / made.place
    now.known.once("loads", made.digest, lambda: trial_load.try_out(folder))
    return made.files[described.data_file(folder)[1]]


def keep_copy(home: Home, made: Recorded) -> None:
    """Copy the bytes where no route writes, once, checked after copying.

    Raises:
        IntegrityError: the bytes are not those that were registered.
    """
    into = home.approved / made.digest
    if into.exists():
        _same(digests.listing(into), made.files)
        return
    scratch = home.approved / f".making-{secrets.token_hex(8)}"
    scratch.mkdir(parents=True)
    try:
        for name in made.files:
            target = scratch / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(home.artifacts / made.place / name, target)
            target.chmod(0o444)
        _same(digests.listing(scratch), made.files)
        scratch.replace(into)
    except FileNotFoundError:
        raise IntegrityError("A file of the version is gone.", hint="Register it anew.") from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def verified_address(home: Home, made: Recorded, *, approved: bool) -> str:
    """Where clients fetch the bytes, checked just now."""
    _against_changed(home, made, listed=_copied if approved else _registered)
    return f"mlflow-artifacts:/{APPROVED}/{made.digest}" if approved else f"mlflow-artifacts:/{made.place}"


def against_changed_copy(home: Home, made: Recorded | Row[Any]) -> None:
    """Refuse when the approved copy is not what was approved; `made` is the record or its row."""
    _against_changed(home, made, listed=_copied)


def _copied(home: Home, made: Recorded | Row[Any]) -> dict[str, str]:
    return digests.listing(home.approved / made.digest)


def _registered(home: Home, made: Recorded | Row[Any]) -> dict[str, str]:
    return listing(home, made.place)


def _against_changed(home: Home, made: Recorded | Row[Any], *, listed: Callable[..., Mapping[str, str]]) -> None:
    try:
        _same(listed(home, made), made.files)
    except IntegrityError as problem:
        sentence = f"twinops: version {made.version} of {made.name} is not served. {problem}"
        raise MlflowException(sentence, PERMISSION_DENIED) from None


def differences(home: Home, made: Recorded) -> tuple[str, ...]:
    """What is no longer as it was registered, in a sentence; nothing when all is."""
    try:
        _same(listing(home, made.place), made.files)
    except IntegrityError as problem:
        return (problem.what,)
    return ()


def _same(found: Mapping[str, str], files: Mapping[str, str]) -> None:
    if found == files:
        return
    changed = sorted(name for name in {*found, *files} if found.get(name) != files.get(name))
    raise IntegrityError(
        f"Its bytes changed since they were registered: {', '.join(changed[:5])}.",
        hint="Register what is meant as a new version.",
    )
