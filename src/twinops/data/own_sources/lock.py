"""`sources.lock.json`: what your own sources outside the project held when last looked at. DVC cannot see those."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twinops.data.own_sources import opening, watching
from twinops.data.own_sources.declared import DeclaredSource
from twinops.data.own_sources.reading import cells_of, digest_of
from twinops.entities.canonical import to_json
from twinops.errors import IntegrityError

AGAIN = "Run `twinops sources fingerprint` (`make run` does it), and commit dvc.yaml and sources.lock.json."


def fingerprint(source: DeclaredSource, before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """SHA-256 and records of every declared file, or of the query's result; no name, no value.

    Files whose bytes are as `before` says are not parsed again: a new month costs what one month costs.
    """
    found = {}
    for batch in opening.batches(source) if source.said.reads == "folder" else ["all"]:
        known = (before or {}).get(batch)
        if known is not None and source.said.reads != "sql" and known["sha256"] == bytes_of(source, batch):
            found[batch] = known
            continue
        files, records = {}, 0
        for cells in cells_of(source, batch):
            files[cells.file], records = cells.digest, records + cells.records
        found[batch] = {"records": records, "sha256": digest_of(files)}
    return found


def bytes_of(source: DeclaredSource, batch: str) -> str:
    """The SHA-256 that a file's reading would have, or a folder's of parts, by its bytes alone."""
    found = {}
    for one in opening.parts(source, opening.of_batch(source, batch)):
        with opening.opened(source, one) as file:
            found[one.name] = opening.digest(file)
    return digest_of(found)


def known(path: Path) -> dict[str, dict[str, Any]]:
    """What the lock says of each source; nothing where there is none that can be read."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8"))["own"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}


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
