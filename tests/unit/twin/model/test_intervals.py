"""Ranges around predictions: they hold what they promise, never fall below 0, and survive being written down."""

import json
import math
from dataclasses import asdict

import numpy as np
import pyarrow as pa
import pytest

from twinops.errors import DataError
from twinops.twin.model.intervals import COVERAGE, Intervals, Ranges, Seen, calibrated, conformal_rank, fit_intervals
from twinops.twin.model.outcomes import fit_scatter
from twinops.twin.model.predictions import Predictions
from twinops.twin.state.examples import Examples
from twinops.twin.strict_json import parsed

ROWS = 3000


def world(rows: int, *, seed: int, wilder: float = 1.0) -> Seen:
    """Households with a true rate each; baskets are drawn around it, spend is gamma around 30 USD a basket."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(1.2, 2.5, rows)
    baskets = rng.poisson(rate * rng.gamma(4 / wilder, wilder / 4, rows)).astype(float)
    spend = baskets * rng.gamma(6, 5, rows)
    return Seen(Predictions.of(1 - np.exp(-rate), rate, rate * 30), baskets, np.round(spend, 2))


@pytest.fixture(scope="module")
def intervals() -> Intervals:
    return calibrated(world(ROWS, seed=1), world(ROWS, seed=2), day=253)


def of(intervals: Intervals, p: Predictions) -> Ranges:
    """Around a scatter that was learned from what they were calibrated beside."""
    before = world(ROWS, seed=1)
    return intervals.of(p, fit_scatter(before.predictions, before.baskets, before.spend))


def held(intervals: Intervals, seen: Seen) -> dict[str, np.ndarray]:
    ranges = of(intervals, seen.predictions)
    return {
        "baskets": (seen.baskets >= ranges.baskets_low) & (seen.baskets <= ranges.baskets_high),
        "spend": (seen.spend >= ranges.spend_low) & (seen.spend <= ranges.spend_high),
    }


def test_the_rank_is_the_finite_sample_one_computed_by_hand():
    # 80 % of 9 + 1 is 8: the eighth smallest of nine; of four all four are needed; of three none is enough
    assert [conformal_rank(n) for n in (9, 4, 3, 99)] == [8, 4, 4, 80]


@pytest.mark.parametrize("quantity", ["baskets", "spend"])
def test_eighty_of_a_hundred_new_outcomes_fall_inside_overall_and_in_every_tier(intervals, quantity):
    new = world(ROWS, seed=3)
    inside, tier = held(intervals, new)[quantity], intervals.tier(new.predictions)
    # whole ends that hold their mean hold more than was promised where hardly anybody comes, and never less
    least = new.baskets <= np.ceil(new.predictions.baskets)
    for rows, apart in ((tier >= 0, 0.02), *((tier == k, 0.035) for k in range(3))):
        most = COVERAGE if quantity == "spend" else max(COVERAGE, least[rows].mean())
        assert COVERAGE - apart <= inside[rows].mean() <= most + apart


def test_a_wilder_last_window_makes_ranges_wider(intervals):
    wilder = calibrated(world(ROWS, seed=1), world(ROWS, seed=2, wilder=4.0), day=253)
    asked = world(200, seed=4).predictions
    calm, wild = of(intervals, asked), of(wilder, asked)
    assert (wild.baskets_high - wild.baskets_low).mean() > (calm.baskets_high - calm.baskets_low).mean()
    assert (wild.spend_high - wild.spend_low).mean() > (calm.spend_high - calm.spend_low).mean()


def test_no_end_is_below_zero_or_the_wrong_way_round_or_not_a_number(intervals):
    extreme = np.array([0.0, 1e-9, 0.3, 5.0, 400.0, 1.2e6])
    asked = Predictions.of(np.array([0.0, 0.0, 0.3, 1.0, 1.0, 1.0]), extreme, extreme * 40)
    r = of(intervals, asked)
    for low, high in ((r.baskets_low, r.baskets_high), (r.spend_low, r.spend_high)):
        assert np.isfinite(low).all()
        assert np.isfinite(high).all()
        assert (low >= 0).all()
        assert (low <= high).all()
    assert (r.baskets_low % 1 == 0).all()
    assert (r.baskets_high % 1 == 0).all()


def test_whoever_may_well_stay_away_has_a_range_that_begins_at_zero(intervals):
    r = of(intervals, Predictions.of(np.array([0.4]), np.array([0.5]), np.array([15.0])))
    assert r.baskets_low[0] == 0
    assert r.spend_low[0] == 0
    assert r.spend_high[0] > 0


def test_the_same_prediction_always_has_the_same_range(intervals):
    asked = world(50, seed=5).predictions
    assert np.array_equal(of(intervals, asked).spend_high, of(intervals, asked).spend_high)
    again = calibrated(world(ROWS, seed=1), world(ROWS, seed=2), day=253)
    assert again == intervals


def test_a_newcomer_gets_the_range_of_everybody_which_is_wider_than_a_typical_one(intervals):
    new = world(ROWS, seed=6)
    stranger, known = intervals.newcomer(), of(intervals, new.predictions)
    inside = (new.spend >= stranger.spend_low[0]) & (new.spend <= stranger.spend_high[0])
    assert inside.mean() == pytest.approx(COVERAGE, abs=0.02)
    assert stranger.spend_high[0] - stranger.spend_low[0] > np.median(known.spend_high - known.spend_low)


def test_what_is_written_as_json_is_read_back_exactly(intervals):
    assert parsed(Intervals, json.dumps(asdict(intervals)), at_most=10_000) == intervals


@pytest.mark.parametrize(
    "harm",
    [
        lambda r: r.pop("edges"),
        lambda r: r.update(extra=1),
        lambda r: r.update(edges=[2.0, 1.0]),
        lambda r: r.update(rows=True),
        lambda r: r.update(rows=-1),
        lambda r: r["spend"].update(tiers=[1.0, math.nan, 1.0]),
        lambda r: r["spend"].update(tiers=[1.0, 10**400, 1.0]),
        lambda r: r["spend"].update(tiers=[1.0, 0.1, 1.0]),
        lambda r: r["spend"].update(tiers=[1.0, 1.0]),
        lambda r: r["baskets"].update(newcomer=[-1.0, 3.0]),
        lambda r: r["baskets"].update(newcomer=[3.0, 1.0]),
        lambda r: r["baskets"].update(tiers="123"),
    ],
)
def test_a_record_that_was_tampered_with_is_refused(intervals, harm):
    record = json.loads(json.dumps(asdict(intervals)))
    harm(record)
    with pytest.raises(ValueError, match=r"^\w+(\.\w+)*: |out of order"):
        parsed(Intervals, json.dumps(record), at_most=10_000)


def test_too_few_households_cannot_be_calibrated_on():
    few = world(3, seed=2)
    with pytest.raises(DataError, match="3 consumers to calibrate"):
        calibrated(world(100, seed=1), few, day=253)


def test_a_few_dozen_households_still_give_a_range():
    small = calibrated(world(60, seed=1), world(40, seed=2), day=253)
    assert held(small, world(ROWS, seed=3))["spend"].mean() > 0.6


def rows_of_days(labels_of_last: int) -> Examples:
    """Sixty households on four as-of days a fortnight apart; the last day's labels are whatever is asked."""
    days, households = (57, 71, 85, 99), 60
    rng = np.random.default_rng(9)
    n = len(days) * households
    baskets = rng.poisson(2.0, n)
    day = np.repeat(days, households)
    baskets[day == days[-1]] += labels_of_last
    return Examples(
        pa.table(
            {
                "cutoff": day,
                "household": np.tile(np.arange(households), len(days)),
                "active": baskets > 0,
                "baskets": baskets,
                "spend_cents": baskets * 2_500,
                "rate": rng.gamma(2.0, 1.0, n),
            }
        )
    )


class Told:
    """A model that only remembers which as-of days it was shown."""

    def __init__(self, rows: Examples) -> None:
        self.days = sorted(set(rows.cutoff.tolist()))

    def predict(self, table: pa.Table) -> Predictions:
        rate = table["rate"].to_numpy()
        return Predictions.of(1 - np.exp(-rate), rate, rate * 25)


def test_the_model_behind_the_calibration_saw_nothing_that_overlaps_the_calibration_window():
    shown = []

    def fit(rows: Examples) -> Told:
        shown.append(Told(rows))
        return shown[-1]

    made = fit_intervals(rows_of_days(0), fit, horizon_days=28)
    assert made.calibrated_on == 99
    assert made.rows == 60
    assert [m.days for m in shown] == [[57, 71]]


def test_only_labels_up_to_the_last_closed_window_move_the_ranges():
    same, moved = (fit_intervals(rows_of_days(extra), Told, horizon_days=28) for extra in (0, 9))
    assert moved.baskets.tiers != same.baskets.tiers
    assert moved.baskets.newcomer[1] > same.baskets.newcomer[1]
    assert (moved.edges, moved.rows) == (same.edges, same.rows)
