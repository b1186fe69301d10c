"""How honest a newcomer's ranges are: coverage and width on newcomers that neither heads nor ranges have seen."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twinops.entities.measure import Measure
from twinops.entities.wording import MANY, MONEY, ONE
from twinops.evaluation.statistics.estimate import Estimate
from twinops.evaluation.statistics.wilson import share
from twinops.params import FeaturesParams, TrainParams
from twinops.twin.model.fit import fit_twin
from twinops.twin.state.examples import Examples
from twinops.twin.support.newcomers import Newcomer, bands, corrected, fit_newcomers, outcomes_after, outcomes_before
from twinops.twin.support.spread import Outcomes, Spread, enough, fit_spread

NOTHING, ESTABLISHED = "0_days", "established"
FOLDS = 2
UNSEEN = f"{MANY} first seen a horizon or more after the data begin, held out by {ONE}"
KEPT_OUT = f"established {MANY} on closed as-of days, every second {ONE} held out"
HELD = f"share of 80 % spend ranges that held, one per {ONE}; Wilson's interval"
WIDTH = "median width of the 80 % spend range; the interval holds the middle 80 % of widths"
RELATIVE = "median of width over expected spend; the interval holds the middle 80 %"


@dataclass(frozen=True)
class StageRows:
    """Of one stage of acquaintance: how many households, whose range held, and how wide it was, per row; USD."""

    stage: str
    household: np.ndarray
    held: np.ndarray
    width: np.ndarray
    expected: np.ndarray


def tell_newcomers(
    known: Examples, who: Sequence[Newcomer], grid: FeaturesParams, penalties: TrainParams
) -> tuple[StageRows, ...]:
    """Every newcomer is predicted by heads, corrections and ranges learned without them: two folds by household."""
    parts: dict[str, list[StageRows]] = {}
    for fold in range(FOLDS):
        # by household number, not by lot: the same newcomers whatever else is drawn
        unseen = [n for n in who if n.household % FOLDS == fold]
        seen = [n for n in who if n.household % FOLDS != fold]
        rows = known.where(~np.isin(known.household, [n.household for n in unseen]))
        for told in _fold(_Fold(rows, seen, unseen), grid, penalties):
            parts.setdefault(told.stage, []).append(told)
    return tuple(_joined(stage, found) for stage, found in parts.items() if any(len(f.household) for f in found))


def newcomer_measures(told: Sequence[StageRows]) -> tuple[Measure, ...]:
    """Coverage with Wilson's interval on one row of each household in the stage, and the median width."""
    out = []
    for t in told:
        # its other rows are no further witnesses
        one = _one_row_each(t.household)
        n, source = len(one), KEPT_OUT if t.stage == ESTABLISHED else UNSEEN
        held, relative = share(int(t.held[one].sum()), n), _middle(t.width / np.maximum(t.expected, 1))
        out.append(held.measure(f"newcomer_coverage_80.{t.stage}", n, source, HELD))
        out.append(_middle(t.width).measure(f"newcomer_width.{t.stage}", n, source, WIDTH, level=0.8, unit=MONEY))
        out.append(relative.measure(f"newcomer_relative_width.{t.stage}", n, source, RELATIVE, level=0.8))
    return tuple(out)


def _one_row_each(household: np.ndarray) -> np.ndarray:
    """Where a row of each stands: by its number, so that early days and late ones are all among them."""
    order = np.argsort(household, kind="stable")
    who, start, rows = np.unique(household[order], return_index=True, return_counts=True)
    return np.asarray(order[start + who % rows])


def _middle(values: np.ndarray) -> Estimate:
    """The median, and the ends of the middle 80 %."""
    low, high = np.quantile(values, [0.1, 0.9])
    return Estimate(float(np.median(values)), float(low), float(high))


@dataclass(frozen=True)
class _Fold:
    """All rows but those of the unseen, the newcomers among them, and those who are kept out."""

    rows: Examples
    seen: list[Newcomer]
    unseen: list[Newcomer]


def _fold(fold: _Fold, grid: FeaturesParams, penalties: TrainParams) -> list[StageRows]:
    """Every stage of one fold; of newcomers and of established twins nothing where too few are there to learn from."""
    model = fit_twin(fold.rows, grid, penalties)
    believed = fit_newcomers(fold.seen, model)
    found = _established(fold.rows, grid, penalties)
    if believed is None:
        return found
    baskets, spend = believed.baskets, believed.spend
    came = outcomes_before(fold.unseen, horizon_days=model.horizon_days, baskets=baskets, spend=spend)
    by_band = [_stage(NOTHING, came, believed.spread)]
    for band, (upto, days) in zip(believed.bands, bands(model.horizon_days), strict=False):
        if not any(n.closed(n.first_day + d, model.horizon_days) for n in fold.unseen for d in days):
            break  # nobody who was kept out was known for so long
        came = corrected(outcomes_after(fold.unseen, model, days=days), band.baskets_ratio, band.spend_ratio)
        by_band.append(_stage(f"{upto}_days", came, band.spread))
    return [*by_band, *found]


def _established(rows: Examples, grid: FeaturesParams, penalties: TrainParams) -> list[StageRows]:
    """Twins older than the last band: learned on one half of the households, told of the other.

    Nothing where a tier of the half that is learned from has too few households to tell how outcomes scatter.
    """
    old = rows.where(rows.table["tenure_days"].to_numpy() > bands(grid.horizon_days)[-1][0])
    even = old.household % FOLDS == 0
    if not even.any() or even.all():
        return []
    model = fit_twin(old.where(even), grid, penalties)
    halves = []
    for part in (old.where(even), old.where(~even)):
        p = model.predict(part.table)
        halves.append(Outcomes(part.household, p.active_probability, p.baskets, p.spend, part.baskets, part.spend))
    edges = np.quantile(halves[0].expected_baskets, [1 / 3, 2 / 3])
    tiers = [np.searchsorted(edges, h.expected_baskets) for h in halves]
    learned = [halves[0].where(tiers[0] == k) for k in range(len(edges) + 1)]
    if not all(map(enough, learned)):
        return []
    told = [_stage(ESTABLISHED, halves[1].where(tiers[1] == k), fit_spread(one)) for k, one in enumerate(learned)]
    return [_joined(ESTABLISHED, told)]


def _stage(stage: str, came: Outcomes, spread: Spread) -> StageRows:
    """What the ranges of one stage held, row by row."""
    of = {"baskets": came.expected_baskets, "spend": came.expected_spend, "chance": came.chance}
    ends = [spend for _, spend in spread.range_of(**of)]
    held = (came.spend >= ends[0]) & (came.spend <= ends[1])
    return StageRows(stage, came.household, held, ends[1] - ends[0], came.expected_spend)


def _joined(stage: str, parts: Sequence[StageRows]) -> StageRows:
    fields = ("household", "held", "width", "expected")
    return StageRows(stage, *(np.concatenate([getattr(p, f) for p in parts]) for f in fields))
