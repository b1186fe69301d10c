"""What DVC watches of your own sources: a file of the project by itself, what lies elsewhere by its fingerprint.

`dvc.yaml` names them in the stage that collects the source: a dep with the mark `# own`, or a key of
`sources.lock.json` among the params. Of a folder of months each month watches its own file, and what the lock says of
it: what returns of other months did in it. Nothing else in the file is touched, and doing it twice changes nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from twinops.errors import ParamsError
from twinops.own_kinds import staged_as
from twinops.own_params import OwnParams, OwnSource

MARK = "  # own"
REPLACED = "replaces"
"""In the lock: the digest of which number replaced which."""
KNOWN_BY = "known_by"
"""In the lock: the digest of whose addresses they are that a source knows its customers by."""
LOCK = "sources.lock.json"
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LOCKED = re.compile(rf"{re.escape(LOCK)}: \[[^\]]*\], ")
_FILL = "${item}"
_CLOCK = re.compile(r"(params: \[(?:[\w.]+: \[[^\]]*\], )?)(?:as_of, )?(sources, vault, own, identities, )")


def inside(said: OwnSource, root: Path) -> bool:
    """Whether it is read from the project's own folder, where DVC sees it by itself."""
    if (said.files or "").endswith(".*"):
        return False  # a stage names a file, and which of them a month is in nobody knows before it is there
    if said.path is None or PurePosixPath(said.path).is_absolute() or Path(said.path).is_absolute():
        return False
    return (root / said.path).resolve().is_relative_to(root.resolve())


def watched(pipeline: str, own: OwnParams, root: Path) -> str:
    """The text of `dvc.yaml` in which exactly these sources are watched.

    Raises:
        ParamsError: no stage collects one of them.
    """
    lines = [_LOCKED.sub("", line) for line in pipeline.splitlines(keepends=True) if not line.rstrip().endswith(MARK)]
    stages = _Loader("".join(lines)).get_single_data()["stages"]
    for name, said in own.root.items():
        stage = _collecting(stages, staged_as(said.kind))
        if inside(said, root):
            _add_dep(lines, stage, file_of(said))
        if said.reads == "folder":
            _add_keys(lines, stage, [f"own.{name}.{_FILL}.{fact}" for fact in ("sha256", "net")])
        elif not inside(said, root):
            _add_keys(lines, stage, [f"own.{name}.all"])
        if said.known_by and inside(said, root):
            _add_keys(lines, stage, [f"own.{name}.all.{KNOWN_BY}"])
    told = [f"own.{name}.all.{REPLACED}" for name, said in own.root.items() if said.joins]
    if told:  # whose number another's is decides under whom every row is sealed
        for stage in dict.fromkeys(_collecting(stages, staged_as(s.kind)) for s in own.root.values() if s.form.people):
            _add_keys(lines, stage, told)
    return "".join(lines)


def clocked(pipeline: str, *, made_up: bool) -> str:
    """The text of `dvc.yaml` whose stages of people's records know the as-of day where they must.

    What is made up, or lies in the shipped shape, ends on that day; beside sources of your own nothing does, and a new
    month is no reason to collect them.
    """
    return _CLOCK.sub(rf"\1{'as_of, ' if made_up else ''}\2", pipeline)


def by_itself(said: OwnSource, root: Path) -> bool:
    """Whether what DVC sees is all of it: of a folder of months returns go from one month into others."""
    return inside(said, root) and said.reads != "folder"


def is_watched(pipeline: Path, said: OwnSource, root: Path) -> bool:
    """Whether DVC sees the file itself, so that its stage runs when it changes."""
    if not (inside(said, root) and pipeline.is_file()):
        return False
    line = _dep(file_of(said))
    return any(found.strip() == line for found in pipeline.read_text(encoding="utf-8").splitlines())


def file_of(said: OwnSource) -> str:
    """Its path as a stage of `dvc.yaml` names it; of monthly files that of each."""
    if said.reads != "folder":
        return said.path or ""
    return str(PurePosixPath(said.path or "", (said.files or "").replace("{month}", _FILL)))


def _collecting(stages: Mapping[str, Any], source: str) -> str:
    """The stage that makes `data/raw/SOURCE/`, or in the open `data/SOURCE/`."""
    for name, body in stages.items():
        if any(out.startswith((f"data/raw/{source}/", f"data/{source}/")) for out in _outs(body)):
            return name
    raise ParamsError(f"No stage of dvc.yaml collects {source}.", hint="`twinops upgrade` shows what it should say.")


def _outs(body: Mapping[str, Any]) -> Iterator[str]:
    """Paths of its outs, for each of its items where it goes through some."""
    items = body.get("foreach", [""])
    for out in body.get("do", body).get("outs", ()):
        path = str(next(iter(out)) if isinstance(out, Mapping) else out)
        yield from (path.replace(_FILL, str(item)) for item in (items if isinstance(items, list) else [_FILL]))


def _dep(path: str) -> str:
    return f"- {json.dumps(path, ensure_ascii=False)}{MARK}"


def _add_dep(lines: list[str], stage: str, path: str) -> None:
    at = _line(lines, stage, "deps:")
    indent = lines[at + 1][: len(lines[at + 1]) - len(lines[at + 1].lstrip())]
    lines.insert(at + 1, f"{indent}{_dep(path)}\n")


def _add_keys(lines: list[str], stage: str, keys: list[str]) -> None:
    at = _line(lines, stage, "params: [")
    lines[at] = lines[at].replace("params: [", f"params: [{LOCK}: {json.dumps(keys)}, ", 1)


def _line(lines: list[str], stage: str, word: str) -> int:
    """Where a word stands first within a stage."""
    begin = lines.index(f"  {stage}:\n")
    for at in range(begin + 1, len(lines)):
        if lines[at].lstrip().startswith(word):
            return at
        if re.match(r"  \S", lines[at]):
            break
    raise ParamsError(f"The stage {stage} of dvc.yaml has no {word.rstrip(' [')}", hint="`twinops upgrade` mends it.")
