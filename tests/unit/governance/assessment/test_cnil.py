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
from twinops.governance.assessment import cnil
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
