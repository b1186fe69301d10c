"""One fault, planted into a copy of what is promotable and put before the decision that everybody asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from planted.desk import PLANTED_IN, Desk
from twinops.adapters.registry_client import gate_runner
from twinops.adapters.registry_client.commit import git
from twinops.adapters.registry_client.gate_runner import Candidate
from twinops.errors import ServiceError, TwinopsError
from twinops.governance.policy.decide import Decision, decide
from twinops.workflows.candidate.files import lineage_facts
from twinops.workflows.candidate.judge import day_fact, judge
from twinops.workflows.compliance_files import declarations
from twinops.workflows.pipeline.documents import documents

FOUND, OPEN, HARMLESS, SAME = "found", "promotable", "harmless", "says the same"
UNREADABLE, RUN_AGAIN = "the file is refused", "the forced run"
DECLARED, PAPERS, FORCED = "declared", "papers", "forced"


@dataclass(frozen=True)
class Fault:
    """What is planted where; `asks` says what is done next: documents built anew, only looked at, or all run again."""

    kind: str
    where: str
    what: str
    plant: Callable[[Desk], None]
    asks: str = DECLARED
    harmless: str = ""
    """Why it may stay promotable by design: one of the short list."""


@dataclass(frozen=True)
class Found:
    """Which checks refused; `promotable` when none did."""

    fault: Fault
    by: tuple[str, ...]
    why: str = ""

    @property
    def word(self) -> str:
        if self.by == (SAME,):
            return SAME
        if self.by:
            return FOUND
        return HARMLESS if self.fault.harmless else OPEN


def tried(desk: Desk, fault: Fault) -> Found:
    """Plant, ask, put everything back."""
    try:
        fault.plant(desk)
        return Found(fault, *ASKED[fault.asks](desk))
    except TwinopsError as problem:
        return Found(fault, (UNREADABLE,), str(problem))
    finally:
        desk.restore()


def _declared(desk: Desk) -> tuple[tuple[str, ...], str]:
    """As `twinops documents build` and `twinops status`: gather, decide; built only where nothing refuses before."""
    declared = declarations(desk.places)
    evidence = declared.reviewed(desk.candidate.gather(declared, key=desk.lineage.candidate_key()))
    if (evidence.digest, declared.rules.digest) == desk.state:
        return (SAME,), ""
    known = (*lineage_facts(desk.lineage, evidence), *desk.papers, day_fact())
    decision = decide(declared.rules, evidence.joined(facts=known))
    if not decision.promotable:
        return _blocked(decision)
    documents(desk.candidate, desk.lineage)
    return _papers(desk)


def _papers(desk: Desk) -> tuple[tuple[str, ...], str]:
    """As `twinops gates explain` and `twinops documents check`."""
    return _blocked(judge(desk.places, desk.lineage).decision)


def _forced(desk: Desk) -> tuple[tuple[str, ...], str]:
    """The same, and as the gate runner does where nothing refuses: all is run again and compared with the commit."""
    by, why = _papers(desk)
    if by:
        return by, why
    git(desk.root, "add", "-A", "--", *PLANTED_IN)
    git(desk.root, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "planted")
    desk.restore()  # what the stages make of the same inputs: the bytes that were there before
    try:
        gate_runner._same(Candidate.here(desk.root))
    except ServiceError as problem:
        return (RUN_AGAIN,), str(problem)
    finally:
        git(desk.root, "reset", "-q", "--hard", "HEAD~1")
    return (), ""


def _blocked(decision: Decision) -> tuple[tuple[str, ...], str]:
    why = next((v.sentence for v in decision.verdicts if v.gate in decision.blocking), "")
    return decision.blocking, why


ASKED: dict[str, Callable[[Desk], Any]] = {DECLARED: _declared, PAPERS: _papers, FORCED: _forced}
