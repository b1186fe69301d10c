"""Whether signatures and the approval of the impact assessment stand: who signed, for what, and what changed since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from twinops.entities.canonical import digest
from twinops.governance.assessment import substance
from twinops.governance.assessment.answers import ADVICE, DECISION, GivenAnswer, before
from twinops.governance.assessment.reopening import triggers
from twinops.governance.people.offices import SOURCE, Offices
from twinops.governance.people.sshsig import NotSigned, fingerprint, signing_key

OPEN, LAPSED, REOPENED, STANDS = "open", "lapsed", "reopened", "stands"


@dataclass(frozen=True)
class ExpectedSigner:
    """Who must have signed: the author, holding the office that was asked on the day of writing."""

    offices: Offices
    office: str
    by: str
    on: date

    @property
    def principal(self) -> str:
        """As `allowed_signers` names this person in this office; `nobody` when there is none, whom no key fits."""
        holding = (p for p in self.offices.people if p.name == self.by and p.holds(self.office, on=self.on))
        return next((p.principals[-1] for p in holding if p.emails), "nobody")


@dataclass(frozen=True)
class Signature:
    """What became of one signature: whose e-mail and key, or in `problem` why it does not count."""

    by: str = ""
    key: str = ""
    """The fingerprint, as `ssh-keygen -l` shows it; a registry compares it with the key it knows."""
    problem: str = "it is not signed"

    @property
    def counts(self) -> bool:
        """Signed by the author, who holds the office."""
        return not self.problem

    def to_dict(self) -> dict[str, Any]:
        """For a Fact."""
        return {**asdict(self), "counts": self.counts}


def signature(content: bytes, signed: str | None, expected: ExpectedSigner, *, namespace: str) -> Signature:
    """Check one signature: these bytes, this purpose, a known key, the author's own, and the office that was asked."""
    if signed is None:
        return Signature()
    try:
        key = signing_key(content, signed, namespace=namespace)
    except NotSigned as problem:
        return Signature(problem=str(problem))
    person = expected.offices.by_key(key)
    if person is None:
        return Signature(problem=f"the key that signed it is not in {SOURCE}")
    if person.name != expected.by:
        return Signature(problem=f"it was written by {expected.by} and signed by {person.name}")
    if not person.holds(expected.office, on=expected.on):
        return Signature(problem=f"{person.name} does not hold the office of {expected.office}")
    return Signature(by=person.emails[0], key=fingerprint(key), problem="")


def approval(
    answers: Mapping[str, GivenAnswer],
    signatures: Mapping[str, Signature],
    approved: Mapping[str, Any] | None,
    current: Mapping[str, Any],
) -> dict[str, Any]:
    """What stands today. `approved` is the description that advice and decision were given for.

    *open*: nobody decided. *lapsed*: a decision that does not fit its own files any more. *reopened*: what is assessed
    has changed. *stands*: decided, for what is so.
    """
    decision = answers.get(DECISION)
    if decision is None:
        return _state(OPEN, None)
    reasons = (*_lapses(answers, signatures, approved), *substance.against(answers, current["failed"]))
    same = approved is not None and decision.given_for is not None and decision.given_for.assessed == digest(approved)
    fired = [t.to_dict() for t in triggers(approved, current)] if same and approved else []
    if reasons or approved is None:
        return _state(LAPSED, decision, reasons=list(reasons), fired=fired)
    return _state(REOPENED if fired else STANDS, decision, fired=fired)


def _lapses(
    answers: Mapping[str, GivenAnswer], signatures: Mapping[str, Signature], approved: Mapping[str, Any] | None
) -> Any:
    yield from (f"{name} was changed after it was given" for name, given in answers.items() if not given.intact)
    yield from (f"{name}: {s.problem}" for name in answers if not (s := signatures.get(name, Signature())).counts)
    if ADVICE not in answers:
        yield "the data protection officer has not advised"
    now = digest(approved) if approved is not None else ""
    for name in (ADVICE, DECISION):
        given = answers.get(name)
        if given is None:
            continue
        if given.given_for is None or given.given_for.assessed != now:
            yield f"{name} was given for another description"
        elif given.given_for.answers != before(name, answers):
            yield f"an answer was changed or added after {name} was given"


def _state(state: str, decision: GivenAnswer | None, *, reasons: Any = (), fired: Any = ()) -> dict[str, Any]:
    return {
        "state": state,
        "decided_on": decision.dated.isoformat() if decision else None,
        "decided_by": decision.by if decision else None,
        "assessed": decision.given_for.assessed if decision and decision.given_for else None,
        "reasons": list(reasons),
        "triggers": list(fired),
    }
