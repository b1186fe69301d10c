"""How far the social head is off, on synthetic posts: a measure of our generator, shown as such, and no gate's."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from twinops.entities.measure import Measure
from twinops.entities.wording import MANY
from twinops.evaluation.statistics.bootstrap import mean_of
from twinops.evaluation.statistics.weighted import mean
from twinops.evaluation.tastes.categories import TWIN, TasteSetting

ACTIVITY, SENTIMENT = "synthetic_social_activity_mae", "synthetic_social_sentiment_mae"
GENERATOR = "synthetic posts: this measures our generator and tells nothing about people"


class ExpectedSocial(NamedTuple):
    """What a model expects of each household: interactions, and mean mood."""

    activity: np.ndarray
    mood: np.ndarray


@dataclass(frozen=True)
class ScoredSocial:
    """One day: what came of interactions and mood (not a number without texts), and what each model expected."""

    cutoff: int
    household: np.ndarray
    activity: np.ndarray
    mood: np.ndarray
    expected: dict[str, ExpectedSocial]


def measure_social(days: list[ScoredSocial], draws: np.ndarray, *, seed: int) -> list[Measure]:
    """Mean absolute errors of expected interactions and mood, of the head and of everybody's mean."""
    found: dict[tuple[str, str], list[np.ndarray]] = {}
    for day in days:
        weights = draws[:, day.household].astype(float)
        wrote = np.isfinite(day.mood)
        for model, (activity, mood) in day.expected.items():
            off = {ACTIVITY: mean(np.abs(activity - day.activity), weights)}
            off[SENTIMENT] = mean(np.abs(mood - day.mood)[wrote], weights[:, wrote])
            for quantity, values in off.items():
                found.setdefault((model, quantity), []).append(values)
    resampled = {k: mean_of(v) for k, v in found.items()}
    known = {k: v for k, v in resampled.items() if v.known and resampled[TWIN, k[1]].known}
    about = TasteSetting(
        n=len(np.unique(np.concatenate([d.household for d in days]))),
        seed=seed,
        source=f"{MANY} with linked synthetic accounts, as-of days {', '.join(str(d.cutoff) for d in days)}",
        over=f"{GENERATOR}; mean over {len(days)} as-of days",
    )
    return about.measures(known, lower=(ACTIVITY, SENTIMENT))
