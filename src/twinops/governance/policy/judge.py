"""What measures and judges a candidate: code, notebooks, ideas and stages, compared by digest. An officer activates it.

Whatever runs in one process with a measurement can rewrite what is measured, and whatever stage runs before it can
write what it reads. So all code that a run may load belongs to the judge, and every stage; only parameters, data and
declarations are the candidate's own. The registry server's code never runs there and does not belong to it.

A gate of the project's own judges in the server too. So the judge carries the text of each, and no other text is run.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from twinops.entities.canonical import digest
from twinops.errors import ParamsError
from twinops.governance.policy.changes import Change
from twinops.governance.reading import Record, checked
from twinops.ideas import KINDS, MOST, name_of, problems
from twinops.plugins import Idea

NAMESPACE = "twinops-judge"
"""What an ssh key signs a new judge for."""
NAME = "judge.json"
"""Under this name the gate runner hands in which judge measured."""
PIPELINE = "dvc.yaml"
CODE, SERVER = "src/", "src/twinops/server/"
IDEAS, GATES = "ideas/", "gates"
READ_BY_PYTHON = (CODE, "notebooks/", IDEAS)
PREFIXES = (*READ_BY_PYTHON, ".dvc/")
SINGLE = (PIPELINE, ".dvcignore")
FIRST, LAST = "features", "documents"
"""Between these two lies everything that is judged; a pipeline without them measures nothing."""
MAX_BYTES = 4 * 1024**2
TOLD = 50
"""How many differences are shown one by one to whoever activates it; `twinops judge show` lists all."""
_MADE_BY = "`twinops judge activate` makes it."

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
ObjectId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?$")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class JudgedStage(Record):
    """A stage of `dvc.yaml`: its command as people read it, and the digest of all that stands there."""

    cmd: str
    digest: Sha256


class Judge(Record):
    """Files by path with the SHA-256 of their content, and stages by name, as of a commit."""

    commit: ObjectId
    tree: ObjectId
    files: Annotated[dict[Words, Sha256], Field(min_length=1, max_length=20_000)]
    stages: Annotated[dict[Words, JudgedStage], Field(max_length=2_000)]
    gates: Annotated[dict[Words, str], Field(max_length=MOST)] = Field(default_factory=dict)
    """Gates of the project's own: path and text, which is that of `files`."""

    @property
    def digest(self) -> str:
        """SHA-256 over files and stages: the same judge in whatever commit it stands."""
        return digest({"files": self.files, "stages": {n: s.digest for n, s in self.stages.items()}})

    @property
    def ideas(self) -> tuple[Idea, ...]:
        """Its gates of the project's own, ready to be laid on their shelf."""
        return tuple(_gate(path, text) for path, text in sorted(self.gates.items()))

    def to_json(self) -> str:
        """The text that is signed and handed in."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, indent=0) + "\n"


@dataclass(frozen=True)
class ActiveJudge:
    """The judge that a registry works with, and the account that activated it."""

    judge: Judge
    account: str


@dataclass(frozen=True)
class JudgeChange:
    """One file or stage in which two judges differ; `now` and `before` are None where there is none."""

    what: str
    before: str | None
    now: str | None

    @property
    def how(self) -> str:
        """In one word."""
        if self.before is None or self.now is None:
            return "new" if self.before is None else "gone"
        return "changed"

    def __str__(self) -> str:
        return f"{self.what}: {self.how}"


def belongs(path: str) -> bool:
    """Whether a file of a project is part of the judge."""
    return (path.startswith(PREFIXES) or path in SINGLE) and not path.startswith(SERVER)


def is_gate(path: str) -> bool:
    """Whether a file of a project is a gate of its own."""
    return path.startswith(f"{IDEAS}{GATES}/") and path.endswith(".py") and path.count("/") == 2


def _gate(path: str, text: str) -> Idea:
    return Idea(KINDS[GATES].shelf, name_of(path), path, text)


def read(text: str, *, name: str = NAME) -> Judge:
    """The checked judge.

    Raises:
        ParamsError: it is none, or its pipeline has no way from features to documents.
    """
    if len(text) > MAX_BYTES:
        raise ParamsError(f"{name} is longer than {MAX_BYTES // 1024**2} MiB.", hint=_MADE_BY)
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        raise ParamsError(f"{name} is not JSON.", hint=_MADE_BY) from None
    return checked(Judge, raw, name=name, more=chain(_lacking(raw), _strange_gates(raw)))


def _lacking(raw: Any) -> Iterator[str]:
    stages = raw.get("stages") if isinstance(raw, Mapping) else None
    for stage in (FIRST, LAST):
        if not isinstance(stages, Mapping) or stage not in stages:
            yield f"stages: there is no stage {stage!r}: what lies from {FIRST} to {LAST} is judged"


def _strange_gates(raw: Any) -> Iterator[str]:
    """A gate's text that is not the file's, or that may not stand on its shelf: nothing of it is run to say so."""
    files, gates = ((raw.get(k) if isinstance(raw, Mapping) else None) or {} for k in ("files", "gates"))
    if not isinstance(files, Mapping) or not isinstance(gates, Mapping):
        return
    for path in sorted({*filter(is_gate, map(str, files)), *map(str, gates)}):
        text = gates.get(path)
        if not isinstance(text, str) or _sha256(text) != files.get(path) or not is_gate(path):
            yield f"gates: {path} is not the file of this judge"
        else:
            yield from (f"{path} {problem}" for problem in problems(_gate(path, text)))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def differences(before: Judge | None, now: Judge) -> tuple[JudgeChange, ...]:
    """What differs, stages first: the stages of `dvc.yaml` decide which code runs at all."""
    old = before or now.model_copy(update={"files": {}, "stages": {}, "gates": {}})
    stages = _changed({n: s.digest for n, s in old.stages.items()}, {n: s.digest for n, s in now.stages.items()})
    told = (
        JudgeChange(
            f"stage {name}",
            old.stages[name].cmd if name in old.stages else None,
            now.stages[name].cmd if name in now.stages else None,
        )
        for name in stages
    )
    files = (JudgeChange(p, old.files.get(p), now.files.get(p)) for p in _changed(old.files, now.files))
    return (*told, *files)


def change(before: Judge | None, now: Judge) -> tuple[Change, ...]:
    """What an officer says yes to. Nothing of it waits for a second office: who wrote a change does not activate it."""
    if before is None:
        counted = f"{len(now.files)} file(s) of code and {len(now.stages)} stage(s)"
        return (Change(f"No judge was active: {counted} measure from now, digest {now.digest}."),)
    found = differences(before, now)
    if not found:
        return ()
    many = Counter(one.how for one in found)
    counted = ", ".join(f"{many[how]} {how}" for how in ("new", "changed", "gone") if many[how])
    more = [f"and {len(found) - TOLD} more: `twinops judge show` lists all."] if len(found) > TOLD else []
    told = (f"Files and stages that measure: {counted}; digest {now.digest}.", *map(str, found[:TOLD]), *more)
    return tuple(map(Change, told))


def _changed(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))


NONE_ACTIVE = (
    "No judge is active on this server: a risk officer activates the code and stages that measure "
    "(`twinops judge activate`)."
)
ANOTHER = (
    "Another judge than the active one measured it. It is held until a risk officer who did not write the change "
    "activates that judge (`twinops judge activate`), or evidence comes from the active one."
)
OWN_CHANGE = "Who activated the judge wrote part of its change: another risk officer activates it."


def against(told: str | None, active: ActiveJudge | None, authors: frozenset[str]) -> tuple[str, ...]:
    """Why evidence of a judge with this digest does not count; `authors` are accounts that wrote the judge's change."""
    if active is None:
        return (NONE_ACTIVE,)
    if told != active.judge.digest:
        return (ANOTHER,)
    return (OWN_CHANGE,) if active.account in authors else ()
