"""Read what people wrote and signed in `compliance/`: all of it once, before anything is decided by it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from twinops.entities.canonical import from_json
from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact, Kind
from twinops.errors import ParamsError
from twinops.governance import open_fields
from twinops.governance.assessment import answers, justification
from twinops.governance.assessment import questions as dpia
from twinops.governance.assessment.answers import GivenAnswer
from twinops.governance.assessment.approval import ExpectedSigner, Signature, approval, signature
from twinops.governance.assessment.questions import Dpia
from twinops.governance.law import intended_use, retention
from twinops.governance.law.intended_use import IntendedUse
from twinops.governance.law.retention import Retention
from twinops.governance.open_fields import OpenField
from twinops.governance.people import offices
from twinops.governance.people.offices import NOBODY, Offices, StaffMember, office_asked
from twinops.governance.policy import resolution
from twinops.governance.policy.decide import decide
from twinops.governance.policy.limits import Policy
from twinops.governance.policy.resolution import WrittenRuling
from twinops.governance.reading import MAX_BYTES, parse, sentences
from twinops.governance.verdicts.approved_description import description
from twinops.workflows.places import Places
from twinops.workflows.policy_file import policy_of

ASSESSED = "assessed.json"
ABOUT_FILES = "own_files.yaml"
"""What is open about the owner's files: left out, or in a language nobody here knows (`sources propose`)."""
OPENED = ("intended_use.yaml", "dpia.yaml", "policy.yaml", "offices.yaml", ABOUT_FILES)
"""Files in which something may be open."""
SIGNATURE = ".sig"


@dataclass(frozen=True)
class AnsweredDpia:
    """The assessment with its answers, the files behind them, their signatures, and the description they speak of."""

    dpia: Dpia
    answers: Mapping[str, GivenAnswer]
    signatures: Mapping[str, Signature]
    approved: Mapping[str, Any] | None = field(default=None)

    @property
    def facts(self) -> tuple[Fact, ...]:
        """Declarations, answers and signatures."""
        signed = {name: self.signatures[name].to_dict() for name in sorted(self.answers)}
        source = f"{dpia.ANSWERS}/*.sig, {offices.SOURCE}"
        return (*dpia.facts(self.dpia), Fact("dpia.signatures", signed, Kind.MEASURED, source))

    def review(self, now: Mapping[str, Any]) -> dict[str, Any]:
        """Whether the approval stands for what is described now."""
        return approval(self.answers, self.signatures, self.approved, now)


@dataclass(frozen=True)
class SignedRetention:
    """The decisions on the retention proposal, and what became of their signature."""

    said: Retention
    signature: Signature

    def review(self, proposal: Fact | None) -> Fact:
        """Which decisions stand."""
        return retention.review(self.said, proposal, self.signature)


@dataclass(frozen=True)
class Declarations:
    """The policy, the uses, who holds which office, and what they answered, ruled and decided."""

    rules: Policy
    uses: IntendedUse
    offices: Offices
    assessment: AnsweredDpia
    written: tuple[Fact, ...]
    """Rulings on gates, and justifications."""
    retention: SignedRetention
    open: tuple[OpenField, ...] = ()
    """What nobody has said yet."""

    @property
    def facts(self) -> tuple[Fact, ...]:
        """What is declared, as the evidence carries it."""
        declared = (*intended_use.facts(self.uses), *self.assessment.facts, *self.written)
        return (*declared, *retention.facts(self.retention.said), *open_fields.fact(self.open))

    def described(self, evidence: Evidence) -> dict[str, Any]:
        """What an approval now would be given for."""
        return description(evidence, decide(self.rules, evidence), self.rules)

    def reviewed(self, evidence: Evidence) -> Evidence:
        """The same, with whether the approval of the assessment stands for it, and what was decided to hold."""
        stands = self.assessment.review(self.described(evidence))
        review = Fact("dpia.review", stands, Kind.MEASURED, f"{dpia.ANSWERS}/ compared with this evidence")
        return evidence.joined(facts=(review, self.retention.review(evidence.fact(retention.PROPOSAL))))


def declarations(places: Places) -> Declarations:
    """All of `compliance/` that governs a candidate.

    Raises:
        ParamsError: a file is absent or holds mistakes.

    """
    rules, who = policy_of(places), offices_of(places)
    uses = intended_use.read(text_of(places.compliance / "intended_use.yaml"))
    written, retained = (*ruling_facts(places, who), *justification_facts(places, who)), signed_retention(places, who)
    return Declarations(rules, uses, who, _assessment(places, who), written, retained, open_in(places))


def open_in(places: Places) -> tuple[OpenField, ...]:
    """What people have not said yet in `compliance/`, each with who must say it."""
    found = {name: places.compliance / name for name in OPENED}
    texts = {name: parse(text_of(path), name=name) for name, path in found.items() if path.is_file()}
    return tuple(one for name, raw in texts.items() for one in open_fields.owed(raw, file=name))


def _assessment(places: Places, who: Offices) -> AnsweredDpia:
    asked = dpia.read(text_of(places.compliance / "dpia.yaml"))
    given = {path.stem: answers.read(text_of(path), field=path.stem) for path in _answer_files(places)}
    signed = {name: _signature(places, asked, one, who) for name, one in given.items()}
    return AnsweredDpia(_answered(asked, given), given, signed, _approved(places))


def offices_of(places: Places) -> Offices:
    """Who may answer and sign; an absent file holds nobody."""
    path = places.compliance / "offices.yaml"
    return offices.read(text_of(path)) if path.is_file() else NOBODY


def signatory(places: Places, email: str) -> StaffMember:
    """The named officer of this address.

    Raises:
        ParamsError: nobody of this address holds an office.

    """
    person = offices_of(places).by_email(email)
    if person is None or person.office is None or person.name is None:
        raise ParamsError(
            f"{email} holds no office in {offices.SOURCE}.",
            hint=f"{offices.line_for(offices.RISK_OFFICER, key=True)}, or with the office that is asked.",
        )
    return person


def ruling_facts(places: Places, who: Offices) -> tuple[Fact, ...]:
    """What people wrote about gates, each with what became of its signature; nothing when nobody did."""
    found = [_ruling(path, who) for path in _rulings(places)]
    source = f"compliance/{resolution.FOLDER}/*.yaml and their signatures"
    return (Fact(resolution.FACT, found, Kind.HUMAN, source),) if found else ()


def justification_facts(places: Places, who: Offices) -> tuple[Fact, ...]:
    """What people wrote to justify a difference, each with what became of its three signatures."""
    found = [_justification(path, who) for path in sorted((places.compliance / justification.FOLDER).glob("*.yaml"))]
    source = f"compliance/{justification.FOLDER}/*.yaml and their signatures"
    return (Fact(justification.FACT, found, Kind.HUMAN, source),) if found else ()


def signature_path(path: Path, office: str) -> Path:
    """Where one of several people signs a file."""
    return path.with_name(f"{path.name}.{office}{SIGNATURE}")


def signed_retention(places: Places, who: Offices) -> SignedRetention:
    """What was decided of the retention proposal, signature and all."""
    path = places.compliance / "retention.yaml"
    said = retention.read(text_of(path))
    made = signature(path.read_bytes(), signature_of(path), _retaining(said, who), namespace=retention.NAMESPACE)
    return SignedRetention(said, made)


def expected_signers(places: Places, who: Offices) -> dict[str, ExpectedSigner]:
    """Who must have signed each file of `compliance/` that somebody wrote, by its place in the project."""
    asked = dpia.read(text_of(places.compliance / "dpia.yaml"))
    found = {
        path: _answering(asked, answers.read(text_of(path), field=path.stem), who) for path in _answer_files(places)
    }
    found |= {path: _ruling_by(_written(path), who) for path in _rulings(places)}
    retained = places.compliance / "retention.yaml"
    found[retained] = _retaining(retention.read(text_of(retained)), who)
    return {path.relative_to(places.root).as_posix(): expected for path, expected in found.items()}


def text_of(path: Path) -> str:
    """A file that people typed.

    Raises:
        ParamsError: it is absent, or no UTF-8 text.

    """
    try:
        with path.open("rb") as file:
            return file.read(4 * MAX_BYTES).decode()
    except FileNotFoundError:
        raise ParamsError(f"There is no {path.parent.name}/{path.name}.", hint="Restore it from git.") from None
    except UnicodeDecodeError:
        raise ParamsError(f"{path.parent.name}/{path.name} is no UTF-8 text.", hint="Mend the file.") from None


def signature_of(path: Path) -> str | None:
    """The signature beside a file, or None."""
    beside = path.with_name(path.name + SIGNATURE)
    return text_of(beside) if beside.is_file() else None


def _answer_files(places: Places) -> list[Path]:
    found = sorted((places.compliance / "dpia").glob("*.yaml"))
    strangers = [p.name for p in found if p.stem not in dpia.HUMAN]
    if strangers:
        raise ParamsError(
            f"compliance/dpia/ answers what nobody asked: {', '.join(strangers)}.",
            hint=f"Questions are {', '.join(dpia.HUMAN)}.",
        )
    return found


def _signature(places: Places, asked: Dpia, given: GivenAnswer, who: Offices) -> Signature:
    path = places.compliance / "dpia" / f"{given.field}.yaml"
    expected = _answering(asked, given, who)
    return signature(path.read_bytes(), signature_of(path), expected, namespace=answers.NAMESPACE)


def _answering(asked: Dpia, given: GivenAnswer, who: Offices) -> ExpectedSigner:
    office = office_asked(getattr(asked.human, given.field).who)
    return ExpectedSigner(who, office, given.by, given.dated)


def _retaining(said: Retention, who: Offices) -> ExpectedSigner:
    return ExpectedSigner(who, retention.ROLE, retention.author(said), retention.last_day(said))


def _answered(asked: Dpia, given: Mapping[str, GivenAnswer]) -> Dpia:
    """An answer to another question, or one that was changed since it was given, answers nothing."""
    standing = {
        name: one.filled
        for name, one in given.items()
        if one.intact and one.question == getattr(asked.human, name).question
    }
    try:
        return dpia.with_answers(asked, standing)
    except ValidationError as problem:
        what = "compliance/dpia/ holds mistakes:\n  " + "\n  ".join(sentences(problem))
        raise ParamsError(what, hint="Answer them anew.") from None


def _approved(places: Places) -> Mapping[str, Any] | None:
    path = places.compliance / "dpia" / ASSESSED
    if not path.is_file():
        return None
    try:
        found = from_json(text_of(path))
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _ruling(path: Path, who: Offices) -> dict[str, Any]:
    one = _written(path)
    made = signature(path.read_bytes(), signature_of(path), _ruling_by(one, who), namespace=resolution.NAMESPACE)
    return {**one.model_dump(mode="json"), "signed": made.counts, "problem": made.problem}


def _rulings(places: Places) -> list[Path]:
    return sorted((places.compliance / resolution.FOLDER).glob("*.yaml"))


def _written(path: Path) -> WrittenRuling:
    return resolution.read(text_of(path), name=f"compliance/{resolution.FOLDER}/{path.name}")


def _ruling_by(one: WrittenRuling, who: Offices) -> ExpectedSigner:
    return ExpectedSigner(who, one.role, one.by, one.dated)


def _justification(path: Path, who: Offices) -> dict[str, Any]:
    one = justification.read(text_of(path), name=f"compliance/{justification.FOLDER}/{path.name}")
    made = {}
    for short, office in justification.SIGNERS.items():
        beside, expected = signature_path(path, short), ExpectedSigner(who, office, one.author(office), one.dated)
        signed = text_of(beside) if beside.is_file() else None
        made[office] = signature(path.read_bytes(), signed, expected, namespace=justification.NAMESPACE)
    problem = "; ".join(f"{office}: {s.problem}" for office, s in made.items() if not s.counts)
    signatures = {office: s.to_dict() for office, s in made.items()}
    return {**one.model_dump(mode="json"), "signed": not problem, "problem": problem, "signatures": signatures}
