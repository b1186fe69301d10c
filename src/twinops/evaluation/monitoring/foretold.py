"""Score forecasts that were sealed before anything of their window was known, overall and in each group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from twinops.entities.measure import Measure
from twinops.entities.wording import MANY, MONEY
from twinops.evaluation.statistics import bootstrap, weighted
from twinops.evaluation.statistics.bootstrap import Resampled
from twinops.evaluation.statistics.setting import Setting
from twinops.plugins import text_beside
from twinops.ports import Engine
from twinops.twin.model.predictions import Predictions

FEWEST = 50
"""With fewer nothing is measured, overall or of a group."""
QUANTITIES = ("active", "baskets", "spend")
RANGES = ("baskets", "spend")
SCORES = ("active_probability", "expected_baskets", "expected_spend", "expected_spend_median")
ENDS = ("baskets_low", "baskets_high", "spend_low", "spend_high")
COUNTED = "what was done in the window over what was foretold for it"


@dataclass(frozen=True)
class Foretold:
    """Rows of a sealed forecast, and what each of its subjects did from its day on; arrays in the same order.

    `older`: what the forecast before, made on older states, said of the same subjects (NaN where it did not).
    """

    day: int
    horizon_days: int
    table: pa.Table
    baskets: np.ndarray
    spend: np.ndarray
    older: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.baskets)

    def column(self, name: str) -> np.ndarray:
        """One column of the forecast."""
        return np.asarray(self.table[name], dtype=float)

    @cached_property
    def active(self) -> np.ndarray:
        """1.0 where the subject came at all."""
        return (self.baskets > 0).astype(float)

    @property
    def predictions(self) -> Predictions:
        """The forecast as a model gave it."""
        return Predictions(*(self.column(name) for name in SCORES))

    @property
    def pairs(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Quantity -> observed, expected."""
        expected = {"active": "active_probability", "baskets": "expected_baskets", "spend": "expected_spend"}
        return {q: (getattr(self, q), self.column(expected[q])) for q in QUANTITIES}

    def inside(self, quantity: str) -> np.ndarray:
        """1.0 where the observed lies in its 80 % range, both ends included."""
        seen = getattr(self, quantity)
        return np.asarray((seen >= self.column(f"{quantity}_low")) & (seen <= self.column(f"{quantity}_high")), float)


def foretold(
    engine: Engine, forecast: pa.Table, lines: pa.Table, *, horizon_days: int, older: pa.Table | None = None
) -> Foretold:
    """Set what came (`lines`: sid, day, basket_id, sales_cents) beside a forecast, in order of sid."""
    forecast = forecast.sort_by("sid")
    engine.register("panel", forecast.select(["sid", "cutoff"]))
    engine.register("first_lines", lines.select(["sid", "day", "basket_id", "sales_cents"]))
    engine.register("first_days", pa.table({"days": pa.array([horizon_days], pa.int64())}))
    came = engine.query(text_beside("twinops.evaluation.drift", "first_days.sql"))
    before = {} if older is None else _of_same(forecast, older)
    return Foretold(
        int(forecast["cutoff"][0].as_py()),
        horizon_days,
        forecast,
        came["baskets"].to_numpy().astype(float),
        came["spend_cents"].to_numpy() / 100,
        before,
    )


def foretold_measures(seen: Foretold, *, draws: int, seed: int) -> tuple[Measure, ...]:
    """Discrimination, error, actual over expected and coverage, each with the interval of drawn subjects.

    And how much better the forecast is than the one before it, whose states knew nothing of the time in between.
    """
    if len(seen) < FEWEST or not 0 < seen.active.mean() < 1:
        return ()
    weights = bootstrap.counts(len(seen), draws=draws, seed=seed).astype(float)
    setting = _setting(seen, len(seen), draws, seed)
    chance, median = seen.column("active_probability"), seen.column("expected_spend_median")
    found = {
        "active_auc": (weighted.auc(seen.active, chance, weights), "area under the curve", None),
        "active_brier": (weighted.mean((chance - seen.active) ** 2, weights), "mean squared error of the chance", None),
        "spend_mae": (weighted.mean(np.abs(median - seen.spend), weights), "mean error of the median", MONEY),
        **_rates(seen, np.ones(len(seen), bool), weights),
    }
    out = [setting.measure(f"foretold_{n}", Resampled(d), how, unit=unit) for n, (d, how, unit) in found.items()]
    return (*out, *_fresher(seen, weights, setting))


def foretold_of_groups(
    seen: Foretold, groups: Mapping[str, np.ndarray], *, draws: int, seed: int
) -> dict[str, dict[str, tuple[Measure, ...]]]:
    """Attribute -> group -> actual over expected and coverage; groups below 50 are in none."""
    weights = bootstrap.counts(len(seen), draws=draws, seed=seed).astype(float)
    out: dict[str, dict[str, tuple[Measure, ...]]] = {}
    for attribute, labels in groups.items():
        for label in sorted({g for g in labels.tolist() if g is not None}):
            mask = np.array([g == label for g in labels.tolist()], dtype=bool)
            setting = _setting(seen, int(mask.sum()), draws, seed)
            rates = _rates(seen, mask, weights).items()
            known = [(n, Resampled(d), how, unit) for n, (d, how, unit) in rates if Resampled(d).known]
            made = tuple(setting.measure(f"foretold_{n}", d, how, unit=unit) for n, d, how, unit in known)
            out.setdefault(attribute, {})[label.name] = made
    return out


def _rates(seen: Foretold, mask: np.ndarray, weights: np.ndarray) -> dict[str, tuple[np.ndarray, str, str | None]]:
    """Actual over expected, and the share of outcomes inside their range, of some subjects."""
    w = weights[:, mask]
    out: dict[str, tuple[np.ndarray, str, str | None]] = {}
    with np.errstate(divide="ignore", invalid="ignore"):
        for quantity, (came, expected) in seen.pairs.items():
            out[f"{quantity}_ratio"] = ((w @ came[mask]) / (w @ expected[mask]), COUNTED, None)
    for quantity in RANGES:
        held = weighted.mean(seen.inside(quantity)[mask], w)
        out[f"coverage_80.{quantity}"] = (held, "share of outcomes inside their 80 % range", None)
    return out


def _fresher(seen: Foretold, weights: np.ndarray, setting: Setting) -> list[Measure]:
    """The gain of fresh states over the states of the forecast before, on those whom both know; paired."""
    if not seen.older:
        return []
    both = np.isfinite(seen.older["active_probability"])
    if both.sum() < FEWEST or not 0 < seen.active[both].mean() < 1:
        return []
    w, active, spend = weights[:, both], seen.active[both], seen.spend[both]
    old, new = seen.older["active_probability"][both], seen.column("active_probability")[both]
    error = [np.abs(m - spend) for m in (seen.older["expected_spend_median"][both],
                                         seen.column("expected_spend_median")[both])]  # fmt: skip
    auc = weighted.auc(active, new, w) - weighted.auc(active, old, w)
    mae = weighted.mean(error[0], w) - weighted.mean(error[1], w)
    how = "fresh states compared with those of the forecast before, positive: fresh is better; paired"
    return [
        setting.measure("foretold_active_auc.gain_of_fresh_states", Resampled(auc), how),
        setting.measure("foretold_spend_mae.gain_of_fresh_states", Resampled(mae), how, unit=MONEY),
    ]


def _setting(seen: Foretold, n: int, draws: int, seed: int) -> Setting:
    last = seen.day + seen.horizon_days - 1
    return Setting(n, draws, seed, f"forecast sealed on day {seen.day}, receipts of days {seen.day} to {last}, {MANY}")


def _of_same(forecast: pa.Table, older: pa.Table) -> dict[str, np.ndarray]:
    """The older forecast's answers, in the order of the newer's subjects."""
    place = {sid: i for i, sid in enumerate(older["sid"].to_pylist())}
    at = np.array([place.get(sid, -1) for sid in forecast["sid"].to_pylist()])
    return {
        name: np.where(at >= 0, np.asarray(older[name], dtype=float)[at], np.nan)
        for name in ("active_probability", "expected_spend_median")
    }
