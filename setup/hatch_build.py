"""Put into the wheel what a project begins with: this repository's own files, each at its own path below `_project`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Carried(BuildHookInterface):
    """An editable install finds the same files in the repository, so nothing is put anywhere for it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name each file and its place."""
        if version == "standard":
            build_data["force_include"] |= {str(file): f"twinops/_project/{told}" for told, file in self._files()}

    def _files(self) -> list[tuple[str, Path]]:
        root = Path(self.root)
        found = sorted(file for pattern in self.config["carried"] for file in root.glob(pattern))
        return [(file.relative_to(root).as_posix(), file) for file in found if file.is_file()]
