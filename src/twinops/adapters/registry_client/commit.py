"""The candidate's commit as git's objects hold it, read before anything of the candidate runs.

Nothing of the repository's own settings is followed: no hook, filter, attribute, file monitor, replacement or remote.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files as packaged
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml

from twinops.entities.canonical import digest
from twinops.errors import DataError, IntegrityError, ServiceError
from twinops.governance.policy import judge as judges
from twinops.governance.policy.judge import Judge, JudgedStage
from twinops.plugins import PROJECT_FILES

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The safe loader, in C where PyYAML has it."""
LOCK = "dvc.lock"
FILE_MODES = ("100644", "100755")
REST = "all else in dvc.yaml"
_FILLED = re.compile(r"\\\$\\\{[^}]*\\\}")
_WORD = r"[\\w][\\w.:@-]*"
GIT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_COUNT": "2",
    "GIT_CONFIG_KEY_0": "safe.directory",
    "GIT_CONFIG_VALUE_0": "*",
    "GIT_CONFIG_KEY_1": "core.fsmonitor",
    "GIT_CONFIG_VALUE_1": "false",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
}
"""What git is told when it is asked about a candidate; nothing else of this process's environment but the path."""


@dataclass(frozen=True)
class Commit:
    """One commit: its own id, that of the project's tree, and mode and id of every file below the project."""

    root: Path
    revision: str
    tree: str
    entries: Mapping[str, tuple[str, str]]

    @classmethod
    def head(cls, root: Path) -> Commit:
        """The commit that is checked out.

        Raises:
            ServiceError: git does not answer, or nothing was committed.
        """
        revision = git(root, "rev-parse", "--verify", "HEAD^{commit}").decode().strip()
        tree = git(root, "rev-parse", "--verify", f"{revision}:./").decode().strip()
        listed = git(root, "ls-tree", "-r", "-z", revision).decode("utf-8", "surrogateescape").split("\0")
        entries = {}
        for line in filter(None, listed):
            about, _, path = line.partition("\t")
            mode, _, oid = about.split(" ")
            entries[path] = (mode, oid)
        return cls(root, revision, tree, entries)

    def holds(self, path: str, content: bytes) -> bool:
        """Whether these bytes are the file's in the commit."""
        mode, oid = self.entries.get(path, ("", ""))
        return mode in FILE_MODES and object_id(content, like=oid) == oid

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        """Contents from git's objects, each checked against its id.

        Raises:
            IntegrityError: a path is no file in the commit, or git holds other bytes than the id says.
        """
        wanted = list(paths)
        strange = [p for p in wanted if self.entries.get(p, ("",))[0] not in FILE_MODES]
        if strange:
            raise IntegrityError(f"{strange[0]} is no plain file in the commit.", hint="Links are not followed here.")
        asked = "".join(f"{self.entries[p][1]}\n" for p in wanted).encode()
        told = git(self.root, "cat-file", "--batch", stdin=asked)
        found, at = {}, 0
        for path in wanted:
            end = told.index(b"\n", at)
            size = int(told[at:end].split()[2])
            found[path], at = told[end + 1 : end + 1 + size], end + size + 2
            if not self.holds(path, found[path]):
                raise IntegrityError(f"Git's own copy of {path} is damaged.", hint="Clone the repository anew.")
        return found

    def judge(self) -> Judge:
        """The judge of this commit, computed here from git's objects; what the folder or a run says is not asked.

        A project without `src/twinops` is judged by the package that runs this.
        """
        paths = [p for p in self.entries if judges.belongs(p)]
        if judges.PIPELINE not in paths:
            raise DataError("The commit has no dvc.yaml, so it tells no stages.", hint="Restore it from git.")
        contents = self.read(paths)
        told = {path: hashlib.sha256(content).hexdigest() for path, content in contents.items()}
        if not any(path.startswith(f"{judges.CODE}twinops/") for path in paths):
            told |= installed()
        made = {
            "commit": self.revision,
            "tree": self.tree,
            "files": told,
            "stages": {name: s.model_dump() for name, s in stages(contents[judges.PIPELINE]).items()},
            "gates": {path: _text(path, contents[path]) for path in paths if judges.is_gate(path)},
        }
        return judges.read(json.dumps(made), name="The judge of this commit")

    @property
    def git_folder(self) -> Path:
        """Where git keeps its objects; of a worktree, the main repository's folder."""
        told = git(self.root, "rev-parse", "--git-common-dir").decode().strip()
        return (self.root / told).resolve()

    def differing(self, paths: Iterable[str]) -> list[str]:
        """Of these paths, which are not in the folder as they are in the commit."""
        return [p for p in paths if not (self.root / p).is_file() or not self.holds(p, (self.root / p).read_bytes())]

    def strange_code(self) -> list[str]:
        """Files below code, notebooks and ideas that the commit does not have: Python would load them all the same."""
        tops = (p.rstrip("/") for p in judges.READ_BY_PYTHON)
        found = (f for top in tops for f in _files(self.root / top))
        return [p for f in found if (p := f.relative_to(self.root).as_posix()) not in self.entries]


def _text(path: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise DataError(f"{path} is no UTF-8 text.", hint="Mend the file, commit.") from None


def _files(folder: Path) -> Iterator[Path]:
    """Every file and link below but bytecode, which is made anew; links to folders are not followed."""
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        links = [name for name in folders if Path(where, name).is_symlink()]
        yield from (Path(where, name) for name in (*names, *links))


def object_id(content: bytes, *, like: str) -> str:
    """Git's id of a file with this content, in the same format as another id."""
    kind = hashlib.sha256 if len(like) == 64 else hashlib.sha1
    return kind(b"blob %d\0" % len(content) + content).hexdigest()


def installed() -> dict[str, str]:
    """The code of the twinops that runs here, spelled as in its own repository."""
    found = dict(_packaged(packaged("twinops"), f"{judges.CODE}twinops"))
    return {p: d for p, d in found.items() if judges.belongs(p)}


def _packaged(folder: Traversable, at: str) -> Iterator[tuple[str, str]]:
    for entry in folder.iterdir():
        if entry.name in ("__pycache__", PROJECT_FILES):
            continue
        if entry.is_dir():
            yield from _packaged(entry, f"{at}/{entry.name}")
        else:
            yield f"{at}/{entry.name}", hashlib.sha256(entry.read_bytes()).hexdigest()


def pipeline(text: bytes) -> dict[str, Any]:
    """`dvc.yaml`.

    Raises:
        DataError: it tells no stages.
    """
    try:
        told = Loader(text).get_single_data()
        if not all(isinstance(stage, dict) for stage in told["stages"].values()):
            raise TypeError
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, UnicodeDecodeError):
        raise DataError("dvc.yaml tells no stages.", hint="Restore it from git.") from None
    return dict(told)


def stages(text: bytes) -> dict[str, JudgedStage]:
    """Every stage by name, and whatever else stands in `dvc.yaml`."""
    told = pipeline(text)
    rest = {name: value for name, value in told.items() if name != "stages"}
    found = {str(name): _stage(stage) for name, stage in told["stages"].items()}
    return {**found, REST: JudgedStage(cmd="", digest=digest(_plain(rest)))}


def _stage(stage: Mapping[str, Any]) -> JudgedStage:
    command = command_of(stage)
    shown = command if isinstance(command, str) else json.dumps(_plain(command))
    return JudgedStage(cmd=shown, digest=digest(_plain(stage)))


def command_of(stage: Mapping[str, Any]) -> Any:
    """What a stage of `dvc.yaml` runs; that of a `foreach` stands under `do`."""
    body = stage.get("do", stage)
    return body.get("cmd", "") if isinstance(body, Mapping) else ""


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def other_commands(text: bytes, lock: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Entries of the lock whose command is not what `dvc.yaml` says with plain words filled in.

    A parameter that is filled into a command is text for a shell: `months: ["2017-01; cp mine yours"]`.
    """
    told = {str(name): command_of(stage) for name, stage in pipeline(text)["stages"].items()}
    return [name for name, entry in lock.items() if not _fits(told.get(name.partition("@")[0]), entry.get("cmd"))]


def _fits(template: Any, command: Any) -> bool:
    if isinstance(template, list) and isinstance(command, list) and len(template) == len(command):
        return all(map(_fits, template, command))
    if not isinstance(template, str) or not isinstance(command, str):
        return False
    return re.fullmatch(_FILLED.sub(_WORD, re.escape(template)), command) is not None


def git(root: Path, *words: str, stdin: bytes | None = None) -> bytes:
    """What git answers, told nothing of whoever asks.

    Raises:
        ServiceError: it does not.
    """
    told = {**GIT, "PATH": os.environ.get("PATH", os.defpath), "HOME": os.devnull}
    try:
        done = subprocess.run(["git", *words], cwd=root, env=told, input=stdin, capture_output=True, check=False)
    except FileNotFoundError:
        raise ServiceError("git is needed and was not found.", hint="Install git.") from None
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()[:200]
        raise ServiceError("Git could not tell what this candidate is.", hint=said or "Is this a git repository?")
    return done.stdout
