"""In-memory twins of the ledger and the registry, for tests and trials: same behaviour, nothing on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Run:
    """What was recorded under one key."""

    params: dict[str, Any]
    metrics: dict[str, float]
    tags: dict[str, str]
    files: dict[str, bytes]


@dataclass
class MemoryTracking:
    """One run per key; run ids are counted."""

    runs: dict[str, Run] = field(default_factory=dict)
    _ids: dict[str, str] = field(default_factory=dict)

    def find(self, key: str, *, tags: Mapping[str, str] | None = None) -> str | None:
        """The run with this key and these tags."""
        run_id = self._ids.get(key)
        if run_id is None or not (tags or {}).items() <= self.runs[run_id].tags.items():
            return None
        return run_id

    def page(self, run_id: str) -> str:
        """An address that leads nowhere."""
        return f"#/runs/{run_id}"

    def record(
        self,
        *,
        key: str,
        params: Mapping[str, Any],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        files: Mapping[str, Path],
    ) -> str:
        """Keep what was given; a second time under the same key replaces it."""
        run_id = self._ids.setdefault(key, f"run-{len(self._ids) + 1}")
        contents = {place: content for name, path in files.items() for place, content in _contents(name, path)}
        self.runs[run_id] = Run(dict(params), dict(metrics), dict(tags), contents)
        return run_id


@dataclass
class Version:
    """One version of a named model."""

    key: str
    run_id: str
    model: bytes
    description: str
    tags: dict[str, str]


@dataclass
class MemoryRegistry:
    """Versions are numbered from 1 within a name."""

    versions: dict[str, dict[str, Version]] = field(default_factory=dict)

    def find(self, name: str, key: str) -> str | None:
        """The version registered for this key."""
        return next((number for number, v in self.versions.get(name, {}).items() if v.key == key), None)

    def register(self, name: str, *, key: str, run_id: str, model: Path, tags: Mapping[str, str]) -> str:
        """A new version, or the one that this key has."""
        known = self.find(name, key)
        if known is not None:
            return known
        shelf = self.versions.setdefault(name, {})
        number = str(len(shelf) + 1)
        shelf[number] = Version(key, run_id, model.read_bytes(), "", dict(tags))
        return number

    def describe(self, name: str, version: str, *, description: str, tags: Mapping[str, str]) -> None:
        """Replace description and tags."""
        found = self.versions[name][version]
        found.description = description
        found.tags |= tags


def _contents(name: str, path: Path) -> list[tuple[str, bytes]]:
    if path.is_dir():
        return [
            (f"{name}/{p.relative_to(path).as_posix()}", p.read_bytes()) for p in sorted(path.rglob("*")) if p.is_file()
        ]
    return [(name, path.read_bytes())]
