"""How much a household will write and do in social media, and in which mood: closed forms on the blend's counts.

What is learned of synthetic posts is our generator; the measures say which they are (`evaluation.tastes.social`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from twinops.entities.canonical import rounded
from twinops.errors import DataError
from twinops.twin.strict_json import Days, Positive, declared

MOODS = ("texts_positive", "texts_neutral", "texts_negative")
FEWEST_HOUSEHOLDS = 30


@dataclass(frozen=True)
class SocialRows:
    """Households whose accounts may be blended both on the as-of day and a horizon later, with the same accounts.

    `events` and `days`: interactions before the as-of day, in so many days; `moods`: scored texts, rows x 3 (nothing
    where fewer than five were scored). `more_events`, `more_moods`: what the horizon added.
    """

    cutoff: np.ndarray
    household: np.ndarray
    may_train: np.ndarray
    may_score: np.ndarray
    events: np.ndarray
    days: np.ndarray
    moods: np.ndarray
    more_events: np.ndarray
    more_moods: np.ndarray

    def __len__(self) -> int:
        return len(self.cutoff)

    def where(self, mask: np.ndarray) -> SocialRows:
        """Some of the rows."""
        return SocialRows(**{name: getattr(self, name)[mask] for name in self.__dataclass_fields__})

    def known_at(self, day: int, *, horizon_days: int) -> SocialRows:
        """Rows closed by `day`, of households that allowed training then."""
        allowed = np.unique(self.household[(self.cutoff == day) & self.may_train])
        return self.where((self.cutoff <= day - horizon_days) & np.isin(self.household, allowed))

    def scored_at(self, day: int) -> SocialRows:
        """The rows of a day, of households that allow scoring."""
        return self.where((self.cutoff == day) & self.may_score)


@declared
@dataclass(frozen=True)
class Social:
    """Interactions a day ~ Gamma(shape, exposure in days); a text's mood ~ Dirichlet(moods), positive first."""

    horizon_days: Days
    shape: Positive
    exposure: Positive
    moods: tuple[Positive, Positive, Positive]

    def activity(self, rows: SocialRows) -> np.ndarray:
        """Interactions expected in the horizon."""
        return np.asarray(self.horizon_days * (self.shape + rows.events) / (self.exposure + rows.days))

    def sentiment(self, rows: SocialRows) -> np.ndarray:
        """Mean mood expected of the horizon's texts, from -1 (negative) to 1 (positive)."""
        mixed = rows.moods + np.array(self.moods)
        return np.asarray((mixed[:, 0] - mixed[:, 2]) / mixed.sum(axis=1))


def social_rows(blend: pa.Table, *, horizon_days: int, window_days: int) -> SocialRows:
    """From the blend: what it counts a horizon later, less what it counts on the as-of day.

    Only as-of days whose horizon ends within the blend's window, out of which nothing has fallen by then.
    """
    kept = blend.filter(pa.array(np.asarray(blend["social_records"].to_numpy()) > 0))
    sids = np.array(kept["sid"].to_pylist(), dtype=str)
    household = np.unique(sids, return_inverse=True)[1]
    cutoff, records = kept["cutoff"].to_numpy(), kept["social_records"].to_numpy()
    row = {key: i for i, key in enumerate(zip(household.tolist(), cutoff.tolist(), strict=True))}
    later = np.array(
        [row.get(key, -1) for key in zip(household.tolist(), (cutoff + horizon_days).tolist(), strict=True)], np.int64
    )
    moods = np.column_stack([kept[m].fill_null(0).to_numpy() for m in MOODS]).astype(float).reshape(-1, 3)
    events = kept["social_events"].to_numpy().astype(float)
    told = moods.sum(axis=1) > 0
    both = (told & told[later])[:, None]
    rows = SocialRows(
        cutoff=cutoff,
        household=household,
        may_train=kept["may_train"].to_numpy(zero_copy_only=False),
        may_score=kept["may_score"].to_numpy(zero_copy_only=False),
        events=events,
        days=np.minimum(cutoff, window_days).astype(float),
        moods=moods,
        more_events=events[later] - events,
        more_moods=np.where(both, moods[later] - moods, 0.0),
    )
    whole = (later >= 0) & (records[later] == records) & (cutoff + horizon_days <= window_days)
    return rows.where(whole & (rows.more_events >= 0) & (rows.more_moods >= 0).all(axis=1))


def fit_social(rows: SocialRows, *, horizon_days: int) -> Social:
    """Priors by moments, from each household's latest row.

    Raises:
        DataError: too few households with accounts.
    """
    # one row a household: its earlier rows tell of the same interactions again
    latest = np.unique(rows.household[::-1], return_index=True)[1]
    last = rows.where(np.isin(np.arange(len(rows)), len(rows) - 1 - latest)) if len(rows) else rows
    if len(last) < FEWEST_HOUSEHOLDS or last.events.sum() == 0 or last.moods.sum() == 0:
        raise DataError(
            f"{len(last)} consumers have social accounts to learn from; at least {FEWEST_HOUSEHOLDS} are needed.",
            hint="Switch the social sources on, or declare them.",
        )
    mean = last.events.sum() / last.days.sum()
    spread = (last.days * (last.events / last.days - mean) ** 2).sum() / last.days.sum()
    between = max(spread - mean * len(last) / last.days.sum(), mean**2 / 1000)
    shape, exposure = rounded(float(mean**2 / between)), rounded(float(mean / between))
    return Social(horizon_days, shape, exposure, _mood_prior(last.moods))


def _mood_prior(moods: np.ndarray) -> tuple[float, float, float]:
    """Dirichlet prior of a household's mix of moods; its weight by moments of the share of positive texts."""
    told = moods[moods.sum(axis=1) > 0]
    n = told.sum(axis=1)
    mix = (told.sum(axis=0) + 1) / (n.sum() + 3)
    share, mean = told[:, 0] / n, mix[0]
    spread = (n * (share - mean) ** 2).sum() / n.sum() / (mean * (1 - mean))
    by_chance = len(n) / n.sum()
    alike = float(np.clip((spread - by_chance) / max(1 - by_chance, 1e-6), 0.01, 0.9))
    a, b, c = (rounded(float(m) * (1 / alike - 1)) for m in mix)
    return a, b, c
