"""Can it be told from the model who was in its training data? Online LiRA with balanced shadow models.

Carlini et al. 2022, doi:10.1109/SP46214.2022.9833649. Every household is in exactly half of the models, and each is
attacked in turn with the others as shadows. The unit is the household: all its rows go in or stay out together. A loss
threshold, the simpler attack, is blind to models that remember few households well.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from twinops.entities import shown
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.entities.wording import MANY
from twinops.errors import DataError
from twinops.evaluation.statistics.bootstrap import percentiles
from twinops.evaluation.statistics.estimate import Estimate
from twinops.evaluation.statistics.weighted import auc

SHOWN = shown.measures(
    {"membership_auc": "How well those trained on are told from strangers (AUC; one half is nothing)"},
    headlines=("membership_auc",),
)

FALSE_POSITIVES = 0.01
FEWEST = 100
SURE = 1e-6
QUANTITIES = {"membership_auc": "area under the curve", "membership_rate": "true positives at 1 % false positives"}

Confidence = Callable[[np.ndarray], np.ndarray]
"""From a mask of households (in, out) to how well the model made from those in meets what each household did."""


@dataclass(frozen=True)
class Membership:
    """Per model and household: the attack's score and whether the household was in; models x households."""

    score: np.ndarray
    inside: np.ndarray


def halves(households: int, *, models: int, seed: int) -> np.ndarray:
    """Models x households: who is in; each household in exactly half of the models, each model with half of them.

    >>> halves(6, models=4, seed=0).sum(axis=0).tolist()
    [2, 2, 2, 2, 2, 2]
    """
    if models < 4 or models % 2:
        raise ValueError("an even number of at least four models is needed")
    rng = np.random.default_rng(seed)
    out = np.zeros((models, households), dtype=bool)
    for pair in range(0, models, 2):
        out[pair, rng.permutation(households)[: households // 2]] = True
        out[pair + 1] = ~out[pair]
    return out


def attack(confidence: Confidence, *, households: int, models: int, seed: int) -> Membership:
    """Fit all models, then attack each with the rest.

    Raises:
        DataError: too few households for the rates to mean anything.
    """
    if households < FEWEST:
        raise DataError(
            f"{households} consumers are too few to attack the model; at least {FEWEST} are needed.",
            hint="Collect more consumers.",
        )
    inside = halves(households, models=models, seed=seed)
    fits = np.array([confidence(mask) for mask in inside])
    return Membership(np.array([scored(fits, inside, target=target) for target in range(models)]), inside)


def scored(fits: np.ndarray, inside: np.ndarray, *, target: int) -> np.ndarray:
    """Log-likelihood ratio of in against out of each household, with its own means and everybody's spread.

    `fits` is models x households, how well each met whom; the target's pair of models is no shadow of it.
    """
    # its complement stays out too, so that every household has as many shadows in as out: with fewer in, their mean is
    # noisier, and members would look like strangers
    others = np.arange(len(fits)) // 2 != target // 2
    mean = {}
    spread = {}
    for member in (True, False):
        mask = others[:, None] & (inside == member)
        count = np.maximum(mask.sum(axis=0), 1)
        mean[member] = np.where(mask, fits, 0).sum(axis=0) / count
        left = np.where(mask, fits - mean[member], 0)
        spread[member] = max(float((left**2).sum() / max(mask.sum() - mask.any(axis=0).sum(), 1)), 1e-12)
    return np.asarray(
        -((fits[target] - mean[True]) ** 2) / (2 * spread[True])
        - np.log(spread[True]) / 2
        + (fits[target] - mean[False]) ** 2 / (2 * spread[False])
        + np.log(spread[False]) / 2
    )


def auc_and_rate(found: Membership, weights: np.ndarray) -> tuple[float, float]:
    """Area under the attack's curve, and its true positives at one false positive in a hundred; households weighted."""
    # all attacked models together: one household is as many tries as there are models
    w = np.tile(weights, len(found.score))
    score, inside = found.score.ravel(), found.inside.ravel()
    kept = w > 0
    score, inside, w = score[kept], inside[kept], w[kept]
    area = float(auc(inside, score, w[None, :])[0])
    order = np.argsort(-score[~inside], kind="stable")
    passed = np.cumsum(w[~inside][order]) / w[~inside].sum()
    limit = score[~inside][order][min(int(np.searchsorted(passed, FALSE_POSITIVES)), len(order) - 1)]
    return area, float(w[inside & (score > limit)].sum() / w[inside].sum())


def met(chance: np.ndarray, happened: np.ndarray) -> np.ndarray:
    """Log-odds of the chance that a model gave to what happened: how well it met it."""
    p = np.clip(chance, SURE, 1 - SURE)
    given = np.where(happened > 0, p, 1 - p)
    return np.asarray(np.log(given / (1 - given)))


def near(expected: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Minus how far an amount was expected from what was observed, on the scale of logarithms."""
    return np.asarray(-np.abs(np.log1p(expected) - np.log1p(observed)))


def by_household(household: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The mean over each household's rows; `household` numbers them from 0."""
    return np.asarray(np.bincount(household, values) / np.bincount(household))


def unattacked(why_not: dict[str, str]) -> Findings:
    """Heads that ship and could not be attacked, with the reason: a gate must not pass over them."""
    return Findings((), (Fact("membership_not_attacked", why_not, Kind.MEASURED, "privacy"),))


def membership_findings(heads: dict[str, Membership], *, draws: int, seed: int, source: str) -> Findings:
    """Measures `membership_auc` and `membership_rate` of the head that leaks most, and of each head with its name.

    The interval is from drawing households with replacement; the attacked models stay as they are. `source` may name
    the `{head}`. Where no head could be attacked there is nothing: a gate then answers missing.
    """
    if not heads:
        return Findings(shown=SHOWN)
    drawn = {head: np.array([auc_and_rate(found, w) for w in _drawn(found, draws, seed)])
             for head, found in heads.items()}  # fmt: skip
    models = len(next(iter(heads.values())).score)
    how = (
        "online LiRA, {what}; "
        f"{models} balanced models attacked in turn, each by the rest; percentile interval of "
        f"{draws} bootstrap draws of whole {MANY}"
    )
    made = []
    for place, (name, what) in enumerate(QUANTITIES.items()):
        worst = max(drawn, key=lambda head: float(drawn[head][0, place]))
        for suffix, head in {**{f".{h}": h for h in drawn}, "": worst}.items():
            found, n = Estimate.around(*percentiles(drawn[head][:, place])), heads[head].score.shape[1]
            rests_on = source.format(head=head)
            made.append(found.measure(f"{name}{suffix}", n, rests_on, how.format(what=what), seed=seed))
    return Findings(tuple(sorted(made, key=lambda m: m.name)), shown=SHOWN)


def _drawn(found: Membership, draws: int, seed: int) -> Iterator[np.ndarray]:
    """How often each household counts: once, then draw by draw."""
    rng, n = np.random.default_rng(seed), found.score.shape[1]
    yield np.ones(n)
    for _ in range(draws):
        yield np.bincount(rng.integers(n, size=n), minlength=n)
