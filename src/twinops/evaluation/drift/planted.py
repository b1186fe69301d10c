"""Plant a change of known size into the first days of a calm day, to see whether the watch would find it."""

from dataclasses import replace

import numpy as np

from twinops.evaluation.drift.early_warning import QUANTITIES, Watched

SHARES_GONE = (0.05, 0.1, 0.2)
FALL = 0.9


def planted(seen: Watched, *, seed: int) -> dict[str, Watched]:
    """The same day with a change of known size from its first hour on, by its name."""
    made = {f"{100 * share:.0f} % of households gone": _gone(seen, share, seed=seed) for share in SHARES_GONE}
    cheaper = replace(seen, actual={**seen.actual, "spend": FALL * seen.actual["spend"]})
    silent = replace(seen, actual={q: np.zeros(seen.households) for q in QUANTITIES})
    return {**made, "spend 10 % lower": cheaper, "the feed silent for all of the days": silent}


def _gone(seen: Watched, share: float, *, seed: int) -> Watched:
    """The same households are gone from baskets, visits and spend."""
    rng = np.random.default_rng([seed, seen.cutoff, round(1000 * share)])
    gone = rng.permutation(seen.households) < round(share * seen.households)
    return replace(seen, actual={q: np.where(gone, 0.0, seen.actual[q]) for q in QUANTITIES})
