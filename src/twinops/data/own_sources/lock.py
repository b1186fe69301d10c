"""`sources.lock.json`: what your own sources outside the project held when last looked at. DVC cannot see those."""

from __future__ import annotations

import json
from os import SEEK_END
from pathlib import Path
from typing import Any

from twinops.data.own_sources import opening, watching
from twinops.data.own_sources.declared import DeclaredSource
from twinops.data.own_sources.reading import cells_of, digest_of
from twinops.entities.canonical import to_json
from twinops.errors import IntegrityError

AGAIN = "Run `twinops sources fingerprint` (`make run` does it), and commit dvc.yaml and sources.lock.json."


def fingerprint(source: DeclaredSource) -> dict[str, Any]:
    """SHA-256 of every declared file or of the query's result, and bytes or records; no name, no value."""
    if source.said.reads == "sql":
        cells = list(cells_of(source, "all"))
        return {
            "all": {"records": sum(c.records for c in cells), "sha256": digest_of({c.file: c.digest for c in cells})}
        }
    return {batch: _of_files(source, path) for batch, path in opening.batches(source).items()}


def _of_files(source: DeclaredSource, path: Path) -> dict[str, Any]:
    """They are not cut into records: a file of a billion bytes is looked at in a second."""
    files, size = {}, 0
    for one in opening.parts(source, path):
        with opening.opened(source, one) as file:
            files[opening.label(path, one)], size = opening.digest(file), size + file.seek(0, SEEK_END)
    return {"bytes": size, "sha256": digest_of(files)}


def write(path: Path, sources: dict[str, dict[str, Any]]) -> None:
    """Write the lock; without own sources it is a constant."""
    path.write_text(to_json({"own": sources}, indent=1) + "\n", encoding="utf-8")


def check(path: Path, source: DeclaredSource, batch: str, digest: str) -> None:
    """Refuse what DVC does not see and is not what the lock says: the pipeline would not know that it changed.

    Raises:
        IntegrityError: there is no lock, or the file is another one.
    """
    if watching.is_watched(path.with_name("dvc.yaml"), source.said, source.root):
        return
    try:
        said = json.loads(path.read_text(encoding="utf-8"))["own"][source.name]
        locked = said[batch if source.said.reads == "folder" else "all"]["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        raise IntegrityError(f"{path.name} does not know {source.where} {batch}.", hint=AGAIN) from None
    # DVC cannot see the file: a silent change would pass for the data that were approved
    if locked != digest:
        raise IntegrityError(f"{source.where} is not what {path.name} says: it changed.", hint=AGAIN)
