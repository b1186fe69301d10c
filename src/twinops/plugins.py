"""The one way to find gates, documents, sources and workflows: the modules of a folder, loaded when asked for."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterable
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

from twinops.errors import ParamsError


def names(shelf: str) -> tuple[str, ...]:
    """Names on a shelf (a package such as `twinops.governance.gates`), sorted; nothing on it is imported."""
    package = importlib.import_module(shelf)
    return tuple(sorted(m.name for m in pkgutil.iter_modules(package.__path__) if not m.name.startswith("_")))


def rooms(shelf: str) -> tuple[str, ...]:
    """Shelves that stand on a shelf, sorted."""
    package = importlib.import_module(shelf)
    return tuple(sorted(m.name for m in pkgutil.iter_modules(package.__path__) if m.ispkg))


def load(shelf: str, name: str) -> ModuleType:
    """Import one plugin by name, or say which names there are.

    Raises:
        ParamsError: no module of that name is on the shelf.
    """
    if name.isidentifier() and not name.startswith("_") and f"{shelf}.{name}" in sys.modules:
        return sys.modules[f"{shelf}.{name}"]
    known = names(shelf)
    if name not in known:
        kind = shelf.rsplit(".", 1)[-1].removesuffix("s")
        raise ParamsError(f"No {kind} is called {name!r}.", hint=f"Choose one of {', '.join(known)}.")
    return importlib.import_module(f"{shelf}.{name}")


def function(shelf: str, name: str) -> Callable[..., Any]:
    """The function of a plugin that is called as its module.

    Raises:
        ParamsError: there is none. A module without one is there to be used by others.
    """
    if name not in verbs(shelf):
        raise ParamsError(f"No workflow is called {name!r}.", hint=f"Choose one of {', '.join(verbs(shelf))}.")
    found: Callable[..., Any] = getattr(load(shelf, name), name)
    return found


def verbs(shelf: str) -> tuple[str, ...]:
    """Modules of a shelf with a function of their own name, sorted; nothing on it is imported."""
    folder = Path(importlib.import_module(shelf).__path__[0])
    texts = {n: folder / f"{n}.py" for n in names(shelf)}
    return tuple(n for n, path in texts.items() if path.is_file() and f"\ndef {n}(" in path.read_text(encoding="utf-8"))


def missing_promises(module: ModuleType, promises: Iterable[str]) -> tuple[str, ...]:
    """Which of the promised attributes a plugin does not have."""
    return tuple(p for p in promises if not hasattr(module, p))


def text_beside(package: str, *path: str) -> str:
    """A query, list or template that lies beside the modules of a package."""
    return files(package).joinpath(*path).read_text(encoding="utf-8")


PROJECT_FILES = "_project"
"""Where a wheel carries what a project begins with; none of it is code of ours that runs."""


def carried() -> Path:
    """The folder of what a project begins with: in the wheel a folder of its own, in a checkout the repository."""
    package = Path(__file__).resolve().parent
    inside = package / PROJECT_FILES
    return inside if inside.is_dir() else package.parents[1]
