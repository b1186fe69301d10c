"""The retention proposal: a data owner accepts or refuses it in a signed file, and nothing else does."""

from __future__ import annotations

from pathlib import Path

import offices
import pytest
from offices import PEOPLE, Office

from twinops.adapters.ssh_keygen import SshKeygen
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.errors import DataError, IntegrityError, ParamsError
from twinops.governance.law import retention
from twinops.workflows.compliance_files import declarations
from twinops.workflows.retention.decide import decide as retention_decide
from twinops.workflows.retention.sign import sign as retention_sign
from twinops.workflows.retention.status import status as retention_status

OWNER, OWNERS = PEOPLE["data owner"]
RISK, RISKS = PEOPLE["risk officer"]


@pytest.fixture(scope="module")
def keys(tmp_path_factory) -> dict[str, Path]:
    return offices.keys_of(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def office(tmp_path, keys) -> Office:
    office = Office(tmp_path / "project", keys)
    propose(office)
    return office


def propose(office: Office, *units: str, text: str = "Proposed: do not use it.") -> None:
    items = [{"unit": u, "text": text, "established": "not necessary"} for u in units or ("income", "purchases")]
    fact = Fact("retention_proposal", {"status": "proposed", "items": items}, Kind.MEASURED, "minimise")
    path = office.places.measures("minimise")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(Findings((), (fact,)).to_json(), encoding="utf-8")


def decide(office: Office, unit: str = "income", *, accepted: bool = True, by: str = OWNER):
    answer = {"accepted": accepted, "reason": 'It says: "not needed".', "by": by}
    return retention_decide(office.places, unit=unit, answer=answer, dated="2026-11-24")


def sign(office: Office, role: str = "data owner"):
    return retention_sign(office.places, SshKeygen(), email=PEOPLE[role][1], key=office.keys[role])


def test_before_anyone_decides_everything_is_open_and_nothing_is_accepted(office):
    found = retention_status(office.places)
    assert found.review["open"] == ["income", "purchases"]
    assert found.review["accepted"] == found.review["refused"] == []
    with pytest.raises(ParamsError, match="Nothing is decided"):
        sign(office)


def test_a_decision_counts_once_its_author_who_owns_the_data_signs_it(office):
    assert decide(office).review["accepted"] == []
    assert "not counted: it is not signed" in retention_status(office.places).state("income")
    decide(office, "purchases", accepted=False)
    assert sign(office).review | {"told": ""} == {
        "proposal": retention_status(office.places).proposal.id, "open": [], "accepted": ["income"],
        "refused": ["purchases"], "unsigned": [], "problem": "", "told": "",
    }  # fmt: skip
    assert retention.read(office.text("retention.yaml")).decisions["income"].reason == 'It says: "not needed".'
    assert office.text("retention.yaml").startswith("# Whether the retention proposal is accepted.")


def test_no_other_office_and_no_other_author_can_sign_it(office):
    decide(office)
    with pytest.raises(IntegrityError, match="was written by Olga Owner and signed by Rita Risk"):
        sign(office, "risk officer")
    decide(office, "purchases", by=RISK)  # two authors: neither speaks for both
    with pytest.raises(IntegrityError):
        sign(office)
    assert not office.places.compliance.joinpath("retention.yaml.sig").exists()
    decide(office, by=RISK)
    with pytest.raises(IntegrityError, match="does not hold the office of data owner"):
        sign(office, "risk officer")


def test_a_changed_answer_or_another_proposal_is_open_again(office):
    decide(office)
    sign(office)
    office.change("retention.yaml", "accepted: true", "accepted: false")
    assert retention_status(office.places).review["refused"] == []
    assert retention_status(office.places).review["unsigned"] == ["income"]
    propose(office, text="Proposed: hold it.")
    found = retention_status(office.places)
    assert found.review["open"] == ["income", "purchases"]
    decide(office, "purchases")
    assert retention_status(office.places).review["open"] == ["income"]  # what was said of the other proposal is gone


def test_the_evidence_carries_what_stands_and_not_what_somebody_typed(office):
    decide(office)
    told = {}
    for signed in (False, True):
        if signed:
            sign(office)
        declared = declarations(office.places)
        evidence = declared.reviewed(office.folder.gather(declared))
        told[signed] = evidence.fact("retention_review").value
    assert (told[False]["accepted"], told[True]["accepted"]) == ([], ["income"])
    assert told[False]["told"] == "1 of 2 units decided for this proposal, none signed"


@pytest.mark.parametrize("wrong", [{"unit": "shoe_size"}, {"by": " "}, {"dated": "tomorrow"}])
def test_what_cannot_be_taken_changes_nothing(office, wrong):
    before = office.text("retention.yaml")
    asked = {"unit": "income", "by": OWNER, "dated": "2026-11-24", **wrong}
    answer = {"accepted": True, "reason": "no need", "by": asked["by"]}
    with pytest.raises(ParamsError):
        retention_decide(office.places, unit=asked["unit"], answer=answer, dated=asked["dated"])
    assert office.text("retention.yaml") == before


def test_without_a_proposal_there_is_nothing_to_decide(office):
    office.places.measures("minimise").unlink()
    with pytest.raises(DataError, match="Nothing is proposed"):
        decide(office)
