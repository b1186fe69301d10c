"""The file for the CNIL's PIA tool: a draft that approves nothing, and what comes back from it."""

from __future__ import annotations

import copy
import json
from html.parser import HTMLParser

import governed
import offices
import pytest
from governed import candidate, declared
from hostile_evidence import hostile
from jsonschema import Draft202012Validator
from offices import Office

from twinops.errors import DataError
from twinops.governance.assessment import cnil, cnil_kept
from twinops.workflows.dpia.export_cnil import export_cnil as dpia_export
from twinops.workflows.dpia.import_cnil import import_cnil as dpia_import
from twinops.workflows.dpia.import_cnil import schema
from twinops.workflows.evidence import source_facts

SCHEMA = Draft202012Validator(schema())
NOW = candidate(*declared(), *source_facts())
ANSWERED = candidate(*governed.answered(), *source_facts())


def finish(draft: dict) -> dict:
    """As an officer leaves it in the tool: every section evaluated, the officer's page complete, validated."""
    done = copy.deepcopy(draft)
    done["pia"] |= {
        "name": f"(IMPORT) {done['pia']['name']}", "status": 2, "progress": 100, "dpos_names": "Dora Dpo",
        "dpo_status": 1, "dpo_opinion": "<p>Not without <strong>an attack test</strong>.</p>",
        "concerned_people_searched_opinion": False, "concerned_people_searched_content": "Too few answered.",
    }  # fmt: skip
    done["evaluations"] = [
        {"reference_to": ref, "status": 3, "global_status": 2, "action_plan_comment": "", "gauges": None}
        for ref in sorted(cnil._expected())
    ]
    done["evaluations"][0] |= {"status": 2, "action_plan_comment": "Test again in June."}
    return done


@pytest.mark.parametrize(
    "evidence", [NOW, ANSWERED, hostile(), governed.empty()], ids=["open", "answered", "hostile", "empty"]
)
def test_the_draft_holds_to_the_schema_and_approves_nothing(evidence):
    draft = cnil.export(evidence)
    assert [e.message for e in SCHEMA.iter_errors(draft)] == []
    assert (draft["pia"]["status"], draft["evaluations"], draft["comments"]) == (0, [], [])
    opinions = [
        v for k, v in draft["pia"].items() if k.startswith(("dpo", "concerned", "people", "evaluator", "validator"))
    ]
    assert opinions
    assert set(opinions) == {None}
    assert all(type(a["reference_to"]) is int for a in draft["answers"])


def test_the_answers_that_people_gave_are_in_it_and_the_others_are_not():
    asked = {a["reference_to"] for a in cnil.export(ANSWERED)["answers"]}
    incidents = {n for tens in (32, 33, 34) for n in range(tens * 10 + 1, tens * 10 + 7)}
    assert incidents <= asked
    assert not incidents & {a["reference_to"] for a in cnil.export(NOW)["answers"]}
    assert {111, 112, 113, 121, 122, 123, 211, 212, 213, 214, 215, 221, 222, 225, 226, 227} <= asked


def test_measures_are_named_as_answers_name_them():
    draft = cnil.export(ANSWERED)
    titles = {m["title"] for m in draft["measures"]}
    named = {t for a in draft["answers"] if a["reference_to"] in (324, 334, 344) for t in a["data"]["list"]}
    assert named
    assert named <= titles


def test_hostile_text_is_inert_in_every_value():
    class Tags(HTMLParser):
        def handle_starttag(self, tag, attrs):
            assert tag in ("p", "ul", "li", "strong"), tag
            assert attrs == []

    draft = cnil.export(hostile())
    for text in strings(draft):
        Tags().feed(text)
        assert not any(ord(c) < 32 or c in "\u202e\u200b" for c in text)


def strings(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, str):
        yield value


def test_the_digest_follows_what_is_said():
    assert (
        cnil.export(NOW)["pia"]["category"] == cnil.export(candidate(*declared(), *source_facts()))["pia"]["category"]
    )
    assert cnil.export(NOW)["pia"]["category"] != cnil.export(ANSWERED)["pia"]["category"]


def test_a_finished_file_tells_what_people_wrote():
    draft = cnil.export(ANSWERED)
    done = cnil.finished(finish(draft), draft)
    assert done.complete
    assert done.said["dpo_advice"] == {"by": "Dora Dpo", "answer": "Not without an attack test ."}
    assert done.said["action_plan"] == {"answer": "Test again in June."}
    assert done.said["incident_access"]["severity"] == 2
    assert "decision" not in done.said


def test_a_changed_answer_and_another_draft_are_seen():
    draft = cnil.export(ANSWERED)
    file = finish(draft)
    file["answers"][0]["data"]["text"] = "<p>Something else.</p>"
    assert cnil.finished(file, draft).changed == (111,)
    assert not cnil.finished(finish(cnil.export(NOW)), draft).digest_fits


@pytest.mark.parametrize("lost", ["dpos_names", "dpo_opinion", "concerned_people_searched_content"])
def test_a_file_that_is_not_finished_is_not_complete(lost):
    draft = cnil.export(ANSWERED)
    file = finish(draft)
    file["pia"][lost] = None
    assert cnil.finished(file, draft).lacking
    file = finish(draft)
    file["evaluations"].pop()
    assert cnil.finished(file, draft).unevaluated


# ---- what comes back is kept


EVERY_FIELD = {
    "pia": {
        "id": 7, "name": "(IMPORT) x", "status": 2, "author_name": "Ada", "evaluator_name": "Eva",
        "validator_name": "Val",
        "dpos_names": "Dora Dpo", "dpo_status": 1, "dpo_opinion": "<p>Yes, <strong>but</strong> test &amp; tell.</p>",
        "concerned_people_searched_opinion": True, "concerned_people_searched_content": "", "people_names": "A, B",
        "concerned_people_status": 0, "concerned_people_opinion": "<p>No.</p>", "rejection_reason": "<p>None</p>",
        "rejected_reason": "older spelling", "applied_adjustments": "<p>Two</p>",
        "applied_adjustements": "older spelling",
        "progress": 87.5, "is_example": 0, "is_archive": 0, "structure_id": 3, "structure_name": "Shop",
        "structure_sector_name": "Retail", "structure_data": {"sections": [{"id": 3, "items": []}]},
        "created_at": "2026-11-25T08:00:00.000Z", "updated_at": "2026-11-26T08:00:00.000Z",
        "user_pias": [{"user": {"id": 4}, "role": "author"}], "authors": "4", "validators": "5", "evaluators": "6",
        "guests": "", "lock_version": 9, "hosted_at": {"unknown": [1, None, True]},
    },
    "answer": {"id": 11, "pia_id": 7, "answer_type": "text", "created_at": "2026-11-25T08:00:00.000Z",
               "updated_at": None, "lock_version": 2},
    "measure": {"id": 31, "title": "A lock on the door", "content": "<p>Since May.</p>", "placeholder": "x",
                "pia_id": 7, "created_at": "2026-11-25T08:00:00.000Z", "updated_at": None, "lock_version": 1},
    "evaluation": {"id": 41, "pia_id": 7, "reference_to": "3.2", "status": 2, "global_status": 2,
                   "action_plan_comment": "<p>Attack it again</p>", "evaluation_comment": "<p>Good so far</p>",
                   "evaluation_date": "2026-11-26T08:00:00.000Z", "evaluation_infos": "more",
                   "estimated_implementation_date": "2027-06-01T00:00:00.000Z", "person_in_charge": "Olga Owner",
                   "gauges": {"x": 2, "y": 1}, "created_at": "2026-11-26T08:00:00.000Z", "updated_at": None},
    "comment": {"id": 51, "pia_id": 7, "description": "<p>Why?</p>", "reference_to": 31,
                "for_measure": True, "created_at": "2026-11-26T08:00:00.000Z", "updated_at": None},
}  # fmt: skip
"""Every field of the tool's own records (PIA, answer, measure, evaluation, comment), and one that nobody knows."""


def filled(draft: dict) -> dict:
    """As the tool writes a draft that people filled, answered and argued about."""
    file = finish(draft)
    file["pia"] |= {**EVERY_FIELD["pia"], "category": draft["pia"]["category"]}
    file["answers"] = [{**EVERY_FIELD["answer"], **a} for a in file["answers"]]
    file["answers"] += [
        {
            **EVERY_FIELD["answer"],
            "reference_to": n,
            "data": {"text": f"<p>By hand {n}.</p>", "gauge": None, "list": None},
        }
        for n in (223, 224)
    ]
    file["answers"][0]["data"] = {**file["answers"][0]["data"], "text": "", "flag": "kept"}
    file["measures"] = [{**EVERY_FIELD["measure"], **m} for m in file["measures"]] + [EVERY_FIELD["measure"]]
    file["evaluations"] = [
        {**EVERY_FIELD["evaluation"], "reference_to": e["reference_to"]} for e in file["evaluations"]
    ]
    file["evaluations"].append({**EVERY_FIELD["evaluation"], "reference_to": "3.1.31"})
    file["comments"] = [EVERY_FIELD["comment"], {**EVERY_FIELD["comment"], "reference_to": 211, "for_measure": False}]
    return copy.deepcopy({**file, "attachments": [{"id": 1, "name": "plan.pdf"}]})


def test_a_filled_file_comes_out_again_with_every_field_and_value():
    draft = cnil.export(ANSWERED)
    file = filled(draft)
    out = cnil_kept.merged(draft, cnil_kept.kept(file, draft))
    assert out == {
        **file,
        "pia": {**file["pia"], "name": draft["pia"]["name"]},
        "answers": sorted(file["answers"], key=lambda a: a["reference_to"]),
    }
    assert cnil_kept.merged(draft, cnil_kept.kept(out, draft)) == out, "and so on, time after time"


def test_what_nobody_touched_follows_the_evidence_and_what_was_evaluated_of_it_is_open_again():
    draft = cnil.export(ANSWERED)
    held = cnil_kept.kept(filled(draft), draft)
    later = copy.deepcopy(draft)
    changed = next(a for a in later["answers"] if a["reference_to"] == 211)
    changed["data"]["text"] = "<p>Another purpose.</p>"
    later["pia"]["category"] = "another digest"
    out = cnil_kept.merged(later, held)
    answers = {a["reference_to"]: a for a in out["answers"]}
    assert answers[211]["data"]["text"] == "<p>Another purpose.</p>"
    assert answers[211]["id"] == 11, "beside what the tool wrote of it"
    assert answers[111]["data"]["text"] == "", "people emptied it"
    opened = {e["reference_to"] for e in out["evaluations"] if e["status"] == 0}
    assert opened == {"2.1.211"}
    assert all(e["evaluation_comment"] and e["person_in_charge"] for e in out["evaluations"])
    assert (out["pia"]["status"], out["pia"]["dpo_status"]) == (0, None), (
        "the advice was on another text; its words stay"
    )
    assert out["pia"]["dpo_opinion"] == EVERY_FIELD["pia"]["dpo_opinion"]


def test_a_measure_that_nobody_touched_follows_and_a_new_one_has_an_id_of_its_own():
    draft = cnil.export(ANSWERED)
    held = cnil_kept.kept(filled(draft), draft)
    later = copy.deepcopy(draft)
    later["measures"][0]["content"] = "<p>Better now.</p>"
    later["measures"].append({**later["measures"][0], "id": 99, "title": "A new one"})
    out = cnil_kept.merged(later, held)["measures"]
    assert "<p>Better now.</p>" in {m["content"] for m in out if m["title"] == later["measures"][0]["title"]}
    assert "A lock on the door" in {m["title"] for m in out}
    assert next(m for m in out if m["title"] == "A new one")["id"] == max(m["id"] for m in out)


def test_what_a_browser_would_run_is_not_handed_on():
    draft = cnil.export(ANSWERED)
    file = filled(draft)
    file["pia"]["dpo_opinion"] = '<p onclick="x()">Hi<img src=x onerror=alert(1)><script>alert(2)</script> a\u202eb</p>'
    file["comments"][0]["description"] = "<svg/onload=alert(3)>&lt;kept&gt; R&D"
    text = json.dumps(cnil_kept.merged(draft, cnil_kept.kept(file, draft)))
    for bad in ("<img", "<script", "<svg", "onclick", "\\u202e"):
        assert bad not in text
    assert "&lt;kept&gt; R&D" in text
    assert "alert(2)" in text, "its words are kept"


def test_what_people_wrote_of_incidents_and_plans_is_told():
    draft = cnil.export(ANSWERED)
    said = cnil.finished(filled(draft), draft).said
    assert {"impacts", "threats", "sources", "measures", "severity", "justification"} <= set(said["incident_access"])
    assert "Attack it again (Olga Owner, 2027-06-01" in said["action_plan"]["answer"]


# ---- in a project


@pytest.fixture(scope="module")
def office(tmp_path_factory) -> Office:
    return Office(tmp_path_factory.mktemp("cnil") / "project", offices.keys_of(tmp_path_factory.mktemp("keys")))


def test_out_and_back_never_approves(office, tmp_path):
    file = tmp_path / "cnil.json"
    done = dpia_export(office.folder, into=str(file))
    first = file.read_bytes()
    dpia_export(office.folder, into=str(file))
    assert file.read_bytes() == first
    file.write_text(json.dumps(finish(json.loads(first))))
    back = dpia_import(office.folder, file=str(file))
    assert done.answers >= 15
    assert back.finished.digest_fits
    assert back.to_dict()["approval"] is False
    assert "approves nothing" in back.next[-1]
    assert office.status().review["state"] == "open"
    assert not (office.places.compliance / "dpia").exists()


def test_the_round_trip_through_the_commands_loses_no_field(office, tmp_path):
    file = tmp_path / "cnil.json"
    dpia_export(office.folder, into=str(file))
    back = filled(json.loads(file.read_text()))
    file.write_text(json.dumps(back))
    told = dpia_import(office.folder, file=str(file))
    assert any("every field" in step for step in told.next)
    done = dpia_export(office.folder, into=str(file))
    out = json.loads(file.read_text())
    assert {111, 223, 224} <= set(done.as_people_left)
    assert out == {**back, "pia": {**back["pia"], "name": out["pia"]["name"]}, "answers": out["answers"]}
    assert {json.dumps(a, sort_keys=True) for a in out["answers"]} == {
        json.dumps(a, sort_keys=True) for a in back["answers"]
    }
    (office.places.root / cnil_kept.PLACE).write_text("{")
    with pytest.raises(DataError, match="cannot be read"):
        dpia_export(office.folder, into=str(file))
    (office.places.root / cnil_kept.PLACE).unlink()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"pia": {"name": "x", "status": 2}}', "[" * 50_000], ids=range(6)
)
def test_what_the_tool_does_not_write_is_refused(office, tmp_path, text):
    file = tmp_path / "x.json"
    file.write_text(text)
    with pytest.raises(DataError):
        dpia_import(office.folder, file=str(file))


def test_a_string_for_a_number_would_be_lost_silently_and_is_refused(office, tmp_path):
    draft = cnil.export(ANSWERED)
    draft["answers"][0]["reference_to"] = "111"
    file = tmp_path / "x.json"
    file.write_text(json.dumps(draft))
    with pytest.raises(DataError, match="answers/0/reference_to"):
        dpia_import(office.folder, file=str(file))
