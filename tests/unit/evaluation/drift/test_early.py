"""The first days after an as-of day: near one where nothing is planted, off where it is; false alarms counted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from shoppers import GRID as SHOPPERS_GRID
from shoppers import crowd, examples_of, permissions

from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.remembered import Remembered
from twinops.entities.evidence import Evidence
from twinops.entities.measure import Measure
from twinops.entities.wording import MANY
from twinops.evaluation.drift.early_warning import (
    Answer,
    DayAnswer,
    Watched,
    Watching,
    Week,
    first_days,
    watch_all,
    week_of,
)
from twinops.evaluation.drift.early_warning import day_answer as judged
from twinops.evaluation.drift.early_warning_findings import (
    early_findings,
    early_sentence,
    judge_early,
    measure_early,
    planted,
    planted_rows,
    weeks_of_days,
)
from twinops.evaluation.drift.early_warning_picture import early_warning_picture
from twinops.evaluation.statistics import calm as calm_statistics
from twinops.governance.gates import early_warning
from twinops.params import FeaturesParams, TrainParams
from twinops.twin.state.examples import Examples

GRID = FeaturesParams(
    first_day=date(2017, 1, 1), first_cutoff=57, last_cutoff=337, step_days=14, horizon_days=28, decay_days=(10, 30, 90)
)
HOW = Watching(7, GRID, TrainParams(activity_c=0.2, spend_alpha=0.01), draws=200, seed=3)
LIMITS = early_warning.Limits(warn=0.07, alarm=0.1)


def answer(ratios: list[Measure], weeks: list[Measure], calm: Mapping[str, float] | None = None) -> str:
    return early_warning.answer(ratios, weeks, LIMITS, calm).value


def day(cutoff: int, *, n: int = 2000, truth: float = 1.0, seed: int = 0) -> Watched:
    """Households whose rates are known: what is expected is true, but for a factor."""
    rng = np.random.default_rng([seed, cutoff])
    rate = rng.gamma(0.8, 1.2, n)
    baskets = rng.poisson(truth * rate).astype(float)
    spend = np.array([rng.gamma(2.0, 15.0, int(b)).sum() for b in baskets])
    actual = {"baskets": baskets, "active": (baskets > 0).astype(float), "spend": spend}
    return Watched(cutoff, actual, {"baskets": rate, "active": 1 - np.exp(-rate), "spend": 30 * rate})


def calm(*, weeks_move: float = 0.0, n: int = 2000, many: int = 12) -> list[Week]:
    """Other weeks, each a little busier or quieter by itself."""
    moved = 1 + weeks_move * np.random.default_rng(5).normal(size=many)
    return [week_of(day(1000 + k, n=n, truth=factor), HOW) for k, factor in enumerate(moved)]


CALM = calm()


def day_answer(seen: Watched, how: Watching, said: Answer, beside: list[Week] = CALM) -> DayAnswer:
    found = judged(week_of(seen, how), beside, how, said)
    assert found is not None
    return found


def ratio(found: DayAnswer, quantity: str) -> Measure:
    return next(r for r in found.ratios if r.name == f"early_{quantity}_ratio")


def test_where_nothing_is_planted_it_reads_near_one_and_cries_wolf_seldom() -> None:
    days = [day_answer(day(c), HOW, answer) for c in range(100, 140)]
    for quantity in ("baskets", "active", "spend"):
        found = [ratio(t, quantity) for t in days]
        assert np.mean([r.value for r in found]) == pytest.approx(1, abs=0.01)
        holds = np.mean([r.low <= 1 <= r.high for r in found])
        assert holds >= 0.85
    assert [t.answer for t in days].count("failed") == 0
    assert [t.answer for t in days].count("passed") >= 36


def test_a_fifth_fewer_baskets_are_an_alarm_on_every_day() -> None:
    assert {day_answer(day(c, truth=0.8), HOW, answer).answer for c in range(100, 120)} == {"failed"}


def test_more_than_expected_counts_as_much_as_less() -> None:
    assert day_answer(day(1, truth=1.2), HOW, answer).answer == "failed"


def test_what_is_planted_is_as_large_as_it_says() -> None:
    seen = day(309)
    base, tried = day_answer(seen, HOW, answer), planted(seen, seed=1)
    found = {name: day_answer(changed, HOW, answer) for name, changed in tried.items()}
    gone = ratio(found[f"10 % of {MANY} gone"], "baskets").value / ratio(base, "baskets").value
    assert gone == pytest.approx(0.9, abs=0.02)
    cheaper = found["spend 10 % lower"]
    assert ratio(cheaper, "spend").value == pytest.approx(0.9 * ratio(base, "spend").value, abs=1e-5)
    assert ratio(cheaper, "baskets") == ratio(base, "baskets")
    assert cheaper.answer == base.answer == "passed"
    silent = found["the feed silent for all of the days"]
    assert (ratio(silent, "baskets").value, silent.answer) == (0.0, "failed")


def test_few_households_cannot_pass_however_near_they_come() -> None:
    few = day_answer(day(5, n=60), HOW, lambda *_: "")
    near = [Measure(r.name, 1.0, 60, "s", "m", r.low - r.value + 1, r.high - r.value + 1) for r in few.weeks[:2]]
    assert answer(near, near) == "inconclusive"


def test_weeks_that_move_widen_the_interval_of_what_lasts_and_not_that_of_the_week() -> None:
    seen = day(309, truth=0.87)
    still, moving = (day_answer(seen, HOW, answer, calm(weeks_move=m)) for m in (0.0, 0.08))
    assert moving.weeks == still.weeks
    assert (still.answer, moving.answer) == ("failed", "inconclusive")
    assert ratio(moving, "baskets").high > 1 > ratio(still, "baskets").high


def test_on_calm_weeks_that_move_the_interval_holds_one_95_times_of_a_hundred() -> None:
    moved = 1 + 0.05 * np.random.default_rng(9).normal(size=60)
    weeks = [week_of(day(k, truth=factor), HOW) for k, factor in enumerate(moved)]
    found = [judged(w, [c for c in weeks if c is not w], HOW, answer) for w in weeks]
    for place in (0, 1):
        alone = np.mean([t.weeks[place].low <= 1 <= t.weeks[place].high for t in found])
        with_weeks = np.mean([t.ratios[place].low <= 1 <= t.ratios[place].high for t in found])
        assert alone < 0.85
        assert with_weeks >= 0.9


def test_without_other_weeks_nobody_can_say_how_weeks_move() -> None:
    assert judged(week_of(day(309), HOW), CALM[:2], HOW, answer) is None


def test_findings_tell_the_day_the_false_alarms_and_what_was_planted() -> None:
    calm_days = (155, 169, 183, 197, 211, 225, 239, 253, 267, 281, 295, 309)
    seen = [day(c, truth=1.2 if c == 281 else 1.0) for c in (*calm_days, 337)]
    early = measure_early(seen, HOW, answer, day=337, limits={"warn": 0.07, "alarm": 0.1})
    found = early_findings(early)
    by_name = {m.name: m for m in found.measures}
    assert by_name["early_false_alarms"].value == pytest.approx(1 / 12, abs=1e-5)
    assert by_name["early_false_alarms"].n == 12
    assert by_name["early_baskets_ratio"].seed == 3
    days, own, tried = (f.value for f in found.facts)
    assert own["weeks"] == 12
    assert own["policy"] == {"warn": 0.07, "alarm": 0.1}
    assert own["used"]["alarm"] == 0.1, "one strange week among twelve does not loosen the alarm"
    assert [d["cutoff"] for d in days["days"]] == [*calm_days, 337]
    assert days["month_pairs"]["days"] == 6
    assert tried[-1]["alarms"] == 13
    assert "neither a warning nor an alarm" in early_sentence(early)
    assert len(planted_rows(early)) == 5
    assert early_warning_picture(early).axes
    assert early_findings(measure_early(seen, HOW, answer, day=337, limits=early.limits)).to_json() == found.to_json()


def test_a_day_that_cannot_be_measured_has_no_measure_and_says_so() -> None:
    early = measure_early([day(309)], HOW, answer, day=337, limits={"warn": 0.07, "alarm": 0.1})
    found = early_findings(early)
    assert not [m for m in found.measures if m.name.endswith("_ratio")]
    assert found.facts[0].value["not_measured"]
    assert "could not be measured" in early_sentence(early)
    assert early_warning_picture(early).axes
    assert early_warning_picture(None)


def test_the_first_days_are_counted_by_hand() -> None:
    panel = pa.table({
        "sid": ["a", "b"], "cutoff": [10, 10], "active": [True, True], "baskets": [9, 9], "spend_cents": [9, 9],
    })  # fmt: skip
    lines = pa.table({
        "sid": ["a", "a", "a", "a", "b"], "day": [9, 10, 10, 16, 17], "basket_id": [1, 2, 2, 3, 4],
        "sales_cents": [100, 200, 50, 25, 400],
    })  # fmt: skip
    seen = first_days(DuckDBEngine(threads=1), Examples(panel), lines, days=7).table
    assert seen["baskets"].to_pylist() == [2, 0]
    assert seen["spend_cents"].to_pylist() == [275, 0]
    assert seen["active"].to_pylist() == [True, False]


def test_heads_of_the_past_expect_the_first_days_of_a_crowd_that_stays_as_it_was() -> None:
    receipts = crowd(200)
    known = examples_of(receipts)
    how = Watching(7, SHOPPERS_GRID, HOW.penalties, draws=100, seed=1)
    early = first_days(DuckDBEngine(threads=1), known, receipts, days=7)
    (seen,) = watch_all(early, how, cutoffs=[141])
    other = calm(n=seen.households)
    found = day_answer(seen, how, answer, other)
    for quantity in ("baskets", "active"):
        assert ratio(found, quantity).value == pytest.approx(1, abs=0.12)
    silent = first_days(DuckDBEngine(threads=1), known, receipts.filter(pc.less(receipts["day"], 141)), days=7)
    (gap,) = watch_all(silent, how, cutoffs=[141])
    silence = day_answer(gap, how, answer, other)
    assert (ratio(silence, "baskets").value, silence.answer) == (0.0, "failed")
    assert gap.expected["baskets"].tolist() == seen.expected["baskets"].tolist(), (
        "nothing after the day is learned from"
    )


def test_days_that_are_remembered_tell_what_a_fresh_computation_tells_and_only_what_changed_is_made_anew(
    tmp_path: Path,
) -> None:
    receipts = crowd(200)
    how = Watching(7, SHOPPERS_GRID, HOW.penalties, draws=100, seed=1)
    days = [day for day in SHOPPERS_GRID.cutoffs if 113 <= day <= 155]

    def told(lines: pa.Table, known: Examples, asked: list[int]) -> tuple[str, str, int]:
        early = first_days(DuckDBEngine(threads=1), known, lines, days=7)
        afresh = measure_early(watch_all(early, how, cutoffs=asked), how, answer, day=asked[-1], limits=vars(LIMITS))
        remember, made = Remembered(tmp_path / "drift.json", b"k" * 32), []
        weeks = weeks_of_days(
            early, how, cutoffs=asked, remember=lambda about, make: remember(about, lambda: made.append(1) or make())
        )
        remember.keep()
        found = judge_early(weeks, how, answer, day=asked[-1], limits=vars(LIMITS))
        return early_findings(found).to_json(), early_findings(afresh).to_json(), len(made)

    known = examples_of(receipts)
    for asked, anew in ((days[:-1], len(days) - 1), (days[:-1], 0), (days, 1)):
        found, afresh, made = told(receipts, known, asked)
        assert found == afresh
        assert made == anew, "the days that were not asked about before"
    first = receipts["day"][0].as_py()
    less = receipts.slice(1)
    found, afresh, made = told(less, examples_of(less), days)
    assert found == afresh
    assert made == sum(first < day + 7 for day in days), "days that a row that is gone has a say in"


def test_an_alarm_must_lie_beyond_what_calm_weeks_do_and_a_pass_be_seen_well_in_its_own_week() -> None:
    def said(value: float, lasting: float, week: float) -> str:
        made = [Measure("r", value, 900, "s", "m", value - half, value + half) for half in (lasting, week)]
        return answer(made[:1], made[1:])

    assert said(1.12, 0.11, 0.02) == "failed"
    assert said(1.12, 0.13, 0.02) == "inconclusive"
    assert said(1.0, 0.13, 0.05) == "passed"
    assert said(1.0, 0.13, 0.11) == "inconclusive"


def test_a_day_with_too_few_who_may_be_scored_is_not_watched() -> None:
    receipts = crowd(60)
    sids = sorted(set(receipts["sid"].to_pylist()))
    known = examples_of(receipts, allowed=permissions(sids, may_score=False))
    assert watch_all(known, Watching(7, SHOPPERS_GRID, HOW.penalties, draws=100, seed=1), cutoffs=[141]) == []


@pytest.mark.parametrize(
    ("baskets", "active", "outcome"),
    [
        ((0.99, 0.95, 1.03), (1.0, 0.97, 1.03), "passed"),
        ((0.92, 0.88, 0.96), (1.0, 0.97, 1.03), "inconclusive"),
        ((1.0, 0.97, 1.03), (0.89, 0.86, 0.92), "failed"),
        ((1.12, 1.05, 1.2), (1.0, 0.97, 1.03), "failed"),
        ((0.89, 0.7, 1.1), (1.0, 0.97, 1.03), "inconclusive"),
        ((0.98, 0.85, 1.11), (1.0, 0.97, 1.03), "inconclusive"),
    ],
)
def test_the_gate_judges_distance_and_doubt(baskets: tuple, active: tuple, outcome: str) -> None:
    made = [
        Measure(f"{name}{kind}", v, 900, "s", "m", low, high)
        for kind in ("", ".week")
        for name, (v, low, high) in zip(early_warning.MEASURES, (baskets, active), strict=True)
    ]
    verdict = early_warning.check(Evidence("twin", "a" * 64, date(2018, 1, 1), tuple(made)), LIMITS)
    assert verdict.outcome.value == outcome
    assert verdict.limit == "warn at 7%, alarm at 10%"
    assert (
        early_warning.check(Evidence("twin", "a" * 64, date(2018, 1, 1), tuple(made[:1])), LIMITS).outcome == "missing"
    )


def test_a_small_shop_is_judged_by_its_own_calm_weeks_and_a_silent_feed_is_still_an_alarm() -> None:
    calm_days = range(57, 57 + 14 * 20, 14)
    seen = [day(c, n=90) for c in (*calm_days, 337)]
    early = measure_early(seen, HOW, answer, day=337, limits={"warn": 0.07, "alarm": 0.1})
    by_policy = measure_early(seen, HOW, lambda r, w, _: answer(r, w), day=337, limits=early.limits)
    assert sum(t.answer == "passed" for t in by_policy.before) == 0, "so few households never end within a tenth"
    raised = {m.name: m for m in early_findings(early).measures}
    assert raised["early_false_warnings"].value <= 0.5
    assert raised["early_false_alarms"].value <= 0.15
    assert early.used("alarm") > 0.1
    assert all(t.answer == "failed" for t in early.planted["the feed silent for all of the days"])


def test_a_limit_of_calm_days_is_exceeded_as_often_as_it_says() -> None:
    rng = np.random.default_rng(2)
    weeks = rng.standard_t(3, size=(4_000, 17)) ** 2  # any distribution
    beyond = [new > calm_statistics.upper(list(before), rate=1 / 8) for new, *before in weeks]
    assert np.mean(beyond) == pytest.approx(2 / 17, abs=0.02)
    assert calm_statistics.upper([0.1] * 14, rate=1 / 8) is None


def test_the_gate_uses_what_calm_weeks_set_where_that_is_farther_and_never_beyond_half() -> None:
    of = early_warning.Bounds.of
    assert of(LIMITS, {}) == (0.07, 0.1, 0.1)
    assert of(LIMITS, {"warn": 0.02, "alarm": 0.03, "wide": 0.05}) == (0.07, 0.1, 0.1)
    assert of(LIMITS, {"warn": 0.2, "alarm": 0.3, "wide": 0.4}) == (0.2, 0.3, 0.4)
    assert of(LIMITS, {"warn": 9, "alarm": 9.0, "wide": "all"}) == (0.5, 0.5, 0.5)
