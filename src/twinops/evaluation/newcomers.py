"""How honest a newcomer's ranges are: coverage and width on newcomers that neither heads nor ranges have seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twinops.entities.measure import Measure
from twinops.evaluation.wilson import share
from twinops.params import FeaturesParams, TrainParams
from twinops.twin.cold import BANDS, Newcomer, corrected, fit_newcomers, outcomes_after, outcomes_before
from twinops.twin.examples import Examples
from twinops.twin.fit import fit_twin
from twinops.twin.outlook import LEVEL
from twinops.twin.spread import Outcomes, Spread, fit_spread

NOTHING, ESTABLISHED = "0_days", "established"
FOLDS = 2


@dataclass(frozen=True)
class Told:
    """Of one stage of acquaintance: how many households, whose range held, and how wide it was, per row; USD."""

    stage: str
    household: np.ndarray
    held: np.ndarray
    width: np.ndarray
    expected: np.ndarray


def tell_newcomers(
    known: Examples, who: Sequence[Newcomer], grid: FeaturesParams, penalties: TrainParams
) -> tuple[Told, ...]:
    """Every newcomer is predicted by heads, corrections and ranges learned without them: two folds by household."""
    parts: dict[str, list[Told]] = {}
    for fold in range(FOLDS):
        unseen = [n for n in who if n.household % FOLDS == fold]
        seen = [n for n in who if n.household % FOLDS != fold]
        rows = known.where(~np.isin(known.household, [n.household for n in unseen]))
        for told in _fold(rows, seen, unseen, (grid, penalties)):
            parts.setdefault(told.stage, []).append(told)
    return tuple(_joined(stage, found) for stage, found in parts.items())


def newcomer_measures(told: Sequence[Told]) -> tuple[Measure, ...]:
    """Coverage with Wilson's interval on households' first row of the stage, and the median width."""
    out = []
    source = "households first seen four weeks or more after the data begin, held out by household"
    for t in told:
        first = np.unique(t.household, return_index=True)[1]
        hits = int(t.held[first].sum())
        value, low, high = share(hits, len(first))
        if t.stage == ESTABLISHED:
            source_of = "established households on closed as-of days, every second household held out"
        else:
            source_of = source
        method = "share of 80 % spend ranges that held, one per household; Wilson's interval"
        out.append(Measure(f"newcomer_coverage_80.{t.stage}", value, len(first), source_of, method, low=low, high=high))
        low, high = (float(v) for v in np.quantile(t.width, [0.1, 0.9]))
        out.append(
            Measure(
                f"newcomer_width.{t.stage}", float(np.median(t.width)), len(first), source_of,
                "median width of the 80 % spend range; the interval holds the middle 80 % of widths",
                low=low, high=high, level=0.8, unit="USD",
            )
        )  # fmt: skip
        ratio = float(np.median(t.width / np.maximum(t.expected, 1)))
        out.append(
            Measure(
                f"newcomer_relative_width.{t.stage}", ratio, len(first), source_of,
                "median of width over expected spend; the interval holds the middle 80 %",
                low=float(np.quantile(t.width / np.maximum(t.expected, 1), 0.1)),
                high=float(np.quantile(t.width / np.maximum(t.expected, 1), 0.9)), level=0.8,
            )
        )  # fmt: skip
    return tuple(out)


def _fold(
    rows: Examples, seen: list[Newcomer], unseen: list[Newcomer], settings: tuple[FeaturesParams, TrainParams]
) -> list[Told]:
    grid, penalties = settings
    model = fit_twin(rows, grid, penalties)
    believed = fit_newcomers(seen, model)
    found = [] if believed is None else [
        _told(
            NOTHING,
            outcomes_before(unseen, horizon_days=model.horizon_days, baskets=believed.baskets, spend=believed.spend),
            believed.spread,
        )
    ]  # fmt: skip
    for band, (upto, days) in zip(() if believed is None else believed.bands, BANDS, strict=False):
        came = outcomes_after(unseen, model, days=days)
        found.append(_told(f"{upto}_days", corrected(came, band.baskets_ratio, band.spend_ratio), band.spread))
    return [*found, _established(rows, settings)]


def _established(rows: Examples, settings: tuple[FeaturesParams, TrainParams]) -> Told:
    """Twins older than the last band: learned on one half of the households, told of the other."""
    old = rows.where(rows.table["tenure_days"].to_numpy() > BANDS[-1][0])
    even = old.household % FOLDS == 0
    model = fit_twin(old.where(even), *settings)
    halves = []
    for part in (old.where(even), old.where(~even)):
        p = model.by_heads(part.table)
        halves.append(Outcomes(part.household, p.baskets, p.spend, part.baskets, part.spend))
    edges = np.quantile(halves[0].expected_baskets, [1 / 3, 2 / 3])
    tiers = [np.searchsorted(edges, h.expected_baskets) for h in halves]
    told = [
        _told(ESTABLISHED, halves[1].where(tiers[1] == k), fit_spread(halves[0].where(tiers[0] == k)))
        for k in range(len(edges) + 1)
    ]
    return _joined(ESTABLISHED, told)


def _told(stage: str, came: Outcomes, spread: Spread) -> Told:
    tail = (1 - LEVEL) / 2
    ends = [spread.spends(p, came.expected_spend) for p in (tail, 1 - tail)]
    held = (came.spend >= ends[0]) & (came.spend <= ends[1])
    return Told(stage, came.household, held, ends[1] - ends[0], came.expected_spend)


def _joined(stage: str, parts: Sequence[Told]) -> Told:
    return Told(
        stage, *(np.concatenate([getattr(p, f) for p in parts]) for f in ("household", "held", "width", "expected"))
    )
