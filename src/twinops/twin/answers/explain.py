"""Why a forecast is what it is: parts that add up exactly, in things a consumer knows, and what would change it.

A regression is a sum of terms, so its parts are its terms, to the last digit; of trees and of BG/NBD the parts are
Shapley values. Where several families speak for a head as their mean, each one's parts are weighed by the logarithmic
mean of what it says, and add up to the mean's logarithm exactly (Ang, Energy Policy 33, 2005). All are laid together
under the headings of `explain.yaml`. Only the household's own state and what holds
for everybody enters: other people's data never do (GDPR art. 15(1)(h) and (4)).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import yaml

from twinops.plugins import text_beside
from twinops.twin.model.bgnbd import PARTS, Usual
from twinops.twin.model.boosted_trees import Challenger
from twinops.twin.model.families import CLASSIC, HURDLE, REGRESSION, TREES
from twinops.twin.model.glm import Head
from twinops.twin.model.model import TwinModel
from twinops.twin.model.own_family import OwnFamily, by_name
from twinops.twin.model.predictions import logistic, visiting
from twinops.twin.own_features._shelf import COLUMN
from twinops.twin.state.features import WINDOWED
from twinops.twin.state.terms import TERMS


@dataclass(frozen=True)
class HeadExplanation:
    """One head's log-rate of some rows, in parts: `base` is what holds for everybody.

    `base + parts.sum(axis=1)` is the predictor; `names` has one name per column of `parts`.
    """

    head: str
    base: float
    names: tuple[str, ...]
    parts: np.ndarray
    horizon_days: int
    scale: str = ""
    """What the sum is a logarithm of, where it is not the head's own rate: `odds` or `chance`."""

    @property
    def predictor(self) -> np.ndarray:
        """The sum of everything, per row."""
        return np.asarray(self.base + self.parts.sum(axis=1))

    @property
    def grouped(self) -> HeadExplanation:
        """The same sum under the consumer's headings; headings that nothing belongs to are left out."""
        heading = {name: group for group, said in words()["groups"].items() for name in _columns(said)}
        # a feature of the project's own is a heading of its own
        groups = tuple(dict.fromkeys(heading.get(n, n) for n in self.names))
        belongs = np.array([[heading.get(n, n) == g for g in groups] for n in self.names], dtype=float)
        return HeadExplanation(self.head, self.base, groups, self.parts @ belongs, self.horizon_days, self.scale)

    @property
    def importance(self) -> dict[str, float]:
        """How far each part moves a forecast, on average over the rows: strongest first."""
        size = np.abs(self.parts).mean(axis=0)
        return {self.names[i]: float(size[i]) for i in np.argsort(-size, kind="stable")}


ODDS, CHANCE = "odds", "chance"


@dataclass(frozen=True)
class _Parts:
    """One family's answer: its logarithm for whoever is usual, and what each of `TERMS` adds to that, per row."""

    base: float
    parts: np.ndarray

    def over(self, more: tuple[str, ...]) -> _Parts:
        """With a part for each feature of the project's own, nothing where the family reads none of them."""
        lacking = len(TERMS) + len(more) - self.parts.shape[1]
        return _Parts(self.base, np.pad(self.parts, ((0, 0), (0, lacking)))) if lacking else self

    @property
    def logarithm(self) -> np.ndarray:
        """Of the answer, per row."""
        return np.asarray(self.base + self.parts.sum(axis=1))

    def through(self, link: Callable[[np.ndarray], np.ndarray]) -> _Parts:
        """The parts of the logarithm of a function of the sum: each keeps its share of how far that moves."""
        base, there = float(np.log(link(np.array([self.base])))[0]), np.log(link(self.logarithm))
        moved = self.logarithm - self.base
        share = np.divide(there - base, moved, out=np.zeros_like(moved), where=np.abs(moved) > 1e-12)
        return _Parts(base, self.parts * share[:, None])


def explain_heads(model: TwinModel, table: pa.Table, head: str) -> HeadExplanation:
    """What each term does to one head, per row; `base` is the forecast for whoever is usual in every term.

    Before rounding, and before answers are made to fit together.
    """
    said = model.speakers.of(head)
    if said == (REGRESSION,):
        only = _terms(model, table, getattr(model, head))
        return HeadExplanation(head, only.base, TERMS, only.parts, model.horizon_days)
    more = tuple(dict.fromkeys(c.name for f in said if f in by_name(model.own) for c in by_name(model.own)[f].columns))
    mean = _meant([_of_family(family, model, table, head).over(more) for family in said])
    scale = CHANCE if head == "activity" else ""
    return HeadExplanation(head, mean.base, (*TERMS, *more), mean.parts, model.horizon_days, scale)


def _of_family(family: str, model: TwinModel, table: pa.Table, head: str) -> _Parts:
    """One family's answer to a head, its logarithm taken apart."""
    if family == CLASSIC and model.classic is not None:
        base, parts = model.classic.parts(table, head, beside=_average(model))
        return _Parts(base, _spread(parts, PARTS))
    if family == TREES and model.trees is not None:
        found = model.trees.contributions(table, head)
        grown = _Parts(float(found[0, -1]), found[:, :-1])
        return grown.through(logistic) if head == "activity" else grown
    if family in by_name(model.own):
        own = by_name(model.own)[family]
        return _along_orders(own, own.rows(model.standardised(table), table), head)
    if family == HURDLE and model.hurdle is not None:
        beyond = _terms(model, table, getattr(model.hurdle, head))
        given = beyond.through(lambda x: 1 + np.exp(x)) if head == "baskets" else beyond
        chance = _terms(model, table, model.activity).through(visiting)
        return _Parts(chance.base + given.base, chance.parts + given.parts)
    rate = _terms(model, table, getattr(model, head))
    return rate.through(visiting) if head == "activity" else rate


def _average(model: TwinModel) -> Usual | None:
    """Who is average in every term, as a history: the one that all families' reasons start from.

    Of how long somebody is known no term tells beyond the first weeks, so that is the fitted households' mean.
    """
    if model.classic is None:
        return None
    centre, known = dict(zip(TERMS, model.scaling.centres, strict=True)), model.classic.usual.known
    silence = min(math.expm1(centre["recency"]), known)
    return Usual(math.exp(centre["pace"]) * known, known - silence, known, max(math.expm1(centre["value"]), 0.0))


ORDERS = 8
SMALLEST = 1e-9


def _along_orders(own: OwnFamily, rows: np.ndarray, head: str) -> _Parts:
    """Of whatever the project brings: what each column adds when columns come in one by one, over several orders.

    From whoever is usual (0 in every column) to the row itself, so each order adds up exactly, and so does their mean:
    Shapley values by sampled orders (Štrumbelj and Kononenko 2014), the orders always the same.
    """
    n = rows.shape[1]
    usual = float(np.log(np.maximum(own.answer(np.zeros((1, n)), head), SMALLEST))[0])
    parts, rng = np.zeros(rows.shape), np.random.default_rng(0)
    for _ in range(ORDERS // 2):
        order = rng.permutation(n)
        for way in (order, order[::-1]):
            now, before = np.zeros(rows.shape), np.full(len(rows), usual)
            for column in way:
                now[:, column] = rows[:, column]
                after = np.log(np.maximum(own.answer(now, head), SMALLEST))
                parts[:, column] += (after - before) / ORDERS
                before = after
    return _Parts(usual, parts)


def _terms(model: TwinModel, table: pa.Table, head: Head) -> _Parts:
    """Weight times standardised term."""
    return _Parts(head.intercept, model.standardised(table) * np.array(head.weights))


def _meant(each: list[_Parts]) -> _Parts:
    """The plain mean of some answers, taken apart: exact for any number of them."""
    values, bases = np.exp([e.logarithm for e in each]), np.exp([e.base for e in each])
    base = float(np.log(bases.mean()))
    together = _logarithmic_mean(values.mean(axis=0), np.exp(base))
    weights = [_logarithmic_mean(v, b) / len(each) / together for v, b in zip(values, bases, strict=True)]
    return _Parts(base, np.asarray(sum(w[:, None] * e.parts for w, e in zip(weights, each, strict=True))))


def _logarithmic_mean(a: np.ndarray, b: float) -> np.ndarray:
    """(a - b) / log(a / b), and a where they are the same."""
    apart = np.log(a / b)
    return np.asarray(np.where(np.abs(apart) > 1e-9, (a - b) / np.where(np.abs(apart) > 1e-9, apart, 1.0), a))


def _spread(parts: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """Columns of these names among those of all terms."""
    out = np.zeros((len(parts), len(TERMS)))
    out[:, [TERMS.index(n) for n in names]] = parts
    return out


def explain_trees(challenger: Challenger, table: pa.Table, head: str) -> HeadExplanation:
    """Shapley values of the challenger's trees; `base` is the mean forecast of the rows they were grown on."""
    found = challenger.contributions(table, head)
    scale = ODDS if head == "activity" else ""
    return HeadExplanation(head, float(found[0, -1]), challenger.names, found[:, :-1], challenger.horizon_days, scale)


def sentences(explanation: HeadExplanation, row: int, *, most: int = 3) -> list[str]:
    """The strongest parts of one row's forecast, in the consumer's words, with how much each multiplies it."""
    grouped, said = explanation.grouped, words()
    parts = grouped.parts[row]
    # stable: of two equal parts the first named comes first on every machine
    order = np.argsort(-np.abs(parts), kind="stable")[:most]
    titles = (title(grouped.names[i]) for i in order)
    multiplied = str(said["multiplied"][grouped.scale or grouped.head]).format(days=explanation.horizon_days)
    return [
        f"{title[0].upper()}{title[1:]}: it multiplies {multiplied} by {digits(math.exp(parts[i]), 3)}."
        for title, i in zip(titles, order, strict=True)
    ]


def digits(value: float, significant: int) -> str:
    """A figure above zero with so many significant digits, and no fewer than two after the point.

    >>> digits(11.1873, 3), digits(0.00123, 3), digits(25087.8, 3)
    ('11.19', '0.00123', '25,087.80')
    """
    after = significant - 1 - math.floor(math.log10(value)) if value > 0 else 2
    return f"{value:,.{max(after, 2)}f}"


def title(group: str) -> str:
    """How a heading is called; a feature of the project's own by its name."""
    known = words()["groups"].get(group) or words().get(group)
    return str(known["title"]) if known else f"the project's own {group.removeprefix(COLUMN).replace('_', ' ')}"


@cache
def words() -> dict[str, Any]:
    """`explain.yaml`: every term and window stands under one heading.

    >>> sorted(words()["heads"])
    ['activity', 'baskets', 'spend']
    """
    raw: dict[str, Any] = yaml.safe_load(text_beside(__package__, "explain.yaml"))
    return raw


def _columns(group: dict[str, Any]) -> Iterable[str]:
    yield from group["terms"]
    for name in WINDOWED:
        if name.rpartition("_")[0] in group["windows"]:
            yield name
