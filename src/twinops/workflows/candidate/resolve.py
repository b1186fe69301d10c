"""Write and sign a person's ruling on a gate that could not tell, or that failed and may be overridden."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import yaml

from twinops.errors import ParamsError
from twinops.governance.people.offices import SOURCE, StaffMember
from twinops.governance.policy import resolution
from twinops.ports import Lineage, Signer
from twinops.whole_files import write
from twinops.workflows.candidate.judge import Day, JudgedCandidate, judge
from twinops.workflows.compliance_files import SIGNATURE, offices_of, ruling_facts, signatory
from twinops.workflows.places import Places


@dataclass(frozen=True)
class RulingFile:
    """Where a ruling was written, whose it is, and until when it counts."""

    path: Path
    by: str
    until: date


def resolve(  # noqa: PLR0913  # the first three are supplied by wiring
    places: Places,
    lineage: Lineage,
    signer: Signer,
    *,
    gate: str,
    email: str,
    reason: str,
    days: int,
    key: Path,
    today: Day = None,
) -> RulingFile:
    """Take a ruling down, sign it, and check that it counts; one that does not is taken away again.

    Raises:
        ParamsError: nobody of this address, no such gate, nothing to resolve, or the policy does not let them.

    """
    judged, person = judge(places, lineage, today), signatory(places, email)
    day = today or datetime.now(UTC).date()
    until = day + timedelta(days=days)
    text = {**_answer(judged, gate, person), "reason": reason, "dated": day, "until": until}
    path = places.compliance / resolution.FOLDER / f"{gate}.yaml"
    with _kept_if_it_fails(path, path.with_name(path.name + SIGNATURE)):
        write(path, yaml.safe_dump(text, sort_keys=False, allow_unicode=True, width=110))
        resolution.read(path.read_text(encoding="utf-8"), name=path.name)
        signer.sign(path, key=key, namespace=resolution.NAMESPACE)
        _verify(places, judged, gate)
    return RulingFile(path, str(person.name), until)


def _answer(judged: JudgedCandidate, gate: str, person: StaffMember) -> dict[str, str]:
    verdict = next((v for v in judged.decision.verdicts if v.gate == gate), None)
    problem = resolution.allowance(judged.rules, gate, verdict).against(str(person.office))
    if problem or verdict is None:
        raise ParamsError(
            f"{person.name} cannot resolve {gate!r}: {problem}.",
            hint="Who may resolve it stands in compliance/policy.yaml.",
        )
    return {
        "gate": gate,
        "candidate": judged.evidence.key,
        "evidence": str(verdict.evidence),
        "answer": verdict.outcome.value,
        "by": str(person.name),
        "role": str(person.office),
    }


@contextmanager
def _kept_if_it_fails(*paths: Path) -> Iterator[None]:
    """A ruling that is refused does not take away the one that holds."""
    before = {path: path.read_bytes() for path in paths if path.is_file()}
    try:
        yield
    except Exception:
        for path in paths:
            path.unlink(missing_ok=True)
        for path, content in before.items():
            write(path, content)
        raise


def _verify(places: Places, judged: JudgedCandidate, gate: str) -> None:
    """Look at it as everyone will."""
    facts = tuple(f for f in judged.evidence.facts if f.name != resolution.FACT)
    evidence = replace(judged.evidence, facts=(*facts, *ruling_facts(places, offices_of(places))))
    found = resolution.judged_rulings(judged.rules, evidence, judged.decision.verdicts)
    problem = next((r.problem for r in found if r.gate == gate), "it cannot be read")
    if problem:
        raise ParamsError(f"It would not count: {problem}.", hint=f"See compliance/policy.yaml and {SOURCE}.")
