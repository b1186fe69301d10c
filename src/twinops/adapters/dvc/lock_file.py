"""Read what DVC's lock file and git know of the candidate. Neither is imported: files and commands tell."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from twinops.adapters import installed_code
from twinops.adapters.installed_code import HOME, LOCK, is_own
from twinops.adapters.md5 import ignored_in, md5_of
from twinops.adapters.running_code import RECORDS, code_of, entries_of, ran_otherwise
from twinops.entities.canonical import digest
from twinops.errors import DataError, IntegrityError, ServiceError

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The safe loader, in C where PyYAML has it: a lock file of many stages takes a tenth of the time."""

LAST_STAGE = "documents"
"""Its outputs name the key, so it cannot be part of what the key is made from."""

UNKEYED_OUTS = ("reports/notebooks/", "reports/figures/", RECORDS)
"""Executed notebooks, pictures and records of code tell of a run; they are not what a candidate is made from."""

NO_ANSWER = 128
"""What git ends with when it cannot do what it is asked: outside a repository, and where it refuses to look."""
UNASKED = "Do what it says, then run this again: whether all is committed is a question that only git answers."


@dataclass(frozen=True)
class DvcStore:
    """The lock file, the working files and the commit of one project folder."""

    root: Path

    @cached_property
    def _lock_text(self) -> bytes:
        path = self.root / "dvc.lock"
        if not path.is_file():
            raise DataError("There is no dvc.lock, so nothing was made yet.", hint="Run `make run`, or `dvc repro`.")
        return path.read_bytes()

    @cached_property
    def _stages(self) -> dict[str, Any]:
        try:
            stages = _Loader(self._lock_text).get_single_data()["stages"]
        except (yaml.YAMLError, KeyError, TypeError) as problem:
            raise IntegrityError(
                f"dvc.lock is not a lock file: {type(problem).__name__}.",
                hint="Restore it from git, or run `dvc repro`.",
            ) from None
        return dict(stages)

    def candidate_key(self) -> str:
        """SHA-256 over commands, inputs, parameters and outputs of every stage that comes before the documents."""
        return digest({name: _keyed(stage) for name, stage in self._stages.items() if name != LAST_STAGE})

    def inputs_and_outputs(self) -> dict[str, str]:
        """MD5 of every file and folder that a stage read or wrote; a folder's ends in `.dir`."""
        files = (e for s in self._stages.values() for e in (*s.get("deps", ()), *s.get("outs", ())))
        code = {path: md5 for stage in self._stages.values() for path, md5 in code_of(stage).items()}
        return dict(sorted({**code, **{e["path"]: e["md5"] for e in files}}.items()))

    def stages(self) -> dict[str, Any]:
        """Every stage as the lock file holds it, days as text."""
        found: dict[str, Any] = _plain(self._stages)
        return found

    def lock_digest(self) -> str:
        """SHA-256 of the lock file."""
        return hashlib.sha256(self._lock_text).hexdigest()

    def lock_matches(self) -> bool:
        """Whether code, data, outputs and parameters are what the lock file says, and none of its stages is stale."""
        return not self.stale_stages() and not self.changed()

    def changed(self) -> dict[str, tuple[str, ...]]:
        """Stages of which something differs from when they ran, or that never ran, each with what it is."""
        gone = self.stale_stages()
        found = {name: self._differing(name, stage) for name, stage in self._stages.items() if name not in gone}
        never = {name: ("it never ran",) for name in self._declared_names() if name not in self._stages}
        return {name: why for name, why in (found | never).items() if why}

    def _differing(self, name: str, stage: Mapping[str, Any]) -> tuple[str, ...]:
        """Paths whose bytes are others now, parameters whose values are, and the command if it is another."""
        told = (self._declared.get(name) or {}).get("cmd", stage["cmd"])
        command = ("its command",) if "${" not in str(told) and told != stage["cmd"] else ()
        files = (
            e["path"] for e in (*stage.get("deps", ()), *stage.get("outs", ())) if self._now(e["path"]) != e["md5"]
        )
        params = (
            f"{file}: {key}"
            for file, keys in stage.get("params", {}).items()
            if file != LOCK
            for key, value in keys.items()
            if _looked_up(self._values(file), key) != _plain(value)
        )
        code = (path for path, md5 in code_of(stage).items() if self._now(path) != md5)
        more = ("its code",) if self._takes_other_code(name, stage) else ()
        ran = (f"it ran another {path}" for path in self.ran_otherwise().get(name, ()))
        return (*command, *files, *params, *code, *more, *ran)

    def _takes_other_code(self, name: str, stage: Mapping[str, Any]) -> bool:
        """Whether it depends on other files of the installed code than it did."""
        if LOCK not in stage.get("params", {}):
            return False
        base, _, item = name.partition("@")
        told = self._declared.get(base, {})
        # a stage of the project's own takes the code of a shipped one, whose entry dvc.yaml names
        entries = entries_of(told.get("do", told), item) or [name]
        return code_of(stage).keys() != {path for entry in entries for path in installed_code.of_stage(entry)}

    def ran_otherwise(self) -> dict[str, tuple[str, ...]]:
        """Stages that loaded other code than the lock file records, each with the files."""
        return self._ran_otherwise

    @cached_property
    def _ran_otherwise(self) -> dict[str, tuple[str, ...]]:
        found = {name: ran_otherwise(self.root, stage, self._now) for name, stage in self._stages.items()}
        return {name: paths for name, paths in found.items() if paths}

    @cached_property
    def _declared(self) -> dict[str, Any]:
        path = self.root / "dvc.yaml"
        told = _Loader(path.read_bytes()).get_single_data() if path.is_file() else None
        return dict((told or {}).get("stages") or {})

    def _declared_names(self) -> Iterator[str]:
        """`collect@2017-01` for each item of `collect`, as DVC names them."""
        for name, stage in self._declared.items():
            items = self._items(stage)
            if items is None:
                yield name
            elif isinstance(items, list | dict):
                yield from (f"{name}@{item}" for item in items)

    def _items(self, stage: Mapping[str, Any]) -> Any:
        """What a stage goes through, looked up in `params.yaml` where it only names it; None: it is one stage."""
        items = stage.get("foreach", stage.get("matrix")) if isinstance(stage, dict) else None
        return _looked_up(self._values("params.yaml"), items.strip("${} ")) if isinstance(items, str) else items

    def _now(self, path: str) -> str | None:
        if path not in self._seen:
            self._seen[path] = self._md5(path)
        return self._seen[path]

    @cached_property
    def _seen(self) -> dict[str, str | None]:
        return {}

    def _values(self, file: str) -> Any:
        if file not in self._read:
            path = self.root / file
            self._read[file] = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
        return self._read[file]

    @cached_property
    def _read(self) -> dict[str, Any]:
        return {}

    def stale_stages(self) -> dict[str, tuple[str, ...]]:
        """Entries of stages that dvc.yaml no longer has, each with what it made.

        DVC neither runs nor forgets them: what they made would lie there as evidence that nothing makes any more.
        """
        if not (self.root / "dvc.yaml").is_file():
            return {}
        stages = self._declared
        gone = {name: stage for name, stage in self._stages.items() if not self._is_made_by(stages, name)}
        return {name: tuple(out["path"] for out in stage.get("outs", ())) for name, stage in gone.items()}

    def _is_made_by(self, stages: Mapping[str, Any], entry: str) -> bool:
        """`collect@2017-01` is made by `collect`, as long as it goes through an item of that name."""
        name, many, item = entry.partition("@")
        if not many or name not in stages:
            return name in stages
        items = self._items(stages[name])
        return not isinstance(items, list) or item in map(str, items)

    def _md5(self, path: str) -> str | None:
        """Of code that the project does not have itself: as it is installed."""
        if (path == HOME or path.startswith(f"{HOME}/")) and not is_own(self.root):
            return installed_code.md5(path)
        return md5_of(self.root / path, ignored=self._ignored)

    @cached_property
    def _ignored(self) -> tuple[str, ...]:
        return ignored_in(self.root)

    def git_revision(self) -> str | None:
        """The commit that is checked out; None outside git or before the first commit."""
        return self._git("rev-parse", "--verify", "--quiet", "HEAD")

    def git_dirty(self) -> bool | None:
        """Whether anything git does not ignore differs from that commit; None outside git."""
        said = self._git("status", "--porcelain", "--", ".")
        return None if said is None else said != ""

    def _git(self, *words: str) -> str | None:
        # a killed `git status` must not leave git's own lock behind
        command = ["git", "--no-optional-locks", "-C", str(self.root), *words]
        try:
            done = subprocess.run(command, capture_output=True, check=False, env={**os.environ, "LC_ALL": "C"})
        except FileNotFoundError:
            return None
        if done.returncode == NO_ANSWER and b"not a git repository" not in done.stderr:
            said = done.stderr.decode(errors="replace").strip()[:400]
            raise ServiceError(f"git did not answer for {self.root}. It said: {said}", hint=UNASKED)
        return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else None


def _keyed(stage: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "cmd": stage["cmd"],
        "deps": {e["path"]: e["md5"] for e in stage.get("deps", ())},
        "params": _plain(stage.get("params", {})),
        "outs": {e["path"]: e["md5"] for e in stage.get("outs", ()) if not e["path"].startswith(UNKEYED_OUTS)},
    }


def _plain(value: Any) -> Any:
    """YAML's days as text, so that they can be hashed and compared."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def _looked_up(values: Any, key: str) -> Any:
    """A dotted key; keys that hold dots themselves are tried first."""
    if isinstance(values, dict) and key in values:
        return _plain(values[key])
    head, _, rest = key.partition(".")
    return _looked_up(values[head], rest) if rest and isinstance(values, dict) and head in values else None
