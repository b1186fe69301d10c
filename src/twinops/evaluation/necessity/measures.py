"""Does the twin need it? Refit with a personal attribute or source, without it, and with its values dealt out anew.

A unit is necessary when the whole interval of what it saves lies above the margin and it also beats its own shuffled
values; not necessary when the whole interval lies below the margin; else nobody can tell (GDPR art. 5(1)(c)). The
households of a fold are in training with none of their days: with them in both, the gain doubles.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property, partial
from typing import NamedTuple

import numpy as np

from twinops.data.threads import one_thread, side_by_side
from twinops.entities import shown
from twinops.entities.shown import Section
from twinops.entities.wording import ONE
from twinops.evaluation.statistics import weighted
from twinops.evaluation.statistics.bootstrap import Resampled, counts
from twinops.params import MinimisationParams
from twinops.twin.model.glm import Head, Scaling, fit_activity, fit_rate
from twinops.twin.model.predictions import exponential

SHOWN = shown.pictures(
    {
        "necessity_attributes": f"What each personal attribute would save, by how much is known of a {ONE}",
        "necessity_sources": "What each other source would save, and what purchases give away",
    },
    section=Section.NEED,
)

FOLDS = 5
ESTABLISHED = -1
"""In place of days of history: all of it."""


class Necessity(StrEnum):
    """What the intervals say about one unit."""

    NECESSARY = "necessary"
    NOT_NECESSARY = "not necessary"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Rows:
    """What is predicted, and of what: `base` makes rows x terms, learned from some; USD, active, whose, when."""

    base: Callable[[np.ndarray], np.ndarray]
    spend: np.ndarray
    active: np.ndarray
    household: np.ndarray
    cutoff: np.ndarray
    learn: np.ndarray
    judge: np.ndarray

    @property
    def who(self) -> np.ndarray:
        """Household numbers, in order, without gaps."""
        return np.unique(self.household, return_inverse=True)[1]


@dataclass(frozen=True)
class Gain:
    """What one quantity gains by the unit (positive: it helps), and by it over its shuffled values."""

    without: float
    over_without: Resampled
    over_shuffled: Resampled

    def outcome(self, margin: float) -> Necessity:
        """By the intervals and the margin alone."""
        low, high = self.over_without.interval("The gain of a unit")
        beats_chance = self.over_shuffled.interval("The gain over shuffled values")[0] > 0
        if low > margin and beats_chance:
            return Necessity.NECESSARY
        return Necessity.NOT_NECESSARY if high < margin else Necessity.INCONCLUSIVE


@dataclass(frozen=True)
class TestedUnit:
    """One unit: how much history there was in days (`ESTABLISHED`: all), its gains, and how many households."""

    unit: str
    kind: str
    history_days: int
    households: int
    spend: Gain
    activity: Gain | None = None

    def outcome(self, rule: MinimisationParams) -> Necessity:
        """Necessary if it is for any quantity; not necessary if for none."""
        gains = [(self.spend, rule.margin_spend), *([(self.activity, rule.margin_auc)] if self.activity else [])]
        found = {gain.outcome(margin) for gain, margin in gains}
        if Necessity.NECESSARY in found:
            return Necessity.NECESSARY
        return Necessity.NOT_NECESSARY if found == {Necessity.NOT_NECESSARY} else Necessity.INCONCLUSIVE


@dataclass(frozen=True)
class Trial:
    """What a round of tests is about: attributes or sources, how much history, and whether activity too."""

    kind: str
    history_days: int
    activity: bool = False


def tested(
    rows: Rows, units: Mapping[str, np.ndarray], rule: MinimisationParams, about: Trial
) -> tuple[TestedUnit, ...]:
    """Every unit (rows x columns each) against none at all and against its values dealt out to other households."""
    who = rows.who
    fold = np.random.default_rng([rule.seed, 1]).permutation(int(who.max()) + 1)[who] % FOLDS
    draws = counts(int(who.max()) + 1, draws=rule.draws, seed=rule.seed)[:, who[rows.judge]].astype(float)
    with one_thread():
        fitted = _Fitted(rows, rule, tuple(_fold(rows, fold, k) for k in range(FOLDS)), about.activity)
        beside = _Beside(fitted.predicted(None), draws, about)
        return tuple(side_by_side([partial(_tested, name, x, fitted, beside) for name, x in units.items()]))


class _Predicted(NamedTuple):
    """Out of fold, per judged row: USD, and log-odds to be active."""

    spend: np.ndarray
    odds: np.ndarray


class _Beside(NamedTuple):
    """What every unit of a round stands beside: forecasts with none of them, and the draws of the households."""

    nothing: _Predicted
    draws: np.ndarray
    about: Trial


@dataclass(frozen=True)
class _Fold:
    """Which rows are learned from and which are judged, and the base of either."""

    learn: np.ndarray
    judge: np.ndarray
    x: np.ndarray
    new: np.ndarray

    def with_columns(self, columns: np.ndarray | None) -> _Fold:
        """The base, and some columns beside it."""
        if columns is None:
            return self
        x, new = np.column_stack([self.x, columns[self.learn]]), np.column_stack([self.new, columns[self.judge]])
        return replace(self, x=x, new=new)


@dataclass(frozen=True)
class _Heads:
    """Regressions of spend and, where that is asked for, of activity."""

    scaling: Scaling
    spend: Head
    activity: Head | None


@dataclass(frozen=True)
class _Fitted:
    """Makes out-of-fold forecasts of the judged rows, with some columns or without any."""

    rows: Rows
    rule: MinimisationParams
    folds: tuple[_Fold, ...]
    activity: bool

    @cached_property
    def alone(self) -> tuple[_Heads, ...]:
        """Heads of the base alone: thousands of fits begin there, which halves their steps."""
        return tuple(self._fit(fold, None) for fold in self.folds)

    def predicted(self, columns: np.ndarray | None) -> _Predicted:
        """With these columns beside the base, or without any."""
        spend, odds = np.zeros(len(self.rows.spend)), np.zeros(len(self.rows.spend))
        for fold, near in zip(self.folds, self.alone, strict=True):
            more = fold.with_columns(columns)
            heads = near if columns is None else self._fit(more, near)
            asked = heads.scaling(more.new)
            spend[fold.judge] = exponential(heads.spend.predictor(asked))
            if heads.activity is not None:
                odds[fold.judge] = heads.activity.predictor(asked)
        return _Predicted(spend[self.rows.judge], odds[self.rows.judge])

    def _fit(self, fold: _Fold, near: _Heads | None) -> _Heads:
        scaling, rows, rule = Scaling.fit(fold.x), self.rows, self.rule
        z, start = scaling(fold.x), near.activity if near else None
        spend = fit_rate(z, rows.spend[fold.learn], alpha=rule.alpha, near=near.spend if near else None)
        if not self.activity:
            return _Heads(scaling, spend, None)
        return _Heads(scaling, spend, fit_activity(z, rows.active[fold.learn], c=rule.activity_c, near=start))


def _fold(rows: Rows, fold: np.ndarray, k: int) -> _Fold:
    learn, judge = rows.learn & (fold != k), rows.judge & (fold == k)
    x = rows.base(learn)
    return _Fold(learn, judge, x[learn], x[judge])


def _tested(name: str, x: np.ndarray, fitted: _Fitted, beside: _Beside) -> TestedUnit:
    rows, about = fitted.rows, beside.about
    real, dealt = fitted.predicted(x), [fitted.predicted(d) for d in _dealt(rows, x, fitted.rule, name)]
    households = len(np.unique(rows.household[rows.judge]))
    auc = _auc_gain(rows, real, dealt, beside) if about.activity else None
    return TestedUnit(name, about.kind, about.history_days, households, _usd_gain(rows, real, dealt, beside), auc)


def _usd_gain(rows: Rows, real: _Predicted, dealt: Sequence[_Predicted], beside: _Beside) -> Gain:
    """Mean absolute error of spend that the unit saves."""
    errors = [np.abs(p.spend - rows.spend[rows.judge]) for p in (beside.nothing, real, *dealt)]
    without, with_it, shuffled = (weighted.mean(e, beside.draws) for e in (*errors[:2], np.mean(errors[2:], axis=0)))
    return Gain(float(without[0]), Resampled(without - with_it), Resampled(shuffled - with_it))


def _auc_gain(rows: Rows, real: _Predicted, dealt: Sequence[_Predicted], beside: _Beside) -> Gain:
    """AUC of who comes back that the unit adds."""
    drawn = [weighted.auc(rows.active[rows.judge], p.odds, beside.draws) for p in (beside.nothing, real, *dealt)]
    without, with_it, shuffled = drawn[0], drawn[1], np.mean(drawn[2:], axis=0)
    return Gain(float(without[0]), Resampled(with_it - without), Resampled(with_it - shuffled))


def _dealt(rows: Rows, x: np.ndarray, rule: MinimisationParams, name: str) -> list[np.ndarray]:
    """The same columns dealt to other households, each household's days together; 0 where the giver has no such day."""
    who, (days, when) = rows.who, np.unique(rows.cutoff, return_inverse=True)
    grid = np.zeros((int(who.max()) + 1, len(days), x.shape[1]))
    grid[who, when] = x
    rng = np.random.default_rng([rule.seed, 2, *name.encode()])
    return [grid[rng.permutation(len(grid))[who], when] for _ in range(rule.shuffles)]
