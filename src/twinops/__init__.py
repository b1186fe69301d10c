"""twinops: consumer digital twins under governance. Light to import; what is heavy is loaded when used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twinops.adapters.registry_client.load import load
    from twinops.entities.evidence import Evidence
    from twinops.entities.measure import Measure
    from twinops.entities.verdict import Verdict
    from twinops.wiring import Project, open_project, preview

__all__ = ["Evidence", "Measure", "Project", "Verdict", "load", "open_project", "preview"]

_HOMES = {
    "Evidence": "twinops.entities.evidence",
    "Measure": "twinops.entities.measure",
    "Project": "twinops.wiring",
    "Verdict": "twinops.entities.verdict",
    "load": "twinops.adapters.registry_client.load",
    "open_project": "twinops.wiring",
    "preview": "twinops.wiring",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'twinops' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
