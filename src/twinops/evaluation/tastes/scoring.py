"""Score held-out days as heads are made: each fitted again on what was closed by the day, beside its baselines."""

import numpy as np

from twinops.errors import DataError
from twinops.evaluation.tastes.categories import NAIVE, TWIN, ZERO, ScoredTastes
from twinops.evaluation.tastes.coupons import ScoredCampaigns
from twinops.evaluation.tastes.social import ExpectedSocial, ScoredSocial
from twinops.params import CouponsParams, FeaturesParams
from twinops.twin.tastes import baselines
from twinops.twin.tastes.categories import TasteRecipe, fit_tastes
from twinops.twin.tastes.coupon_rows import CouponRows
from twinops.twin.tastes.coupons import enough, fit_coupons
from twinops.twin.tastes.rows import TasteRows
from twinops.twin.tastes.social import SocialRows, fit_social


def score_tastes(
    rows: TasteRows, day: int, names: tuple[str, ...], recipe: TasteRecipe, *, new_after_days: int
) -> ScoredTastes:
    """Fit the heads and the baselines for one day, on what was closed by then, and let each score that day's rows.

    Raises:
        DataError: nothing can be learned for the day, or nobody may be scored on it.
    """
    past, now = rows.known_at(day, horizon_days=recipe.horizon_days), rows.scored_at(day)
    if not len(now):
        raise DataError(f"Nobody may be scored on day {day}, or its horizon is not over.", hint="Choose earlier days.")
    model = fit_tastes(past, names, recipe)
    scores = {
        TWIN: model.predict(now),
        "popularity": baselines.popularity(past, now),
        "own_counts": baselines.own_counts(past, now),
        NAIVE: baselines.last_period(past, now, recipe.horizon_days),
        ZERO: np.zeros(now.chosen.shape),
        "lightgbm": baselines.trees_on_tastes(model, past, now),
    }
    new = now.new(after_days=new_after_days)
    return ScoredTastes(day, now.household, now.chosen, new, scores)


def renumbered(days: list[ScoredTastes]) -> tuple[list[ScoredTastes], int]:
    """The same days with households numbered from 0 over all of them, and how many there are."""
    if not days:
        return [], 0
    who = np.unique(np.concatenate([d.household for d in days]))
    again = [ScoredTastes(d.cutoff, np.searchsorted(who, d.household), d.chosen, d.new, d.scores) for d in days]
    return again, len(who)


def score_coupons(receipts: CouponRows, grid: FeaturesParams, offers: CouponsParams) -> ScoredCampaigns:
    """For each day on which held-out campaigns began: fit on campaigns that were over, and score who received them.

    Raises:
        DataError: there is no held-out campaign, or nothing to learn from before one.
    """
    days = [int(d) for d in np.unique(receipts.cutoff[receipts.closed]) if d >= offers.held_out_from]
    parts = []
    for day in days:
        past, now = receipts.known_at(day, horizon_days=grid.horizon_days), receipts.scored_at(day)
        if len(now):
            enough(past)
            parts.append((now, _coupon_scores(past, now, grid, offers)))
    if not parts or not any(now.responded.any() for now, _ in parts):
        raise DataError("No held-out campaign is over, or nobody redeemed.", hint="Lower coupons.held_out_from.")
    sids = np.concatenate([np.array(now.table["sid"].to_pylist(), dtype=str) for now, _ in parts])
    return ScoredCampaigns(
        campaign=np.concatenate([now.campaign for now, _ in parts]),
        household=np.unique(sids, return_inverse=True)[1],
        responded=np.concatenate([now.responded for now, _ in parts]),
        scores={name: np.concatenate([s[name] for _, s in parts]) for name in parts[0][1]},
    )


def _coupon_scores(
    past: CouponRows, now: CouponRows, grid: FeaturesParams, offers: CouponsParams
) -> dict[str, np.ndarray]:
    model = fit_coupons(past, pace_days=grid.decay_days, penalty_c=offers.penalty_c, horizon_days=grid.horizon_days)
    return {
        TWIN: model.predict(now),
        "type": baselines.base_rate(past, now),
        "rfm": baselines.rfm(past, now, penalty_c=offers.penalty_c),
        "beta_binomial": baselines.beta_binomial(past, now),
        ZERO: np.zeros(len(now)),
        "lightgbm": baselines.trees_on_coupons(model, past, now),
    }


def score_social(social: SocialRows, day: int, horizon_days: int) -> ScoredSocial:
    """Fit the social head for one day, and compare it with everybody's mean.

    Raises:
        DataError: too few households have accounts.
    """
    past, now = social.known_at(day, horizon_days=horizon_days), social.scored_at(day)
    model = fit_social(past, horizon_days=horizon_days)
    texts = now.more_moods.sum(axis=1)
    mood = np.divide(now.more_moods[:, 0] - now.more_moods[:, 2], texts, out=np.full(len(now), np.nan), where=texts > 0)
    # so that a world without any text has a mean mood of 0 instead of none
    everybody = past.more_moods.sum(axis=0) + 1e-9
    usual = np.full(len(now), (everybody[0] - everybody[2]) / everybody.sum())
    expected = {
        TWIN: ExpectedSocial(model.activity(now), model.sentiment(now)),
        "mean": ExpectedSocial(np.full(len(now), past.more_events.mean()), usual),
    }
    return ScoredSocial(day, now.household, now.more_events, mood, expected)
