"""Why a forecast is what it is: parts that add up exactly, in things a consumer knows, and what would change it.

A head is a sum of terms, so its parts are its terms, to the last digit; a challenger's parts are the Shapley values of
its trees. Both are laid together under the headings of `explain.yaml`. Only the household's own state and what holds
for everybody enters: other people's data never do (GDPR art. 15(1)(h) and (4)).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import yaml

from twinops.plugins import text_beside
from twinops.twin.model.boosted_trees import FEATURES, Challenger
from twinops.twin.model.model import TwinModel
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
    odds: bool = False
    """The sum is log-odds, as the challenger's of activity are."""

    @property
    def predictor(self) -> np.ndarray:
        """The sum of everything, per row."""
        return np.asarray(self.base + self.parts.sum(axis=1))

    @property
    def grouped(self) -> HeadExplanation:
        """The same sum under the consumer's headings; headings that nothing belongs to are left out."""
        heading = {name: group for group, said in words()["groups"].items() for name in _columns(said)}
        groups = tuple(dict.fromkeys(heading[n] for n in self.names))
        belongs = np.array([[heading[n] == g for g in groups] for n in self.names], dtype=float)
        return HeadExplanation(self.head, self.base, groups, self.parts @ belongs, self.odds)

    @property
    def importance(self) -> dict[str, float]:
        """How far each part moves a forecast, on average over the rows: strongest first."""
        size = np.abs(self.parts).mean(axis=0)
        return {self.names[i]: float(size[i]) for i in np.argsort(-size, kind="stable")}


def explain_heads(model: TwinModel, table: pa.Table, head: str) -> HeadExplanation:
    """Weight times standardised term, of each row; `base` is the forecast for whoever is average in every term."""
    chosen = getattr(model, head)
    parts = model.standardised(table) * np.array(chosen.weights)
    return HeadExplanation(head, chosen.intercept, TERMS, parts)


def explain_trees(challenger: Challenger, table: pa.Table, head: str) -> HeadExplanation:
    """Shapley values of the challenger's trees; `base` is the mean forecast of the rows they were grown on."""
    found = challenger.contributions(table, head)
    return HeadExplanation(head, float(found[0, -1]), FEATURES, found[:, :-1], odds=head == "activity")


def sentences(explanation: HeadExplanation, row: int, *, most: int = 3) -> list[str]:
    """The strongest parts of one row's forecast, in the consumer's words, with how much each multiplies it."""
    grouped, said = explanation.grouped, words()
    parts = grouped.parts[row]
    # stable: of two equal parts the first named comes first on every machine
    order = np.argsort(-np.abs(parts), kind="stable")[:most]
    titles = (str(said["groups"][grouped.names[i]]["title"]) for i in order)
    multiplied = said["multiplied"]["odds" if grouped.odds else grouped.head]
    return [
        f"{title[0].upper()}{title[1:]}: it multiplies {multiplied} by {math.exp(parts[i]):.2f}."
        for title, i in zip(titles, order, strict=True)
    ]


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
