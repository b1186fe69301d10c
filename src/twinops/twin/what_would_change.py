"""What would change a forecast: the smallest step a household itself could take, within what such households do.

A step is in behaviour alone: some more usual baskets within two weeks, or none for a while. The state takes it in, the
forecast is made again, and everything is taken out again, which leaves the state as it was (Wachter, Mittelstadt and
Russell, Counterfactual explanations without opening the black box, 2018, asked for the smallest change).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from twinops.twin.explain import words
from twinops.twin.living import Basket, StreamingState, rows
from twinops.twin.model import TwinModel
from twinops.twin.support import Support, measures_of

WITHIN_DAYS = 14
MOST_BASKETS = 6
SILENCES = (7, 14, 28, 56)


@dataclass(frozen=True)
class Wish:
    """On which day it is asked what would bring a head's forecast to at least, or at most, so much."""

    day: int
    head: str
    at_least: float | None = None
    at_most: float | None = None

    def holds(self, value: float) -> bool:
        """The forecast is there."""
        return (self.at_least is None or value >= self.at_least) and (self.at_most is None or value <= self.at_most)


@dataclass(frozen=True)
class Step:
    """So many usual baskets in so many days from the asked day on; none is a step too."""

    baskets: int
    days: int

    @property
    def words(self) -> str:
        """In the consumer's words."""
        said = words()["changes"]
        if not self.baskets:
            return str(said["fewer"]).format(days=self.days)
        noun = "basket" if self.baskets == 1 else "baskets"
        return str(said["more"]).format(n=self.baskets, baskets=noun, days=self.days)


@dataclass(frozen=True)
class Counterfactual:
    """A step and the forecast before and after it."""

    head: str
    step: Step
    before: float
    after: float

    @property
    def sentence(self) -> str:
        """In the consumer's words, with the caution that belongs to it."""
        said = words()
        change = self.step.words[0].upper() + self.step.words[1:]
        told = str(said["changes"]["sentence"]).format(
            change=change, head=said["heads"][self.head], before=_shown(self.head, self.before),
            after=_shown(self.head, self.after),
        )  # fmt: skip
        return f"{told} {said['changes']['caution']}"


def counterfactual(
    model: TwinModel, state: StreamingState, wish: Wish, support: Support | None = None
) -> Counterfactual | None:
    """The smallest step that fulfils the wish; None: it holds already, or no step within the support fulfils it.

    With `support`, a step counts only if the state after it is one that at least ten like households had.
    """
    if state.empty:
        return None
    before = _forecast(model, state, wish.head, wish.day)
    if wish.holds(before):
        return None
    for step in _steps(wish):
        after = _after(model, state, wish, step, support)
        if after is not None and wish.holds(after):
            return Counterfactual(wish.head, step, before, after)
    return None


def _steps(wish: Wish) -> Iterator[Step]:
    """From the smallest on: baskets when more is wished, silence when less."""
    if wish.at_least is not None:
        yield from (Step(n, WITHIN_DAYS) for n in range(1, MOST_BASKETS + 1))
    if wish.at_most is not None:
        yield from (Step(0, days) for days in SILENCES)


def _after(model: TwinModel, state: StreamingState, wish: Wish, step: Step, support: Support | None) -> float | None:
    """The forecast at the end of the step; None where nobody has been seen there."""
    cents, end = round(state.cents / state.baskets), wish.day + step.days
    taken = []
    try:
        for i in range(step.baskets):
            basket = Basket(-1 - i, wish.day + (2 * i + 1) * step.days // (2 * step.baskets), cents)
            state.update(basket)
            taken.append(basket)
        if support is not None and not _seen(model, state, end, support):
            return None
        return _forecast(model, state, wish.head, end)
    finally:
        for basket in taken:
            state.forget(basket)


def _seen(model: TwinModel, state: StreamingState, day: int, support: Support) -> bool:
    table = rows([state.at(day)])
    tier = support.tier(float(model.by_heads(table).baskets[0]))
    return all(tier.seen[name].holds(float(value[0])) for name, value in measures_of(table).items())


def _forecast(model: TwinModel, state: StreamingState, head: str, day: int) -> float:
    said = model.by_heads(rows([state.at(day)]))
    value = {"activity": said.active_probability, "baskets": said.baskets, "spend": said.spend}[head]
    return float(np.asarray(value)[0])


def _shown(head: str, value: float) -> str:
    return {"activity": f"{value:.0%}", "baskets": f"{value:.1f}", "spend": f"{value:,.2f} USD"}[head]
