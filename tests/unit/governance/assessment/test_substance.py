"""Answers without substance, out of order or against the findings carry no approval; whatever is declared reopens."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import offices
import pytest
from offices import TODAY, Office, said_of

from twinops.entities.canonical import digest
from twinops.errors import ParamsError
from twinops.governance.assessment import questions as dpia
from twinops.governance.assessment import reopening, substance
from twinops.governance.assessment.answers import ADVICE, DECISION, GivenAnswer, GivenFor, before, give, read
from twinops.workflows.compliance_files import declarations

WRITTEN = [
    (name, part) for name in dpia.HUMAN for part in dpia.parts(name)
    if part in substance.WORDS and (name, part) != (DECISION, "answer") and name != "authority_consultation"
]  # fmt: skip
RISKS = [name for name in dpia.HUMAN if name.startswith(("risk_", "incident_"))]
EMPTY = [
    ".",
    "n/a",
    "-" * 80,
    "ok ok ok ok ok ok ok ok ok ok",
    "yes no yes no yes no yes",
    "see above see above",
    "a b c d e f g",
]


@pytest.fixture(scope="module")
def approved_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    office = Office(tmp_path_factory.mktemp("substance") / "project", offices.keys_of(tmp_path_factory.mktemp("keys")))
    office.model()
    office.approve()
    return office.root


@pytest.fixture
def approved(tmp_path: Path, approved_once: Path) -> Office:
    office = Office(tmp_path / "project", {})
    shutil.rmtree(office.root)
    shutil.copytree(approved_once, office.root)
    return office


@pytest.fixture(scope="module")
def given(approved_once: Path) -> dict[str, GivenAnswer]:
    folder = approved_once / "compliance" / "dpia"
    return {p.stem: read(p.read_text(encoding="utf-8"), field=p.stem) for p in folder.glob("*.yaml")}


def changed(
    given: dict[str, GivenAnswer], name: str, *, dated: date | None = None, **parts: Any
) -> dict[str, GivenAnswer]:
    """The answers with one given otherwise, and advice and decision given anew for what is there then."""
    one = given[name]
    who = {"by": one.by, "dated": dated or one.dated, "given_for": one.given_for}
    made = {**given, name: give(name, one.question, {**one.answer, **parts}, **who)}
    for last in (ADVICE, DECISION):
        g = made[last]
        assert g.given_for is not None
        again = GivenFor(assessed=g.given_for.assessed, answers=before(last, made))
        made[last] = give(last, g.question, g.answer, by=g.by, dated=g.dated, given_for=again)
    return made


def test_the_answers_of_the_play_have_substance(given: dict[str, GivenAnswer]) -> None:
    assert list(substance.against(given, {})) == []


@pytest.mark.parametrize(("name", "part"), WRITTEN)
def test_an_empty_answer_is_told(given: dict[str, GivenAnswer], name: str, part: str) -> None:
    found = {said: list(substance.against(changed(given, name, **{part: said}), {})) for said in EMPTY}
    assert [said for said, told in found.items() if f"{name} says too little in {part}" not in told] == []


@pytest.mark.parametrize(("name", "part"), WRITTEN)
def test_a_copied_answer_is_told(given: dict[str, GivenAnswer], name: str, part: str) -> None:
    other = next((n, p) for n, p in WRITTEN if n != name and n not in (ADVICE, DECISION))
    copied = str(given[other[0]].answer[other[1]]).upper() + " !"
    assert any("repeats" in told for told in substance.against(changed(given, name, **{part: copied}), {}))
    question = given[name].question
    found = list(substance.against(changed(given, name, **{part: question}), {}))
    assert any("repeats the question" in told or "says too little" in told for told in found)


@pytest.mark.parametrize("name", [n for n in dpia.HUMAN if n != "authority_consultation"])
def test_a_day_that_has_not_come_and_a_day_out_of_order_are_told(given: dict[str, GivenAnswer], name: str) -> None:
    late = changed(given, name, dated=TODAY + timedelta(days=1))
    assert substance.ahead({n: g.dated for n, g in late.items()}, TODAY)
    if name != DECISION:
        assert any("is dated" in told for told in substance.against(late, {}))
    if name in (ADVICE, DECISION):
        assert any("before" in told for told in substance.against(changed(given, name, dated=date(2020, 1, 1)), {}))


@pytest.mark.parametrize("name", [n for n in dpia.HUMAN if n not in ("authority_consultation", ADVICE, DECISION)])
def test_an_answer_from_long_before_the_decision_is_told(given: dict[str, GivenAnswer], name: str) -> None:
    found = list(substance.against(changed(given, name, dated=date(2024, 11, 1)), {}))
    assert any(told.startswith(f"{name} is dated 2024-11-01, more than 12 months before") for told in found)


def test_the_question_of_another_answer_is_no_answer(given: dict[str, GivenAnswer]) -> None:
    found = list(substance.against(changed(given, "residual", answer=given["incident_change"].question), {}))
    assert "residual answer repeats the question of incident_change" in found


@pytest.mark.parametrize("name", RISKS)
def test_a_risk_rated_low_beside_a_failed_gate_says_why(given: dict[str, GivenAnswer], name: str) -> None:
    failed = {"the gate": [name]}
    assert any("rated low" in told for told in substance.against(given, failed))
    why = f"{given[name].answer['justification']} The gate is about another share."
    assert list(substance.against(changed(given, name, justification=why), failed)) == []
    high = dict.fromkeys(offices.LEVELS, 3)
    assert list(substance.against(changed(given, name, **high), failed)) == []
    half = {**high, "residual_likelihood": 1}
    assert any("rated low" in told for told in substance.against(changed(given, name, **half), failed))


@pytest.mark.parametrize(
    ("stance", "answer", "departs"),
    [
        ("unfavourable", "approve", True),
        ("unfavourable", "approve_with_conditions", True),
        ("with_conditions", "approve", True),
        ("with_conditions", "approve_with_conditions", False),
        ("favourable", "approve", False),
        ("unfavourable", "reject", False),
    ],
)
def test_departing_from_the_advice_needs_reasons_that_speak_of_it(
    given: dict[str, GivenAnswer], stance: str, answer: str, departs: bool
) -> None:
    made = changed(changed(given, ADVICE, stance=stance), DECISION, answer=answer)
    assert any("departs" in told for told in substance.against(made, {})) == departs
    reasons = "The advice asked for a smaller share, which the second condition grants from May on."
    assert not list(substance.against(changed(made, DECISION, reasons=reasons), {}))


def test_what_is_empty_or_has_not_come_is_refused_when_it_is_said(approved: Office) -> None:
    with pytest.raises(ParamsError, match="says too little in answer"):
        approved.answer("residual", answer=".")
    for day, told in (("2035-06-01", "has not come"), ("yesterday", "is no day")):
        with pytest.raises(ParamsError, match=told):
            offices.dpia_answer(
                approved.folder, field="residual", answer={"answer": said_of("x", "y")}, by="Olga Owner", dated=day
            )


def test_every_single_thing_that_is_declared_reopens_the_approval(approved: Office) -> None:
    """Each leaf of what is declared, changed and taken away: none is left unwatched but what the list says."""
    told = declarations(approved.places)
    was = told.described(approved.folder.gather(told))
    leaves = dict(reopening._leaves(was["declared"]))
    assert len(leaves) > 400
    for path, value in leaves.items():
        for other in ("something else", None):
            now = {**was, "declared": put(was["declared"], path, other)}
            if digest(now) == digest(was):
                assert value is other
                continue
            fired = reopening.triggers(was, now)
            assert [t.trigger for t in fired] == ["anything_declared_changed"], path
            assert path in fired[0].differs


def put(table: Any, path: str, value: Any) -> Any:
    """The same with another value at a dotted path; keys may hold dots."""
    if not path:
        return value
    if isinstance(table, list):
        number, _, rest = path.partition(".")
        return [put(one, rest, value) if str(i) == number else one for i, one in enumerate(table, start=1)]
    key = max((k for k in table if path == k or path.startswith(f"{k}.")), key=len)
    return {**table, key: put(table[key], path[len(key) + 1 :], value)}
