"""A copy of a project that is promotable, the keys of its people, and every hand that a fault is planted by.

`Desk.answered` and `Desk.approved` are the strongest hand: somebody who knows all formats, with everybody's key, whose
advice and decision follow whatever is laid before them. What is found even so is found by what the files say.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml

from twinops.adapters.ssh_keygen import SshKeygen
from twinops.entities.canonical import digest, to_json
from twinops.entities.fact import Fact
from twinops.governance.assessment import answers
from twinops.governance.assessment.answers import ADVICE, DECISION, GivenAnswer, GivenFor, before, written
from twinops.governance.people.offices import office_asked
from twinops.governance.policy import resolution
from twinops.ports import Lineage
from twinops.wiring import Project
from twinops.workflows.candidate.files import evidence_of
from twinops.workflows.candidate.judge import document_facts
from twinops.workflows.compliance_files import ASSESSED, declarations
from twinops.workflows.evidence import CandidateFolder
from twinops.workflows.places import Places
from twinops.workflows.policy_file import policy_of

PLANTED_IN = ("compliance", "model_cards", "reports", "params.yaml", "dvc.lock")
"""What a fault may touch; all of it is put back after each."""


@dataclass
class Desk:
    """One project folder, put back as it was after each fault."""

    root: Path
    keys: Mapping[str, Path]
    """Office -> the private key of whoever holds it."""
    stranger: Path
    """A key that nobody knows."""
    lineage: Committed
    """What lineage says of the promotable state, and of whoever commits a fault and writes the lock file anew."""
    undo: ExitStack = field(default_factory=ExitStack)

    @classmethod
    def copied(cls, project: Path, keys: Mapping[str, Path], *, into: Path) -> Desk:
        """The parts of a project that are judged; the vault's rows stay where they are."""
        shutil.copytree(project, into, symlinks=True, ignore=shutil.ignore_patterns("cache", "raw", "quarantine"))
        stranger = into.parent / "stranger"
        make_key(stranger)
        return cls(into, keys, stranger, Committed.asked(Project(project).lineage))

    @cached_property
    def project(self) -> Project:
        return Project(self.root)

    @property
    def places(self) -> Places:
        return self.project.places

    @cached_property
    def candidate(self) -> CandidateFolder:
        return self.project._made(CandidateFolder)

    @cached_property
    def pristine(self) -> dict[Path, bytes]:
        found = [self.root / name for name in PLANTED_IN]
        return {p: p.read_bytes() for f in found for p in ([f] if f.is_file() else f.rglob("*")) if p.is_file()}

    @cached_property
    def state(self) -> tuple[str, str]:
        """Digests of evidence and policy as they are without a fault."""
        declared = declarations(self.places)
        evidence = declared.reviewed(self.candidate.gather(declared, key=self.lineage.candidate_key()))
        return evidence.digest, declared.rules.digest

    @cached_property
    def papers(self) -> tuple[Fact, ...]:
        """What is said of the documents as they are without a fault."""
        return document_facts(self.places, evidence_of(self.places.evidence), policy_of(self.places))

    def remember(self) -> None:
        """Look at everything before anything is planted."""
        self.state, self.papers, self.pristine, self.asked  # noqa: B018

    def restore(self) -> None:
        """Everything as it was; what is in pristine is written only where it differs."""
        self.undo.close()
        there = [p for name in PLANTED_IN for p in (self.root / name).rglob("*") if p.is_file()]
        for path in there:
            if path not in self.pristine:
                path.unlink()
        for path, content in self.pristine.items():
            if not path.is_file() or path.stat().st_size != len(content) or path.read_bytes() != content:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)

    def text(self, path: str) -> str:
        return (self.root / path).read_text(encoding="utf-8")

    def put(self, path: str, text: str | bytes) -> None:
        (self.root / path).write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))

    def edit(self, path: str, change: Callable[[Any], Any]) -> None:
        """A YAML file, read, changed and written again."""
        raw = yaml.safe_load(self.text(path))
        self.put(path, yaml.safe_dump(change(raw), sort_keys=False, allow_unicode=True, width=110))

    def replaced(self, module: Any, name: str, value: Any) -> None:
        """What an edit of a source file would load."""
        self.undo.enter_context(patch.object(module, name, value))

    def sign(self, path: str, key: Path, *, namespace: str) -> None:
        SshKeygen().sign(self.root / path, key=key, namespace=namespace)

    # ---- people

    @cached_property
    def asked(self) -> dict[str, str]:
        """Question -> the office it is asked of, of every answer that was given."""
        part = declarations(self.places).assessment
        return {n: office_asked(getattr(part.dpia.human, n).who) for n in sorted(part.answers)}

    def given(self, name: str) -> GivenAnswer:
        return answers.read(self.text(file_of(name)), field=name)

    def answered(self, name: str, **changes: Any) -> None:
        """An answer given otherwise, digest made anew, signed by whom it was asked of; advice and decision follow."""
        self.give(self.given(name).model_copy(update=changes), office_of(self, name))
        for later in (ADVICE, DECISION)[(name == ADVICE) + 2 * (name == DECISION) :]:
            given = {n: self.given(n) for n in self.asked}
            followed = self.given(later)
            spoken_of = GivenFor(assessed=followed.given_for.assessed, answers=before(later, given))
            self.give(followed.model_copy(update={"given_for": spoken_of}), office_of(self, later))

    def give(self, made: GivenAnswer, office: str) -> None:
        made = made.model_copy(update={"digest": made.made_digest})
        self.put(file_of(made.field), written(made))
        self.sign(file_of(made.field), self.keys[office], namespace=answers.NAMESPACE)

    def approved(self) -> None:
        """Advice and decision for what is declared now, whatever that is, and every ruling written for it."""
        declared = declarations(self.places)
        now = declared.described(self.candidate.gather(declared, key=self.lineage.candidate_key()))
        self.put(f"compliance/dpia/{ASSESSED}", to_json(now, indent=1) + "\n")
        given = {n: self.given(n) for n in self.asked}
        for name in (ADVICE, DECISION):
            spoken_of = GivenFor(assessed=digest(now), answers=before(name, given))
            self.give(given[name].model_copy(update={"given_for": spoken_of}), office_of(self, name))
            given[name] = self.given(name)

    def ruled(self, path: str, **changes: Any) -> None:
        """A ruling written otherwise, and signed by its author's office."""
        self.edit(path, lambda raw: {**raw, **changes})
        office = yaml.safe_load(self.text(path)).get("role")
        self.sign(path, self.keys.get(office, self.stranger), namespace=resolution.NAMESPACE)


@dataclass(frozen=True)
class Committed:
    """Lineage as it is where everything was run again and committed: what the promotable state's own lineage says."""

    told: Mapping[str, Any]

    @classmethod
    def asked(cls, lineage: Lineage) -> Committed:
        names = (
            "candidate_key",
            "lock_matches",
            "changed",
            "ran_otherwise",
            "stale_stages",
            "git_revision",
            "git_dirty",
        )
        return cls({name: getattr(lineage, name)() for name in names})

    def __getattr__(self, name: str) -> Callable[[], Any]:
        return lambda: self.told[name]


def make_key(path: Path) -> None:
    import subprocess

    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)], check=True)


def file_of(name: str) -> str:
    return f"compliance/dpia/{name}.yaml"


def office_of(desk: Desk, name: str) -> str:
    return desk.asked[name]
