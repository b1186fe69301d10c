"""How far the social head is off. On synthetic posts it is a measure of our generator, shown as such; no gate's."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from twinops.entities.measure import Measure
from twinops.entities.wording import MANY
from twinops.evaluation.statistics.bootstrap import mean_of
from twinops.evaluation.statistics.bounds import AMOUNT
from twinops.evaluation.statistics.weighted import mean
from twinops.evaluation.tastes.categories import TWIN, TasteSetting

ACTIVITY, SENTIMENT = "social_activity_mae", "social_sentiment_mae"
MADE_UP = "synthetic_"
"""What names of measures of made-up posts begin with."""
GENERATOR = "synthetic posts: this measures our generator and tells nothing about people"
PEOPLE = "posts, comments and cases as declared in params.yaml, own; moods as the scorer reads them"


def reading(*, synthetic: bool) -> str:
    """What the measures tell of, as the sources are declared."""
    return GENERATOR if synthetic else PEOPLE


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


def measure_social(days: list[ScoredSocial], draws: np.ndarray, *, seed: int, synthetic: bool) -> list[Measure]:
    """Mean absolute errors of expected interactions and mood, of the head and of everybody's mean."""
    found: dict[tuple[str, str], list[np.ndarray]] = {}
    made_up = MADE_UP if synthetic else ""
    how_much, which_mood = f"{made_up}{ACTIVITY}", f"{made_up}{SENTIMENT}"
    for day in days:
        weights = draws[:, day.household].astype(float)
        wrote = np.isfinite(day.mood)
        for model, (activity, mood) in day.expected.items():
            off = {how_much: mean(np.abs(activity - day.activity), weights)}
            off[which_mood] = mean(np.abs(mood - day.mood)[wrote], weights[:, wrote])
            for quantity, values in off.items():
                found.setdefault((model, quantity), []).append(values)
    resampled = {k: mean_of(v, within=AMOUNT) for k, v in found.items()}
    known = {k: v for k, v in resampled.items() if v.known and resampled[TWIN, k[1]].known}
    kind = "linked synthetic" if synthetic else "linked"
    about = TasteSetting(
        n=len(np.unique(np.concatenate([d.household for d in days]))),
        seed=seed,
        source=f"{MANY} with {kind} accounts, as-of days {', '.join(str(d.cutoff) for d in days)}",
        over=f"{reading(synthetic=synthetic)}; mean over {len(days)} as-of days",
    )
    return about.measures(known, lower=(how_much, which_mood))
