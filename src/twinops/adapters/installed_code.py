"""The code of the twinops that runs, as DVC would tell of it: what a project without code of its own depends on.

Which files a stage depends on stands once, in the `dvc.yaml` of twinops' own repository, which every wheel carries.
There they are deps; in a project they are a parameter of the stage, in `code.lock.json`: the same paths and MD5s.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from typing import Any

import yaml

from twinops import whole_files
from twinops.adapters.md5 import ignored_in, md5_of
from twinops.plugins import PROJECT_FILES, carried

PACKAGE = Path(__file__).resolve().parents[1]
"""The twinops that runs."""
HOME = "src/twinops"
"""Where its files lie in its own repository, and how they are spelled everywhere."""
LOCK = "code.lock.json"
PINS = "pins.yaml"
ITEM = "${item}"
Code = Mapping[str, Mapping[str, str]]
"""Entry of `code.lock.json` (a stage, or `stage@item`) -> path -> MD5."""
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def is_own(root: Path) -> bool:
    """Whether a project has code of its own."""
    return (root / HOME).is_dir()


def place_of(path: str) -> Path:
    """Where a file of twinops' repository lies in what is installed."""
    return PACKAGE / Path(path).relative_to(HOME)


def spelled(file: Path) -> str:
    """How a file of what is installed is called in twinops' repository."""
    return (Path(HOME) / file.relative_to(PACKAGE)).as_posix()


def md5(path: str) -> str | None:
    """The MD5 of a file or folder of twinops as it is installed."""
    return md5_of(place_of(path), ignored=(*ignored_in(carried()), PROJECT_FILES))


@cache
def code() -> Code:
    """What each stage depends on of the installed code."""
    seen: dict[str, str] = {}
    return {
        entry: {p: seen.get(p) or seen.setdefault(p, str(md5(p))) for p in paths} for entry, paths in _every().items()
    }


def _paths(stages: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    for name, stage in stages.items():
        deps = [dep for dep in stage.get("do", stage).get("deps", ()) if dep.startswith(HOME)]
        if not any(ITEM in dep for dep in deps):
            yield name, deps
            continue
        for item in stage["foreach"]:
            yield f"{name}@{item}", [dep.replace(ITEM, item) for dep in deps]


def of_stage(stage: str) -> Sequence[str]:
    """What a stage depends on, by the name that DVC calls it: `collect@2017-01` is an item of `collect`."""
    return _every().get(stage) or _every().get(stage.partition("@")[0]) or ()


@cache
def _every() -> Mapping[str, Sequence[str]]:
    return dict(_paths(_Loader((carried() / "dvc.yaml").read_bytes()).get_single_data()["stages"]))


def locked(root: Path) -> Code:
    """What a project's `code.lock.json` says; nothing where it cannot be read."""
    try:
        told = json.loads((root / LOCK).read_bytes())
    except (OSError, ValueError):
        return {}
    whole = isinstance(told, dict) and all(isinstance(paths, dict) for paths in told.values())
    return told if whole else {}


def as_written_down(root: Path) -> bool:
    """Whether all of the installed code is what `code.lock.json` says of it."""
    return md5(HOME) in _homes(root, md5_of(root / LOCK))


@lru_cache(maxsize=4)
def _homes(root: Path, _lock: str | None) -> frozenset[str | None]:
    """What it says of all of the code; read once in a process while the file is the same."""
    return frozenset(paths.get(HOME) for paths in locked(root).values())


def write(root: Path) -> tuple[str, ...]:
    """Write down what is installed, code and libraries; stages whose code is another one now are returned."""
    again = differing(root)
    _keep(root / LOCK, json.dumps(code(), indent=1, sort_keys=True) + "\n")
    _keep(root / PINS, pins())
    return again


def differing(root: Path) -> tuple[str, ...]:
    """Stages whose code is another one than `code.lock.json` says."""
    told, now = locked(root), code()
    return tuple(sorted(entry for entry in {*told, *now} if told.get(entry) != now.get(entry)))


def pins() -> str:
    """`pins.yaml` of what is installed: twinops, and each library whose version can change a stage's bytes."""
    path = carried() / PINS
    head = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")][:1]
    told = {name: _version(name) for name in ("twinops", *yaml.safe_load(path.read_text(encoding="utf-8")))}
    about = "# As they are installed: `make run` and `twinops upgrade --write` write them down."
    return "\n".join([head[0].partition(". Equal")[0] + ".", about, ""]) + yaml.safe_dump(told, sort_keys=False)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _keep(path: Path, text: str) -> None:
    """Written only when it says something else, so that nothing seems newer than it is."""
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        whole_files.write(path, text)


def pipeline() -> str:
    """The `dvc.yaml` of a project: each stage takes its code from `code.lock.json` and not from files."""
    text = (carried() / "dvc.yaml").read_text(encoding="utf-8")
    entries = {entry.partition("@")[0]: entry.partition("@")[1] for entry in code()}
    out: list[str] = []
    name = ""
    for line in text.splitlines():
        if (stage := re.fullmatch(r"  (\w+):", line)) and stage.group(1) in entries:
            name = stage.group(1)
        if not line.lstrip().startswith(f"- {HOME}"):
            out.append(_with_code(line, f'{LOCK}: ["{name}{f"@{ITEM}" if entries.get(name) else ""}"]'))
    return _HEAD + "\n".join(out) + "\n"


_HEAD = f"# Of twinops; `twinops upgrade` renews it. Which code of the installed twinops a stage depends on: {LOCK}.\n"


def _with_code(line: str, entry: str) -> str:
    """A line of `dvc.yaml`; the one with a stage's parameters takes one entry more."""
    told = re.fullmatch(r"( +)params:( \[.*\])?", line)
    if told is None:
        return line
    return f"{line[:-1]}, {entry}]" if told.group(2) else f"{line}\n{told.group(1)}  - {entry}"


def requirement(extras: Sequence[str]) -> str:
    """Where this twinops was installed from (PEP 610), as a line of a requirements file; else its version.

    One that came from a folder or a file of this machine is found there and nowhere else.
    """
    told = json.loads(distribution("twinops").read_text("direct_url.json") or "{}")
    name = f"twinops[{','.join(extras)}]"
    if "url" not in told:
        return f"{name}=={version('twinops')}"
    if "vcs_info" in told:
        return f"{name} @ {told['vcs_info']['vcs']}+{told['url']}@{told['vcs_info']['commit_id']}"
    return f"{name} @ {told['url']}"
