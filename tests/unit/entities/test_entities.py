from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinops.entities import shown
from twinops.entities.canonical import rounded, to_json
from twinops.entities.consent import Event, LegalBasis, Reason, exclusion
from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.entities.measure import Measure
from twinops.entities.verdict import Outcome, Verdict, about, failed


def a_measure(name: str = "gap", value: float = 0.06, **more: object) -> Measure:
    return Measure(name, value, n=801, source="four rows", method="by hand", **{"low": 0.01, "high": 0.13, **more})  # type: ignore[arg-type]


def an_evidence() -> Evidence:
    return Evidence(
        "twin",
        "k" * 64,
        date(2018, 1, 1),
        (a_measure(),),
        (Fact("excluded", {"withdrawn": 12}, Kind.MEASURED, "ledger"),),
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_measure_that_is_not_a_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="missing"):
        a_measure(value=value)


def test_an_interval_upside_down_is_refused() -> None:
    with pytest.raises(ValueError, match="low"):
        a_measure(low=0.2, high=0.1)


def test_an_evidence_id_changes_with_anything_about_the_measure() -> None:
    ids = {a_measure().id, a_measure(value=0.0601).id, a_measure(seed=1).id, a_measure(high=0.14).id}
    assert len(ids) == 4


def test_an_interval_that_touches_zero_does_not_exclude_it() -> None:
    assert not a_measure(low=0.0, high=0.1).excludes_zero
    assert a_measure(low=0.001).excludes_zero
    assert a_measure(value=-0.2, low=-0.3, high=-0.1).excludes_zero


def test_evidence_survives_its_file_and_notices_a_changed_digit() -> None:
    text = an_evidence().to_json()
    assert Evidence.from_json(text) == an_evidence()
    with pytest.raises(ValueError, match="does not fit"):
        Evidence.from_json(text.replace("0.06", "0.05"))


def test_evidence_whose_digest_was_removed_is_refused() -> None:
    raw = json.loads(an_evidence().to_json())
    del raw["digest"]
    with pytest.raises(ValueError, match="changed after"):
        Evidence.from_json(json.dumps(raw))


def test_the_same_name_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice: gap"):
        Evidence("twin", "k", date(2018, 1, 1), (a_measure(), a_measure(value=0.07)))


def test_a_missing_measure_is_missing_and_not_zero() -> None:
    assert an_evidence().measure("accuracy") is None


def test_findings_survive_their_file() -> None:
    found = Findings((a_measure(),), (Fact("a", [1, {"b": None}], Kind.DECLARED, "file"),))
    assert Findings.from_json(found.to_json()) == found


def test_a_verdict_carries_the_figures_it_was_judged_on() -> None:
    verdict = failed("gap may reach 0.13 > 0.10", "look", **about(a_measure(), limit=0.1)).stamped(
        gate="fairness", rule="art. 5"
    )
    raw = verdict.to_dict()
    assert (raw["id"], raw["outcome"], raw["high"], raw["limit"], raw["n"]) == ("fairness", "failed", 0.13, 0.1, 801)
    assert set(raw) == {"id", "outcome", "sentence", "value", "low", "high", "limit", "n", "evidence", "rule", "next"}
    assert isinstance(verdict, Verdict)
    assert verdict.outcome is Outcome.FAILED


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12))
def test_rounding_twice_is_rounding_once(value: float) -> None:
    assert rounded(rounded(value)) == rounded(value)


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=6))
def test_canonical_json_does_not_depend_on_the_order_of_keys(record: dict[str, object]) -> None:
    assert to_json(record) == to_json(dict(reversed(record.items())))


def test_canonical_json_has_no_nan() -> None:
    with pytest.raises(ValueError, match="JSON"):
        to_json({"a": float("nan")})


@pytest.mark.parametrize(
    ("event", "basis", "assessed", "reason"),
    [
        (None, LegalBasis.CONSENT, False, Reason.UNKNOWN),
        (Event.GRANTED, LegalBasis.CONSENT, False, None),
        (Event.REFUSED, LegalBasis.CONSENT, False, Reason.REFUSED),
        (Event.WITHDRAWN, LegalBasis.CONSENT, True, Reason.WITHDRAWN),
        (None, LegalBasis.LEGITIMATE_INTEREST, False, Reason.NO_ASSESSMENT),
        (None, LegalBasis.LEGITIMATE_INTEREST, True, None),
        (Event.OBJECTED, LegalBasis.LEGITIMATE_INTEREST, True, Reason.OBJECTED),
    ],
)
def test_only_a_valid_basis_allows_a_purpose(
    event: Event | None, basis: LegalBasis, assessed: bool, reason: Reason | None
) -> None:
    assert exclusion(event, basis, assessed=assessed) is reason


def test_words_and_captions_travel_with_evidence_and_change_its_digest_but_no_citation():
    told = shown.measures({"active_auc": "how well"}, section=shown.Section.ACCURACY, headlines=("active_auc",))
    drawn = shown.pictures({"late": "Drawn late"}, section=shown.Section.MONITORING)
    drawn += shown.pictures({"soon": "Drawn soon"}, section=shown.Section.DATA)
    bare = Evidence("twin", "k", date(2018, 1, 1), (Measure("active_auc", 0.9, 5, "s", "m"),))
    evidence = replace(bare, shown=(*told, *drawn))
    again = Evidence.from_json(evidence.to_json())
    assert again == evidence
    assert (again.digest != bare.digest, again.measures[0].id) == (True, bare.measures[0].id)
    assert again.read_as(shown.Section.ACCURACY) == (("how well", bare.measures[0]),)
    assert again.headlines == bare.measures
    assert list(again.captions) == ["soon", "late"]
    with pytest.raises(ValueError, match="words of a measure given twice: active_auc"):
        replace(bare, shown=(*told, *told))


def test_findings_of_two_stages_add_up():
    one = Findings((a_measure(),), shown=shown.measures({"a": "b"}))
    assert Findings.from_json((one + Findings()).to_json()) == one
