"""Every registered version, what it was made from, and a word on it about people it learned from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from twinops.adapters.mlflow.embedded import MlflowStore
from twinops.errors import ServiceError

LINEAGE = "lineage/md5.json"
LISTED = """
SELECT version.name, version.version, run.artifact_uri FROM model_versions AS version
LEFT JOIN runs AS run ON run.run_uuid = version.run_id
WHERE version.current_stage <> 'Deleted_Internal' ORDER BY version.name, version.version
"""
ALIASES = "SELECT name, version, alias FROM registered_model_aliases ORDER BY alias"
TAGGED = "SELECT key, value FROM model_version_tags WHERE name = ? AND version = ?"


@dataclass(frozen=True)
class KnownVersion:
    """One version."""

    number: str
    aliases: tuple[str, ...]
    lineage: Mapping[str, str] = field(repr=False)


class MlflowVersions:
    """Reads the embedded database, or asks the server of TWINOPS_SERVER."""

    def __init__(self, root: Path) -> None:
        self._store = MlflowStore(root)

    def all(self) -> dict[str, list[KnownVersion]]:
        """Every version of every model."""
        found: dict[str, list[KnownVersion]] = {}
        for model, version in self._asked() if self._store.server else self._peeked():
            found.setdefault(model, []).append(version)
        return found

    def tell(self, model: str, version: str, *, tags: Mapping[str, str]) -> None:
        """Put tags on a version."""
        held = self._store.peek(TAGGED, model, version)
        if held is not None and tags.items() <= {str(k): str(v) for k, v in held}.items():
            return
        with self._store.alone():
            client = self._store.client()
            with _understood():
                for key, value in tags.items():
                    client.set_model_version_tag(model, version, key, value)

    def _peeked(self) -> Iterator[tuple[str, KnownVersion]]:
        aliases = self._store.peek(ALIASES) or []
        for name, version, uri in self._store.peek(LISTED) or []:
            carried = tuple(str(a) for n, v, a in aliases if (n, v) == (name, version))
            yield str(name), KnownVersion(str(version), carried, _lineage(_file(uri)))

    def _asked(self) -> Iterator[tuple[str, KnownVersion]]:
        client = self._store.client()
        with _understood():
            for model in client.search_registered_models():
                for version in client.search_model_versions(f"name = '{model.name}'"):
                    carried = tuple(sorted(a for a, v in model.aliases.items() if str(v) == str(version.version)))
                    yield model.name, KnownVersion(str(version.version), carried, _downloaded(client, version.run_id))


@contextmanager
def _understood() -> Iterator[None]:
    """What MLflow says of it that went wrong, by its code alone: the text may quote an address with a password."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as problem:
        what = f"MLflow did not do what it was asked about the versions ({problem.error_code})."
        raise ServiceError(what, hint="May this login read and tag versions? Then run the command again.") from None


def _file(uri: Any) -> Path | None:
    place = urlparse(str(uri or ""))
    return Path(unquote(place.path)) / LINEAGE if uri and place.scheme in ("", "file") else None


def _lineage(path: Path | None) -> dict[str, str]:
    try:
        return dict(json.loads(path.read_bytes())) if path is not None else {}
    except (OSError, ValueError):
        return {}


def _downloaded(client: Any, run_id: str) -> dict[str, str]:
    from mlflow.exceptions import MlflowException

    try:
        return _lineage(Path(client.download_artifacts(run_id, LINEAGE)))
    except (MlflowException, OSError):
        return {}
