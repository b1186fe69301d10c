"""Hand in evidence for a registered version: from a forced run without cache, with every author since production.

What the commit is, who worked on it and which judge it has is read from git before any of its commands runs. They run
without a login (`isolation.py`); what they leave is read once, compared with the commit, and those bytes are sent.
"""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from twinops.adapters.dvc.settings import empty_cache
from twinops.adapters.registry_client import isolation, progress
from twinops.adapters.registry_client.client import Door, RefusedError
from twinops.adapters.registry_client.commit import LOCK, Commit, Loader, other_commands, pipeline
from twinops.adapters.registry_client.contributors import Bases, against_cut, worked, writers
from twinops.adapters.registry_client.isolation import Scratch, Workplace
from twinops.adapters.registry_client.room import unreadable
from twinops.errors import DataError, IntegrityError, ServiceError
from twinops.governance.people import offices
from twinops.governance.people.offices import GATE_RUNNER
from twinops.governance.policy import judge as judges
from twinops.governance.policy.judge import Judge
from twinops.governance.policy.own_files import Known
from twinops.ports import Lineage

MODEL = "models/twin.json"
MEASURES, RESULTS = "reports/measures/", ("reports/", "model_cards/")
WRITES_BESIDES = frozenset({".dvc", LOCK, ".gitignore", ".twinops"})
"""What a run writes beside the outputs of its stages."""
OTHER_BYTES = "the forced run gave other bytes than are committed"


@dataclass(frozen=True)
class Candidate:
    """The commit that is run, with what its lock file says."""

    commit: Commit

    @classmethod
    def here(cls, root: Path) -> Candidate:
        """The commit that is checked out in this folder."""
        return cls(Commit.head(root.resolve()))

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.commit.root

    @cached_property
    def committed(self) -> dict[str, bytes]:
        """`dvc.yaml` and the lock file."""
        return self.commit.read((judges.PIPELINE, LOCK))

    @cached_property
    def stages(self) -> dict[str, Any]:
        """The lock file's entries."""
        told = Loader(self.committed[LOCK]).get_single_data()
        return dict((told or {}).get("stages") or {})

    @cached_property
    def outs(self) -> dict[str, str]:
        """MD5 of every output by its path, as committed."""
        return {out["path"]: out.get("md5", "") for stage in self.stages.values() for out in stage.get("outs", ())}

    @property
    def made(self) -> dict[str, list[str]]:
        """What each stage makes, as committed."""
        return {name: [out["path"] for out in stage.get("outs", ())] for name, stage in self.stages.items()}

    @cached_property
    def judge(self) -> Judge:
        """Which code and stages measure this commit."""
        return self.commit.judge()

    @property
    def written(self) -> frozenset[str]:
        """Folders and files directly in the project that a run writes to."""
        return frozenset(path.partition("/")[0] for path in self.outs) | WRITES_BESIDES

    def made_by_a_stage(self, path: str) -> bool:
        """Whether a file is an output, or lies in one."""
        return path in self.outs or any(path.startswith(f"{out}/") for out in self.outs)


def hand_in(root: Path, lineage: Lineage, name: str, version: int) -> dict[str, Any]:
    """Run everything anew, look up lineage and authors, and send. There is no other way to send evidence.

    Raises:
        RefusedError: this login is no gate runner's; asked before anything runs.
        ServiceError: the run failed, or gave other bytes than are committed.
    """
    unreadable()
    door = Door.from_environment()
    if GATE_RUNNER not in door.get("whoami")["roles"]:
        raise RefusedError("Only a gate runner records evidence; the offices file lists which accounts are.")
    candidate = Candidate.here(root)
    against_cut(candidate.root)
    found = worked(candidate.root, bases_of(door, name), known=known_to(door))
    told: dict[str, Any] = {
        "commit": candidate.commit.revision,
        "tree": candidate.commit.tree,
        "dirty": lineage.git_dirty(),
        "base": found.base,
        "authors": found.authors,
        "upstream": found.upstream,
        "judge_authors": judge_authors(candidate, door.get("judge")),
        "own_runner": not Path(__file__).resolve().is_relative_to(candidate.root),
    }
    told["isolation"] = forced_run(candidate)
    sent = {**files(candidate, name), judges.NAME: candidate.judge.to_json().encode()}
    return door.post(
        "evidence",
        name=name,
        version=version,
        files={path: base64.b64encode(content).decode() for path, content in sent.items()},
        lock_matches=lineage.lock_matches(),
        model_sha256=_model(candidate),
        forced=True,
        **told,
    )


def bases_of(door: Door, name: str) -> Bases:
    """What the registry knows that authors may be counted from."""
    told = door.get("alias", name=name, alias="production")
    adopted = told["adopted"]
    return Bases(tuple(told["commits"]), adopted["commit"] if adopted else None)


def known_to(door: Door) -> Known:
    """Whom the registry knows: its active offices file, never the candidate's."""
    told = door.get("known")
    text = told["offices"]
    return Known(
        offices.read(text, name="the active offices file") if text else offices.NOBODY,
        frozenset((one["sha256"], one["account"]) for one in told["activated"]),
    )


def judge_authors(candidate: Candidate, active: Mapping[str, Any]) -> list[str]:
    """E-mails of those who wrote the change of the judge: since the active one, or since the one before this one."""
    since = active["commit"] if active["digest"] != candidate.judge.digest else active["before"]
    return list(writers(candidate.root, since, of=judges.belongs)) if since else []


def forced_run(candidate: Candidate) -> dict[str, str]:
    """Every stage again with an empty cache; what git holds of the results must come out as it is committed.

    How the commands were shut in is returned.
    """
    against_frozen(candidate.committed[judges.PIPELINE])
    against_other_code(candidate)
    with isolation.scratch() as place:
        environment = isolation.environment(candidate.root, place)
        _compile(candidate.root)
        with (
            empty_cache(candidate.root, below=place.folder, environment=environment),
            progress.told(candidate.root, candidate.made, _say),
        ):
            how = _run(candidate, place)
    _same(candidate)
    return how


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _run(candidate: Candidate, place: Scratch) -> dict[str, str]:
    work = Workplace(candidate.root, candidate.written, candidate.commit.git_folder)
    code, how = isolation.run(("dvc", "repro", "--force", "--no-run-cache"), work, place)
    if code != 0:
        raise ServiceError("No evidence was handed in: the forced run failed.", hint="Read the lines above.")
    return how


def against_other_code(candidate: Candidate) -> None:
    """Code, notebooks and stages lie here as they are committed, with nothing beside them, and commands are theirs.

    Raises:
        IntegrityError: they do not.
    """
    commit = candidate.commit
    other = [*commit.differing(p for p in commit.entries if judges.belongs(p)), *commit.strange_code()]
    if other:
        raise IntegrityError(
            f"No evidence was handed in: {other[0]} is not as it is committed{_more(other)}.",
            hint="`git status` lists changes; `git clean -ndx src notebooks ideas` what git ignores.",
        )
    strange = other_commands(candidate.committed[judges.PIPELINE], candidate.stages)
    if strange:
        raise IntegrityError(
            f"No evidence was handed in: dvc.yaml does not say what dvc.lock runs as {strange[0]}{_more(strange)}.",
            hint="Run `dvc repro`; a parameter in a command is one plain word.",
        )


def _compile(root: Path) -> None:
    """No bytecode that lies there is believed: it is made anew, and goes by the source's hash."""
    code = root / "src"
    for folder in [f for top in (code, root / "notebooks") for f in top.rglob("__pycache__")]:
        shutil.rmtree(folder)
    command = [sys.executable, "-I", "-m", "compileall", "-q", "--invalidation-mode", "checked-hash"]
    if code.is_dir():
        subprocess.run([*command, str(code)], env={}, stdout=subprocess.DEVNULL, check=False)


def _same(candidate: Candidate) -> None:
    commit = candidate.commit
    other = commit.differing(p for p in commit.entries if p == LOCK or p.startswith(RESULTS))
    if other:
        raise ServiceError(
            f"No evidence was handed in: {OTHER_BYTES}: {other[0]}{_more(other)}.", hint="Run `dvc repro`, commit."
        )
    against_other_code(candidate)
    prepared = [p for p in _measures(candidate.root) if not candidate.made_by_a_stage(p)]
    if prepared:
        raise ServiceError(
            f"No evidence was handed in: no stage makes {prepared[0]}{_more(prepared)}.", hint="Take it away, commit."
        )


def _measures(root: Path) -> list[str]:
    return sorted(p.relative_to(root).as_posix() for p in (root / MEASURES).glob("*"))


def _more(found: list[str]) -> str:
    return f" (and {len(found) - 1} more)" if len(found) > 1 else ""


def against_frozen(text: bytes) -> None:
    """DVC does not look at what a frozen stage depends on, however hard it is forced."""
    frozen = sorted(name for name, stage in pipeline(text)["stages"].items() if _frozen(stage))
    if frozen:
        raise ServiceError(
            f"No evidence was handed in: {', '.join(frozen)} is frozen.", hint="`dvc unfreeze` it, run, commit."
        )


def _frozen(stage: Any) -> bool:
    if not isinstance(stage, dict):
        return False
    return bool(stage.get("frozen")) or any(_frozen(inner) for inner in stage.values())


def files(candidate: Candidate, name: str) -> dict[str, bytes]:
    """Evidence, documents and pictures, by path in the project: read once, compared, and sent as they were read.

    Raises:
        ServiceError: one of them is neither in the commit nor the output that the committed lock file tells.
    """
    root = candidate.root
    found = [root / "reports" / "evidence.json", *sorted((root / "model_cards" / name).glob("*"))]
    found += sorted((root / "reports" / "figures").glob("*.png"))
    return {p: _known(candidate, p) for p in (f.relative_to(root).as_posix() for f in found if f.is_file())}


def _known(candidate: Candidate, path: str) -> bytes:
    content = (candidate.root / path).read_bytes()
    told = candidate.outs.get(path)
    made = told is not None and hashlib.md5(content, usedforsecurity=False).hexdigest() == told
    if not (made or candidate.commit.holds(path, content)):
        raise ServiceError(f"No evidence was handed in: {OTHER_BYTES}: {path}.", hint="Run `dvc repro`, commit.")
    return content


def _model(candidate: Candidate) -> str:
    if not (candidate.root / MODEL).is_file():
        raise DataError(f"The run made no {MODEL}.", hint="Which stage makes it stands in dvc.yaml.")
    return hashlib.sha256(_known(candidate, MODEL)).hexdigest()
