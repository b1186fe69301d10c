"""Read what people wrote and signed in `compliance/`: answers to the assessment, and resolutions of gates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact, Kind
from twinops.errors import ParamsError
from twinops.governance import answers, dpia, people, retention, settled, sshsig
from twinops.governance.answers import GivenAnswer
from twinops.governance.assessed import description
from twinops.governance.decide import decide
from twinops.governance.dpia import Dpia
from twinops.governance.dpia_approval import Office, Signature, approval, signature
from twinops.governance.people import People, role_of
from twinops.governance.policy import Policy
from twinops.governance.reading import MAX_BYTES, sentences
from twinops.workflows.places import Places

ASSESSED = "assessed.json"
SIGNATURE = ".sig"


@dataclass(frozen=True)
class Offices:
    """Who holds which office, and with which key."""

    people: People
    signers: tuple[sshsig.AllowedSigner, ...]

    def asked(self, role: str, by: str) -> Office:
        """What a signature of this office and author is checked against."""
        return Office(self.signers, self.people, role, by)


@dataclass(frozen=True)
class HumanPart:
    """The assessment with its answers, the files behind them, their signatures, and the description they speak of."""

    dpia: Dpia
    answers: Mapping[str, GivenAnswer]
    signatures: Mapping[str, Signature]
    approved: Mapping[str, Any] | None = field(default=None)

    @property
    def facts(self) -> tuple[Fact, ...]:
        """Declarations, answers and signatures."""
        signed = {name: self.signatures[name].to_dict() for name in sorted(self.answers)}
        source = f"{dpia.ANSWERS}/*.sig, compliance/allowed_signers, {people.SOURCE}"
        return (*dpia.facts(self.dpia), Fact("dpia.signatures", signed, Kind.MEASURED, source))


def human_part(places: Places) -> HumanPart:
    """The whole assessment as people left it.

    Raises:
        ParamsError: a file is absent or holds mistakes.

    """
    asked = dpia.read(text_of(places.compliance / "dpia.yaml"))
    who = offices(places)
    given = {path.stem: answers.read(text_of(path), field=path.stem) for path in _answer_files(places)}
    signed = {name: _signature(places, asked, one, who) for name, one in given.items()}
    return HumanPart(_answered(asked, given), given, signed, _approved(places))


def offices(places: Places) -> Offices:
    """Who may answer and sign; an absent file holds nobody."""
    listed, keys = places.compliance / "people.yaml", places.compliance / "allowed_signers"
    known = people.read(text_of(listed)) if listed.is_file() else People(version="none", people=())
    return Offices(known, sshsig.allowed(text_of(keys)) if keys.is_file() else ())


def resolution_facts(places: Places) -> tuple[Fact, ...]:
    """What people wrote about gates, each with what became of its signature; nothing when nobody did."""
    folder, who = places.compliance / settled.FOLDER, offices(places)
    found = [_resolution(path, who) for path in sorted(folder.glob("*.yaml"))]
    source = f"compliance/{settled.FOLDER}/*.yaml and their signatures"
    return (Fact(settled.FACT, found, Kind.HUMAN, source),) if found else ()


def described(evidence: Evidence, rules: Policy) -> dict[str, Any]:
    """What an approval now would be given for."""
    return description(evidence, decide(rules, evidence))


def review_fact(evidence: Evidence, rules: Policy, part: HumanPart) -> Fact:
    """Whether the approval stands for what the evidence describes."""
    stands = approval(part.answers, part.signatures, part.approved, described(evidence, rules))
    return Fact("dpia.review", stands, Kind.MEASURED, f"{dpia.ANSWERS}/ compared with this evidence")


def retention_review(places: Places, proposal: Fact | None) -> Fact:
    """Which answers to the retention proposal stand, signature and all."""
    path = places.compliance / "retention.yaml"
    said = retention.read(text_of(path))
    office = offices(places).asked(retention.ROLE, retention.author(said))
    made = signature(path.read_bytes(), signature_of(path), office, namespace=retention.NAMESPACE)
    return retention.review(said, proposal, made)


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
    role = role_of(getattr(asked.human, given.field).who)
    return signature(path.read_bytes(), signature_of(path), who.asked(role, given.by), namespace=answers.NAMESPACE)


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
        raise ParamsError(
            "compliance/dpia/ holds mistakes:\n  " + "\n  ".join(sentences(problem)), hint="Answer them anew."
        ) from None


def _approved(places: Places) -> Mapping[str, Any] | None:
    path = places.compliance / "dpia" / ASSESSED
    if not path.is_file():
        return None
    try:
        found = json.loads(text_of(path))
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _resolution(path: Path, who: Offices) -> dict[str, Any]:
    one = settled.read(text_of(path), name=f"compliance/{settled.FOLDER}/{path.name}")
    made = signature(path.read_bytes(), signature_of(path), who.asked(one.role, one.by), namespace=settled.NAMESPACE)
    return {**one.model_dump(mode="json"), "signed": made.counts, "problem": made.problem}
