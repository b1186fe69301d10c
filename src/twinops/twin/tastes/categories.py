"""What a household will buy of: one chance per product category, from its tastes, its pace and what goes together.

Each category has a head of its own, a logistic regression whose terms are the category's own state, the twin's terms,
and a few factors: directions in which households' tastes differ, found by principal components. Everything is numbers;
no household is in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from twinops.data.threads import one_thread
from twinops.entities.canonical import rounded
from twinops.errors import DataError
from twinops.twin.model.glm import Head, Scaling, fit_activity
from twinops.twin.model.model import TrainedOn
from twinops.twin.model.predictions import logistic
from twinops.twin.state.terms import TERMS, Priors, fit_priors, terms
from twinops.twin.strict_json import Positive, declared
from twinops.twin.tastes.events import SPEEDS
from twinops.twin.tastes.rows import NEVER, TasteRows

OWN = (
    "taste",  # baskets with the category a day, lasting memory (log)
    "warming",  # the same: slow against lasting memory (log ratio)
    "momentum",  # the same: steady against slow memory (log ratio)
    "impulse",  # the same: quick against steady memory (log ratio)
    "since",  # days since the category was last bought (log)
    "silence",  # chance of no such basket in the horizon, lasting memory
    "missed",  # such baskets missed since the last one (log)
)
"""Terms of the category itself."""

PACE = (
    "pace", "warming", "momentum", "value", "value_warming", "value_momentum",
    "silence_quick", "silence_steady", "silence_slow",
    "recency", "overdue", "familiarity", "regularity", "basket_size", "basket_spread",
)  # fmt: skip
"""The twin's terms that tastes use."""

LONGEST_EXPOSURE = 1e8
"""A prior counts for no more days than that."""

FEWEST_ROWS = 100
"""Below this no head is fitted."""


@declared
@dataclass(frozen=True)
class Habit:
    """Prior of one category at one speed: baskets with it a day ~ Gamma(shape, exposure in days)."""

    shape: Positive
    exposure: Positive


@dataclass(frozen=True)
class Category:
    """One product category: its priors at the four speeds, its place among the factors, and its head."""

    name: str
    habits: tuple[Habit, ...]
    centre: float
    loadings: tuple[float, ...]
    scaling: Scaling
    head: Head


@dataclass(frozen=True)
class Factors:
    """Directions in which relative tastes differ (categories x factors), around their centre."""

    centre: np.ndarray
    axes: np.ndarray

    def of(self, log_rate: np.ndarray) -> np.ndarray:
        """Where each household lies along them; rows x factors."""
        return np.asarray((_relative(log_rate) - self.centre) @ self.axes)


@dataclass(frozen=True)
class TasteRecipe:
    """How tastes are learned: memories in days, factors, inverse strength of the L2 penalty, the horizon in days."""

    decay_days: tuple[int, ...]
    pace_days: tuple[int, int, int]
    factors: int
    penalty_c: float
    horizon_days: int


@dataclass(frozen=True)
class Tastes:
    """Chances to buy of each category within `horizon_days`. `scaling` is that of the terms all categories share."""

    horizon_days: int
    decay_days: tuple[int, ...]
    pace: Priors
    scaling: Scaling
    categories: tuple[Category, ...]
    trained_on: TrainedOn

    @property
    def names(self) -> tuple[str, ...]:
        """The categories' names, in order."""
        return tuple(c.name for c in self.categories)

    @property
    def factors(self) -> int:
        """How many factors there are."""
        return len(self.categories[0].loadings)

    def predict(self, rows: TasteRows) -> np.ndarray:
        """The chance that each row's household buys of each category in the horizon; rows x categories."""
        rates = self.rates(rows)
        shared = self.scaling(self.shared(rows, rates))
        out = np.empty(rates[-1].shape)
        for place, category in enumerate(self.categories):
            own = category.scaling(own_terms(rows, self, place, rates))
            out[:, place] = logistic(category.head.predictor(np.hstack([own, shared])))
        return np.round(out, 6)

    def ranked(self, rows: TasteRows, *, row: int = 0, top: int = 10) -> list[tuple[str, float]]:
        """The likeliest categories of one household, with their chances, the likeliest first."""
        one = np.arange(len(rows)) == row
        chance = self.predict(rows.where(one))[0]
        order = np.argsort(-chance, kind="stable")[:top]
        return [(self.categories[i].name, float(chance[i])) for i in order]

    def rates(self, rows: TasteRows) -> list[np.ndarray]:
        """Log rates per speed; see `log_rates`."""
        return log_rates(rows, self.decay_days, [c.habits for c in self.categories])

    def shared(self, rows: TasteRows, rates: list[np.ndarray]) -> np.ndarray:
        """The terms all categories share, before standardising; see `shared_terms`."""
        centre, axes = np.array([c.centre for c in self.categories]), np.array([c.loadings for c in self.categories])
        return shared_terms(rows, self, rates[-1], Factors(centre, axes))


def fit_tastes(rows: TasteRows, names: Sequence[str], recipe: TasteRecipe) -> Tastes:
    """Learn priors, factors, scaling and heads from closed rows, in that order; each is rounded before the next.

    Raises:
        DataError: too few rows, or no category was chosen.
    """
    if len(rows) < FEWEST_ROWS or not names:
        raise DataError(
            f"There are {len(rows)} consumer-days and {len(names)} categories to learn tastes from; "
            f"at least {FEWEST_ROWS} consumer-days are needed.",
            hint="Collect more consumers or months, and a table of products.",
        )
    habits = fit_habits(rows, recipe.decay_days)
    rates = log_rates(rows, recipe.decay_days, habits)
    factors = fit_factors(rates[-1], recipe.factors)
    pace = fit_priors(rows.panel, decay_days=recipe.pace_days)
    blank = Tastes(recipe.horizon_days, recipe.decay_days, pace, Scaling((), ()), (), _seen(rows))
    shared = shared_terms(rows, blank, rates[-1], factors)
    scaling = Scaling.fit(shared)
    z = scaling(shared)
    categories = []
    for place, name in enumerate(names):
        own = own_terms(rows, blank, place, rates, habits=habits[place])
        fitted = Scaling.fit(own)
        head = fit_head(np.hstack([fitted(own), z]), rows.chosen[:, place], c=recipe.penalty_c)
        loadings = tuple(float(v) for v in factors.axes[place])
        categories.append(Category(name, habits[place], float(factors.centre[place]), loadings, fitted, head))
    return Tastes(recipe.horizon_days, recipe.decay_days, pace, scaling, tuple(categories), _seen(rows))


def fit_head(z: np.ndarray, target: np.ndarray, *, c: float) -> Head:
    """Logistic regression; where everybody did the same, the share with half a household of each kind added."""
    if 0 < target.sum() < len(target):
        return fit_activity(z, target, c=c)
    share = (target.sum() + 0.5) / (len(target) + 1)
    return Head(rounded(float(np.log(share / (1 - share)))), (0.0,) * z.shape[1])


def fit_habits(rows: TasteRows, decay_days: Sequence[int]) -> list[tuple[Habit, ...]]:
    """Gamma priors per category and speed by moments, as `state.fit_priors` does for all baskets together."""
    shapes = []
    for speed, tau in zip(SPEEDS, decay_days, strict=True):
        days = _exposure(rows, tau)
        total, count = days.sum(), rows.bought[speed]
        mean = np.maximum(count.sum(axis=0), 1.0) / total
        spread = (days[:, None] * (count / days[:, None] - mean) ** 2).sum(axis=0) / total
        chance = mean * (1 - days / (2 * tau)).sum() / total
        between = np.maximum(spread - chance, np.maximum(mean**2 / 1000, mean / LONGEST_EXPOSURE))
        shapes.append(
            [Habit(rounded(float(m**2 / b)), rounded(float(m / b))) for m, b in zip(mean, between, strict=True)]
        )
    return [tuple(of_speed[place] for of_speed in shapes) for place in range(rows.baskets.shape[1])]


def log_rates(rows: TasteRows, decay_days: Sequence[int], habits: Sequence[tuple[Habit, ...]]) -> list[np.ndarray]:
    """Log of baskets a day with each category, drawn towards the category's prior; one matrix per speed."""
    out = []
    for at, (speed, tau) in enumerate(zip(SPEEDS, decay_days, strict=True)):
        shape, exposure = np.array([h[at].shape for h in habits]), np.array([h[at].exposure for h in habits])
        out.append(np.log((shape + rows.bought[speed]) / (exposure + _exposure(rows, tau)[:, None])))
    return out


def fit_factors(log_rate: np.ndarray, count: int) -> Factors:
    """Centres of relative tastes, and the `count` directions in which households differ most (categories x count).

    A direction's sign is free: the largest loading is made positive, so that every machine finds the same.
    """
    relative = _relative(log_rate)
    centre = np.array([rounded(float(v)) for v in relative.mean(axis=0)])
    with one_thread():
        _, axes = np.linalg.eigh(np.cov((relative - centre).T).reshape(len(centre), -1))
    axes = axes[:, ::-1][:, :count]
    axes = axes * np.sign(axes[np.argmax(np.abs(axes), axis=0), np.arange(axes.shape[1])])
    return Factors(centre, np.vectorize(lambda v: rounded(float(v), 5))(axes))


def shared_terms(rows: TasteRows, model: Tastes, log_rate: np.ndarray, factors: Factors) -> np.ndarray:
    """The twin's terms, the mean log rate over categories, and the factors."""
    twin = pace_terms(rows.panel, model.pace, horizon_days=model.horizon_days)
    return np.hstack([twin, log_rate.mean(axis=1, keepdims=True), factors.of(log_rate)])


def pace_terms(panel: pa.Table, pace: Priors, *, horizon_days: int) -> np.ndarray:
    """The twin's terms of each row that tastes and coupons use, in the order of `PACE`."""
    return terms(panel, pace, horizon_days=horizon_days)[:, [TERMS.index(name) for name in PACE]]


def shared_names(factors: int) -> tuple[str, ...]:
    """Names of the shared terms, in order."""
    return (*PACE, "breadth", *(f"factor_{i + 1}" for i in range(factors)))


def own_terms(
    rows: TasteRows, model: Tastes, place: int, rates: list[np.ndarray], *, habits: tuple[Habit, ...] | None = None
) -> np.ndarray:
    """The terms of one category, in the order of `OWN`."""
    prior = (habits or model.categories[place].habits)[-1]
    quick, steady, slow, lasting = (r[:, place] for r in rates)
    bought = prior.shape + rows.bought[SPEEDS[-1]][:, place]
    days = prior.exposure + _exposure(rows, model.decay_days[-1])
    last = rows.last_day[:, place]
    since = np.where(last == NEVER, rows.tenure + model.horizon_days, rows.cutoff - last)
    made = {
        "taste": lasting,
        "warming": slow - lasting,
        "momentum": steady - slow,
        "impulse": quick - steady,
        "since": np.log1p(since),
        "silence": np.exp(bought * np.log(days / (days + model.horizon_days))),
        "missed": np.log1p(since * np.exp(lasting)),
    }
    return np.column_stack([made[name] for name in OWN])


def _relative(log_rate: np.ndarray) -> np.ndarray:
    """Tastes as such: a household's log rates less their mean, so that who shops much is not in them."""
    return np.asarray(log_rate - log_rate.mean(axis=1, keepdims=True))


def _exposure(rows: TasteRows, tau: int) -> np.ndarray:
    return np.asarray(tau * (1 - np.exp(-rows.tenure / tau)))


def _seen(rows: TasteRows) -> TrainedOn:
    return TrainedOn(len(rows), len(np.unique(rows.household)), int(rows.cutoff.min()), int(rows.cutoff.max()))
