"""What segments of consenting consumers are expected to do, and would be if: means with intervals, never one person.

Small cells are suppressed, and so many others that none can be had by subtraction. What is told of a cell is told of
a secret re-weighting of its people, and how many they are with noise (see `statistics.keyed_noise`), so that two tables
cannot be subtracted either: not one made before somebody left from one made after, nor those of two purposes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from twinops.entities.small_cells import SMALLEST_CELL
from twinops.errors import ParamsError
from twinops.evaluation.segments.cuts import Cut, cuts
from twinops.evaluation.statistics.bootstrap import counts
from twinops.evaluation.statistics.keyed_noise import KeyedNoise, bounded
from twinops.evaluation.statistics.suppressed_table import suppressed
from twinops.twin.answers.what_if import CHANGED as MOVED
from twinops.twin.answers.what_if import Action
from twinops.twin.model.model import TwinModel
from twinops.twin.model.predictions import Predictions
from twinops.twin.state.advance import silent, with_basket
from twinops.twin.support.support import Support, Tier, measures_of

DRAWS, SEED = 400, 29
INSIDE, OUTSIDE = "within", "outside"


@dataclass(frozen=True)
class Mean:
    """A mean over the segment's households, re-weighted, with its 95 % interval from drawing households.

    Nobody adds more to it than ten households reach.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class WhatIf:
    """The same households with the action: those the data can answer for, and the paired difference.

    For campaigns, `redeemed` is the expected share that redeems, and baskets and spend are not told.
    """

    households: int | None
    spend: Mean | None
    difference: Mean | None
    redeemed: Mean | None


@dataclass(frozen=True)
class Segment:
    """One cell of the table, about so many households; all but its name is None where they are too few or nobody."""

    name: tuple[str, ...]
    households: int | None
    active: Mean | None = None
    baskets: Mean | None = None
    spend: Mean | None = None
    what_if: WhatIf | None = None


@dataclass(frozen=True)
class SegmentsAsked:
    """Which way to cut, what if, of which rows (`within` allow the purpose, `free` may be contacted), by which key.

    The key is the project's own and secret: the noise is drawn with it.
    """

    by: tuple[str, ...]
    action: Action | None
    within: np.ndarray
    free: np.ndarray
    key: bytes


def segment(table: pa.Table, model: TwinModel, support: Support | None, asked: SegmentsAsked) -> tuple[Segment, ...]:
    """Cut the rows (one per household that allows scoring) and tell what is expected of each cell, and if.

    A cell is shown only if neither it nor the households of the same cell outside `within` are fewer than ten, or by
    chance some more: the table of all and the table of those within could be subtracted. Where no household is in a
    cell it looks as if they were too few.

    Raises:
        ParamsError: nobody cuts by such a name, or by more than two.
    """
    _check(asked.by)
    expected = model.predict(table)
    names, place = _cells(table, expected, [cuts(support)[by] for by in asked.by])
    parts = {
        (*name, side): np.flatnonzero((place == i) & mask)
        for i, name in enumerate(names)
        for side, mask in ((INSIDE, asked.within), (OUTSIDE, ~asked.within))
    }
    noise = KeyedNoise.of(table, asked.key, asked.within, asked.free)
    # inside and outside of the purpose are told from the same cells, so both must be large enough
    gone = suppressed({key: noise.fewer(rows, _told(asked.by, key)) for key, rows in parts.items()})
    if_done = None
    if asked.action is not None and support is not None:
        if_done = _Rows(table, expected, model, support).if_done(asked.action, free=asked.free)
    means = _Expected(expected, if_done, noise)
    # who is alone in a cell and leaves it does not make it vanish: a cell of nobody looks like a small one
    return tuple(
        Segment(key[:-1], None) if key in gone or not len(rows) else means.of(key[:-1], rows, _told(asked.by, key))
        for key, rows in parts.items()
        if key[-1] == INSIDE
    )


def _told(by: tuple[str, ...], key: tuple[str, ...]) -> str:
    return "\0".join((*by, *key))


@dataclass(frozen=True)
class _IfDone:
    """Per row: whether the data can answer, how near the edge of what was seen it lies, spend without and with.

    For a campaign, `tier` says which of the `chances` to redeem (draws x tiers, the first as measured) is the row's.
    """

    answered: np.ndarray
    edge: np.ndarray
    without: np.ndarray
    spend: np.ndarray
    tier: np.ndarray | None = None
    chances: np.ndarray | None = None


def _check(by: tuple[str, ...]) -> None:
    known = cuts(None)
    unknown = [b for b in by if b not in known]
    if unknown or not 1 <= len(set(by)) == len(by) <= 2:
        raise ParamsError(
            f"Segments are cut by one or two of {', '.join(known)}.",
            hint="Say --by activity, or --by activity --by value.",
        )


def _cells(table: pa.Table, expected: Predictions, by: Sequence[Cut]) -> tuple[list[tuple[str, ...]], np.ndarray]:
    """Every cell's name, and which one each row is in."""
    names: list[tuple[str, ...]] = [()]
    place = np.zeros(table.num_rows, dtype=int)
    for cut in by:
        place = place * len(cut.names) + np.searchsorted(np.array(cut.edges), cut.of(table, expected), side="right")
        names = [(*n, own) for n in names for own in cut.names]
    return names, place


def cells_of_one(table: pa.Table, model: TwinModel, support: Support | None) -> dict[str, str]:
    """In which cell of each cut a single row falls: for the person it is about."""
    expected = model.predict(table)
    found = {by: _cells(table, expected, [cut]) for by, cut in cuts(support).items()}
    return {by: names[int(place[0])][0] for by, (names, place) in found.items()}


@dataclass(frozen=True)
class _Rows:
    """The rows, what is expected of them, and what the data can answer about rows of like activity."""

    table: pa.Table
    expected: Predictions
    model: TwinModel
    support: Support

    @property
    def tier(self) -> np.ndarray:
        """Which tier of activity each row is in."""
        return np.searchsorted(np.array([t.upto_baskets for t in self.support.tiers]), self.expected.baskets)

    def if_done(self, action: Action, *, free: np.ndarray) -> _IfDone:
        if action.kind == "campaign":
            return self._after_campaign(action, free)
        decays = self.model.decay_days
        if action.kind == "silence":
            after, before = silent(self.table, int(action.amount), decays), self.expected
        else:
            after = with_basket(self.table, action.amount, decays)
            # a basket is compared with the same day without it
            before = self.model.predict(silent(self.table, 1, decays))
        inside, edge = self._seen(after, MOVED[action.kind])
        if action.kind == "basket" and not self.support.basket_value.holds(action.amount):
            inside[:] = False
        return _IfDone(inside, edge, before.spend, self.model.predict(after).spend)

    def _after_campaign(self, action: Action, free: np.ndarray) -> _IfDone:
        """Who may be contacted and is of a tier that was seen with such a campaign."""
        chances = np.column_stack([_chances(t, action.campaign) for t in self.support.tiers])
        answered = np.isfinite(chances[0])[self.tier] & free
        expected = self.expected
        return _IfDone(answered, expected.baskets, expected.spend, expected.spend, self.tier, chances)

    def _seen(self, after: pa.Table, moved: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Whether such a state was seen in the row's tier, and how near the edge of what was seen it lies."""
        tiers = [self.support.tiers[i] for i in self.tier]
        low, high = (np.array([[getattr(t.seen[m], end) for m in moved] for t in tiers]) for end in ("low", "high"))
        found = measures_of(after)
        values = np.column_stack([found[m] for m in moved])
        inside = np.asarray(((values >= low) & (values <= high)).all(axis=1))
        return inside, (values / np.maximum(high, 1e-9)).max(axis=1)


def _chances(tier: Tier, kind: str) -> np.ndarray:
    """The share that redeemed, then draws of what it may be (Jeffreys' prior); not numbers where it is not told."""
    got = tier.campaigns.get(kind)
    if got is None or got.redeemed is None:
        return np.full(1 + DRAWS, np.nan)
    drawn = np.random.default_rng(SEED).beta(got.redeemed + 0.5, got.contacts - got.redeemed + 0.5, DRAWS)
    return np.array([got.redeemed / got.contacts, *drawn])


@dataclass(frozen=True)
class _Expected:
    """What is expected of all rows, and what would be if; and the noise that what is told of some of them has."""

    expected: Predictions
    if_done: _IfDone | None
    noise: KeyedNoise

    def of(self, name: tuple[str, ...], rows: np.ndarray, told: str) -> Segment:
        """One segment, and what it would be with the action; one re-weighting of its people for all of it."""
        all_of = (getattr(self.expected, f) for f in ("active_probability", "baskets", "spend"))
        weights = self.noise.weights(rows, told)
        active, baskets, spend = (_mean(bounded(values[rows], values), weights) for values in all_of)
        if_done = None if self.if_done is None else self._what_if(rows, weights, told, self.if_done)
        return Segment(name, self.noise.count(rows, told), active, baskets, spend, if_done)

    def _what_if(self, rows: np.ndarray, weights: np.ndarray, told: str, done: _IfDone) -> WhatIf:
        """Told of ten or more, and never of all but a few: where fewer fall out, those nearest the edge go too."""
        kept = np.flatnonzero(done.answered[rows])
        left = len(rows) - len(kept)
        if 0 < left < SMALLEST_CELL:
            kept = kept[np.argsort(done.edge[rows[kept]], kind="stable")][: len(rows) - SMALLEST_CELL]
        inside, weights = rows[kept], weights[kept]
        about = self.noise.count(inside, told)
        if about is None:
            return WhatIf(None, None, None, None)
        if done.tier is not None and done.chances is not None:
            shares = done.chances[:, done.tier[inside]] @ weights / weights.sum()
            return WhatIf(about, None, None, _drawn(shares))
        change = done.spend - done.without
        spend, moved = (_mean(bounded(v[inside], v[done.answered]), weights) for v in (done.spend, change))
        return WhatIf(about, spend, moved, None)


def _mean(values: np.ndarray, weights: np.ndarray) -> Mean:
    """Re-weighted, and its interval from drawing people with their weights, which is as wide as both doubts ask for."""
    drawn = counts(len(values), draws=DRAWS, seed=SEED)
    return _drawn(drawn @ (weights * values) / (drawn @ weights))


def _drawn(drawn: np.ndarray) -> Mean:
    """The quantity as it is, and the middle 95 % of its draws; four digits."""
    low, high = np.quantile(drawn[1:], [0.025, 0.975])
    return Mean(*(float(f"{v:.4g}") for v in (drawn[0], low, high)))
