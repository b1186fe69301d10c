"""A project's own ideas: files below `ideas/` that `params.yaml` names, looked at before any of them runs.

Each is one file on a shelf (`ideas/gates/NAME.py`) and is found by name as a shipped one. What is not named is not
loaded, and nothing takes the place of what is shipped. The look at the text guards against mistakes; what guards
against malice is that all of `ideas/` belongs to the judge, which a risk officer activates.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Annotated

import yaml
from pydantic import ConfigDict, Field, RootModel, ValidationError, model_validator

from twinops import plugins
from twinops.errors import ParamsError
from twinops.plugins import Idea

FOLDER = "ideas"
STAGES = "stages"
MAX_BYTES = 64 * 1024
MOST = 100
"""So many files are read at most, each of so many bytes."""
PURE = frozenset(
    ("__future__", "collections", "collections.abc", "dataclasses", "datetime", "decimal", "enum", "fractions",
     "functools", "itertools", "math", "re", "statistics", "string", "textwrap", "typing")
)  # fmt: skip
"""Of Python's own what neither reads nor writes anything."""
_REACHING = frozenset(
    ("__import__", "breakpoint", "compile", "delattr", "eval", "exec", "getattr", "globals", "input", "locals", "open",
     "setattr", "vars")
)  # fmt: skip
"""Built-ins that reach out of the file they stand in."""


@dataclass(frozen=True)
class Kind:
    """What a shelf asks of a file: names that it defines, and what it may import beside `PURE`."""

    shelf: str
    promises: tuple[str, ...]
    imports: tuple[str, ...]
    hint: str
    loaded_by: tuple[str, ...]
    """Files of twinops: whatever stage depends on one of them may load what stands on the shelf."""

    never: tuple[str, ...] = ()


_GOVERNED = ("pydantic", "markupsafe", "twinops.entities", "twinops.governance")
KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "gates": Kind(
            "twinops.governance.gates",
            ("RULE", "QUESTION", "Limits", "check", "needs"),
            _GOVERNED,
            "a gate judges Evidence and nothing else",
            ("src/twinops/governance/gates/_shelf.py",),
            never=("EACH", "LATER", "covers"),  # by these a shipped gate's answers are counted and put off
        ),
        "documents": Kind(
            "twinops.governance.documents",
            ("FILES", "build"),
            _GOVERNED,
            "a document is made of Evidence and verdicts",
            ("src/twinops/workflows/pipeline/documents.py",),
        ),
        "sources": Kind(
            "twinops.data.sources",
            ("FILE", "LEGAL", "SCHEMA", "DAY", "read", "sealed"),
            ("numpy", "pyarrow", "twinops.data", "twinops.entities", "twinops.errors", "twinops.ports"),
            "a source is read through `twinops.data.door`",
            ("src/twinops/data/own_sources/law.py", "src/twinops/data/sources/__init__.py"),
        ),
        "features": Kind(
            "twinops.twin.own_features",
            ("READS", "PURPOSES", "SAYS", "value"),
            ("numpy", "pyarrow", "twinops.entities"),
            "a feature is told what it reads and opens nothing",
            ("src/twinops/twin/own_features/computed.py",),
        ),
        "heads": Kind(
            "twinops.twin.own_heads",
            ("FORETELLS", "estimator"),
            ("numpy", "scipy", "sklearn", "twinops.entities"),
            "a head makes an estimator that has not learned yet",
            ("src/twinops/twin/model/own_learning.py",),
        ),
    }
)
"""By folder, the shelves that files of a project may stand on. `stages` are notebooks: nobody imports one."""
FOLDERS = (*KINDS, STAGES)
IdeaPath = Annotated[str, Field(pattern=rf"^({'|'.join(FOLDERS)})/[a-z][a-z0-9_]{{0,40}}\.(py|sql)$")]


class IdeasParams(RootModel[tuple[IdeaPath, ...]]):
    """Which files below `ideas/` count, each by its folder and name: `gates/min_repeat_rate.py`."""

    model_config = ConfigDict(frozen=True, strict=True)

    @model_validator(mode="after")
    def _each_once(self) -> IdeasParams:
        if len(self.root) > MOST:
            raise ValueError(f"more than {MOST} files")
        twice = sorted(
            {p for p in self.root if [q.partition(".")[0] for q in self.root].count(p.partition(".")[0]) > 1}
        )
        if twice:
            raise ValueError(f"{', '.join(twice)}: a name stands once in its folder")
        both = sorted({*self.of("sources")} & {*self.of(STAGES)})
        if both:
            raise ValueError(f"{', '.join(both)}: a source and a stage of one name would be one stage")
        other = [p for p in self.root if p.endswith(".sql") and not p.startswith("features/")]
        if other:
            raise ValueError(f"{', '.join(other)}: only a feature is a query")
        return self

    def of(self, folder: str) -> tuple[str, ...]:
        """Names that stand on a shelf, in the order of their paths."""
        return tuple(name_of(path) for path in sorted(self.root) if folder_of(path) == folder)

    @property
    def paths(self) -> tuple[str, ...]:
        """Where they lie in the project."""
        return tuple(f"{FOLDER}/{path}" for path in sorted(self.root))


NO_IDEAS = IdeasParams(())


def folder_of(path: str) -> str:
    """The shelf's folder: of `gates/warm.py`, and of `ideas/gates/warm.py`, `gates`."""
    return path.split("/")[-2]


def name_of(path: str) -> str:
    """The file's name without its ending."""
    return path.rpartition("/")[2].partition(".")[0]


def named(root: Path) -> IdeasParams:
    """What the project's `params.yaml` names; of one that cannot be read nothing, since that is told elsewhere.

    Raises:
        ParamsError: the section `ideas` holds mistakes.
    """
    try:
        text = (root / "params.yaml").read_bytes()
        if b"ideas:" not in text:
            return NO_IDEAS
        told = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text).get_single_data()
    except (OSError, yaml.YAMLError, UnicodeDecodeError):
        return NO_IDEAS
    raw = told.get("ideas") if isinstance(told, dict) else None
    try:
        return IdeasParams.model_validate(tuple(raw) if isinstance(raw, list) else raw or ())
    except ValidationError as problem:
        first = problem.errors()[0]
        got = f" (got {first['input']!r:.80})" if isinstance(first["input"], str) else ""
        hint = f"List files as FOLDER/NAME.py; folders are {', '.join(FOLDERS)}."
        raise ParamsError(f"params.yaml: ideas: {first['msg']}{got}.", hint=hint) from None


def lay(root: Path) -> None:
    """Put the project's own files on their shelves, in place of any other project's.

    Raises:
        ParamsError: see `read`.
    """
    plugins.lay(read(root, named(root)))


def read(root: Path, told: IdeasParams) -> tuple[Idea, ...]:
    """The files that stand on shelves, each looked at; notebooks are looked at where they are run.

    Raises:
        ParamsError: one of them is not there, lies elsewhere, is too large, takes a shipped one's place, or does not
            keep the promises of its shelf. All mistakes together.
    """
    mistakes: list[str] = []
    found: list[Idea] = []
    for path in told.paths:
        text, problem = _text(root, path)
        if problem:
            mistakes.append(f"{path} {problem}")
        elif folder_of(path) in KINDS:
            found.append(Idea(KINDS[folder_of(path)].shelf, name_of(path), path, text))
    mistakes += [f"{idea.path} {problem}" for idea in found for problem in problems(idea)]
    if mistakes:
        raise ParamsError(f"{'; '.join(mistakes)}.", hint="`twinops ideas check NAME` tells what a file must have.")
    return tuple(found)


def _text(root: Path, path: str) -> tuple[str, str]:
    """What a file of the project says, or why it is not read."""
    whole = root / path
    steps = [whole, *list(whole.parents)[: path.count("/")]]
    if any(step.is_symlink() for step in steps):
        return "", "is a link: an idea lies in the project itself"
    try:
        with whole.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            return "", f"is longer than {MAX_BYTES // 1024} KiB"
        return content.decode(), ""
    except FileNotFoundError:
        return "", "is not there"
    except (OSError, UnicodeDecodeError):
        return "", "is no file of UTF-8 text"


def kind_of(idea: Idea) -> Kind:
    """What its shelf asks for."""
    return KINDS[folder_of(idea.path)]


def problems(idea: Idea) -> Iterator[str]:
    """Why a file may not stand on its shelf, each in words that follow its path; nothing of it runs."""
    kind = kind_of(idea)
    if idea.name in plugins.shipped(kind.shelf):
        yield f"takes the name of what twinops ships; call it otherwise than {idea.name}"
    if idea.path.endswith(".sql"):
        return
    try:
        tree = ast.parse(idea.text, filename=idea.path)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as problem:
        line = f", line {problem.lineno}" if isinstance(problem, SyntaxError) else ""
        yield f"is no Python{line}: {getattr(problem, 'msg', None) or problem}"
        return
    bound = set(_bound(tree.body))
    missing = [name for name in kind.promises if name not in bound]
    if missing:
        yield f"lacks {', '.join(missing)}"
    taken = [name for name in kind.never if name in bound]
    if taken:
        yield f"may not define {', '.join(taken)}, which speak for shipped files"
    yield from _reaching(tree, kind)


def _bound(body: Iterable[ast.stmt]) -> Iterator[str]:
    """Names that stand in a file once it has run."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)


def _reaching(tree: ast.Module, kind: Kind) -> Iterator[str]:
    """Whatever would let a file look or write where it has no business."""
    for node in ast.walk(tree):
        where = f"line {getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (f"imports {name} ({where}): {kind.hint}" for name in _foreign(node, kind))
        elif isinstance(node, ast.Attribute) and node.attr.startswith("__"):
            yield f"uses {node.attr} ({where}), which reaches behind what it is given"
        elif isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            yield f"changes {node.attr} of something ({where}): it makes new values and changes none"
        elif isinstance(node, ast.Name) and node.id in _REACHING:
            yield f"uses {node.id} ({where}): {kind.hint}"


def _foreign(node: ast.Import | ast.ImportFrom, kind: Kind) -> Iterator[str]:
    """What a file may not import; of twinops it takes names, never a module, through which all others are reached."""
    if isinstance(node, ast.Import):
        yield from (a.name for a in node.names if a.name not in PURE and not _within(a.name, kind.imports, bare=False))
        return
    module = node.module or ""
    if node.level or not (module in PURE or _within(module, kind.imports)):
        yield f"{'.' * node.level}{module}"
    elif module.partition(".")[0] == "twinops":
        yield from (f"{module}.{a.name}" for a in node.names if a.name == "*" or _is_module(module, a.name))


def _within(module: str, allowed: tuple[str, ...], *, bare: bool = True) -> bool:
    ours = [one for one in allowed if bare or not one.startswith("twinops")]
    return any(module == one or module.startswith(f"{one}.") for one in ours)


def _is_module(module: str, name: str) -> bool:
    """Whether what is taken is a module, be it one that another module happened to import."""
    try:
        found = getattr(importlib.import_module(module), name, None)
        return isinstance(found, ModuleType) or f"{module}.{name}" in _submodules(module)
    except ImportError:
        return False  # told when it is loaded


def _submodules(package: str) -> set[str]:
    home = importlib.import_module(package)
    return {f"{package}.{name}" for name in plugins.shipped(package)} if hasattr(home, "__path__") else set()
