"""What `dvc.yaml` says beside what twinops wrote: deps on what is the project's own, and stages of its own.

Every such line ends with the mark of `watching`, so that all of them can be taken out and written anew.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from twinops.data.own_sources.watching import MARK, clocked, watched
from twinops.errors import ParamsError
from twinops.ideas import KINDS, NO_IDEAS, STAGES, IdeasParams, folder_of, name_of
from twinops.own_params import NOTHING_OWN, OwnParams
from twinops.params import SourcesParams
from twinops.plugins import carried
from twinops.workflows.places import Places

SHIPPED = SourcesParams()
HOME = "src/twinops"
CODE_LOCK = "code.lock.json"
LIKE_SOURCE = "collect_profile"
"""An own source written in Python is collected as the shipped profiles are."""
STAGE = "own_"
"""What a stage of one's own is called begins so."""
LAST = "documents"
"""Nothing comes after it: it names the candidate."""
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Stages = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class OwnThings:
    """What of the project's own `dvc.yaml` watches beside what twinops writes."""

    places: Places
    own: OwnParams
    ideas: IdeasParams = NO_IDEAS
    sources: SourcesParams = SHIPPED

    def watched(self, pipeline: str) -> str:
        """The text of `dvc.yaml` with it."""
        shipped = not self.own.root or self.sources.folder is not None
        return clocked(rewritten(pipeline, self.own, self.ideas, self.places.root), made_up=shipped)


def rewritten(text: str, own: OwnParams, ideas: IdeasParams, root: Path) -> str:
    """The text of `dvc.yaml` in which exactly these sources and ideas are watched, each idea by who may load it.

    Raises:
        ParamsError: no stage collects a source, or a notebook does not say which stages it comes after.
    """
    plain = watched(text, own, root)
    shipped, stages = _stages((carried() / "dvc.yaml").read_bytes()), _stages(plain.encode())
    lines = plain.splitlines(keepends=True)
    for path in reversed(ideas.paths):
        if folder_of(path) in KINDS:
            for name in loading(KINDS[folder_of(path)].loaded_by, shipped):
                if name in stages:
                    _add(lines, name, path)
    at = lines.index(f"  {LAST}:\n") if LAST in stages else len(lines)
    lines[at:at] = [line for path in ideas.paths for line in _own_stage(path, root, stages, shipped)]
    return "".join(lines)


def plain(text: str, root: Path) -> str:
    """The same with nothing of the project's own in it."""
    return clocked(rewritten(text, NOTHING_OWN, NO_IDEAS, root), made_up=True)


def loading(markers: tuple[str, ...], shipped: Stages) -> tuple[str, ...]:
    """Stages that depend on one of these files of twinops, by itself or in a folder."""
    pairs = {name: [(d, m) for d in _deps(stage) for m in markers] for name, stage in shipped.items()}
    return tuple(name for name, found in pairs.items() if any(_holds(dep, marker) for dep, marker in found))


def _holds(dep: str, marker: str) -> bool:
    return marker == dep or marker.startswith(f"{dep}/")


def _stages(text: bytes) -> Stages:
    return dict(_Loader(text).get_single_data()["stages"])


def _body(stage: Mapping[str, Any]) -> Mapping[str, Any]:
    body: Mapping[str, Any] = stage.get("do", stage)
    return body


def _deps(stage: Mapping[str, Any]) -> list[str]:
    return [str(dep) for dep in _body(stage).get("deps", ())]


def _outs(stage: Mapping[str, Any]) -> Iterator[str]:
    """Paths that a stage makes, each item of a `foreach` by itself; records of code are nobody's dep."""
    items = stage.get("foreach", [""])
    body = _body(stage)
    for out in (*body.get("outs", ()), *body.get("metrics", ())):
        path = str(next(iter(out)) if isinstance(out, Mapping) else out)
        if path.startswith("reports/code/"):
            continue
        if isinstance(items, list):
            yield from dict.fromkeys(path.replace("${item}", str(item)) for item in items)
        else:
            yield str(Path(path).parent) if "${item}" in path else path


def _add(lines: list[str], stage: str, path: str) -> None:
    begin = lines.index(f"  {stage}:\n")
    at = next(n for n in range(begin, len(lines)) if lines[n].strip() == "deps:")
    indent = lines[at + 1][: len(lines[at + 1]) - len(lines[at + 1].lstrip())]
    lines.insert(at + 1, f"{indent}- {json.dumps(path)}{MARK}\n")


def _own_stage(path: str, root: Path, stages: Stages, shipped: Stages) -> Iterator[str]:
    """The stage that a file of the project has to itself: of a source or a notebook."""
    kind, name = folder_of(path), name_of(path)
    if kind == STAGES and name in {*shipped, *(Path(out).stem for s in shipped.values() for out in _outs(s))}:
        raise ParamsError(f"{path} takes the name of what twinops ships.", hint="Call it otherwise.")
    if kind == "sources":
        code, entry = [d for d in _deps(shipped[LIKE_SOURCE]) if "${item}" not in d], f"{LIKE_SOURCE}@redemptions"
        given = [*(d for d in code if not d.startswith(HOME)), file_of(root, path)]
        places = [f"data/{place}/{name}/all" for place in ("raw", "quarantine", "counts")]
        outs = [f"{places[0]}.parquet", f"{places[1]}.parquet", f"{places[2]}.json"]
        params = ["sources", "vault", "own", "features.first_day"]
        command = f"twinops run {LIKE_SOURCE} --source {name}"
    elif kind == STAGES:
        code, entry = [HOME], LAST
        given = ["epoch.json", *dict.fromkeys(out for s in _after(path, root, stages) for out in _outs(stages[s]))]
        outs, params = [f"reports/notebooks/{name}.ipynb", f"reports/measures/{name}.json"], []
        command = f"twinops notebook {name}"
    else:
        return
    if (root / HOME).is_dir():
        given = [*given, *(d for d in code if d.startswith(HOME))]
    else:
        params = [*params, f'{CODE_LOCK}: ["{entry}"]']
    yield from _block(f"{STAGE}{name}", command, [path, *given], params, outs)


def file_of(root: Path, path: str) -> str:
    """The file that a source of one's own reads, as its constant `FILE` says: one of the project.

    Raises:
        ParamsError: it says none, or one that lies elsewhere.
    """
    told = _constants(root, path).get("FILE")
    place = told.value if isinstance(told, ast.Constant) and isinstance(told.value, str) else ""
    inside = bool(place) and (root / place).resolve().is_relative_to(root.resolve()) and not Path(place).is_absolute()
    if not (inside and place.endswith(".parquet")):
        what = f"{path} reads {place!r:.80}."
        raise ParamsError(what, hint='Write `FILE = "in/NAME.parquet"`: a Parquet file of the project.')
    return place


def _constants(root: Path, path: str) -> dict[str, ast.expr]:
    """What a file's plain assignments say; nothing of it runs.

    Raises:
        ParamsError: it is no Python.
    """
    try:
        tree = ast.parse((root / path).read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError) as problem:
        raise ParamsError(f"{path} cannot be read: {problem}.", hint="Mend the file.") from None
    plain = [n for n in tree.body if isinstance(n, ast.Assign)]
    return {t.id: n.value for n in plain for t in n.targets if isinstance(t, ast.Name)}


def _block(stage: str, command: str, deps: list[str], params: list[str], outs: list[str]) -> Iterator[str]:
    yield f"  {stage}:{MARK}\n"
    yield f"    cmd: {command}{MARK}\n"
    yield f"    deps: {json.dumps(list(dict.fromkeys(deps)))}{MARK}\n"
    if params:
        yield f"    params: [{', '.join(params)}]{MARK}\n"
    yield f"    outs:{MARK}\n"
    for out in (*outs, f"reports/code/{stage}.json"):
        kept = ": {cache: false}" if out.startswith("reports/measures/") else ""
        yield f"      - {out}{kept}{MARK}\n"


def _after(path: str, root: Path, stages: Stages) -> tuple[str, ...]:
    """The stages that a notebook comes after: the list `after` of its cell of parameters.

    Raises:
        ParamsError: it tells none, or one that there is not.
    """
    told = _constants(root, path).get("after")
    names = ast.literal_eval(told) if isinstance(told, ast.List | ast.Tuple) and _is_plain(told) else ()
    strange = [n for n in names if n not in stages or n == LAST]
    if strange or not names:
        what = f"{path} comes after {', '.join(map(str, strange)) or 'nothing'}."
        known = ", ".join(s for s in stages if s != LAST)
        hint = f'Write `after = ["features"]` in its cell of parameters; stages are {known}.'
        raise ParamsError(what, hint=hint)
    return tuple(names)


def _is_plain(told: ast.List | ast.Tuple) -> bool:
    return all(isinstance(e, ast.Constant) and isinstance(e.value, str) for e in told.elts)
