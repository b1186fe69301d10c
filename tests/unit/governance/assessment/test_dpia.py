"""The impact assessment's file: what is declared, what only people may answer, and what the record makes of both."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import governed
import pytest
from pydantic import ValidationError

from twinops.entities.fact import Kind
from twinops.errors import ParamsError
from twinops.governance.assessment import questions as dpia
from twinops.governance.citations import CITATION
from twinops.governance.documents import dpia_record
from twinops.governance.policy.decide import decide
from twinops.governance.reading import law
from twinops.workflows.evidence import source_facts

TEXT = governed.text("dpia.yaml")


def refusal(text: str) -> str:
    with pytest.raises(ParamsError) as caught:
        dpia.read(text)
    return str(caught.value)


def record(evidence=None) -> dict:
    evidence = evidence or governed.candidate(*governed.declared())
    return json.loads(dpia_record.build(evidence, decide(governed.shipped_policy(), evidence))["dpia.json"])


def fields(of: dict) -> list[dict]:
    return [f | {"content": c["id"]} for s in of["sections"] for c in s["contents"] for f in c["fields"]]


def test_every_human_field_is_empty_in_the_repository():
    human = dpia.read(TEXT).human
    for name, field in human.asked().items():
        asked = {"who", "question"}
        assert set(field.open_parts) == set(type(field).model_fields) - asked, name


def test_the_controller_of_the_demonstration_says_that_it_is_synthetic():
    assert dpia.read(TEXT).synthetic_controller
    assert "synthetic" in dpia.read(TEXT).declared.actors.controller


def test_everything_is_declared_in_the_repository():
    declared = dpia.read(TEXT).declared
    assert all(value is not None for _, value in declared)


def test_an_assessment_is_always_needed():
    nothing = TEXT.replace(": true\n", ": false\n").replace(": unknown", ": false")
    need = dpia.need(dpia.read(nothing))
    assert need["required"] is True
    assert "evaluation or scoring" in need["met"]


def test_open_criteria_are_told_and_not_counted_as_absent():
    need = dpia.need(dpia.read(TEXT))
    assert "sensitive or highly personal data" in need["open"]
    assert "systematic monitoring" in need["met"]


def test_all_mistakes_are_told_at_once():
    wrong = (
        TEXT.replace("    who: data owner\n", "    severity: 5\n    who: data owner\n", 1)
        .replace("  transfers: none\n", "")
        .replace("public_area", "lunar_area")
    )
    told = refusal(wrong.replace("    who: data owner\n", "    who: ''\n", 1))
    for part in ("severity", "declared.transfers", "lunar_area", "human.minimisation.who"):
        assert part in told, part


@pytest.mark.parametrize("answer", ["yes", "ok", "3"])
def test_a_decision_is_one_of_the_four_that_the_law_knows(answer):
    with pytest.raises(ValidationError):
        dpia.with_answers(dpia.read(TEXT), {"decision": {"answer": answer}})


def test_a_name_without_a_day_leaves_the_field_open():
    given = dpia.with_answers(dpia.read(TEXT), {"minimisation": {"by": "Ada"}}).human.minimisation
    assert given.open_parts == ("answer", "dated")


def test_human_facts_stay_human_and_declared_facts_declared():
    kinds = {f.name.split(".")[1]: f.kind for f in dpia.facts(dpia.read(TEXT)) if f.name.count(".") == 2}
    assert kinds == {"declared": Kind.DECLARED, "human": Kind.HUMAN}


def test_what_evidence_holds_can_be_read_back():
    found = dpia.from_evidence(governed.candidate(*governed.declared()))
    assert found == (dpia.read(TEXT).declared, dpia.read(TEXT).human)
    assert dpia.from_evidence(governed.empty()) is None


# ---- the record


def test_the_record_holds_every_content_that_the_law_file_lists():
    wanted = {c["id"] for c in law("gdpr_dpia")["contents"]}
    assert {c["id"] for s in record()["sections"] for c in s["contents"]} == wanted | {"need"}


def test_every_kind_that_the_law_file_asks_for_has_a_field():
    kinds = {(f["content"], f["kind"]) for f in fields(record())}
    for content in law("gdpr_dpia")["contents"]:
        assert {(content["id"], kind) for kind in content["kind"]} <= kinds, content["id"]


def test_human_fields_are_null_and_say_whom_to_ask():
    human = [f for f in fields(record()) if f["kind"] == "human"]
    assert len(human) == len(dpia.HUMAN)
    assert all(f["value"] is None and f["asked"]["who"] and f["asked"]["question"] for f in human)


def test_measured_and_declared_fields_with_a_value_cite_their_evidence():
    ids = {
        i.id
        for i in (*governed.candidate(*governed.declared()).measures, *governed.candidate(*governed.declared()).facts)
    }
    for field in fields(record()):
        assert set(field["evidence"]) <= ids
        assert field["value"] is None or field["evidence"], field["id"]


def test_what_was_not_measured_is_null_and_not_left_out():
    found = {f["content"]: f for f in fields(record()) if f["kind"] == "measured"}
    assert found["minimisation"]["value"] is None
    assert found["rectify_erase"]["value"] is None


def test_an_answer_stands_in_the_record_as_the_person_gave_it():
    evidence = governed.candidate(*governed.answered(dpo_advice={"answer": "Not without an attack test."}))
    found = {f["id"]: f for f in fields(record(evidence))}
    assert found["dpia.human.dpo_advice"]["value"]["answer"] == "Not without an attack test."
    assert record(evidence)["status"] == "Assembled; decided: approve; the approval stands for what is described here"


def test_the_record_says_that_nobody_decided():
    assert record()["status"] == "Assembled; not decided by a person"


# ---- what a person reads


def read(evidence) -> str:
    return dpia_record.build(evidence, decide(governed.shipped_policy(), evidence))["dpia.md"]


def test_the_record_is_read_in_ten_minutes_and_in_the_order_of_the_template():
    text = read(governed.candidate(*governed.declared(), *source_facts()))
    spoken = CITATION.sub("", text).replace("|", " ").split()
    assert len(spoken) < 2_600
    assert re.findall(r"^## (\d)\.", text, re.MULTILINE) == list("0123456")
    assert text.index("answers for the processing") < text.index("## 1.") < text.index("It is not for:")
    assert "dpia.declared" not in text
    assert "evidence_digest" not in text


def test_what_people_answered_is_quoted_whole_with_who_and_when():
    answer = " ".join(f"word{n}" for n in range(900))
    facts = [
        replace(f, value={**f.value, "answer": answer, "by": "Olga Owner", "dated": "2026-11-20"})
        if f.name == "dpia.human.action_plan"
        else f
        for f in governed.declared()
    ]
    text = read(governed.candidate(*facts))
    assert f"**Olga Owner** (data owner), 2026-11-20: “{answer}”" in text


def test_levels_and_words_of_a_risk_are_told_together():
    text = read(governed.candidate(*governed.answered()))
    told = text.split("Whom do offers reach less often")[1].split("\n")[0]
    assert "severity: " in told
    assert "justification: " in told
    assert "Not answered yet" not in told


def test_a_source_of_another_controller_is_told_apart():
    facts = [
        replace(f, value={**f.value, "controller": "Panel Ltd"}) if f.name == "source.crm" else f
        for f in source_facts()
    ]
    assert "| crm, of Panel Ltd |" in read(governed.candidate(*governed.declared(), *facts))
