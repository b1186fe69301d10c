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
from twinops.evaluation.privacy import membership as lira
from twinops.evaluation.statistics.weighted import auc
from twinops.params import ChallengerParams
from twinops.twin.model.model_file import to_text
from twinops.twin.model.newton import activity_sums, rate_sums
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


# An attack that knows all but the model: LiRA with 64 shadow models (Carlini et al. 2022), everybody erased once.

SHADOWS, TIMES = 64, 7
HELD = 700
"""The first households were learned from, or erased; nobody ever learned from the others."""


def everybody() -> Examples:
    known, strangers = living_crowd().known.table, examples_of(crowd(HELD, seed=11)).all_closed().table
    at = strangers.column_names.index("household")
    moved = pa.array(np.asarray(strangers["household"]) + HELD, strangers.schema.field("household").type)
    return Examples(pa.concat_tables([known, strangers.set_column(at, strangers.schema.field(at), moved)]))


def test_an_attack_that_finds_whom_a_model_learned_from_is_at_chance_on_the_erased_after_the_recorded_step():
    found = {what: attacked(what) for what in ("activity", "spend")}
    for what, (_, after) in found.items():
        area, low, high = after
        assert low <= 0.5 <= high, (what, after)
        assert high - low < 0.08, "narrow enough to say something"
        assert abs(area - 0.5) < 0.03
    before = found["spend"][0]
    assert before[1] > 0.5, ("the attack sees those who were learned from", before)


def attacked(what: str) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """AUC and its 95 % interval, of the erased against strangers: under the model with them, and the one after."""
    people = everybody()
    house = np.unique(people.household, return_inverse=True)[1]
    everyone = np.arange(house.max() + 1)

    def meets(mask: np.ndarray) -> np.ndarray:
        said = RECIPE.fit(people.where(mask[house])).means(people.table)
        if what == "activity":
            return lira.by_household(house, lira.met(said.active_probability, people.active))
        return lira.by_household(house, lira.near(said.spend, people.spend))

    inside = lira.halves(len(everyone), models=SHADOWS, seed=1)
    shadows = np.array([meets(mask) for mask in inside])
    held, nobody = everyone < HELD, np.zeros((2, len(everyone)), dtype=bool)
    told: dict[bool, list[tuple[np.ndarray, np.ndarray]]] = {False: [], True: []}
    for turn in range(TIMES):
        gone, strangers = held & (everyone % TIMES == turn), ~held & (everyone % TIMES == turn)
        for erased, scores in told.items():
            fits = meets(held & ~gone if erased else held)
            both = np.vstack([shadows, fits, fits]), np.vstack([inside, nobody])
            score = lira.scored(*both, target=SHADOWS)
            scores.append((score[gone], score[strangers]))
    before, after = (interval(*map(np.concatenate, zip(*told[erased], strict=True))) for erased in (False, True))
    return before, after


def interval(members: np.ndarray, others: np.ndarray) -> tuple[float, float, float]:
    """The attack's AUC with 95 % of 300 draws of households."""
    score = np.concatenate([members, others])
    truth = np.arange(len(score)) < len(members)
    rng = np.random.default_rng(3)
    sizes = len(members), len(others)
    drawn = [np.concatenate([rng.multinomial(n, np.full(n, 1 / n)) for n in sizes]) for _ in range(300)]
    areas = auc(truth, score, np.array([np.ones(len(score)), *drawn]))
    return float(areas[0]), float(np.quantile(areas[1:], 0.025)), float(np.quantile(areas[1:], 0.975))
