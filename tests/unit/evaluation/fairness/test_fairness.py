"""Groups are compared with their rest: a ratio, a test, an interval, and what could have been seen."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.data.journey import SHEET
from twinops.data.vault.seal import write_sealed
from twinops.errors import DataError, ParamsError
from twinops.evaluation.fairness import disparity
from twinops.evaluation.fairness.conclusions import prices, sentences
from twinops.evaluation.fairness.decision import RankedHouseholds, replayed, selected
from twinops.evaluation.fairness.declaration import Assessed, AssessedAttribute, Declaration, read_decision
from twinops.evaluation.fairness.disparity import GroupMatrix, Reach
from twinops.evaluation.fairness.findings import ReplayedDecision, fairness_findings
from twinops.evaluation.fairness.groups import HELD, groupings
from twinops.evaluation.fairness.measures import AttributeComparison, assess
from twinops.evaluation.fairness.mitigation import BLENDS, Mitigated, mitigate, rechosen
from twinops.evaluation.fairness.ratios_picture import fairness_ratios_picture
from twinops.evaluation.fairness.selection_rates_picture import selection_rates_picture
from twinops.evaluation.statistics import bootstrap
from twinops.evaluation.statistics.estimate import Estimate
from twinops.params import FairnessParams
from twinops.workflows.pipeline.fairness import FairnessAssessment, fairness
from twinops.workflows.places import Places

ROOT = Path(__file__).parents[4]
INTENDED = """
decision: {name: offer, score: expected_spend, share: 0.25, population: all, effect: an offer, solely_automated: true}
fairness:
  attributes: {colour: {ordered: null}, size: {ordered: [S, M, L]}}
  min_group: 20
  min_expected_selections: 5
  ratio_limit: 0.8
  alpha: 0.05
purposes: {}
"""


def counts(*groups: tuple[int, int, int, int]) -> Reach:
    """(selected, n, selected_rest, n_rest) per group."""
    return Reach(*np.array(groups, dtype=float).T)


def rule(*, attributes: tuple[str, ...] = ("colour",)) -> Assessed:
    declared = {name: AssessedAttribute(ordered=None) for name in attributes}
    return Assessed(attributes=declared, min_group=20, min_expected_selections=5, ratio_limit=0.8, alpha=0.05)


def declaration(tmp_path: Path, text: str = INTENDED) -> Declaration:
    (tmp_path / "intended_use.yaml").write_text(text)
    return read_decision(tmp_path / "intended_use.yaml")


def as_declared(declared):
    return ReplayedDecision(declared, replay(), SHEET)


def town(n: int = 800, *, seed: int = 0, red_spends: float = 1.0) -> tuple[RankedHouseholds, pa.Table]:
    """Half red, half blue households; spend is predicted with noise, and red ones may spend less."""
    rng = np.random.default_rng(seed)
    colour = np.array(["red", "blue"])[np.arange(n) % 2]
    spend = rng.gamma(2, 50, n) * np.where(colour == "red", red_spends, 1.0)
    sids = np.array([f"{i:032x}" for i in range(n)])
    predicted = spend * rng.lognormal(0, 0.3, n)
    cents = np.rint(spend * 100).astype(np.int64)
    offered, in_top = (selected(score, sids, share=0.25) for score in (predicted, cents))
    everyone = RankedHouseholds(sids, offered, in_top, predicted, cents, np.ones(n, dtype=bool))
    return everyone, pa.table({"sid": sids, "colour": colour})


def found(everyone: RankedHouseholds, demographics: pa.Table, *, draws: int = 200) -> tuple[AttributeComparison, ...]:
    drawn = bootstrap.counts(len(everyone), draws=draws, seed=1)
    return assess(everyone, groupings(everyone, demographics, rule()), rule(), draws=drawn)


def by_colour(comparisons: tuple[AttributeComparison, ...]) -> AttributeComparison:
    return next(c for c in comparisons if c.attribute == "colour")


# --- the decision


def test_the_top_share_is_selected_and_equal_scores_go_by_subject_id() -> None:
    sids = np.array(["d", "b", "a", "c"])
    assert selected(np.array([1.0, 7.0, 7.0, 7.0]), sids, share=0.5).tolist() == [False, True, True, False]


def test_the_number_selected_is_the_share_rounded_half_up() -> None:
    sids = np.array([str(i) for i in range(10)])
    assert selected(np.arange(10), sids, share=0.25).sum() == 3
    assert selected(np.arange(10), sids, share=0.24).sum() == 2
    assert selected(np.array([]), np.array([], dtype=str), share=0.2).sum() == 0


def test_only_households_that_may_receive_an_offer_on_the_day_are_ranked() -> None:
    predictions = pa.table(
        {
            "sid": ["a", "b", "c", "d", "a"],
            "cutoff": [337, 337, 337, 337, 309],
            "may_offer": [True, False, True, True, True],
            "may_assess_bias": [True, True, False, True, True],
            "expected_spend": [10.0, 99.0, 30.0, 20.0, 99.0],
            "spend_cents": [5000, 0, 100, 200, 9999],
        }
    )
    everyone = replayed(predictions, cutoff=337, share=0.34)
    assert everyone.sids.tolist() == ["a", "c", "d"]
    assert everyone.offered.tolist() == [False, True, False]
    assert everyone.in_top.tolist() == [True, False, False]
    assert everyone.only(everyone.assessable).sids.tolist() == ["a", "d"]


# --- the declaration


def test_the_shipped_declaration_is_read() -> None:
    declared = read_decision(ROOT / "compliance" / "intended_use.yaml")
    assert declared.decision.share == 0.2
    assert declared.fairness.attributes["income"].ordered is not None
    assert declared.fairness.attributes["marital_status"].ordered is None


def test_every_mistake_of_the_declaration_is_told_at_once(tmp_path: Path) -> None:
    wrong = INTENDED.replace("alpha: 0.05", "alpha: 5").replace("min_group: 20", "min_group: 3")
    wrong = wrong.replace("[S, M, L]", "[S, M, S]")
    with pytest.raises(ParamsError) as problem:
        declaration(tmp_path, wrong)
    assert "3 mistake(s)" in problem.value.what
    assert all(word in problem.value.what for word in ("fairness.alpha", "fairness.min_group", "level given twice: S"))


@pytest.mark.parametrize(("text", "said"), [("a: [", "not readable"), ("a: 1", "decision"), ("[]", "mistake")])
def test_a_file_that_declares_nothing_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ParamsError, match=said):
        declaration(tmp_path, text)


def test_a_missing_declaration_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=r"no intended_use\.yaml"):
        read_decision(tmp_path / "intended_use.yaml")


# --- ratio, test, interval, power


def test_group_and_rest_are_counted_by_hand() -> None:
    inside = np.array([[1], [1], [0], [0], [0], [0]], dtype=bool)
    rest = np.array([[0], [0], [1], [1], [1], [0]], dtype=bool)
    chosen = np.array([1, 0, 1, 1, 0, 1], dtype=bool)
    once_and_doubled = np.array([[1] * 6, [2, 0, 1, 1, 1, 1]])
    as_is, drawn = disparity.reach(GroupMatrix(inside, rest), chosen, once_and_doubled)
    assert [float(x[0]) for x in as_is] == [1, 2, 2, 3]
    assert as_is.ratio[0] == pytest.approx(0.75)
    assert [float(x[0, 0]) for x in drawn] == [2, 2, 2, 3]


@pytest.mark.parametrize("case", [(1, 5, 4, 5), (3, 8, 1, 12), (0, 6, 5, 6), (5, 5, 0, 5)])
def test_p_is_that_of_fisher_where_both_are_defined(case: tuple[int, int, int, int]) -> None:
    selected_in, n, selected_rest, n_rest = case
    table = [[selected_in, n - selected_in], [selected_rest, n_rest - selected_rest]]
    if n == n_rest:  # with equal sizes the distribution is symmetric, so both ways to be two-sided agree
        assert disparity.permutation_p(counts(case))[0] == pytest.approx(stats.fisher_exact(table).pvalue)


def test_p_is_counted_by_hand() -> None:
    """Group of 2, rest of 2, two selected. None of the group: 1 of 6 ways; both: 1 of 6; as wide as none: 2 of 6."""
    assert disparity.permutation_p(counts((0, 2, 2, 2)))[0] == pytest.approx(1 / 3)
    assert disparity.permutation_p(counts((1, 2, 1, 2)))[0] == pytest.approx(1.0)


def test_p_is_what_relabelling_many_times_gives() -> None:
    rng = np.random.default_rng(4)
    chosen, inside = np.arange(60) < 20, np.arange(60) % 60 >= 52
    gaps = []
    for _ in range(4000):
        shuffled = rng.permutation(inside)
        gaps.append(abs(chosen[shuffled].mean() - chosen[~shuffled].mean()))
    observed = abs(chosen[inside].mean() - chosen[~inside].mean())
    by_drawing = np.mean(np.array(gaps) >= observed - 1e-12)
    case = (int(chosen[inside].sum()), 8, int(chosen[~inside].sum()), 52)
    assert disparity.permutation_p(counts(case))[0] == pytest.approx(by_drawing, abs=0.02)


def test_holm_steps_down_by_hand() -> None:
    assert disparity.holm(np.array([0.04, 0.001, 0.5])).tolist() == pytest.approx([0.08, 0.003, 0.5])


def test_an_even_decision_is_rarely_called_uneven() -> None:
    """Family-wise: of 300 even decisions with four groups, about 5 % or fewer have a Holm-adjusted p below .05."""
    rng = np.random.default_rng(5)
    label = np.arange(400) % 4
    false_alarms = 0
    for _ in range(300):
        chosen = rng.random(400) < 0.2
        inside = [label == g for g in range(4)]
        cases = counts(*((chosen[i].sum(), i.sum(), chosen[~i].sum(), (~i).sum()) for i in inside))
        false_alarms += disparity.holm(disparity.permutation_p(cases)).min() < 0.05
    assert false_alarms <= 300 * 0.05 + 8


def test_simultaneous_intervals_hold_all_true_ratios_about_as_often_as_said() -> None:
    rng = np.random.default_rng(6)
    label = np.arange(300) % 3
    cells = GroupMatrix(*(np.stack([(label == g) == side for g in range(3)], axis=1) for side in (True, False)))
    held = 0
    for _ in range(120):
        chosen = rng.random(300) < 0.3
        as_is, drawn = disparity.reach(cells, chosen, bootstrap.counts(300, draws=120, seed=int(rng.integers(1e9))))
        bounds = disparity.simultaneous(as_is, drawn, level=0.95)
        held += bool((bounds.low <= 1).all() and (bounds.high >= 1).all())
    assert held / 120 > 0.88


def test_an_interval_contains_the_ratio_even_when_nobody_was_selected() -> None:
    inside = np.arange(100)[:, None] < 30
    chosen = np.arange(100) >= 60
    as_is, drawn = disparity.reach(GroupMatrix(inside, ~inside), chosen, bootstrap.counts(100, draws=50, seed=0))
    bounds = disparity.simultaneous(as_is, drawn, level=0.95)
    assert as_is.ratio[0] == 0
    assert bounds.low[0] == 0
    assert 0 < bounds.high[0] < 1


def test_a_disparity_at_the_detectable_ratio_is_found_four_times_in_five() -> None:
    n, n_rest, overall = 150, 450, 0.3
    ratio = disparity.detectable_ratio(counts((45, n, 135, n_rest)), alpha=0.05, limit=0.8)[0]
    rest = overall * (n + n_rest) / (n * ratio + n_rest)
    rng = np.random.default_rng(7)
    sizes = np.full(400, n), np.full(400, n_rest)
    drawn = Reach(rng.binomial(n, rest * ratio, 400), sizes[0], rng.binomial(n_rest, rest, 400), sizes[1])
    was_found = (disparity.permutation_p(drawn) < 0.05) & (drawn.ratio < 0.8)
    assert was_found.mean() == pytest.approx(0.8, abs=0.08)


def test_more_households_show_smaller_disparities_and_too_few_show_none() -> None:
    few, more, most = disparity.detectable_ratio(
        counts((2, 8, 2, 8), (40, 200, 40, 200), (4000, 20_000, 4000, 20_000)), alpha=0.01, limit=0.8
    )
    assert np.isnan(few)
    assert more < most < 0.8


def test_twice_as_often_and_half_as_often_are_the_same_unevenness() -> None:
    assert disparity.evenness(Estimate(0.5, 0.25, 0.8)) == Estimate(0.5, 0.25, 0.8)
    assert disparity.evenness(Estimate(2.0, 1.25, 4.0)) == Estimate(0.5, 0.25, 0.8)
    assert disparity.evenness(Estimate(1.25, 0.5, 1.6)) == Estimate(0.8, 0.5, 1.0)
    assert disparity.evenness(Estimate(0.0, 0.0, 0.5)) == Estimate(0.0, 0.0, 0.5)


# --- the assessment


def test_an_injected_disparity_is_found() -> None:
    red = by_colour(found(*town(red_spends=0.5)))
    assert red.uneven
    assert red.worst.label == "red"
    assert red.ratio.high < 0.8


def test_without_a_disparity_nothing_is_found_and_the_detectable_one_is_told() -> None:
    even = by_colour(found(*town()))
    assert not even.uneven
    assert even.detectable_ratio is not None
    assert 0.5 < even.detectable_ratio < 0.8


def test_a_group_that_is_favoured_makes_everyone_else_the_worse_off() -> None:
    everyone, _ = town(900)
    gold = np.arange(900) % 6 == 0
    everyone = replace(everyone, offered=np.where(gold, np.arange(900) % 12 == 0, np.arange(900) % 10 == 1))
    labels = np.where(gold, "gold", np.array(["blue", "red", "green"])[np.arange(900) % 3])
    colour = by_colour(found(everyone, pa.table({"sid": everyone.sids, "colour": labels})))
    assert colour.worst.label == "gold"
    assert colour.worst.reached_less == "all but gold"
    assert colour.worst.n_reached_less == 750
    assert colour.ratio.value == pytest.approx((90 / 750) / (75 / 150))


def test_two_groups_are_one_question_and_the_worst_is_the_one_reached_less() -> None:
    colour = by_colour(found(*town(red_spends=0.5)))
    first, second = colour.groups
    assert first.p_adjusted == second.p_adjusted
    assert colour.worst.reached_less == "red"
    assert colour.worst.to_rest.value < 1


def test_rates_of_a_group_are_counted_by_hand() -> None:
    """40 red: 10 in the top by actual spend, 8 of them and 6 others offered; blue: 30 of 40 offered, 20 in the top."""
    offered = np.array([1] * 8 + [0] * 2 + [1] * 6 + [0] * 24 + [1] * 30 + [0] * 10, dtype=bool)
    in_top = np.array([1] * 10 + [0] * 30 + [1] * 20 + [0] * 20, dtype=bool)
    spend = np.array([100] * 40 + [300] * 40)
    sids = np.array([f"{i:032x}" for i in range(80)])
    everyone = RankedHouseholds(
        sids, offered, in_top, np.where(np.arange(80) < 40, 2.0, 3.0), spend, np.ones(80, dtype=bool)
    )
    colour = by_colour(found(everyone, pa.table({"sid": sids, "colour": ["red"] * 40 + ["blue"] * 40}), draws=100))
    red = next(g for g in colour.groups if g.label == "red")
    assert (red.n, red.selected) == (40, 14)
    assert red.selection_rate.value == pytest.approx(14 / 40)
    assert red.true_positive_rate is not None
    assert red.true_positive_rate.value == pytest.approx(8 / 10)
    assert red.false_positive_rate is not None
    assert red.false_positive_rate.value == pytest.approx(6 / 30)
    assert red.calibration is not None
    assert red.calibration.value == pytest.approx(2.0)
    assert red.to_rest.value == pytest.approx((14 / 40) / (30 / 40))


def test_a_rate_over_fewer_than_ten_households_is_not_shown() -> None:
    everyone, demographics = town()
    everyone = replace(everyone, in_top=np.arange(len(everyone)) == 0)
    assert {g.true_positive_rate for c in found(everyone, demographics) for g in c.groups} == {None}


def test_households_without_demographics_are_compared_with_those_with() -> None:
    everyone, demographics = town(800)
    few = demographics.filter(pa.array(everyone.offered | (np.arange(800) % 8 == 0)))
    held = next(c for c in found(everyone, few) if c.attribute == HELD)
    assert held.worst.label == "not held"
    assert held.uneven


def test_with_too_few_households_nothing_is_compared_and_nothing_breaks(tmp_path: Path) -> None:
    everyone, demographics = town(12)
    comparisons = found(everyone, demographics)
    assert all(not c.groups for c in comparisons)
    findings = fairness_findings(everyone, comparisons, (), replayed=as_declared(declaration(tmp_path)))
    assert findings.measures == ()
    assert sentences(comparisons)[0].endswith("no two groups are large enough to compare.")
    assert selection_rates_picture(comparisons, share=0.25, of=SHEET).axes
    assert fairness_ratios_picture(comparisons, rule(), of=SHEET).axes


# --- mitigation


def blended(everyone: RankedHouseholds, demographics: pa.Table) -> dict[float, Mitigated]:
    grouping = next(g for g in groupings(everyone, demographics, rule()) if g.attribute == "colour")
    drawn = bootstrap.counts(len(everyone), draws=100, seed=2)
    made = [mitigate(everyone, grouping, blend=b, draws=drawn) for b in BLENDS]
    return {m.blend: m for m in made if m is not None}


def test_ranking_within_groups_evens_the_rates_with_the_same_number_of_offers() -> None:
    everyone, demographics = town(red_spends=0.5)
    grouping = next(g for g in groupings(everyone, demographics, rule()) if g.attribute == "colour")
    assert rechosen(everyone, grouping, blend=0.0).tolist() == everyone.offered.tolist()
    evened = rechosen(everyone, grouping, blend=1.0)
    assert evened.sum() == everyone.offered.sum()
    assert evened[grouping.labels == "red"].sum() == pytest.approx(evened[grouping.labels == "blue"].sum(), abs=1)


def test_mitigation_comes_with_its_price() -> None:
    made = blended(*town(red_spends=0.5))
    assert made[0.0].spend_change.value == 0
    assert made[0.0].ratio.value < made[0.5].ratio.value < made[1.0].ratio.value
    assert made[1.0].spend_share.value < made[0.0].spend_share.value
    assert made[1.0].spend_change.high < 0
    assert "percentage points" in prices(tuple(made.values()))[0]


def test_where_nothing_was_spent_mitigation_has_no_price() -> None:
    everyone, demographics = town()
    assert blended(replace(everyone, spend_cents=np.zeros(len(everyone), dtype=np.int64)), demographics) == {}


# --- what is written


def replay(share: float = 0.25) -> FairnessParams:
    return FairnessParams(cutoff=337, offer_share=share, draws=100, seed=3)


def project(tmp_path: Path, *, keys: MemoryKeys, n: int = 400) -> Places:
    """A project folder with sealed predictions and demographics of made-up households."""
    places = Places(tmp_path)
    rng = np.random.default_rng(8)
    natural = [str(i) for i in range(n)]
    sids = keys.subject_ids(natural)
    predictions = pa.table(
        {
            "sid": sids,
            "cutoff": [337] * n,
            "may_offer": [i % 20 != 0 for i in range(n)],
            "may_assess_bias": [i % 10 != 1 for i in range(n)],
            "active_probability": [0.5] * n,
            "expected_spend": rng.gamma(2, 50, n),
            "active": [True] * n,
            "spend_cents": rng.integers(0, 20_000, n),
        }
    )
    demographics = pa.table(
        {
            "household_id": natural[: n // 2],
            "colour": pa.array([["red", "blue", None][i % 3] for i in range(n // 2)]),
            "size": [["S", "M", "L"][i % 3] for i in range(n // 2)],
        }
    )
    write_sealed(predictions, places.predictions, dataset="predictions", keys=keys, subject="sid")
    place = places.raw("demographics", "all")
    write_sealed(demographics, place, dataset="demographics", keys=keys, subject="household_id")
    places.compliance.mkdir()
    (places.compliance / "intended_use.yaml").write_text(INTENDED)
    return places


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Places, MemoryKeys, FairnessAssessment]:
    """The workflow, run once."""
    keys = MemoryKeys()
    places = project(tmp_path_factory.mktemp("fairness"), keys=keys)
    return places, keys, fairness(places, keys=keys, replay=replay())


def test_the_workflow_writes_the_same_bytes_again_and_no_subject(
    done: tuple[Places, MemoryKeys, FairnessAssessment],
) -> None:
    places, keys, shown = done
    written = [places.measures("fairness"), places.figure("selection_rates"), places.figure("fairness_ratios")]
    first = [path.read_bytes() for path in written]
    fairness(places, keys=keys, replay=replay())
    assert [path.read_bytes() for path in written] == first
    text = first[0].decode()
    assert not any(sid in text for sid in keys.subject_ids([str(i) for i in range(400)]))
    assert {m.name for m in shown.findings.measures if m.name.startswith("fairness_ratio")} == {
        "fairness_ratio.colour", "fairness_ratio.demographics_held", "fairness_ratio.size",
    }  # fmt: skip


def test_those_who_do_not_allow_bias_assessment_are_counted_and_not_joined(
    done: tuple[Places, MemoryKeys, FairnessAssessment],
) -> None:
    shown = done[2]
    decision = next(f.value for f in shown.findings.facts if f.name == "fairness_decision")
    assert decision["ranked"] == 380
    assert decision["offers"] == 95
    assert decision["left_out_without_consent_to_bias_assessment"] == 40
    held = next(c for c in shown.comparisons if c.attribute == HELD)
    assert held.n + held.too_few == 340


def test_the_gate_finds_what_it_reads(done: tuple[Places, MemoryKeys, FairnessAssessment]) -> None:
    tests = json.loads(done[0].measures("fairness").read_text())["facts"]["fairness_tests"]["value"]
    needed = {"n", "worst_group", "ratio", "holm_p", "simultaneous_low", "detectable_ratio"}
    assert all(needed <= set(told) for told in tests.values())
    assert set(tests) == {"colour", "size", HELD}


def test_a_parameter_cannot_change_the_declared_decision(tmp_path: Path) -> None:
    keys = MemoryKeys()
    places = project(tmp_path, keys=keys)
    with pytest.raises(ParamsError, match=r"offer_share is 0\.5"):
        fairness(places, keys=keys, replay=replay(share=0.5))


def test_a_count_below_ten_is_not_written(tmp_path: Path) -> None:
    everyone, demographics = town(60)
    everyone = replace(everyone, offered=np.arange(60) < 14, assessable=np.arange(60) > 4)
    declared = declaration(tmp_path)
    findings = fairness_findings(everyone, found(everyone, demographics), (), replayed=as_declared(declared))
    facts = {f.name: f.value for f in findings.facts}
    assert facts["fairness_decision"]["left_out_without_consent_to_bias_assessment"] is None
    assert [row["offers"] for row in facts["fairness_groups"]] == [None, None]


def test_an_undeclared_level_stops_the_assessment(tmp_path: Path) -> None:
    keys = MemoryKeys()
    places = project(tmp_path, keys=keys)
    (places.compliance / "intended_use.yaml").write_text(INTENDED.replace("[S, M, L]", "[S, M]"))
    with pytest.raises(DataError, match="'L'"):
        fairness(places, keys=keys, replay=replay())
