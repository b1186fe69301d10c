"""Digests of a model folder's files, and whether the folder may be loaded at all: JSON or LightGBM text, never code."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from twinops.entities.canonical import digest
from twinops.errors import IntegrityError

UPLOADING = ".artifact.uploading."
"""MLflow stages uploads under this name inside the destination folder; they are no part of a model yet."""

MAX_FILES = 2_000
MAX_BYTES = 2 * 1024**3
_MAX_DESCRIPTION = 256 * 1024
LOADERS = {"twinops.adapters.mlflow.twin_flavour": ".json", "mlflow.lightgbm": ".lgb"}
"""Who may read the model's data, and what its file ends with. Both read text; neither unpickles."""
_FLAVOURS = {"python_function", "lightgbm"}
_PYFUNC = {"loader_module", "data", "env", "python_version", "config", "streamable"}


def listing(folder: Path) -> dict[str, str]:
    """SHA-256 of every file by its path in the folder. Hidden files count; links are refused.

    Raises:
        IntegrityError: no folder, no file, a link, or more than anyone would sign for.
    """
    found = list(islice(_files(folder), MAX_FILES + 1))
    against_unsignable(folder.name, [path.stat().st_size for path in found])
    return {path.relative_to(folder).as_posix(): sha256(path) for path in found}


def against_unsignable(name: str, sizes: Collection[int]) -> None:
    """Nobody signs for nothing, nor for more than anyone could look at.

    Raises:
        IntegrityError: no file, or too many, or too large.
    """
    if not sizes:
        raise IntegrityError(f"There is no file in {name}.", hint="Upload the model before it is registered.")
    if len(sizes) > MAX_FILES or sum(sizes) > MAX_BYTES:
        raise IntegrityError(f"{name} holds too much.", hint="A model is at most 2,000 files and 2 GiB.")


def digest_of(files: Mapping[str, str]) -> str:
    """One digest over all paths and contents."""
    return digest(dict(files))


def sha256(path: Path) -> str:
    """SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def dangers(folder: Path) -> tuple[str, ...]:
    """Why this folder may not be loaded: anything in its description that names code, or a loader we do not know.

    Nothing of the model is executed or even parsed but the description, which is bounded, plain YAML.
    """
    path = folder / "MLmodel"
    if not path.is_file() or path.is_symlink():
        return ("It has no MLmodel file that describes it.",)
    if path.stat().st_size > _MAX_DESCRIPTION:
        return ("Its MLmodel file is too long to be a description.",)
    try:
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, ValueError, RecursionError):
        return ("Its MLmodel file is not plain YAML.",)
    flavours = told.get("flavors") if isinstance(told, dict) else None
    if not isinstance(flavours, dict):
        return ("Its MLmodel file names no flavour.",)
    return tuple(_against_flavours(folder, flavours))


def data_file(folder: Path) -> tuple[str, Path]:
    """The loader's name and the model's one data file; asked after `dangers` found none."""
    told = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))["flavors"]["python_function"]
    loader, data = told["loader_module"], folder / told["data"]
    if data.is_dir():
        data = next(p for p in sorted(data.iterdir()) if p.suffix == LOADERS[loader])
    return loader, data


def _against_flavours(folder: Path, flavours: Mapping[str, Any]) -> Iterator[str]:
    strangers = sorted(set(map(str, flavours)) - _FLAVOURS)
    if strangers:
        yield f"It has flavours that may run code when loaded: {', '.join(strangers)}."
    pyfunc = flavours.get("python_function")
    if not isinstance(pyfunc, dict):
        yield "It has no python_function flavour."
        return
    extra = sorted(key for key, value in pyfunc.items() if key not in _PYFUNC and value is not None)
    if extra:
        yield f"Its description asks for more than a loader and data: {', '.join(map(str, extra))}."
    loader = pyfunc.get("loader_module")
    if loader not in LOADERS:
        yield f"It asks to be loaded by {str(loader)[:80]!r}, which is not among {', '.join(sorted(LOADERS))}."
    elif not _is_data(folder, pyfunc.get("data"), LOADERS[loader]):
        yield "Its data is not one text file inside the model."


def _is_data(folder: Path, name: Any, ending: str) -> bool:
    if not isinstance(name, str) or not name or Path(name).is_absolute() or ".." in Path(name).parts:
        return False
    path = folder / name
    files = [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]
    return len(files) == 1 and files[0].is_file() and files[0].suffix == ending


def _files(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        raise IntegrityError(f"There is no folder {folder.name}.", hint="Upload the model before it is registered.")
    for here, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted([*names, *(f for f in folders if (Path(here) / f).is_symlink())]):
            path = Path(here) / name
            if name.startswith(UPLOADING):
                continue
            if path.is_symlink() or not path.is_file():
                raise IntegrityError(f"{name} is a link or no plain file.", hint="A model is made of plain files.")
            yield path
