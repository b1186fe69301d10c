"""Write and sign a person's answer to a gate that could not tell, or that failed and may be overridden."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import yaml

from twinops.entities.verdict import Outcome
from twinops.errors import ParamsError
from twinops.governance import settled
from twinops.governance.people import SOURCE, Person
from twinops.governance.policy import Policy
from twinops.ports import Lineage, Signer
from twinops.workflows.human_part import SIGNATURE, offices, resolution_facts
from twinops.workflows.judge import Day, Judged, judge
from twinops.workflows.places import Places
from twinops.workflows.rules import rules_of


@dataclass(frozen=True)
class Resolved:
    """The file, whose it is, and until when it counts."""

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
) -> Resolved:
    """Take a written answer down, sign it, and check that it counts; one that does not is taken away again.

    Raises:
        ParamsError: nobody of this address, no such gate, nothing to settle, or the policy does not let them.

    """
    rules, judged = rules_of(places), judge(places, lineage, today)
    person = offices(places).people.by_email(email)
    if person is None:
        raise ParamsError(f"{email} is not in {SOURCE}.", hint="Whoever holds an office stands there.")
    day = today or datetime.now(UTC).date()
    answer = _answer(judged, gate, person, rules)
    text = {**answer, "reason": reason, "dated": day, "until": day + timedelta(days=days)}
    path = places.compliance / settled.FOLDER / f"{gate}.yaml"
    before = {p: p.read_bytes() for p in (path, path.with_name(path.name + SIGNATURE)) if p.is_file()}
    _write(path, yaml.safe_dump(text, sort_keys=False, allow_unicode=True, width=110))
    try:
        settled.read(path.read_text(encoding="utf-8"), name=path.name)
        signer.sign(path, key=key, namespace=settled.NAMESPACE)
        _verify(places, rules, judged, gate)
    except Exception:
        for one in (path, path.with_name(path.name + SIGNATURE)):
            one.unlink(missing_ok=True)
        for one, content in before.items():  # an answer that was refused does not take away the one that holds
            one.write_bytes(content)
        raise
    return Resolved(path, person.name, day + timedelta(days=days))


def _answer(judged: Judged, gate: str, person: Person, rules: Policy) -> dict[str, str]:
    verdict = next((v for v in judged.decision.verdicts if v.gate == gate), None)
    listed = next((g for g in rules.gates if g.id == gate), None)
    if verdict is None or listed is None:
        raise ParamsError(f"The policy has no gate {gate!r}.", hint="`twinops gates list` names them.")
    if verdict.outcome not in (Outcome.INCONCLUSIVE, Outcome.FAILED) or verdict.evidence is None:
        raise ParamsError(
            f"{gate} answers {verdict.outcome.value}: there is nothing to settle.", hint="What is missing must be made."
        )
    may = listed.may_resolve if verdict.outcome is Outcome.INCONCLUSIVE else rules.override.by
    role = next((r for r in person.roles if r in may), None)
    if role is None:
        raise ParamsError(
            f"The policy does not let {person.name} settle {gate}.", hint=f"It lets: {', '.join(may) or 'nobody'}."
        )
    return {
        "gate": gate,
        "candidate": judged.evidence.key,
        "evidence": verdict.evidence,
        "answer": verdict.outcome.value,
        "by": person.name,
        "role": role,
    }


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _verify(places: Places, rules: Policy, judged: Judged, gate: str) -> None:
    """Look at it as everyone will."""
    facts = [f for f in judged.evidence.facts if f.name != settled.FACT]
    evidence = type(judged.evidence)(
        judged.evidence.model,
        judged.evidence.key,
        judged.evidence.as_of,
        judged.evidence.measures,
        (*facts, *resolution_facts(places)),
    )
    found = [s for s in settled.settled(rules, evidence, judged.decision.verdicts) if s.gate == gate]
    problem = found[0].problem if found else "it cannot be read"
    if problem:
        raise ParamsError(f"It would not count: {problem}.", hint="See compliance/policy.yaml and allowed_signers.")
