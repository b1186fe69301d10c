"""What was said of the sources stands in the declarations that ask the same; what a person wrote there stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from candidate import ROOT
from offices import PEOPLE, keys_of, offices_text

from twinops.governance import open_fields
from twinops.own_params import OwnParams
from twinops.workflows.places import Places
from twinops.workflows.project.opened import left_open
from twinops.workflows.sources.answered import answer

NAMES = ("intended_use.yaml", "dpia.yaml")
PURPOSES = ("twin_training", "twin_scoring", "offers")


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A new project of one's own, whose officers were named."""
    (tmp_path / "compliance").mkdir()
    (tmp_path / "signing").mkdir()
    texts = {name: (ROOT / "compliance" / name).read_text(encoding="utf-8") for name in NAMES}
    for name, text in left_open(texts).items():
        (tmp_path / "compliance" / name).write_text(text, encoding="utf-8")
    offices = offices_text(keys_of(tmp_path / "signing"))
    (tmp_path / "compliance" / "offices.yaml").write_text(offices, encoding="utf-8")
    return Places(tmp_path)


def source(kind: str, bases: Any, columns: dict[str, str], **more: Any) -> dict[str, Any]:
    legal = {"controller": "A Shop Ltd", "provenance": "a file", "collected_from": "people", "notice": "notice-1",
             "bases": bases, "purposes": dict.fromkeys(columns, PURPOSES), "retention_days": 900,
             "synthetic": False}  # fmt: skip
    return {"kind": kind, "reads": "csv", "path": f"{kind}.csv", "columns": columns, "legal": legal, **more}


def own(bases: Any) -> OwnParams:
    columns = {"household_id": "card", "event": "what", "purpose": "for", "time": "day"}
    return OwnParams.model_validate(
        {"optins": source("consent", bases, columns, time={"format": "%Y-%m-%d", "zone": "UTC"})}
    )


def said(places: Places, name: str) -> Any:
    return yaml.safe_load((places.compliance / name).read_text(encoding="utf-8"))


BASES = {"twin_training": "legitimate_interest", "twin_scoring": "open", "offers": "consent"}


def test_controller_contact_and_bases_are_said_once_and_stand_wherever_they_are_asked(places):
    answer(places, own(BASES))
    use, assessment = said(places, "intended_use.yaml"), said(places, "dpia.yaml")
    assert use["controller"]["name"] == assessment["declared"]["actors"]["controller"] == "A Shop Ltd"
    officer = PEOPLE["data protection officer"][1]
    assert use["controller"]["contact"] == assessment["declared"]["actors"]["dpo_contact"] == officer
    bases = {name: purpose["legal_basis"] for name, purpose in use["purposes"].items()}
    assert bases == {**BASES, "bias_assessment": "open"}
    owed = {one.field for name in NAMES for one in open_fields.owed(said(places, name), file=name)}
    assert not {"controller.name", "controller.contact", "purposes.offers.legal_basis", "declared.actors"} & owed
    assert {"purposes.twin_scoring.legal_basis", "declared.actors.recipients"} <= owed


def test_what_a_person_wrote_stays(places):
    path = places.compliance / "intended_use.yaml"
    use = said(places, "intended_use.yaml")
    use["controller"].update(name="The Other Ltd", contact="other@shop.example")
    use["purposes"]["offers"]["legal_basis"] = "contract"
    path.write_text(yaml.safe_dump(use), encoding="utf-8")
    answer(places, own(BASES))
    use = said(places, "intended_use.yaml")
    assert use["controller"]["name"] == "The Other Ltd"
    assert use["purposes"]["offers"]["legal_basis"] == "contract"


def test_where_nothing_was_said_the_files_keep_their_bytes(places):
    (places.compliance / "offices.yaml").unlink()
    before = {name: (places.compliance / name).read_bytes() for name in NAMES}
    answer(places, OwnParams.model_validate({}))
    assert {name: (places.compliance / name).read_bytes() for name in NAMES} == before
