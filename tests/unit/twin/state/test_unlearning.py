"""What never saw a person: states and sums by subtraction, the model by its rows; and an attack finds nothing left."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from living_world import PENALTIES, living_crowd, natural
from shoppers import GRID, crowd, examples_of

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.vault.seal import write_sealed
from twinops.params import ChallengerParams
from twinops.twin.model.model_file import to_text
from twinops.twin.model.newton import activity_sums, rate_sums
from twinops.twin.model.predictions import Predictions
from twinops.twin.model.recipe import Recipe
from twinops.twin.state.examples import Examples, open_examples
from twinops.twin.state.features import SPEEDS, STATE
from twinops.twin.state.priors import PaceSums, columns
from twinops.twin.state.streaming import replay

GONE = tuple(natural(n) for n in range(0, 700, 7))
RECIPE = Recipe(GRID, PENALTIES, ChallengerParams())


def split(known: Examples) -> tuple[Examples, Examples]:
    hers = np.isin(np.array(known.table["sid"].to_pylist()), GONE)
    return known.where(hers), known.where(~hers)


def test_a_state_after_forgetting_is_one_that_never_heard_of_it():
    diary = next(iter(living_crowd().diaries.values()))
    state = replay(diary, decay_days=GRID.decay_days)
    for event in diary[::3]:
        state.forget(event)
    assert state == replay([e for n, e in enumerate(diary) if n % 3], decay_days=GRID.decay_days)


def test_sums_of_priors_less_those_of_the_gone_are_the_sums_of_the_rest():
    known = living_crowd().known
    hers, rest = split(known)
    for speed, tau in zip(SPEEDS, GRID.decay_days, strict=True):
        everyone, gone, left = (vars(PaceSums.of(columns(e.table, STATE), speed, tau)) for e in (known, hers, rest))
        for name, value in left.items():
            assert abs(everyone[name] - gone[name] - value) <= 1e-9 * abs(value)


def test_sums_of_a_heads_step_less_those_of_the_gone_are_the_sums_of_the_rest():
    crowded = living_crowd()
    parts = crowded.known, *split(crowded.known)
    z = [np.column_stack([np.ones(len(e)), crowded.model.standardised(e.table)]) for e in parts]
    for sums, target in ((activity_sums, "active"), (rate_sums, "baskets")):
        beta = np.full(z[0].shape[1], 0.01)
        everyone, gone, left = (sums(x, getattr(e, target), beta) for x, e in zip(z, parts, strict=True))
        for name in ("loss", "gradient", "gram"):
            found, told = np.asarray(getattr(everyone, name) - getattr(gone, name)), np.asarray(getattr(left, name))
            assert np.abs(found - told).max() <= 1e-9 * max(1.0, np.abs(told).max())


def sealed(folder: Path, keys: MemoryKeys, known: Examples) -> Examples:
    """Panel and labels sealed, opened again and joined, as `train` does."""
    labels = ["sid", "cutoff", "active", "baskets", "spend_cents", "closed"]
    panel = known.table.drop_columns([c for c in (*labels[2:], "household") if c in known.table.column_names])
    for name, table in (("panel", panel), ("labels", known.table.select(labels))):
        write_sealed(table, folder / f"{name}.parquet", dataset=name, keys=keys, subject="sid")
    return opened(folder, keys)


def opened(folder: Path, keys: MemoryKeys) -> Examples:
    paths = {name: folder / f"{name}.parquet" for name in ("panel", "labels")}
    return open_examples(DuckDBEngine(threads=1), keys, **paths)


def test_the_model_after_keys_went_is_byte_for_byte_the_one_that_never_saw_them(tmp_path):
    known = living_crowd().known
    keys = MemoryKeys()
    names = sorted(set(known.table["sid"].to_pylist()))
    sids = dict(zip(names, keys.subject_ids(names), strict=True))
    under = pa.array([sids[s] for s in known.table["sid"].to_pylist()], pa.string())
    renamed = Examples(known.table.set_column(known.table.column_names.index("sid"), "sid", under))
    before = sealed(tmp_path / "before", keys, renamed)
    with_all = to_text(RECIPE.fit_with_intervals(before.all_closed()))
    for name in GONE:
        if name in sids:
            keys.forget(sids[name])
    after = opened(tmp_path / "before", keys)
    hers = np.isin(np.array(renamed.table["sid"].to_pylist()), [sids[n] for n in GONE if n in sids])
    never = sealed(tmp_path / "never", keys, renamed.where(~hers))
    left = to_text(RECIPE.fit_with_intervals(after.all_closed()))
    assert left == to_text(RECIPE.fit_with_intervals(never.all_closed()))
    assert left != with_all


def test_an_attack_on_the_erased_is_at_chance_after_the_recorded_step():
    """Losses of the erased under the model without them, beside those of people it never saw: no better than chance."""
    hers, rest = split(living_crowd().known)
    model = RECIPE.fit(rest)
    strangers = examples_of(crowd(700, seed=11)).all_closed()
    scores = [losses(model.means(e.table), e) for e in (hers, strangers)]
    low, high = bootstrapped(*scores)
    assert low <= 0.5 <= high
    assert high - low < 0.2


def losses(said: Predictions, known: Examples) -> np.ndarray:
    """Mean loss per household."""
    p = np.clip(said.active_probability, 1e-9, 1 - 1e-9)
    loss = -np.where(known.active > 0, np.log(p), np.log(1 - p))
    return np.array([loss[known.household == h].mean() for h in np.unique(known.household)])


def bootstrapped(members: np.ndarray, others: np.ndarray) -> tuple[float, float]:
    """The attack's AUC, its 95 % interval: a member is taken to have the smaller loss."""
    rng = np.random.default_rng(3)
    drawn = [auc(rng.choice(members, len(members)), rng.choice(others, len(others))) for _ in range(300)]
    return float(np.quantile(drawn, 0.025)), float(np.quantile(drawn, 0.975))


def auc(members: np.ndarray, others: np.ndarray) -> float:
    """The chance that a member's loss is the smaller of two."""
    both = np.sort(others)
    return float(1 - np.searchsorted(both, members, side="right").mean() / len(both))
