"""Forecasts beside what came: counted by hand, with the doubt of drawn subjects, and nothing of small groups."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.evaluation.fairness.groups import GroupLabel
from twinops.evaluation.monitoring.foretold import foretold, foretold_measures, foretold_of_groups
from twinops.evaluation.monitoring.foretold_pictures import foretold_groups, foretold_over_time

DAY, HORIZON = 100, 28
HOW = {"draws": 100, "seed": 3}


def forecast(n: int, *, chance: np.ndarray | float = 0.5, day: int = DAY) -> pa.Table:
    rows = {"active_probability": chance, "expected_baskets": 1.0, "expected_spend": 10.0, "expected_spend_median": 8.0,
            "baskets_low": 0.0, "baskets_high": 1.0, "spend_low": 0.0, "spend_high": 20.0}  # fmt: skip
    columns = {name: np.broadcast_to(np.asarray(value, float), n) for name, value in rows.items()}
    return pa.table({"sid": [f"{i:04}" for i in range(n)], "cutoff": np.full(n, day), **columns})


def lines(who: list[int], *, day: int = DAY, cents: int = 500) -> pa.Table:
    sids = [f"{i:04}" for i in who]
    return pa.table({"sid": sids, "day": [day] * len(who), "basket_id": who, "sales_cents": [cents] * len(who)})


def test_ratios_and_coverage_are_counted_in_the_window_and_nowhere_else() -> None:
    came = pa.concat_tables(
        [lines([*range(60)]), lines([*range(100)], day=DAY + HORIZON), lines([*range(100)], day=DAY - 1),
         lines([*range(20)], day=DAY + HORIZON - 1, cents=9_000)]
    )  # fmt: skip
    seen = foretold(DuckDBEngine(threads=1), forecast(100), came, horizon_days=HORIZON)
    found = {m.name: m for m in foretold_measures(seen, **HOW)}
    assert found["foretold_active_ratio"].value == pytest.approx(60 / 50)
    assert found["foretold_baskets_ratio"].value == pytest.approx(80 / 100)
    assert found["foretold_spend_ratio"].value == pytest.approx((60 * 5 + 20 * 90) / 1_000)
    assert found["foretold_coverage_80.baskets"].value == pytest.approx(0.8)
    assert found["foretold_coverage_80.spend"].value == pytest.approx(0.8)
    assert found["foretold_active_ratio"].low < 1.2 < found["foretold_active_ratio"].high
    assert "foretold_active_auc.gain_of_fresh_states" not in found, "there was no forecast before"


def test_fresh_states_gain_where_the_older_forecast_did_not_know() -> None:
    who = np.arange(200)
    knows, does_not = np.where(who < 100, 0.9, 0.1), np.where(who % 2 == 0, 0.9, 0.1)
    made = forecast(200, chance=knows)
    seen = foretold(
        DuckDBEngine(threads=1), made, lines([*range(100)]), horizon_days=HORIZON, older=forecast(200, chance=does_not)
    )
    gain = next(m for m in foretold_measures(seen, **HOW) if m.name == "foretold_active_auc.gain_of_fresh_states")
    assert gain.value == pytest.approx(0.5)
    assert gain.low > 0.3


def test_groups_are_told_with_their_own_n_and_what_is_in_none_is_not() -> None:
    seen = foretold(DuckDBEngine(threads=1), forecast(100), lines([*range(30)]), horizon_days=HORIZON)
    labels = np.array([GroupLabel(0, "a")] * 60 + [None] * 40, dtype=object)
    found = foretold_of_groups(seen, {"age": labels}, **HOW)
    assert list(found["age"]) == ["a"]
    ratio = next(m for m in found["age"]["a"] if m.name == "foretold_active_ratio")
    assert (ratio.value, ratio.n) == (pytest.approx(1.0), 60)
    assert foretold_groups(found) is not None


@pytest.mark.parametrize("n", [0, 49])
def test_too_few_are_not_measured(n: int) -> None:
    if n:
        seen = foretold(DuckDBEngine(threads=1), forecast(n), lines([0]), horizon_days=HORIZON)
        assert foretold_measures(seen, **HOW) == ()
    assert foretold_over_time([]) is None
    assert foretold_groups({}) is None
