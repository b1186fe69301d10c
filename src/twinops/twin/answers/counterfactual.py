"""What would change a forecast: the smallest step a household itself could take, within what such households do.

A step is in behaviour alone: some more usual baskets within two weeks, or none for a while. The state takes it in, the
forecast is made again, and everything is taken out again, which leaves the state as it was (Wachter, Mittelstadt and
Russell, Counterfactual explanations without opening the black box, 2018, asked for the smallest change).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from twinops.entities.wording import MONEY, amount, share
from twinops.twin.answers.explain import words
from twinops.twin.answers.opening import Opening
from twinops.twin.model.predictions import Predictions
from twinops.twin.state.streaming import Basket
from twinops.twin.support.support import measures_of

WITHIN_DAYS = 14
MOST_BASKETS = 6
SILENCES = (0.25, 0.5, 1, 2)
"""Of a horizon."""


@dataclass(frozen=True)
class Wish:
    """A head's forecast of at least, or at most, so much."""

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
    horizon_days: int

    @property
    def sentence(self) -> str:
        """In the consumer's words, with the caution that belongs to it."""
        said = words()
        change = self.step.words[0].upper() + self.step.words[1:]
        told = str(said["changes"]["sentence"]).format(
            change=change,
            head=str(said["heads"][self.head]).format(days=self.horizon_days),
            before=_shown(self.head, self.before),
            after=_shown(self.head, self.after),
        )
        return f"{told} {said['changes']['caution']}"


def counterfactual(twin: Opening, wish: Wish) -> Counterfactual | None:
    """The smallest step that fulfils the wish; None: it holds already, or no step within the support fulfils it.

    With a support, a step counts only if the state after it is one that at least ten like households had.
    """
    if twin.state.empty:
        return None
    before = _value(twin.expected, wish.head)
    if wish.holds(before):
        return None
    for step in _steps(wish, twin.model.horizon_days):
        after = _after(twin, wish, step)
        if after is not None and wish.holds(after):
            return Counterfactual(wish.head, step, before, after, twin.model.horizon_days)
    return None


def _steps(wish: Wish, horizon_days: int) -> Iterator[Step]:
    """From the smallest on: baskets when more is wished, silence when less."""
    if wish.at_least is not None:
        yield from (Step(n, WITHIN_DAYS) for n in range(1, MOST_BASKETS + 1))
    if wish.at_most is not None:
        yield from (Step(0, round(share * horizon_days)) for share in SILENCES)


def _after(twin: Opening, wish: Wish, step: Step) -> float | None:
    """The forecast at the end of the step; None where nobody has been seen there."""
    taken = _usual_baskets(twin, step)
    try:
        for basket in taken:
            twin.state.update(basket)
        there = replace(twin, day=twin.day + step.days)
        return _value(there.expected, wish.head) if _seen(there) else None
    finally:
        # the state is lent: whatever happens it is given back as it was
        for basket in taken:
            twin.state.forget(basket)


def _usual_baskets(twin: Opening, step: Step) -> list[Basket]:
    """The step's baskets, spaced evenly, each of the household's mean value, with numbers of our own."""
    # negative: a shop's own number of a basket never is
    cents = round(twin.state.cents / twin.state.baskets)
    days = ((2 * i + 1) * step.days // (2 * step.baskets) for i in range(step.baskets))
    return [Basket(-1 - i, twin.day + day, cents) for i, day in enumerate(days)]


def _seen(twin: Opening) -> bool:
    """Ten like households were in such a state; nothing is known against it where no support was measured."""
    if twin.support is None:
        return True
    tier = twin.support.tier(float(twin.expected.baskets[0]))
    return all(tier.seen[name].holds(float(value[0])) for name, value in measures_of(twin.table).items())


def _value(expected: Predictions, head: str) -> float:
    """One head's forecast of the only row."""
    told = {"activity": expected.active_probability, "baskets": expected.baskets, "spend": expected.spend}
    return float(told[head][0])


def _shown(head: str, value: float) -> str:
    return {"activity": share(value), "baskets": f"{value:.1f}", "spend": f"{amount(value)} {MONEY}"}[head]
