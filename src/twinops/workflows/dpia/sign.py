"""Let a person sign answers to the impact assessment, with a key and an office of their own."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from twinops.errors import IntegrityError, ParamsError
from twinops.governance.assessment.answers import ADVICE, DECISION, NAMESPACE
from twinops.governance.people.offices import SOURCE, StaffMember, office_asked
from twinops.ports import Signer
from twinops.workflows.compliance_files import SIGNATURE, AnsweredDpia, declarations, signatory
from twinops.workflows.places import Places


@dataclass(frozen=True)
class Signed:
    """What this person signed now."""

    by: str
    fields: tuple[str, ...]


def sign(places: Places, signer: Signer, *, email: str, key: Path, fields: Iterable[str] = ()) -> Signed:
    """Sign the named answers, or all of this person's that are not signed yet.

    Raises:
        ParamsError: nobody of this address, not their answer, or not their office.
        IntegrityError: the signature does not count, because the offices file holds another key.

    """
    part, person = declarations(places).assessment, signatory(places, email)
    wanted = tuple(fields) or _own(part, person)
    for field in wanted:
        _may(part, person, field)
    for field in wanted:
        signer.sign(places.compliance / "dpia" / f"{field}.yaml", key=key, namespace=NAMESPACE)
    _verify(places, wanted)
    return Signed(str(person.name), wanted)


def _own(part: AnsweredDpia, person: StaffMember) -> tuple[str, ...]:
    """Answers of this person; advice and decision only by name, because they are given last."""
    mine = [n for n, g in part.answers.items() if g.by == person.name and not part.signatures[n].counts]
    found = tuple(n for n in mine if office_asked(getattr(part.dpia.human, n).who) == person.office)
    last = tuple(n for n in found if n in (ADVICE, DECISION))
    return found if found == last else tuple(n for n in found if n not in last)


def _may(part: AnsweredDpia, person: StaffMember, field: str) -> None:
    given = part.answers.get(field)
    if given is None:
        raise ParamsError(f"{field} is not answered yet.", hint=f"`twinops dpia answer {field}` takes the answer down.")
    office = office_asked(getattr(part.dpia.human, field).who)
    if office != person.office:
        told = "the data protection officer advises and never decides (GDPR art. 38(6))"
        why = told if field == DECISION else f"{person.name} holds another office"
        raise ParamsError(f"{field} is asked of the {office}: {why}.", hint=f"Offices stand in {SOURCE}.")
    if given.by != person.name:
        raise ParamsError(f"{field} was answered by {given.by}.", hint="Each signs their own answers.")
    if not given.intact:
        hint = f"Answer it anew: `twinops dpia answer {field}`."
        raise ParamsError(f"{field} was changed after it was given.", hint=hint)


def _verify(places: Places, fields: Iterable[str]) -> None:
    """Look at the signatures as everyone will; one that does not count is taken away again."""
    signatures = declarations(places).assessment.signatures
    wrong = {f: signatures[f].problem for f in fields if not signatures[f].counts}
    for field in wrong:
        (places.compliance / "dpia" / f"{field}.yaml{SIGNATURE}").unlink(missing_ok=True)
    if wrong:
        raise IntegrityError(
            "Not signed: " + "; ".join(f"{f}: {problem}" for f, problem in wrong.items()) + ".",
            hint=f"The public key stands in {SOURCE}, beside the signer's e-mail.",
        )
