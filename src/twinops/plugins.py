"""The one way to find gates, documents, sources and workflows: the modules of a folder, loaded when asked for.

A project may lay files of its own beside them (`ideas.py` reads and checks those); they are found as shipped ones are.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from hashlib import md5, sha256
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

from twinops.errors import ParamsError


@dataclass(frozen=True)
class Idea:
    """One file of a project's own on a shelf, as it was read: what is loaded is what was looked at."""

    shelf: str
    name: str
    path: str
    """In the project."""
    text: str

    @property
    def md5(self) -> str:
        """Of its bytes, as DVC tells it."""
        return md5(self.text.encode(), usedforsecurity=False).hexdigest()

    @property
    def sha256(self) -> str:
        """Of its bytes."""
        return sha256(self.text.encode()).hexdigest()


Laid = tuple[Idea, ...]
_laid: ContextVar[Laid] = ContextVar("ideas of the project that is worked on")
_newest: list[Laid] = [()]
"""What a thread that was told nothing goes by: what was laid last in this process."""
_modules: dict[Idea, ModuleType] = {}


def lay(ideas: Iterable[Idea]) -> None:
    """From here on, in this thread, these files of a project stand on the shelves, and no others."""
    told = tuple(ideas)
    _laid.set(told)
    _newest[0] = told


@contextmanager
def only(ideas: Iterable[Idea]) -> Iterator[None]:
    """For a while these files and no others, in this thread."""
    token = _laid.set(tuple(ideas))
    try:
        yield
    finally:
        _laid.reset(token)


def laid(shelf: str | None = None) -> Laid:
    """Files of the project's own that stand on a shelf, or on all, by name."""
    told = _laid.get(_newest[0])
    return tuple(sorted((i for i in told if shelf in (None, i.shelf)), key=lambda i: (i.shelf, i.name)))


def loaded() -> tuple[Idea, ...]:
    """Those of them that were loaded."""
    return tuple(idea for idea in laid() if idea in _modules)


def is_idea(module: ModuleType) -> bool:
    """Whether a module was loaded from a file of a project."""
    return any(module is one for one in _modules.values())


def names(shelf: str) -> tuple[str, ...]:
    """Names on a shelf (a package such as `twinops.governance.gates`), sorted; nothing on it is imported."""
    return tuple(sorted({*shipped(shelf), *(idea.name for idea in laid(shelf))}))


def shipped(shelf: str) -> tuple[str, ...]:
    """The names that twinops itself brings."""
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
    idea = next((i for i in laid(shelf) if i.name == name), None)
    if idea is not None:
        return _of_the_project(idea)
    found = sys.modules.get(f"{shelf}.{name}")
    if found is not None and name.isidentifier() and not name.startswith("_") and not is_idea(found):
        return found
    known = names(shelf)
    if name not in known:
        kind = shelf.rsplit(".", 1)[-1].removesuffix("s")
        raise ParamsError(f"No {kind} is called {name!r}.", hint=f"Choose one of {', '.join(known)}.")
    return importlib.import_module(f"{shelf}.{name}")


def _of_the_project(idea: Idea) -> ModuleType:
    """The module that a file makes; of a query, one with its text.

    Raises:
        ParamsError: it cannot be run.
    """
    if idea in _modules:
        return _modules[idea]
    module = ModuleType(f"{idea.shelf}.{idea.name}")
    module.__file__ = idea.path
    if idea.path.endswith(".sql"):
        module.__dict__["SQL"] = idea.text
    else:
        _run(idea, module)
    _modules[idea] = module
    return module


def _run(idea: Idea, module: ModuleType) -> None:
    sys.modules[module.__name__] = module  # records look up the module they are made in
    try:
        exec(compile(idea.text, idea.path, "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - what it is for
    except Exception as problem:
        del sys.modules[module.__name__]
        what = f"{idea.path} cannot be loaded: {type(problem).__name__}: {problem}."
        raise ParamsError(what, hint="Mend the file; `twinops ideas check` looks at it.") from None


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
    texts = {n: folder / f"{n}.py" for n in shipped(shelf)}
    return tuple(n for n, path in texts.items() if path.is_file() and f"\ndef {n}(" in path.read_text(encoding="utf-8"))


def missing_promises(module: ModuleType, promises: Iterable[str]) -> tuple[str, ...]:
    """Which of the promised attributes a plugin does not have."""
    return tuple(p for p in promises if not hasattr(module, p))


def text_beside(package: str, *path: str) -> str:
    """A query, list or template that lies beside the modules of a package."""
    return files(package).joinpath(*path).read_text(encoding="utf-8")


def code_state() -> str:
    """SHA-256 of what tells all files of twinops from what they were, and of a project's ideas; no file is opened.

    Size and both times: whoever writes a file changes one of them. What a project begins with is aside.
    """
    home, told = Path(__file__).resolve().parent, sha256()
    for path in sorted(p for p in home.rglob("*") if p.suffix in (".py", ".sql", ".yaml")):
        name = path.relative_to(home).as_posix()
        if not name.startswith(PROJECT_FILES):
            state = path.stat()
            told.update(f"{name} {state.st_size} {state.st_mtime_ns} {state.st_ctime_ns}\n".encode())
    for idea in laid():
        told.update(f"{idea.path}\n{idea.sha256}\n".encode())
    return told.hexdigest()


PROJECT_FILES = "_project"
"""Where a wheel carries what a project begins with; none of it is code of ours that runs."""


def carried() -> Path:
    """The folder of what a project begins with: in the wheel a folder of its own, in a checkout the repository."""
    package = Path(__file__).resolve().parent
    inside = package / PROJECT_FILES
    return inside if inside.is_dir() else package.parents[1]
