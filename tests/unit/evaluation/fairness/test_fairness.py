"""Groups are compared with their rest: a ratio, a test, an interval, and what could have been seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import governed
import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.data.journey import SHEET
from twinops.data.vault.seal import write_sealed
from twinops.data.vault.sealed_tables import SealedTables
from twinops.entities.evidence import Evidence
from twinops.entities.verdict import Outcome
from twinops.errors import DataError, ParamsError
from twinops.evaluation.fairness import disparity
from twinops.evaluation.fairness.conclusions import prices, sentences
from twinops.evaluation.fairness.decision import Candidates, RankedHouseholds, selected
from twinops.evaluation.fairness.declaration import Assessed, Decision, Mitigation
from twinops.evaluation.fairness.disparity import GroupMatrix, Reach
from twinops.evaluation.fairness.family import Crowd, Member, family, group_blends
from twinops.evaluation.fairness.family_picture import reach_against_price_picture
from twinops.evaluation.fairness.findings import AssessedReach, ReplayedDecision, fairness_findings
from twinops.evaluation.fairness.groups import HELD, groupings
from twinops.evaluation.fairness.measures import AttributeComparison, assess, outcomes
from twinops.evaluation.fairness.ratios_picture import fairness_ratios_picture
from twinops.evaluation.fairness.selection_rates_picture import selection_rates_picture
from twinops.evaluation.fairness.threshold_optimizer import threshold_optimised
from twinops.evaluation.statistics import bootstrap
from twinops.evaluation.statistics.estimate import Estimate
from twinops.governance.gates import fairness as gate
from twinops.params import FairnessParams
from twinops.workflows.pipeline.fairness import FairnessAssessment, fairness
from twinops.workflows.places import Places
from twinops.workflows.replayed_decision import levels

ROOT = Path(__file__).parents[4]
OFFER = Decision("offer", "expected_spend", 0.25, "all", "an offer")


def counts(*groups: tuple[int, int, int, int]) -> Reach:
    """(selected, n, selected_rest, n_rest) per group."""
    return Reach(*np.array(groups, dtype=float).T)


def rule(*, attributes: tuple[str, ...] = ("colour",)) -> Assessed:
    return Assessed(dict.fromkeys(attributes), attributes, ratio=0.8, alpha=0.05)


def as_declared() -> ReplayedDecision:
    return ReplayedDecision(OFFER, rule(), replay(), SHEET)


def town(n: int = 800, *, seed: int = 0, red_spends: float = 1.0) -> tuple[RankedHouseholds, pa.Table]:
    """Half red, half blue households; spend is predicted with noise, and red ones may spend less."""
    rng = np.random.default_rng(seed)
    colour = np.array(["red", "blue"])[np.arange(n) % 2]
    spend = rng.gamma(2, 50, n) * np.where(colour == "red", red_spends, 1.0)
    sids = np.array([f"{i:032x}" for i in range(n)])
    predicted = spend * rng.lognormal(0, 0.3, n)
    cents, yes = np.rint(spend * 100).astype(np.int64), np.ones(n, dtype=bool)
    offered, in_top = (selected(score, sids, share=0.25) for score in (predicted, cents))
    everyone = RankedHouseholds(sids, predicted, offered, in_top, yes, predicted, cents, yes)
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


PREDICTIONS = pa.table(
    {
        "sid": ["a", "b", "c", "d", "a"],
        "cutoff": [337, 337, 337, 337, 309],
        "may_offer": [True, False, True, True, True],
        "may_assess_bias": [True, True, False, True, True],
        "expected_spend": [10.0, 99.0, 30.0, 20.0, 99.0],
        "active_probability": [0.9, 0.1, 0.2, 0.8, 0.5],
        "spend_cents": [5000, 0, 100, 200, 9999],
    }
)


PLAIN = Mitigation()


def decided(how: Mitigation = PLAIN, share: float = 0.34, groups: list[str | None] | None = None) -> list[str]:
    """Who of the four gets the offer."""
    labels = None if groups is None else np.array(groups, dtype=object)
    among = Candidates.on(PREDICTIONS, cutoff=337)
    people = among.decided(replace(OFFER, share=share, mitigation=how), labels)
    return people.sids[people.offered].tolist()


def test_only_households_that_may_receive_an_offer_on_the_day_are_ranked() -> None:
    everyone = Candidates.on(PREDICTIONS, cutoff=337).decided(replace(OFFER, share=0.34))
    assert everyone.sids.tolist() == ["a", "c", "d"]
    assert everyone.offered.tolist() == [False, True, False]
    assert everyone.in_top.tolist() == [True, False, False]
    assert everyone.only(everyone.assessable).sids.tolist() == ["a", "d"]


def test_a_blend_with_another_score_goes_from_the_one_order_to_the_other() -> None:
    """By spend c, d, a; by activity a, d, c."""
    toward = {"toward": "active_probability"}
    assert decided() == ["c"]
    assert decided(Mitigation("rank_blend", 1.0, **toward)) == ["a"]
    assert decided(Mitigation("rank_blend", 0.4, **toward)) == ["c"]


def test_a_blend_with_the_rank_within_a_group_needs_the_group_and_reaches_the_best_of_each() -> None:
    within = Mitigation("group_rank_blend", 1.0, attribute="colour")
    assert decided(within, share=0.67, groups=["red", "blue", "blue"]) == ["a", "c"]
    assert decided(within, share=0.67, groups=[None, "blue", "blue"]) == ["c", "d"], "who has none keeps the plain rank"


def many(n: int = 4000) -> Candidates:
    sids = [f"{i:032x}" for i in range(n)]
    yes, spend = [True] * n, np.random.default_rng(1).gamma(2, 50, n)
    table = {"sid": sids, "cutoff": [337] * n, "may_offer": yes, "may_assess_bias": yes, "expected_spend": spend}
    return Candidates.on(pa.table({**table, "spend_cents": np.rint(spend * 100).astype(int)}), cutoff=337)


def test_a_lottery_draws_its_part_of_the_places_by_a_lot_that_is_the_same_again_and_another_on_another_day() -> None:
    crowd = many()
    plain, half = (crowd.decided(OFFER.with_mitigation("lottery", s)).offered for s in (0.0, 0.5))
    assert half.sum() == plain.sum() == 1000
    assert (half & selected(crowd.column("expected_spend"), crowd.sids, share=0.125)).sum() == 500
    by_lot = crowd.decided(OFFER.with_mitigation("lottery", 1.0)).offered
    assert (by_lot & plain).sum() == pytest.approx(250, abs=50), "a lot does not know the score"
    again, other = (replace(crowd, day=day).decided(OFFER.with_mitigation("lottery", 1.0)) for day in (337, 338))
    assert again.offered.tolist() == by_lot.tolist()
    assert (other.offered & by_lot).sum() == pytest.approx(250, abs=50)


# --- ratio, test, interval, power


def test_group_and_rest_are_counted_by_hand() -> None:
    inside = np.array([[1], [1], [0], [0], [0], [0]], dtype=bool)
    rest = np.array([[0], [0], [1], [1], [1], [0]], dtype=bool)
    chosen = np.array([1, 0, 1, 1, 0, 1], dtype=bool)
    found = disparity.reach(GroupMatrix(inside, rest), chosen)
    assert [float(x[0]) for x in found] == [1, 2, 2, 3]
    assert found.ratio[0] == pytest.approx(0.75)


def test_the_score_is_that_of_the_textbook_where_the_ratio_is_one() -> None:
    """At a ratio of 1 the score test is the two-sample test of proportions, times (n - 1) / n."""
    z = float(disparity.score(counts((15, 100, 40, 150)), 1.0)[0])
    pooled = 55 / 250
    by_hand = (15 / 100 - 40 / 150) / np.sqrt(pooled * (1 - pooled) * (1 / 100 + 1 / 150))
    assert z == pytest.approx(by_hand * np.sqrt(249 / 250))


def test_bounds_are_where_the_score_reaches_its_height() -> None:
    found = counts((15, 100, 40, 150), (3, 20, 90, 100))
    ends = disparity.bounds(found, alpha=0.05)
    assert disparity.score(found, ends.low) == pytest.approx(stats.norm.isf(0.05), abs=1e-6)
    assert disparity.score(found, ends.high) == pytest.approx(-stats.norm.isf(0.05), abs=1e-6)


@pytest.mark.parametrize(("rate", "ratio", "n", "n_rest"), [
    (0.2, 0.8, 60, 400), (0.2, 1.25, 60, 400), (0.05, 0.8, 300, 900), (0.6, 0.8, 40, 40), (0.9, 0.8, 50, 500),
])  # fmt: skip
def test_each_end_is_wrong_about_as_often_as_said(rate, ratio, n, n_rest) -> None:
    """Of 6,000 decisions with this true ratio, each end excludes it about 5 times in 100."""
    rng = np.random.default_rng(8)
    rest, group = rng.binomial(n_rest, rate, 6000), rng.binomial(n, min(ratio * rate, 1), 6000)
    drawn = Reach(*(np.asarray(x, dtype=float) for x in (group, np.full(6000, n), rest, np.full(6000, n_rest))))
    ends, true = disparity.bounds(drawn, alpha=0.05), min(ratio * rate, 1) / rate
    assert (ends.low > true).mean() == pytest.approx(0.05, abs=0.016)
    assert (ends.high < true).mean() == pytest.approx(0.05, abs=0.016)


@pytest.mark.parametrize("case", [(0, 30, 40, 70), (30, 30, 40, 70), (5, 30, 0, 70), (30, 30, 70, 70), (0, 30, 0, 70)])
def test_nobody_or_everybody_selected_gives_bounds_and_no_warning(case) -> None:
    ends, ratio = disparity.bounds(counts(case), alpha=0.05), counts(case).ratio
    assert 0 <= ends.low[0] <= ends.high[0]
    assert np.isnan(ratio[0]) or ends.low[0] <= ratio[0] <= ends.high[0]
    if case == (0, 30, 40, 70):
        assert (ends.low[0], ratio[0]) == (0, 0)
        assert ends.high[0] < 0.8, "an offer to none of thirty shows that they are reached less often"


def test_an_even_decision_is_shown_even_as_often_as_is_said() -> None:
    even = disparity.expected(counts((1, 900, 1, 2100)), np.array([0.3]))
    said = float(disparity.chance_to_show(even, alpha=0.05, limit=0.8)[0])
    rng, sizes = np.random.default_rng(3), (np.full(4000, 900.0), np.full(4000, 2100.0))
    drawn = Reach(rng.binomial(900, 0.3, 4000), sizes[0], rng.binomial(2100, 0.3, 4000), sizes[1])
    ends = disparity.bounds(drawn, alpha=0.05)
    assert ((ends.low > 0.8) & (ends.high < 1.25)).mean() == pytest.approx(said, abs=0.03)


@pytest.mark.parametrize("case", [(30, 200, 200, 1000), (42, 300, 300, 1500), (190, 1000, 200, 1000)])
def test_as_many_households_as_are_asked_for_settle_it_four_times_in_five(case) -> None:
    times = float(disparity.to_settle(counts(case), alpha=0.05, together=0.01, limit=0.8)[0])
    n, n_rest = round(case[1] * times), round(case[3] * times)
    rates, rng = (case[0] / case[1], case[2] / case[3]), np.random.default_rng(4)
    sizes = np.full(2000, float(n)), np.full(2000, float(n_rest))
    drawn = Reach(rng.binomial(n, rates[0], 2000), sizes[0], rng.binomial(n_rest, rates[1], 2000), sizes[1])
    alone, joint = disparity.bounds(drawn, alpha=0.05), disparity.bounds(drawn, alpha=0.01)
    told = ((alone.low > 0.8) & (alone.high < 1.25)) | (joint.high < 0.8) | (joint.low > 1.25)
    assert 0.75 <= told.mean() <= 0.97


def test_twice_as_often_and_half_as_often_are_the_same_unevenness() -> None:
    assert disparity.evenness(Estimate(0.5, 0.25, 0.8)) == Estimate(0.5, 0.25, 0.8)
    assert disparity.evenness(Estimate(2.0, 1.25, 4.0)) == Estimate(0.5, 0.25, 0.8)
    assert disparity.evenness(Estimate(1.25, 0.5, 1.6)) == Estimate(0.8, 0.5, 1.0)
    assert disparity.evenness(Estimate(0.0, 0.0, 0.5)) == Estimate(0.0, 0.0, 0.5)


# --- the assessment


def test_an_injected_disparity_is_found() -> None:
    red = by_colour(found(*town(red_spends=0.5)))
    assert red.outcome is Outcome.FAILED
    assert red.reach.worst.label == "red"
    assert red.reach.ratio.high < 0.8


def test_without_a_disparity_few_cannot_tell_and_many_are_shown_even() -> None:
    few = by_colour(found(*town(400)))
    assert few.outcome is Outcome.INCONCLUSIVE
    assert few.reach.households_to_settle > 400
    assert "would settle it" in sentences([few])[0]
    assert by_colour(found(*town(12_000), draws=10)).outcome is Outcome.PASSED


def test_a_group_that_is_favoured_makes_everyone_else_the_worse_off() -> None:
    everyone, _ = town(1800)
    gold = np.arange(1800) % 6 == 0
    everyone = replace(everyone, offered=np.where(gold, np.arange(1800) % 12 == 0, np.arange(1800) % 10 == 1))
    labels = np.where(gold, "gold", np.array(["blue", "red", "green"])[np.arange(1800) % 3])
    colour = by_colour(found(everyone, pa.table({"sid": everyone.sids, "colour": labels}))).reach
    assert colour.worst.label == "gold"
    assert colour.worst.reached_less == "all but gold"
    assert colour.worst.n_reached_less == 1500
    assert colour.ratio.value == pytest.approx((180 / 1500) / (150 / 300))


def test_two_groups_are_one_question_and_the_worst_is_the_one_reached_less() -> None:
    colour = by_colour(found(*town(red_spends=0.5)))
    first, second = colour.groups
    assert first.ratio == pytest.approx(second.ratio)
    assert colour.reach.worst.reached_less == "red"
    assert colour.reach.worst.to_rest.value < 1


def test_an_attribute_that_the_policy_does_not_name_is_shown_and_charges_nothing() -> None:
    everyone, demographics = town(red_spends=0.6)
    both = demographics.append_column("size", pa.array([["S", "M", "L", "XL"][i % 4] for i in range(800)]))
    alone, beside = rule(), Assessed({"colour": None, "size": None}, ("colour",), 0.8, 0.05)
    one, two = (
        outcomes(everyone.offered, groupings(everyone, table, asked), asked)
        for table, asked in ((demographics, alone), (both, beside))
    )
    assert one["colour"].ratio == two["colour"].ratio
    assert "size" not in two
    grouped = groupings(everyone, both, beside)
    shown = assess(everyone, grouped, beside, draws=bootstrap.counts(800, draws=10, seed=1))
    assert {c.attribute: c.decides for c in shown} == {HELD: False, "colour": True, "size": False}
    assert "for information" in sentences(shown)[-1]


def test_rates_of_a_group_are_counted_by_hand() -> None:
    """40 red: 10 in the top by actual spend, 8 of them and 6 others offered; blue: 30 of 40 offered, 20 in the top."""
    offered = np.array([1] * 8 + [0] * 2 + [1] * 6 + [0] * 24 + [1] * 30 + [0] * 10, dtype=bool)
    in_top = np.array([1] * 10 + [0] * 30 + [1] * 20 + [0] * 20, dtype=bool)
    spend = np.array([100] * 40 + [300] * 40)
    sids = np.array([f"{i:032x}" for i in range(80)])
    yes, predicted = np.ones(80, dtype=bool), np.where(np.arange(80) < 40, 2.0, 3.0)
    everyone = RankedHouseholds(sids, predicted, offered, in_top, offered | (np.arange(80) < 20), predicted, spend, yes)
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
    assert red.shoppers == 20
    assert red.among_shoppers is not None
    assert red.among_shoppers.value == pytest.approx((14 / 20) / (30 / 30))


def test_a_rate_over_fewer_than_ten_households_is_not_shown() -> None:
    everyone, demographics = town()
    everyone = replace(everyone, in_top=np.arange(len(everyone)) == 0)
    assert {g.true_positive_rate for c in found(everyone, demographics) for g in c.groups} == {None}


def test_households_without_demographics_are_compared_with_those_with() -> None:
    everyone, demographics = town(800)
    few = demographics.filter(pa.array(everyone.offered | (np.arange(800) % 8 == 0)))
    held = next(c for c in found(everyone, few) if c.attribute == HELD)
    assert held.reach.worst.label == "not held"
    assert held.outcome is Outcome.FAILED


@pytest.mark.parametrize("n", [12, 0])
def test_with_too_few_households_nothing_is_compared_and_nothing_breaks(n: int) -> None:
    everyone, demographics = town(n)
    comparisons = found(everyone, demographics)
    assert all(not c.groups for c in comparisons)
    findings = fairness_findings(AssessedReach(everyone, comparisons, ()), replayed=as_declared())
    assert findings.measures == ()
    assert "no two groups are large enough to compare." in sentences(comparisons)[0]
    assert selection_rates_picture(comparisons, decision=OFFER, of=SHEET).get_suptitle()
    assert fairness_ratios_picture(comparisons, rule(), of=SHEET).get_suptitle()
    assert reach_against_price_picture((), rule()).get_suptitle()
    assert prices(()) == ("No other decision could be compared.",)


# --- the family of decisions


def crowd_of(n: int = 1500, *, red_spends: float = 0.5, spends: bool = True) -> Crowd:
    """A town on three days; active_probability tells nothing of colour."""
    everyone, demographics = town(n, red_spends=red_spends)
    rng, yes = np.random.default_rng(2), [True] * n
    cents = everyone.spend_cents if spends else np.zeros(n, dtype=np.int64)
    table = {
        "sid": everyone.sids, "may_offer": yes, "may_assess_bias": yes, "expected_spend": everyone.expected_spend,
        "active_probability": rng.random(n), "expected_baskets": rng.random(n), "spend_cents": cents,
    }  # fmt: skip
    days = [Candidates.on(pa.table({**table, "cutoff": [day] * n}), cutoff=day) for day in (281, 309, 337)]
    grouped = groupings(everyone, demographics, rule())
    drawn = bootstrap.counts(n, draws=60, seed=2).astype(float)
    return Crowd(days[-1], days[:-1], levels(everyone, grouped), grouped, rule(), drawn, 3)


@pytest.fixture(scope="module")
def members() -> dict[str, Member]:
    crowd = crowd_of()
    return {m.name: m for m in (*family(OFFER, crowd), *group_blends(OFFER, crowd))}


def test_each_mitigation_gives_as_many_offers_and_comes_with_its_price(members: dict[str, Member]) -> None:
    assert {m.offers for m in members.values() if m.kind in ("plain", "lottery", "rank_blend", "group_rank_blend")} == {
        375
    }
    assert members["declared"].price == Estimate(0, 0, 0)
    half, whole = (members[f"group_rank_blend_colour_{s}"] for s in ("0.5", "1"))
    assert members["plain"].ratio.value < half.ratio.value < whole.ratio.value
    assert 0 < half.price.value < whole.price.value
    assert members["lottery_1"].price.low > whole.price.value, "a lot forgets all that the score knows"
    assert members["lottery_1"].ratio.value > members["plain"].ratio.value


def test_what_needs_the_attribute_to_decide_is_marked(members: dict[str, Member]) -> None:
    needing = {m.kind for m in members.values() if m.needs}
    assert needing == {"group_rank_blend", "threshold_optimizer"}
    table = prices(tuple(members.values()))
    assert len(table) == len(members) + 2
    assert any("(Fairlearn) | colour |" in row for row in table)


def test_fairlearn_evens_what_the_plain_score_does_not_and_cannot_do_so_without_the_attribute(
    members: dict[str, Member],
) -> None:
    assert members["threshold_optimizer_colour"].ratio.value > 0.8 > members["plain"].ratio.value
    from fairlearn.postprocessing import ThresholdOptimizer
    from sklearn.linear_model import LogisticRegression

    x, y = np.arange(40.0)[:, None], np.arange(40) % 3 == 0
    made = ThresholdOptimizer(estimator=LogisticRegression().fit(x, y), prefit=True, predict_method="predict_proba")
    made.fit(x, y.astype(int), sensitive_features=np.arange(40) % 2)
    with pytest.raises(TypeError, match="sensitive_features"):
        made.predict(x)


def test_without_earlier_days_or_spend_nothing_is_learnt_and_nothing_breaks() -> None:
    crowd = crowd_of(200)
    now = (crowd.candidates, crowd.labels("colour", crowd.candidates))
    assert threshold_optimised(OFFER, [], now, seed=1) is None
    assert family(OFFER, crowd_of(200, spends=False)) == ()


def test_a_member_that_is_declared_is_judged_as_it_was_foreseen(members: dict[str, Member]) -> None:
    crowd = crowd_of()
    declared = OFFER.with_mitigation("lottery", 0.5)
    assert family(declared, crowd)[0].reach["colour"].ratio == members["lottery_0.5"].reach["colour"].ratio


# --- what is written


def replay() -> FairnessParams:
    return FairnessParams(cutoff=337, draws=100, seed=3)


GROUPS = "colour: {ordered: null}, size: {ordered: [S, M, L]}"


def declare(places: Places, *, groups: str = GROUPS, mitigation: str = "{kind: none}", never: str = "") -> None:
    """The shipped declaration and policy, about these attributes and a quarter of the households."""
    places.compliance.mkdir(exist_ok=True)
    use, rules = governed.text("intended_use.yaml"), governed.text("policy.yaml")
    start, end = use.index("  attributes:\n"), use.index("\nai_act:")
    use = f"{use[:start]}  attributes: {{{groups}}}\n{use[end:]}"
    use = use.replace("share: 0.2", "share: 0.25").replace("{kind: none}", mitigation)
    rules = rules.replace("[age, income, marital_status, household_comp]", "[colour, size]")
    rules = rules.replace("never_keyed_on: [age", f"never_keyed_on: [{never}age")
    (places.compliance / "intended_use.yaml").write_text(use)
    (places.compliance / "policy.yaml").write_text(rules)


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
            "active_probability": rng.random(n),
            "expected_baskets": rng.random(n),
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
    declare(places)
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
    pictures = ("selection_rates", "fairness_ratios", "reach_against_price")
    written = [places.measures("fairness"), *map(places.figure, pictures)]
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
    findings = done[2].findings
    limits = gate.Limits(attributes=("colour", "size"), ratio=0.8, alpha=0.05)
    evidence = Evidence("twin", "0" * 64, date(2018, 1, 1), findings.measures, findings.facts)
    verdict = gate.check(evidence, limits)
    assert verdict.outcome in (Outcome.FAILED, Outcome.INCONCLUSIVE)
    judged = {c.attribute: c.outcome for c in done[2].comparisons if c.decides}
    assert set(judged) == {"colour", "size"}
    assert (Outcome.FAILED in judged.values()) == (verdict.outcome is Outcome.FAILED)


@pytest.mark.parametrize("how", [
    "{kind: lottery, strength: 0.5}", "{kind: rank_blend, strength: 0.5, toward: active_probability}",
    "{kind: group_rank_blend, strength: 1.0, attribute: colour}",
])  # fmt: skip
def test_a_mitigation_is_judged_when_it_is_declared_and_nothing_else_is_edited(tmp_path: Path, how: str) -> None:
    keys = MemoryKeys()
    places = project(tmp_path, keys=keys)
    plain = fairness(places, keys=keys, replay=replay())
    declare(places, mitigation=how)
    other = fairness(places, keys=keys, replay=replay())
    decision = next(f.value for f in other.findings.facts if f.name == "fairness_decision")
    assert decision["mitigation"]["strength"] > 0
    assert decision["offers"] == 95
    tests = [next(f.value for f in a.findings.facts if f.name == "fairness_tests") for a in (plain, other)]
    assert tests[0] != tests[1]


def test_nobody_is_chosen_by_what_the_policy_keeps_out_of_every_choice(tmp_path: Path) -> None:
    keys = MemoryKeys()
    places = project(tmp_path, keys=keys)
    declare(places, mitigation="{kind: group_rank_blend, strength: 1.0, attribute: colour}", never="colour, ")
    with pytest.raises(ParamsError, match="lets nobody be chosen by it"):
        fairness(places, keys=keys, replay=replay())


@pytest.mark.parametrize("change", ["may_offer", "may_assess_bias"])
def test_where_nobody_may_be_decided_about_or_assessed_it_is_missing_and_nothing_breaks(
    tmp_path: Path, change: str
) -> None:
    keys = MemoryKeys()
    places = project(tmp_path, keys=keys)
    table = SealedTables(places.raw_batches, keys).table(places.predictions, dataset="predictions")
    none = pa.array([False] * table.num_rows)
    table = table.set_column(table.column_names.index(change), change, none)
    write_sealed(table, places.predictions, dataset="predictions", keys=keys, subject="sid")
    found = fairness(places, keys=keys, replay=replay()).findings
    evidence = Evidence("twin", "0" * 64, date(2018, 1, 1), found.measures, found.facts)
    verdict = gate.check(evidence, gate.Limits(attributes=("colour", "size"), ratio=0.8, alpha=0.05))
    assert verdict.outcome is Outcome.MISSING
    assert "nobody" in verdict.sentence


def test_a_count_below_ten_is_not_written() -> None:
    everyone, demographics = town(60)
    everyone = replace(everyone, offered=np.arange(60) < 14, assessable=np.arange(60) > 4)
    reach = AssessedReach(everyone, found(everyone, demographics), ())
    findings = fairness_findings(reach, replayed=as_declared())
    facts = {f.name: f.value for f in findings.facts}
    assert facts["fairness_decision"]["left_out_without_consent_to_bias_assessment"] is None
    assert [row["offers"] for row in facts["fairness_groups"]] == [None, None]


def test_an_undeclared_level_stops_the_assessment(tmp_path: Path) -> None:
    keys = MemoryKeys()
    places = project(tmp_path, keys=keys)
    declare(places, groups=GROUPS.replace("[S, M, L]", "[S, M]"))
    with pytest.raises(DataError, match="'L'"):
        fairness(places, keys=keys, replay=replay())
