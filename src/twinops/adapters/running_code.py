"""The code that runs is the code that is recorded: the project's own, or the one that the project wrote down.

DVC hashes the files below `src/`, or takes `code.lock.json` at its word, whatever a command loads. So a command that
writes is refused when its twinops is another one, and every stage leaves which of the files it depends on it loaded, as
it loaded them.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from twinops import plugins
from twinops.adapters import installed_code
from twinops.adapters.installed_code import HOME, LOCK, PACKAGE, is_own, spelled
from twinops.adapters.md5 import md5_of
from twinops.errors import IntegrityError
from twinops.whole_files import told_in, write

RECORDS = "reports/code/"
"""Outputs of stages that tell what code they loaded."""
OWN = (
    "Activate the environment of this folder, or run `make setup` in it; "
    "in a copy of it (a worktree, a queued experiment) set PYTHONPATH=src."
)
PINNED = "Install what pins.yaml pins, or write down what is installed: `twinops upgrade --write`, then commit it."
_FORKED_WITH = ("warm", "waiting", "locks", "libraries", "shared", "learning", "every_command")
BY_THE_WAY = (
    *(f"twinops.adapters.dvc.{name}" for name in _FORKED_WITH), "twinops.adapters.one_at_a_time", "twinops.__main__",
)  # fmt: skip
"""Loaded or not, depending on who began the command; they compute nothing."""
FEW = 3


def against_other(root: Path) -> None:
    """Refuse to write into a project with other code than its own.

    Raises:
        IntegrityError: the twinops that runs, or a module of it, is neither the project's own nor the pinned version.
    """
    problem = strange(root)
    if problem:
        raise IntegrityError(f"Nothing was written: {problem}.", hint=OWN if is_own(root) else PINNED)


def strange(root: Path) -> str:
    """What is wrong with the code that runs, or nothing."""
    own = root / HOME
    if not is_own(root):
        return _pinned(root) or _written_down(root)
    if own.resolve() != PACKAGE:
        return f"this command runs the code in {PACKAGE}, and the project has its own in {own}"
    other = [name for name, path in _loaded() if not path.is_relative_to(PACKAGE)]
    return f"{other[0]} was loaded from outside {own}" if other else ""


def _pinned(root: Path) -> str:
    """A project without code of its own says in `pins.yaml` which version makes its results."""
    path = root / "pins.yaml"
    if not path.is_file():
        return ""
    try:
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        return "pins.yaml cannot be read as YAML"
    pinned, here = (told or {}).get("twinops") if isinstance(told, dict) else None, version("twinops")
    if str(pinned) == here:
        return ""
    return f"twinops {here} runs, and pins.yaml pins {'no version of it' if pinned is None else pinned}"


def _written_down(root: Path) -> str:
    """A project without code of its own holds in `code.lock.json` which code its stages depend on."""
    if not (root / LOCK).is_file() or installed_code.as_written_down(root):
        return ""
    other = installed_code.differing(root)
    named = ", ".join(other[:FEW]) + (f" and {len(other) - FEW} more stages" if len(other) > FEW else "")
    return f"the code of twinops that is installed here is not what {LOCK} says, for {named}"


def _loaded() -> Iterator[tuple[str, Path]]:
    """Modules of twinops that were imported, with their files."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) if name.partition(".")[0] == "twinops" else None
        if file and not plugins.is_idea(module):
            yield name, Path(file).resolve()


def note(root: Path) -> None:
    """Leave what this process loaded, if it works for a stage of DVC's that has a place for it in this project.

    Called once more for cells that run in a fork; what each of them loaded is joined.
    """
    stage = os.environ.get("DVC_STAGE", "")
    if not stage or not (root / "dvc.yaml").is_file():
        return
    against_other(root)
    deps, record = _declared(root, stage)
    _against_unwatched(deps, stage)
    if record is None:
        return
    found = {**_before(record), **dict(_imported(deps)), **{idea.path: idea.md5 for idea in plugins.loaded()}}
    write(record, json.dumps(found, sort_keys=True, indent=0) + "\n")


def _before(record: Path) -> dict[str, Any]:
    """What another process of this stage left."""
    if not record.is_file():
        return {}
    with told_in(record) as told:
        return dict(told)


def _declared(root: Path, stage: str) -> tuple[list[str], Path | None]:
    """What a stage depends on, and where it leaves its record; `collect@2017-01` is an item of `collect`."""
    told = getattr(yaml, "CSafeLoader", yaml.SafeLoader)((root / "dvc.yaml").read_bytes()).get_single_data()
    name, _, item = stage.partition("@")
    body = told["stages"].get(name, {})
    body = body.get("do", body)
    deps, outs = ([_filled(p, item) for p in body.get(kind, ())] for kind in ("deps", "outs"))
    if not is_own(root):
        deps += [path for entry in entries_of(body, item) for path in installed_code.of_stage(entry)]
    return deps, next((root / out for out in outs if out.startswith(RECORDS)), None)


def entries_of(body: Mapping[str, Any], item: str) -> list[str]:
    """The entries of `code.lock.json` that a stage of `dvc.yaml` takes its code from."""
    told = [p.get(LOCK) for p in body.get("params", ()) if isinstance(p, Mapping)]
    return [_filled(entry, item) for entries in told for entry in entries or ()]


def _against_unwatched(deps: list[str], stage: str) -> None:
    """What a stage made by a file that it does not depend on would not be made anew when the file changes.

    Raises:
        IntegrityError: it loaded one.
    """
    other = [idea.path for idea in plugins.loaded() if idea.path not in deps]
    if other:
        raise IntegrityError(
            f"The stage {stage} loaded {other[0]}, and dvc.yaml does not watch it there.",
            hint="`twinops ideas check` (`make run` does it) writes it into dvc.yaml: commit that.",
        )


def _filled(entry: Any, item: str) -> str:
    path = next(iter(entry)) if isinstance(entry, Mapping) else entry
    return str(path).replace("${item}", item)


def _imported(deps: list[str]) -> Iterator[tuple[str, str]]:
    """Path and MD5, as DVC spells them, of loaded modules that the stage depends on."""
    for name, file in _loaded():
        path = spelled(file) if file.is_relative_to(PACKAGE) else ""
        if name not in BY_THE_WAY and any(path == d or path.startswith(f"{d}/") for d in deps):
            yield path, str(md5_of(file))


def code_of(stage: Mapping[str, Any]) -> dict[str, str]:
    """Path and MD5 of the code that an entry of the lock file took from `code.lock.json`."""
    told = (stage.get("params") or {}).get(LOCK) or {}
    return {path: md5 for paths in told.values() if isinstance(paths, dict) for path, md5 in paths.items()}


def ran_otherwise(root: Path, stage: Mapping[str, Any], now: Callable[[str], str | None]) -> tuple[str, ...]:
    """Files that a stage loaded with other content than the lock file records; `now` tells the MD5 of one now.

    A file of a folder that the lock records is compared with what lies there, as long as the folder is as it was.
    """
    record = next((out["path"] for out in stage.get("outs", ()) if out["path"].startswith(RECORDS)), None)
    if record is None:
        return ()
    try:
        loaded = json.loads((root / record).read_bytes())
    except (OSError, ValueError):
        return (record,)
    locked = {dep["path"]: dep["md5"] for dep in stage.get("deps", ())} | code_of(stage)
    same = tuple(f"{path}/" for path, md5 in locked.items() if md5.endswith(".dir") and now(path) == md5)
    told = {p: locked.get(p) or (now(p) if p.startswith(same) else md5) for p, md5 in loaded.items()}
    return tuple(path for path, md5 in loaded.items() if told[path] != md5)
