"""Let each of three people sign why a decision may reach a group less often, each for the office they hold."""

from dataclasses import dataclass, replace
from pathlib import Path

from twinops.errors import IntegrityError, ParamsError
from twinops.governance.assessment import justification
from twinops.governance.assessment.justification import SIGNERS
from twinops.governance.gates import fairness as gate
from twinops.governance.people.offices import StaffMember
from twinops.ports import Lineage, Signer
from twinops.workflows.candidate.judge import Day, JudgedCandidate, judge
from twinops.workflows.candidate.justification_draft import failed_limits
from twinops.workflows.compliance_files import (
    SIGNATURE,
    justification_facts,
    offices_of,
    signatory,
    signature_path,
    text_of,
)
from twinops.workflows.places import Places


@dataclass(frozen=True)
class SignedJustification:
    """What was signed, by whom, and what still keeps it from counting."""

    path: Path
    by: str
    problem: str


def justify(  # noqa: PLR0913  # the first three are supplied by wiring
    places: Places, lineage: Lineage, signer: Signer, *, attribute: str, email: str, key: Path, today: Day = None
) -> SignedJustification:
    """Sign the justification as it lies here, for the office that this person holds.

    Raises:
        ParamsError: nobody of this address, no such file, mistakes in it, or it names somebody else for the office.
        IntegrityError: the signature does not count, because the offices file holds another key.
    """
    judged, person = judge(places, lineage, today), signatory(places, email)
    failed_limits(judged, attribute)
    path = places.compliance / justification.FOLDER / f"{attribute}.yaml"
    said = justification.read(text_of(path), name=f"{justification.FOLDER}/{path.name}")
    if said.attribute != attribute or said.author(str(person.office)) != person.name:
        raise ParamsError(
            f"{path.name} is about {said.attribute} and names {said.author(str(person.office))} as {person.office}.",
            hint="Each signs for the office they hold.",
        )
    short = next(s for s, office in SIGNERS.items() if office == person.office)
    signer.sign(path, key=key, namespace=justification.NAMESPACE)
    path.with_name(path.name + SIGNATURE).replace(signature_path(path, short))
    return SignedJustification(path, str(person.name), _left(places, judged, attribute, person))


def _left(places: Places, judged: JudgedCandidate, attribute: str, person: StaffMember) -> str:
    """Look at it as everyone will: what still keeps it from counting."""
    facts = tuple(f for f in judged.evidence.facts if f.name != justification.FACT)
    evidence = replace(judged.evidence, facts=(*facts, *justification_facts(places, offices_of(places))))
    weighed = gate.weighed(evidence, failed_limits(judged, attribute)).get(attribute)
    problem = weighed.problem if weighed else "it cannot be read"
    if f"{person.office}: " in problem and "not signed" not in problem.split(f"{person.office}: ")[1].split(";")[0]:
        raise IntegrityError(f"The signature does not count: {problem}.", hint="See compliance/offices.yaml.")
    return problem
