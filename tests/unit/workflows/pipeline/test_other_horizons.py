"""A horizon of eight or thirteen weeks runs as four weeks do: windows, lapses and baselines go with it."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date

import numpy as np
import pytest
from shoppers import crowd, sealed_project
from supplying import supplied

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.evaluation.accuracy.choice import FACT, Choice
from twinops.params import ChallengerParams, EvaluateParams, FeaturesParams, TrainParams
from twinops.twin.model.families import HEADS, REGRESSIONS
from twinops.twin.state.examples import open_examples
from twinops.twin.state.features import STATE
from twinops.twin.state.streaming import Basket, replay
from twinops.workflows.pipeline.evaluate import evaluate
from twinops.workflows.pipeline.features import features

DAYS = 355
TREES = ChallengerParams(least_rows=20, activity_trees=10, rate_trees=10)
SHOP = crowd(110, days=DAYS)
EIGHT_WEEKS = FeaturesParams(
    first_day=date(2017, 1, 1), first_cutoff=75, last_cutoff=299, step_days=28,
    horizon_days=56, decay_days=(20, 60, 180),
)  # fmt: skip
A_QUARTER = FeaturesParams(
    first_day=date(2017, 1, 1), first_cutoff=84, last_cutoff=264, step_days=45,
    horizon_days=91, decay_days=(32, 98, 292),
)  # fmt: skip


@pytest.fixture(scope="module", params=[EIGHT_WEEKS, A_QUARTER], ids=["56", "91"])
def shop(request, tmp_path_factory):
    """A project that was measured on its last as-of days, its grid and its panel with labels."""
    grid, keys, engine = request.param, MemoryKeys(), DuckDBEngine(threads=1)
    places = sealed_project(tmp_path_factory.mktemp("shop"), keys, SHOP)
    days = EvaluateParams(cutoffs=grid.cutoffs[-1:], draws=50, seed=7)
    with pytest.MonkeyPatch.context() as patch:
        for module in ("features", "evaluate"):
            patch.setattr(f"twinops.workflows.pipeline.{module}.save", lambda figure, path, words: None)
        supplied(features, places, engine=engine, keys=keys, grid=grid, as_of=date(2017, 12, 22))
        said = asdict(Choice(REGRESSIONS, False, dict.fromkeys(HEADS, "of a test")))
        places.measures("champion").write_text(json.dumps({"facts": {FACT: {"value": said}}}), encoding="utf-8")
        learning = {"penalties": TrainParams(activity_c=1.0, spend_alpha=0.01), "trees": TREES}
        done = supplied(evaluate, places, engine=engine, keys=keys, grid=grid, held_out=days, **learning)
    return grid, done, open_examples(engine, keys, panel=places.panel, labels=places.labels)


def test_the_twin_is_measured_and_tells_who_comes(shop):
    _, done, _ = shop
    found = {m.name: m for m in done.findings.measures}
    assert found["active_auc"].value > 0.65
    assert found["spend_mae.gain_over_zero"].value > 0
    assert all(np.isfinite(m.value) for m in found.values())


def test_a_window_is_a_horizon_so_what_came_in_one_is_the_next_day_s_window(shop):
    """What a household does in the horizon of one as-of day is its `baskets_h1` a horizon later."""
    grid, _, rows = shop
    then = rows.where(rows.cutoff == grid.cutoffs[0])
    step = next(k for k in range(1, 9) if k * grid.step_days >= grid.horizon_days)
    if step * grid.step_days != grid.horizon_days:
        pytest.skip("as-of days of this grid are not a horizon apart")
    later = rows.where(rows.cutoff == grid.cutoffs[step])
    came = dict(zip(later.table["sid"].to_pylist(), later.table["baskets_h1"].to_pylist(), strict=True))
    assert [came[sid] for sid in then.table["sid"].to_pylist()] == then.baskets.tolist()


def test_streaming_gives_the_batch_s_state(shop):
    grid, _, rows = shop
    sids = rows.table["sid"].to_pylist()
    day = grid.cutoffs[-1]
    baskets: dict[str, list[Basket]] = {}
    for n, (who, when, cents) in enumerate(
        zip(*(SHOP[c].to_pylist() for c in ("sid", "day", "sales_cents")), strict=True)
    ):
        baskets.setdefault(MemoryKeys().subject_ids([who])[0], []).append(Basket(n, when, cents))
    at = [i for i, c in enumerate(rows.cutoff.tolist()) if c == day]
    for i in at[:20]:
        state = replay((b for b in baskets[sids[i]] if b.day < day), decay_days=grid.decay_days).at(day)
        assert state["quiet_days"] == rows.table["quiet_days"][i].as_py()
        batch = np.array([rows.table[name][i].as_py() for name in STATE], dtype=float)
        assert np.array([state[name] for name in STATE], dtype=float) == pytest.approx(batch, rel=1e-5, abs=20)
