"""Bytes of versions: where they lie, what they are, and the copy of approved ones that nobody uploads to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import PERMISSION_DENIED
from sqlalchemy import Row

from twinops.adapters.mlflow import described, trial_load
from twinops.errors import IntegrityError
from twinops.server.registry.home import APPROVED, Home
from twinops.server.registry.records import Recorded
from twinops.server.registry.storage import Storage
from twinops.server.registry.transaction import Transaction


def place_of(home: Home, address: str) -> str | None:
    """The folder below the artifact root that an address names; None when it lies elsewhere or is ambiguous."""
    split = urlsplit(address)
    if split.query or split.fragment or unquote(split.path) != split.path:
        return None
    if split.scheme == "mlflow-artifacts" and not split.netloc:
        parts = PurePosixPath(split.path.lstrip("/")).parts
    elif split.scheme in ("", "file") and not split.netloc and split.path.startswith("/") and home.uploads == home.disk:
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
    if home.uploads != home.disk or not found or ".." in below.split("/") or not (home.artifacts / below).is_dir():
        return None
    return below.strip("/")


def listing(home: Home, place: str) -> dict[str, str]:
    """Digests of the files in a folder below the artifact root."""
    return home.uploads.digests(place)


def dangers(home: Home, made: Recorded) -> tuple[str, ...]:
    """Why nobody may load it, by what it says of itself."""
    with home.uploads.opened(made.place) as folder:
        return described.dangers(folder, made.files)


def opened(now: Transaction, made: Recorded) -> str:
    """The digest of the one file that a loader opens; the same bytes are tried once.

    Raises:
        IntegrityError: there is no such file, or it does not load.
    """
    against = (*differences(now.home, made), *dangers(now.home, made))
    if against:
        raise IntegrityError(" ".join(against), hint="Register a model that is one file and its description.")
    with now.home.uploads.opened(made.place) as folder:
        now.known.once("loads", made.digest, lambda: trial_load.try_out(folder))
        return made.files[described.data_file(folder)[1]]


def keep_copy(home: Home, made: Recorded) -> None:
    """Copy the bytes where no route writes, checked after copying. What a kill left half done is finished.

    Raises:
        IntegrityError: the bytes are not those that were registered.
    """
    missing = sorted(set(made.files) - home.copies.names(made.digest))
    try:
        for name in missing:
            home.copies.copy(home.uploads, f"{made.place}/{name}", f"{made.digest}/{name}")
        _same(home.copies, made.digest, made.files)
    except BaseException as problem:
        for name in missing:
            home.copies.remove(f"{made.digest}/{name}")
        if isinstance(problem, FileNotFoundError):
            raise IntegrityError("A file of the version is gone.", hint="Register it anew.") from None
        raise


def verified_address(home: Home, made: Recorded, *, approved: bool) -> str:
    """Where clients fetch the bytes, checked just now."""
    if approved:
        against_changed_copy(home, made)
        return f"mlflow-artifacts:/{APPROVED}/{made.digest}"
    _against_changed(home.uploads, made.place, made)
    return f"mlflow-artifacts:/{made.place}"


def against_changed_copy(home: Home, made: Recorded | Row[Any]) -> None:
    """Refuse when the approved copy is not what was approved; `made` is the record or its row."""
    _against_changed(home.copies, made.digest, made)


def _against_changed(storage: Storage, place: str, made: Recorded | Row[Any]) -> None:
    try:
        _same(storage, place, made.files)
    except IntegrityError as problem:
        sentence = f"twinops: version {made.version} of {made.name} is not served. {problem}"
        raise MlflowException(sentence, PERMISSION_DENIED) from None


def differences(home: Home, made: Recorded) -> tuple[str, ...]:
    """What is no longer as it was registered, in a sentence; nothing when all is."""
    try:
        _same(home.uploads, made.place, made.files)
    except IntegrityError as problem:
        return (problem.what,)
    return ()


def _same(storage: Storage, place: str, files: Mapping[str, str]) -> None:
    found = storage.digests(place)
    if found == dict(files):
        return
    changed = sorted(name for name in {*found, *files} if found.get(name) != files.get(name))
    raise IntegrityError(
        f"Its bytes changed since they were registered: {', '.join(changed[:5])}.",
        hint="Register what is meant as a new version.",
    )
