"""Write into `dvc.yaml` which code each stage depends on: what its command imports, and nothing else.

usage: python setup/dependencies.py           (the target `make deps`)

A stage's code is the import closure of the verb that it runs (or that its notebook calls), of the adapters that the
verb's type hints ask for, and of what the shelves it reads hold; with the data files that those modules open. A folder
stands for its files where all of them belong. Deps that are not code are left as they are.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import grimp
import yaml

from twinops import plugins
from twinops.own_kinds import staged_as
from twinops.ports import Engine, KeyStore, Lineage, Notebooks, Persons, RightsRead
from twinops.wiring import asked

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src"
ADAPTERS = {
    Engine: ("twinops.adapters.sql.duckdb_engine",),
    KeyStore: ("twinops.adapters.keystore", "twinops.adapters.erasure_marks"),
    RightsRead: ("twinops.adapters.rights_ledger",),
    Persons: ("twinops.adapters.person_register",),
    Notebooks: ("twinops.adapters.notebooks.papermill_runner",),
}
"""Port -> the adapters whose bytes matter."""
STEPS = {"panel": "twinops.workflows.panel", "verdicts": "twinops.workflows.candidate.stage_verdicts"}
"""What cells may ask for beside the steps of their own stage."""
LOOKING = {"panel": ("evaluate",)}
"""Whose steps offer one that their cells leave alone."""
UNJUDGED = {"verdicts": ("train", "evaluate")}
"""Whose verdicts are told elsewhere: a change of the policy does not measure anew."""
EVERYTHING = ["src/twinops"]
"""Code deps of a stage that asks for `Lineage`: it names the candidate by what the lock says of all stages' code."""
CARRIERS = frozenset(
    {
        "twinops",
        "twinops.cli",
        "twinops.wiring",
        "twinops.errors",
        "twinops.ideas",
        "twinops.plugins",
        "twinops.ports",
        "twinops.params",
        "twinops.own_params",
        "twinops.own_kinds",
        "twinops.own_sections",
        "twinops.own_words",
        "twinops.adapters.quiet",
        "twinops.adapters.extras",
        "twinops.adapters.installed_code",
        "twinops.adapters.md5",
        "twinops.adapters.one_at_a_time",
        "twinops.adapters.running_code",
        "twinops.workflows.pipeline.notebook",
    }
)
"""Modules that carry words, wires and checked parameters, and compute nothing; parameters are compared by value."""
SOURCES, KINDS = "twinops.data.sources", "twinops.data.own_sources.kinds"
SHELVES = (SOURCES, KINDS, "twinops.governance.gates", "twinops.governance.documents")
"""Packages whose modules are found by name at run time: whoever names one may load every module of it."""
PER_ITEM = {"collect_profile", "collect_synthetic", "collect"}
"""Stages that load one source each, the one in their command."""


@cache
def graph() -> grimp.ImportGraph:
    """Who imports whom, imports inside functions included, those for type checkers alone left out."""
    return grimp.build_graph("twinops", exclude_type_checking_imports=True, cache_dir=None)


@cache
def tree(module: str) -> ast.Module:
    """A module's code."""
    return ast.parse(file_of(module).read_text(encoding="utf-8"))


def file_of(module: str) -> Path:
    """Where a module lies."""
    path = SOURCE / module.replace(".", "/")
    return path.with_suffix(".py") if path.with_suffix(".py").is_file() else path / "__init__.py"


@cache
def words(module: str) -> frozenset[str]:
    """Every text in a module's code that is not a docstring."""
    told = {id(n.value) for n in ast.walk(tree(module)) if isinstance(n, ast.Expr)}
    found = {
        n.value
        for n in ast.walk(tree(module))
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and id(n) not in told
    }
    return frozenset(found)


def closure(roots: Iterable[str], *, shelves: tuple[str, ...] = SHELVES) -> set[str]:
    """All that these modules import, and what that imports, without the carriers and without rooms of words alone."""
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        module = waiting.pop()
        if module in found or module in CARRIERS or module.startswith("twinops.cli."):
            continue
        found.add(module)
        waiting += [m for m in graph().find_modules_directly_imported_by(module) if m.startswith("twinops")]
        waiting += [f"{shelf}.{name}" for shelf in shelves if shelf in words(module) for name in plugins.names(shelf)]
    return {m for m in found if computes(m)}


def computes(module: str) -> bool:
    """Whether a module's code can change what a stage makes: no carrier, and no room that is words alone."""
    if module in CARRIERS or module.startswith("twinops.cli."):
        return False
    return any(not _is_docstring(node) for node in tree(module).body)


@cache
def carried() -> frozenset[str]:
    """What the carriers of words and checked parameters import; a stage that computes with it imports it itself."""
    waiting, found = (
        ["twinops.params", "twinops.own_params", "twinops.ports", "twinops.errors", "twinops.plugins"],
        set(),
    )
    while waiting:
        module = waiting.pop()
        found.add(module)
        imported = graph().find_modules_directly_imported_by(module) - found
        waiting += [m for m in imported if m.startswith("twinops")]
    return frozenset(found)


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def opened(module: str) -> Iterator[Path]:
    """Files beside a module that it names: queries, lists, templates, or a folder of them."""
    if file_of(module).name == "__init__.py":
        return
    for beside in sorted(file_of(module).parent.iterdir()):
        if beside.name.startswith(("_", ".")) or beside.suffix == ".py" or (beside / "__init__.py").exists():
            continue
        if {beside.name, beside.stem} & words(module):
            yield beside


def files(modules: Iterable[str]) -> set[Path]:
    """The modules' own files and those they open."""
    found: set[Path] = set()
    for module in modules:
        found.add(file_of(module))
        for path in opened(module):
            found |= {p for p in path.rglob("*") if p.is_file()} if path.is_dir() else {path}
    return found


def folded(wanted: set[Path]) -> list[str]:
    """The same as few paths: a folder stands for its files where every one of them is wanted."""
    paths = set(wanted)
    folders = sorted({p for f in wanted for p in f.parents if SOURCE in p.parents}, key=lambda p: -len(p.parts))
    for folder in folders:
        if all(p in wanted for p in content(folder)) and len(content(folder)) > 1:
            paths = {p for p in paths if folder not in p.parents} | {folder}
    return sorted(p.relative_to(ROOT).as_posix() for p in paths)


@cache
def content(folder: Path) -> tuple[Path, ...]:
    """Files that matter in a folder and below; a room's own words do not."""
    return tuple(
        p
        for p in sorted(folder.rglob("*"))
        if p.is_file() and "__pycache__" not in p.parts and not (p.name == "__init__.py" and _only_words(p))
    )


def _only_words(path: Path) -> bool:
    return all(_is_docstring(node) for node in ast.parse(path.read_text(encoding="utf-8")).body)


def verbs(command: str) -> list[str]:
    """The workflows a stage's command runs: `twinops run VERB`, or what the notebook asks its project for."""
    _, how, name, *_ = command.split()
    if how == "run":
        return [name]
    text = (ROOT / "notebooks" / f"{name}.py").read_text(encoding="utf-8")
    return re.findall(r"(?:\.run|lab\.open_stage)\(\s*\"([\w.]+)\"", text)


def steps(command: str) -> list[str]:
    """Modules of what a notebook asks for beside its verb: a panel, and verdicts on what it measures."""
    _, how, name, *_ = command.split()
    if how == "run":
        return []
    text = (ROOT / "notebooks" / f"{name}.py").read_text(encoding="utf-8")
    asked_for = [step for step in STEPS if f".{step}(" in text or name in LOOKING.get(step, ())]
    return [STEPS[step] for step in asked_for if name not in UNJUDGED.get(step, ())]


def imported_by_notebook(command: str) -> list[str]:
    """What the notebook itself imports of twinops."""
    _, how, name, *_ = command.split()
    if how == "run":
        return []
    found = []
    for node in ast.walk(ast.parse((ROOT / "notebooks" / f"{name}.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("twinops"):
            found += [node.module, *(f"{node.module}.{a.name}" for a in node.names)]
    return [m for m in found if m in graph().modules]


def code_of(name: str, stage: Mapping[str, Any]) -> list[str]:
    """The code deps of one stage, `${item}` standing for what differs in a `foreach`."""
    body = stage.get("do", stage)
    command = body["cmd"]
    roots = [*imported_by_notebook(command), *steps(command)]
    if command.split()[1] == "notebook":
        roots += ADAPTERS[Notebooks]
    for verb in verbs(command):
        room, _, leaf = verb.rpartition(".")
        shelf = f"twinops.workflows.{room or 'pipeline'}"
        workflow = getattr(plugins.load(shelf, leaf), leaf)
        hints = asked(workflow)
        if Lineage in hints:
            return EVERYTHING
        roots += [f"{shelf}.{leaf}", *(a for h in hints for a in ADAPTERS.get(h, ()))]
    sources = [[f"{SOURCES}.{one}", *_kinds(one)] for one in _sources(name, stage)]
    if not sources:
        return folded(files(closure(roots)))
    without = SHELVES[2:]
    shared = closure(roots, shelves=without)
    own = [files(closure(source, shelves=without) - shared) for source in sources]
    if len(sources) == 1:
        return folded(files(shared) | own[0])
    by_item = {file_of(source[0]) for source in sources}
    everyone = files(shared) | {p for paths in own for p in paths} - by_item
    return sorted([*folded(everyone), "src/twinops/data/sources/${item}.py"])


def _sources(name: str, stage: Mapping[str, Any]) -> list[str]:
    """The sources a stage of `collect` takes, when its command names one."""
    if name not in PER_ITEM:
        return []
    fixed = re.search(r"--source (\w+)", stage.get("do", stage)["cmd"])
    return [fixed.group(1)] if fixed else list(stage["foreach"])


def _kinds(source: str) -> list[str]:
    """The kind of source of one's own that may stand in a shipped one's place."""
    return [f"{KINDS}.{kind}" for kind in plugins.names(KINDS) if staged_as(kind) == source]


def with_code(text: str) -> str:
    """`dvc.yaml` with the code deps of every stage made anew, all else as it stands."""
    stages = yaml.safe_load(text)["stages"]
    out: list[str] = []
    name, margin = "", ""
    for line in text.splitlines():
        if (stage := re.fullmatch(r"  (\w+):", line)) and stage.group(1) in stages:
            name = stage.group(1)
        if line.lstrip().startswith("- src/twinops"):
            continue
        if margin and not line.startswith(f"{margin}- "):
            out += [f"{margin}- {path}" for path in code_of(name, stages[name])]
            margin = ""
        if line.strip() == "deps:":
            margin = line.partition("d")[0] + "  "
        out.append(line)
    return "\n".join(out) + "\n"


def forget_documents(lock: Path) -> None:
    """Let `documents` run again: it names the candidate by every stage's list of deps, which is no file."""
    if lock.is_file():
        text = lock.read_text(encoding="utf-8")
        lock.write_text(re.sub(r"(?m)^  documents:\n(?:    .*\n|  - .*\n)*", "", text), encoding="utf-8")


def main() -> None:
    """Write it when it differs, and say so."""
    path = ROOT / "dvc.yaml"
    before = path.read_text(encoding="utf-8")
    after = with_code(before)
    if after != before:
        path.write_text(after, encoding="utf-8")
        forget_documents(ROOT / "dvc.lock")
    sys.stderr.write(f"dvc.yaml: code deps {'renewed' if after != before else 'as they were'}\n")


if __name__ == "__main__":
    main()
