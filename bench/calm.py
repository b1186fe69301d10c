"""How often intervals hold what is so where nothing happened: every calm week of the shipped data, and made-up ones.

Weeks: each as-of day of the shipped data is judged with the others as its calm weeks, by the code of the pipeline; as
nothing is known to have happened, a ratio of one is so. Made-up weeks move by a known standard deviation, 12 calm ones
beside each. Made-up means are over four as-of days of the same households, who differ in a lasting way; the days move
by a known standard deviation, beside the error that drawing households makes. Before: intervals of households alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc

from twinops.data.vault.sealed_tables import SealedTables
from twinops.evaluation.drift.early_warning import QUANTITIES, Watched, Watching, Week, first_days, watch_all, week_of
from twinops.evaluation.statistics import weighted, wilson
from twinops.evaluation.statistics.between import ends_of_day, ends_of_mean
from twinops.evaluation.statistics.bootstrap import Resampled, counts
from twinops.twin.state.examples import open_examples
from twinops.wiring import Project
from twinops.workflows.receipts import reached

MOVES = (0.0, 0.02, 0.045, 0.09)
"""Standard deviations between weeks, as a share; the shipped data move by about .045."""
WEEKS, BESIDE, HOUSEHOLDS, DRAWS = 2000, 12, 800, 200
DAYS, MEANS = 4, 2000


@dataclass(frozen=True)
class Held:
    """Of so many intervals, how many held what is so: as they were before, and as they are; mean widths beside."""

    what: str
    moves: float | None
    intervals: int
    before: int
    now: int
    width_before: float
    width_now: float

    def share(self, hits: int) -> tuple[float, float, float]:
        """Of all intervals, with its own."""
        return wilson.share(hits, self.intervals)

    def to_json(self) -> dict[str, object]:
        """As it stands in the file."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Held:
        """As it stood in the file."""
        return cls(**raw)


def calm(project: Project) -> Iterator[Held]:
    """Shipped weeks, made-up weeks, made-up means over days."""
    how = _watching(project)
    weeks = [week_of(seen, how) for seen in _shipped(project, how)]
    beside = [[w for w in weeks if w is not one] for one in weeks]
    for place, quantity in enumerate(QUANTITIES):
        yield _held(f"shipped weeks: {quantity}", None, weeks, beside, place)
    for moves in MOVES:
        made = [week_of(seen, how) for seen in _made_weeks(moves, WEEKS + BESIDE)]
        around = [[w for w in made[max(0, k - BESIDE) : k + BESIDE + 1] if w is not made[k]][:BESIDE]
                  for k in range(WEEKS)]  # fmt: skip
        yield _held("made-up weeks: baskets", moves, made[:WEEKS], around, 0)
    for moves in MOVES:
        yield _means(moves)


def _held(what: str, moves: float | None, weeks: list[Week], beside: list[list[Week]], place: int) -> Held:
    """What both kinds of interval held of a ratio of one."""
    before = [w.found[place][1:] for w in weeks]
    now = [
        ends_of_day(w.noisy(place), [c.noisy(place) for c in others], usual=1.0)
        for w, others in zip(weeks, beside, strict=True)
    ]
    return _counted(what, moves, before, now, truth=1.0)


def _counted(
    what: str, moves: float | None, before: list[tuple[float, float]], now: list[tuple[float, float]], *, truth: float
) -> Held:
    hits = [sum(low <= truth <= high for low, high in ends) for ends in (before, now)]
    widths = [float(np.mean([high - low for low, high in ends])) for ends in (before, now)]
    return Held(what, moves, len(now), *hits, *(round(w, 4) for w in widths))


def _watching(project: Project) -> Watching:
    """As the pipeline watches."""
    rule, grid, penalties = project.params.drift, project.params.features, project.params.train
    return Watching(rule.early_days, grid, penalties, DRAWS, rule.seed)


def _shipped(project: Project, how: Watching) -> list[Watched]:
    places, rule = project.places, project.params.drift
    lines = SealedTables(places.raw_batches, project.keys).source("transactions")
    known_until = reached(places, how.grid.days)
    watched = [c for c in how.grid.cutoffs if rule.early_from <= c <= known_until - how.days]
    known = open_examples(project.engine, project.keys, panel=places.panel, labels=places.labels)
    wanted = lines.filter(pc.greater_equal(lines["day"], min(how.grid.cutoffs)))
    return watch_all(first_days(project.engine, known, wanted, days=how.days), how, cutoffs=watched)


def _made_weeks(moves: float, many: int) -> Iterator[Watched]:
    """Households whose rates are known; a week is a little busier or quieter, and nothing lasts."""
    rng = np.random.default_rng([3, round(1000 * moves)])
    for number in range(many):
        rate = rng.gamma(0.8, 1.2, HOUSEHOLDS)
        baskets = rng.poisson(rate * (1 + moves * rng.normal())).astype(float)
        actual = {"baskets": baskets, "active": (baskets > 0).astype(float), "spend": 30 * baskets}
        yield Watched(number, actual, {"baskets": rate, "active": 1 - np.exp(-rate), "spend": 30 * rate})


def _means(moves: float) -> Held:
    """Means of a quantity over four days; its truth is one, lasting differences between households are a half."""
    rng = np.random.default_rng([4, round(1000 * moves)])
    draws = counts(HOUSEHOLDS, draws=DRAWS, seed=1).astype(float)
    before, now = [], []
    for _ in range(MEANS):
        lasting = 1 + 0.5 * rng.normal(size=HOUSEHOLDS)
        seen = [lasting + moves * rng.normal() + rng.normal(size=HOUSEHOLDS) for _ in range(DAYS)]
        days = np.array([weighted.mean(day, draws) for day in seen])
        before.append(Resampled(days.mean(axis=0)).interval("A mean"))
        now.append(ends_of_mean(days))
    return _counted("made-up means over four days", moves, before, now, truth=1.0)
