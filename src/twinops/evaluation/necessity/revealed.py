"""What behaviour still gives away: personal attributes predicted from purchases, though none is a feature.

Leaving an attribute out does not hide it. Out-of-fold AUC from purchases by product category beside the twin's terms,
from these alone, and of the score itself that the judged decision ranks by; .5 says nothing is given away. Among
households that declared the attribute and allow bias assessment; the classifiers are thrown away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from twinops.data.threads import one_thread
from twinops.entities import shown
from twinops.entities.demographics import CODES, order_of
from twinops.entities.measure import Measure
from twinops.entities.shown import Section
from twinops.entities.wording import MANY
from twinops.evaluation.privacy.proxies import FEWEST, FOLDS, predicted, register_kinds, standardised
from twinops.evaluation.statistics import weighted
from twinops.evaluation.statistics.bootstrap import Resampled, counts
from twinops.evaluation.statistics.setting import Setting
from twinops.params import MinimisationParams
from twinops.plugins import text_beside
from twinops.ports import Engine

SHOWN = shown.measures(
    {
        "revealed.income_75k_or_more": "Income of 75K or more, told from purchases (AUC; one half is nothing)",
        "revealed.income_75k_or_more.by_score": "The same, by the expected spend itself",
        "revealed.age_55_or_more": "Age of 55 or more, told from purchases",
        "revealed.age_55_or_more.by_score": "The same, by the expected spend itself",
    },
    section=Section.NEED,
)


def _from(attribute: str, level: str) -> frozenset[str]:
    """The level of an ordered attribute and all above it."""
    levels = CODES[attribute]
    return frozenset(levels[levels.index(level) :])


Trait = tuple[str, str, Callable[[str], bool]]
TRAITS: dict[str, Trait] = {
    "income_75k_or_more": ("income", "income of 75K or more", _from("income", "75-99K").__contains__),
    "age_55_or_more": ("age", "age of 55 or more", _from("age", "55-64").__contains__),
    "age_under_35": ("age", "age under 35", lambda a: a not in _from("age", "35-44")),
    "homeowner": ("home_ownership", "owns the home", lambda a: a.endswith("Homeowner")),
    "married": ("marital_status", "married", lambda a: a == "Married"),
    "has_kids": ("kids_count", "has kids", lambda a: a != "0"),
}
"""Trait -> attribute, words, and who has it. Whoever did not state the attribute is left out."""


def traits_of(demographics: pa.Table) -> dict[str, Trait]:
    """What can be asked of these profiles: of the code-book's attributes its traits, of others one each.

    That is the upper half of levels with an order, else the level that most have.
    """
    found: dict[str, Trait] = {}
    for attribute in (name for name in demographics.column_names if name != "sid"):
        answers = Counter(a for a in demographics[attribute].to_pylist() if a is not None)
        if not answers:
            continue
        if set(answers) <= set(CODES.get(attribute, ())):
            found |= {name: trait for name, trait in TRAITS.items() if trait[0] == attribute}
        elif order := order_of(attribute, answers):
            upper = order[len(order) // 2 :]
            found[f"{attribute}_upper"] = (
                attribute,
                f"{_spoken(attribute)}: {upper[0]} or more",
                {*upper}.__contains__,
            )
        else:
            most = min(answers, key=lambda level: (-answers[level], level))
            found[f"{attribute}_most"] = (attribute, f"{_spoken(attribute)}: {most}", {most}.__contains__)
    return {name: found[name] for name in [*(t for t in TRAITS if t in found), *(t for t in found if t not in TRAITS)]}


def _spoken(name: str) -> str:
    return name.replace("_", " ")


MOST_CATEGORIES = 40
"""The most frequent ordinary categories; special categories stay out, as they do of the twin."""

PENALTY_C = 0.01


@dataclass(frozen=True)
class Behaviour:
    """Of the same households, in order: purchases by category (or None), the twin's terms, and the score."""

    categories: np.ndarray | None
    terms: np.ndarray
    score: np.ndarray

    def where(self, mask: np.ndarray) -> Behaviour:
        """Some of the households."""
        categories = None if self.categories is None else self.categories[mask]
        return Behaviour(categories, self.terms[mask], self.score[mask])

    def columns(self) -> np.ndarray:
        """Everything, standardised: the terms, counts of categories, and their shares."""
        own = centred(self.terms)
        if self.categories is None:
            return own
        total = np.maximum(self.categories.sum(axis=1, keepdims=True), 1)
        return np.column_stack([own, standardised(self.categories), standardised(self.categories / total)])


def centred(x: np.ndarray) -> np.ndarray:
    """Columns with mean 0 and spread 1."""
    spread = x.std(axis=0)
    return np.asarray((x - x.mean(axis=0)) / np.where(spread > 1e-9, spread, 1.0))


@dataclass(frozen=True)
class Revealed:
    """One trait: who has it among how many, and the AUC of telling so from purchases, by chance, and so on."""

    trait: str
    words: str
    have: int
    households: int
    behaviour: Resampled
    shuffled: float
    state: Resampled
    score: Resampled


def category_columns(engine: Engine, denied: pa.Table, asked: pa.Table) -> np.ndarray:
    """Households x the most frequent categories, in the order of `asked(sid, cutoff)`.

    The engine holds `transactions` and `products_file`.
    """
    register_kinds(engine, denied)
    engine.register("asked", asked)
    found = engine.query(text_beside(__package__, "categories.sql"))
    lines = Counter[str]()
    for kind, n in zip(found["kind"].to_pylist(), found["lines"].to_pylist(), strict=True):
        lines[kind] += n
    column = {k: i for i, k in enumerate(sorted(lines, key=lambda k: (-lines[k], k))[:MOST_CATEGORIES])}
    row = {sid: i for i, sid in enumerate(asked["sid"].to_pylist())}
    out = np.zeros((len(row), max(len(column), 1)))
    for kind, sid, n in zip(*(found[c].to_pylist() for c in ("kind", "sid", "lines")), strict=True):
        if kind in column:
            out[row[sid], column[kind]] = n
    return out


def measure_revealed(behaviour: Behaviour, demographics: pa.Table, rule: MinimisationParams) -> tuple[Revealed, ...]:
    """`demographics` has one row per household of `behaviour`, in order."""
    out = []
    with one_thread():
        for trait, (attribute, words, has) in traits_of(demographics).items():
            answers = demographics[attribute].to_pylist()
            # silence is no answer: who did not state it is neither member nor other
            stated = np.array([a is not None for a in answers], dtype=bool)
            truth = np.array([has(a) for a in answers if a is not None], dtype=bool)
            if len(truth) and min(truth.sum(), (~truth).sum()) >= FEWEST:
                out.append(_revealed((trait, words), behaviour.where(stated), truth, rule))
    return tuple(out)


def revealed_measures(found: tuple[Revealed, ...], rule: MinimisationParams, *, day: int) -> list[Measure]:
    """`revealed.income_75k_or_more`, and the same `.by_state` and `.by_score`."""
    out = []
    for r in found:
        source = f"purchases before day {day}, {MANY} that declared it and allow bias assessment"
        setting = Setting(r.households, rule.draws, rule.seed, source)
        told = f"{r.words}: {r.have} of {r.households} have it; AUC"
        whole = (
            f"{told} out of {FOLDS} folds, from purchases by category and the twin's terms, by logistic regression; "
        )
        out += [
            setting.measure(f"revealed.{r.trait}", r.behaviour, f"{whole}shuffled answers give {r.shuffled:.3f}"),
            setting.measure(
                f"revealed.{r.trait}.by_state", r.state, f"{told} out of {FOLDS} folds, from the twin's terms alone"
            ),
            setting.measure(
                f"revealed.{r.trait}.by_score",
                r.score,
                f"{told} of the expected spend itself; below .5: less is expected",
            ),
        ]
    return out


def _revealed(named: tuple[str, str], known: Behaviour, truth: np.ndarray, rule: MinimisationParams) -> Revealed:
    """One trait, told from behaviour, from the state alone, from the score, and by chance."""
    x, state = known.columns(), centred(known.terms)
    fold = np.random.default_rng([rule.seed, 3]).permutation(len(truth)) % FOLDS
    draws = counts(len(truth), draws=rule.draws, seed=rule.seed).astype(float)
    rng = np.random.default_rng([rule.seed, 4, *named[0].encode()])

    def auc(of: np.ndarray, score: np.ndarray) -> np.ndarray:
        return weighted.auc(of.astype(float), score, draws)

    dealt = [rng.permutation(truth) for _ in range(rule.shuffles)]
    chance = [float(auc(d, predicted(x, d, fold, c=PENALTY_C))[0]) for d in dealt]
    whole, less = (Resampled(auc(truth, predicted(of, truth, fold, c=PENALTY_C))) for of in (x, state))
    score = Resampled(auc(truth, known.score))
    return Revealed(*named, int(truth.sum()), len(truth), whole, float(np.mean(chance)), less, score)
