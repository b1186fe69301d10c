"""Who will redeem a coupon of a campaign, given that it reaches them: response, not uplift.

Recipients were chosen by the shop, not by lot, so nothing here says what a coupon causes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from twinops.entities.canonical import rounded
from twinops.entities.small_cells import SMALLEST_CELL
from twinops.errors import DataError
from twinops.twin.model.glm import Head, Scaling
from twinops.twin.model.model import TrainedOn
from twinops.twin.model.predictions import logistic
from twinops.twin.state.features import MILLION
from twinops.twin.state.terms import Priors, fit_priors
from twinops.twin.strict_json import Positive, declared
from twinops.twin.tastes.categories import PACE, fit_head, pace_terms
from twinops.twin.tastes.coupon_rows import CouponRows

HISTORY = (
    "habit",  # campaigns answered of those received, drawn towards everybody's (log odds)
    "redeemed",  # campaigns answered (log)
    "received",  # campaigns received (log)
    "couponed",  # baskets with a coupon (log)
    "couponed_lately",  # baskets with a coupon, slow memory (log)
)
"""Terms of what the household did with campaigns before."""

FEWEST_ROWS, FEWEST_RESPONSES = 100, 10
"""Below these no head is fitted."""

MOST_KINDS = 20
"""Types of campaigns with a term of their own."""


@declared
@dataclass(frozen=True)
class Answering:
    """Beta prior of the share of campaigns that a household answers."""

    answered: Positive
    ignored: Positive

    def rate(self, redeemed: np.ndarray, received: np.ndarray) -> np.ndarray:
        """The share expected of households that answered so many of those received: the beta-binomial's mean."""
        return np.asarray((redeemed + self.answered) / (received + self.answered + self.ignored))


@dataclass(frozen=True)
class Coupons:
    """The chance to redeem within `horizon_days`. `kinds` are the campaign types with a term; others have none."""

    horizon_days: int
    pace: Priors
    answering: Answering
    kinds: tuple[str, ...]
    scaling: Scaling
    head: Head
    trained_on: TrainedOn

    def predict(self, rows: CouponRows) -> np.ndarray:
        """One chance per row, in order."""
        return np.round(logistic(self.head.predictor(self.scaling(self.terms(rows)))), 6)

    def terms(self, rows: CouponRows) -> np.ndarray:
        """Terms of each row, in the order of `term_names`, before standardising."""
        received, redeemed, couponed, lately = rows.numbers(
            "received", "redeemed", "coupon_baskets", "coupon_baskets_slow"
        )
        rate = self.answering.rate(redeemed, received)
        history = {
            "habit": np.log(rate / (1 - rate)),
            "redeemed": np.log1p(redeemed),
            "received": np.log1p(received),
            "couponed": np.log1p(couponed),
            "couponed_lately": np.log1p(lately / MILLION),
        }
        return np.column_stack(
            [
                *((rows.kind == kind).astype(float) for kind in self.kinds),
                pace_terms(rows.table, self.pace, horizon_days=self.horizon_days),
                *(history[name] for name in HISTORY),
            ]
        )


def term_names(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the terms, in order."""
    return (*(f"is_{kind}" for kind in kinds), *PACE, *HISTORY)


def fit_coupons(rows: CouponRows, *, pace_days: tuple[int, int, int], penalty_c: float, horizon_days: int) -> Coupons:
    """Learn priors, scaling and the head from closed campaigns; each is rounded before the next.

    Raises:
        DataError: too few households received or redeemed a coupon.
    """
    enough(rows)
    seen = TrainedOn(len(rows), rows.households, int(rows.cutoff.min()), int(rows.cutoff.max()))
    blank = Coupons(
        horizon_days=horizon_days,
        pace=fit_priors(rows.table, decay_days=pace_days),
        answering=fit_answering(rows),
        kinds=_kinds(rows)[1:],  # the first type is what the others are compared with
        scaling=Scaling((), ()),
        head=Head(0.0, ()),
        trained_on=seen,
    )
    x = blank.terms(rows)
    scaling = Scaling.fit(x)
    return replace(blank, scaling=scaling, head=fit_head(scaling(x), rows.responded, c=penalty_c))


def _kinds(rows: CouponRows) -> tuple[str, ...]:
    """The most frequent types that ten or more got, by name: what fewer got would tell of them."""
    sids = np.array(rows.table["sid"].to_pylist(), dtype=str)
    many = {k: len(np.unique(sids[rows.kind == k])) for k in np.unique(rows.kind).tolist()}
    known = sorted((k for k in many if many[k] >= SMALLEST_CELL), key=lambda k: (-many[k], k))
    return tuple(sorted(known[:MOST_KINDS]))


def enough(rows: CouponRows) -> None:
    """Something can be learned from them.

    Raises:
        DataError: it cannot.
    """
    if len(rows) < FEWEST_ROWS or rows.responded.sum() < FEWEST_RESPONSES:
        raise DataError(
            f"Of campaigns that are over {len(rows)} receipts are known; at least {FEWEST_ROWS} and "
            f"{FEWEST_RESPONSES} answers are needed.",
            hint="Collect campaigns and redemptions of more months.",
        )


def fit_answering(rows: CouponRows) -> Answering:
    """Beta prior by moments, from each household's latest row: the spread between them, less what chance explains.

    Skellam, A probability distribution derived from the binomial, JRSS B 10 (1948).
    """
    latest = rows.table.append_column("place", pa.array(np.arange(len(rows)), pa.int64()))
    place = latest.group_by("sid").aggregate([("place", "max")])["place_max"].to_numpy()
    received, redeemed = (column[place] for column in rows.numbers("received", "redeemed"))
    received, redeemed = received[received > 0], redeemed[received > 0]
    total = received.sum()
    if total == 0 or redeemed.sum() == 0:
        return Answering(0.5, 9.5)
    mean = redeemed.sum() / total
    spread = (received * (redeemed / received - mean) ** 2).sum() / total / (mean * (1 - mean) or 1.0)
    by_chance = len(received) / total
    alike = np.clip((spread - by_chance) / max(1 - by_chance, 1e-6), 0.02, 0.9)
    weight = 1 / alike - 1
    return Answering(rounded(float(mean * weight)), rounded(float((1 - mean) * weight)))
