"""A stage depends on the committed files of the rights ledger by which it goes, and on no other of them."""

from __future__ import annotations

import pytest
import yaml
from candidate import ROOT

from twinops.entities.rights import FOLLOWED
from twinops.ports import Persons, RightsRead
from twinops.wiring import asked, find

STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
TAKING_IN = ("collect", "collect_profile", "collect_consent", "collect_identities", "collect_synthetic")
OF_NOBODY = ("collect_products",)
"""Takes rows in that are about nobody, past the door that asks."""
PROFILES = ("collect_profile", "collect_identities", "collect_synthetic")
"""Stages that take in what a person may have put right."""


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_follows_the_ledger_exactly_as_far_as_it_goes_by_it(stage: str) -> None:
    body = STAGES[stage].get("do", STAGES[stage])
    goes_by_it = RightsRead in asked(find(body["cmd"].split()[2]))
    expected = {"rights.json"} if goes_by_it and stage not in (*TAKING_IN, *OF_NOBODY) else set()
    expected |= {"holds.json"} if stage in TAKING_IN else set()
    expected |= {"corrections.json"} if stage in PROFILES else set()
    expected |= {"persons.json"} if Persons in asked(find(body["cmd"].split()[2])) else set()
    assert set(FOLLOWED) & set(body["deps"]) == expected
    assert ("retained.json" in body["deps"]) is (stage in TAKING_IN)


@pytest.mark.parametrize("file", [*FOLLOWED, "retained.json"])
def test_the_repository_itself_tells_of_nobodys_request(file: str) -> None:
    assert (ROOT / file).read_text(encoding="utf-8").strip() in ('{"entries":0,"head":""}', "{}")
