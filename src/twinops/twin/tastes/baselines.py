"""What the taste and coupon heads must beat: popularity, own counts, the last 28 days again, base rates, RFM, trees."""

from __future__ import annotations

import numpy as np

from twinops.params import ChallengerParams
from twinops.twin.baselines.recency_frequency_value import WINDOW_DAYS
from twinops.twin.model.boosted_trees import fit_scorer
from twinops.twin.model.glm import Head, Scaling, fit_activity
from twinops.twin.model.predictions import logistic
from twinops.twin.state.features import RFM
from twinops.twin.tastes.categories import OWN, Tastes, own_terms
from twinops.twin.tastes.coupon_rows import CouponRows
from twinops.twin.tastes.coupons import Answering, Coupons, fit_answering
from twinops.twin.tastes.rows import NEVER, TasteRows

TREES_SHARE, TREES_ROWS = 4, 20_000
"""Trees learn from every fourth household-day, and from so many at most: all of them would take five times the heads'
time, and each stands there once a category."""

TREES = ChallengerParams(leaves=15, least_rows=60, rate=0.1, activity_trees=100)
"""The best of four settings on as-of day 225; for coupons, as they come."""


def popularity(past: TasteRows, rows: TasteRows) -> np.ndarray:
    """Everyone buys what most bought in the past horizons; rows x categories."""
    return np.tile(past.chosen.mean(axis=0), (len(rows), 1))


def own_counts(past: TasteRows, rows: TasteRows) -> np.ndarray:
    """Everyone buys what they bought most often; of equals, the more popular."""
    return np.asarray(rows.baskets + 1e-6 * past.chosen.mean(axis=0))


def last_period(past: TasteRows, rows: TasteRows) -> np.ndarray:
    """Whoever bought of it in the last 28 days does with the share seen among such, and whoever did not likewise."""
    lately, now = _lately(past), _lately(rows)
    again, anew = ((past.chosen * of).sum(axis=0) + 1 for of in (lately, ~lately))
    return np.asarray(np.where(now, again / (lately.sum(axis=0) + 2), anew / ((~lately).sum(axis=0) + 2)))


def _lately(rows: TasteRows) -> np.ndarray:
    return np.asarray((rows.last_day != NEVER) & (rows.cutoff[:, None] - rows.last_day <= WINDOW_DAYS))


def trees_on_tastes(model: Tastes, past: TasteRows, rows: TasteRows) -> np.ndarray:
    """Trees on the same terms, all categories together, with the category as a term."""
    every = max(TREES_SHARE, -(-len(past) // TREES_ROWS))
    learned = past.where(np.arange(len(past)) % every == 0)
    predict = fit_scorer(_stacked(model, learned), learned.chosen.reshape(-1), TREES)
    return predict(_stacked(model, rows)).reshape(rows.chosen.shape)


def base_rate(past: CouponRows, rows: CouponRows) -> np.ndarray:
    """The share that redeemed in past campaigns of the type; of a type never seen, in all of them."""

    def share(of: np.ndarray) -> float:
        return float((past.responded[of].sum() + 0.5) / (of.sum() + 1))

    known = {kind: share(past.kind == kind) for kind in set(past.kind.tolist())}
    everybody = share(np.ones(len(past), dtype=bool))
    return np.array([known.get(kind, everybody) for kind in rows.kind.tolist()])


def beta_binomial(past: CouponRows, rows: CouponRows) -> np.ndarray:
    """The share of campaigns each household answered, drawn towards everybody's."""
    answering: Answering = fit_answering(past)
    received, redeemed = rows.numbers("received", "redeemed")
    return answering.rate(redeemed, received)


def rfm(past: CouponRows, rows: CouponRows, *, penalty_c: float) -> np.ndarray:
    """A logistic regression on recency, frequency, monetary value and the campaign's type."""
    kinds = tuple(sorted(set(past.kind.tolist())))[1:]
    x = _rfm_terms(past, kinds)
    scaling = Scaling.fit(x)
    head: Head = fit_activity(scaling(x), past.responded, c=penalty_c)
    return logistic(head.predictor(scaling(_rfm_terms(rows, kinds))))


def trees_on_coupons(model: Coupons, past: CouponRows, rows: CouponRows) -> np.ndarray:
    """Trees on the same terms."""
    return fit_scorer(model.terms(past), past.responded, ChallengerParams())(model.terms(rows))


def _stacked(model: Tastes, rows: TasteRows) -> np.ndarray:
    """(rows x categories) x terms: each category's own terms, the shared ones, and which category it is."""
    rates = model.rates(rows)
    shared, count = model.shared(rows, rates), len(model.categories)
    # filled in place: at ten times the demonstration each copy would be half a gigabyte
    out = np.empty((len(rows), count, len(OWN) + shared.shape[1] + 1))
    for place in range(count):
        out[:, place, : len(OWN)] = own_terms(rows, model, place, rates)
        out[:, place, -1] = place
    out[:, :, len(OWN) : -1] = shared[:, None, :]
    return out.reshape(len(rows) * count, -1)


def _rfm_terms(rows: CouponRows, kinds: tuple[str, ...]) -> np.ndarray:
    amounts = [
        np.log1p(v / 100 if name.startswith("cents") else v) for name, v in zip(RFM, rows.numbers(*RFM), strict=True)
    ]
    return np.column_stack([*((rows.kind == kind).astype(float) for kind in kinds), *amounts])
