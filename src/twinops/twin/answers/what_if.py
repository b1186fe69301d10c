"""What would come if: one twin, one action, a distribution of outcomes, and a refusal where no data can answer.

Nothing here is an effect. Campaigns were not randomised and baskets were not assigned: what is told is the *response*
of households that look like this one, not what the action would cause (Holland, JASA 81, 1986).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from twinops.entities.wording import MANY, MONEY
from twinops.errors import ParamsError
from twinops.twin.answers.opening import Opening
from twinops.twin.model.predictions import Predictions
from twinops.twin.state.streaming import Basket, rows
from twinops.twin.support.spread import Spread
from twinops.twin.support.support import CAMPAIGNS, Support, Tier, measures_of

KINDS = ("campaign", "basket", "silence")
LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)
MOST_SILENCE = 365

RESPONSE = (
    "This is response, not uplift: who got a campaign, or shopped more, was not chosen at random, so the difference "
    f"says what like {MANY} did, not what the action causes."
)
ADDED = "The basket that is added is not itself counted."

WORDS = {
    "recency_days": "days since the last basket",
    "pace_quick": "baskets a day lately",
    "pace_slow": "baskets a day over the months",
    "basket_usd": f"{MONEY} a basket",
}


@dataclass(frozen=True)
class Action:
    """A campaign of type A, B or C sent today; one more basket of so many USD today; so many days of silence."""

    kind: str
    amount: float
    campaign: str = ""

    @classmethod
    def parse(cls, said: str) -> Action:
        """`campaign:A`, `basket:25`, `silence:14`.

        Raises:
            ParamsError: it says something else.

        >>> Action.parse("silence:14")
        Action(kind='silence', amount=14.0, campaign='')
        """
        kind, _, value = said.partition(":")
        if kind == "campaign" and value in CAMPAIGNS:
            return cls(kind, 0.0, value)
        if kind in ("basket", "silence"):
            amount = _number(value)
            if amount is not None and (round(amount * 100) >= 1 if kind == "basket" else amount == int(amount)):
                return cls(kind, amount)
        raise ParamsError(
            "The action is not understood.", hint="Say campaign:A (or B, C), basket:25 (money) or silence:14 (days)."
        )


@dataclass(frozen=True)
class Distribution:
    """What may come in the horizon: expected, and the levels 10 % to 90 %; counts of baskets and USD.

    `levels` holds share, baskets, USD: with that share of like households, no more than that came.
    """

    active_probability: float
    baskets: float
    spend: float
    levels: tuple[tuple[float, float, float], ...]
    households: int

    def banded(self) -> Distribution:
        """Whole baskets, and tens of USD."""
        levels = tuple((p, float(round(b)), 10.0 * round(usd / 10)) for p, b, usd in self.levels)
        chance, usd = round(self.active_probability, 1), 10.0 * round(self.spend / 10)
        return Distribution(chance, float(round(self.baskets)), usd, levels, self.households)


@dataclass(frozen=True)
class Redemption:
    """The share of such mailings to like households that was redeemed, with its 80 % credible range.

    `own` is this consumer's own chance, by the coupon head; None: there is no such head.
    """

    share: float
    low: float
    high: float
    contacts: int
    """Mailings, not households: one may have got several."""
    own: float | None = None


@dataclass(frozen=True)
class Simulated:
    """Without and with the action, both for the horizon that begins on the same day; or why it cannot be told."""

    action: Action
    without: Distribution | None
    with_action: Distribution | None
    redemption: Redemption | None
    refused: tuple[str, ...]
    caveat: str = RESPONSE

    @classmethod
    def refusal(cls, action: Action, *why: str) -> Simulated:
        """No answer, with every reason."""
        return cls(action, None, None, None, why)

    def banded(self) -> Simulated:
        """The same in rounded figures, to be shown to others."""
        without, with_action = (None if d is None else d.banded() for d in (self.without, self.with_action))
        r = self.redemption
        redemption = None if r is None or r.own is None else replace(r, own=round(r.own, 1))
        return replace(self, without=without, with_action=with_action, redemption=redemption or r)


def caveat_of(action: Action) -> str:
    """What must be read beside the answer."""
    return f"{RESPONSE} {ADDED}" if action.kind == "basket" else RESPONSE


def simulate(twin: Opening, action: Action) -> Simulated:
    """Answer for the horizon after the action; the twin is not changed. For silence, "without" is the twin today."""
    if twin.support is None:
        return Simulated.refusal(action, f"Too few {MANY} were seen to answer what-ifs.")
    usd = twin.support.basket_usd
    if action.kind == "basket" and not usd.holds(action.amount):
        return Simulated.refusal(
            action, f"Baskets of {usd.low:,.2f} to {usd.high:,.2f} {MONEY} were seen often enough, this one was not."
        )
    before, after = _before_and_after(twin, action)
    return _told(twin.model.by_heads(rows([before, after])), twin.support, action, after)


def _told(expected: Predictions, support: Support, action: Action, after: Mapping[str, int]) -> Simulated:
    """Both distributions, around what is expected without (row 0) and with the action (row 1)."""
    tier = support.tier(float(expected.baskets[0]))
    refused = _outside(tier, action, after)
    if refused:
        return Simulated.refusal(action, *refused)
    scatter = tier.campaigns[action.campaign].spread if action.kind == "campaign" else None
    return Simulated(
        action,
        _distribution(expected, 0, tier.spread),
        _distribution(expected, 1, scatter or support.tier(float(expected.baskets[1])).spread, tilted=scatter),
        _redemption(tier, action),
        (),
        caveat_of(action),
    )


def _before_and_after(twin: Opening, action: Action) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """The states without and with the action on the day the horizon begins."""
    if action.kind == "basket":
        return _one_more(twin, action)
    if action.kind == "silence" and 1 <= action.amount <= MOST_SILENCE:
        return twin.state_row, twin.state.at(twin.day + int(action.amount))
    return twin.state_row, twin.state_row


def _one_more(twin: Opening, action: Action) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """The evening of the day without and with a basket on it."""
    more = copy.deepcopy(twin.state)
    free = max(more.recent, default=0) + 1  # a number no basket of theirs has, or it would be taken for a duplicate
    more.update(Basket(free, twin.day, round(action.amount * 100)))
    return twin.state.at(twin.day + 1), more.at(twin.day + 1)


def _outside(tier: Tier, action: Action, after: Mapping[str, int]) -> tuple[str, ...]:
    """Why no data can answer: fewer than ten households of this tier were ever seen there."""
    if action.kind == "campaign":
        got = tier.campaigns[action.campaign]
        if got.spread is None:
            return (
                f"Too few {MANY} of {tier.name} activity got a campaign of type {action.campaign} to tell what "
                "they do: outside the support of the data.",
            )
        return ()
    if action.kind == "silence" and not 1 <= action.amount <= MOST_SILENCE:
        return (f"Silence is asked about for 1 to {MOST_SILENCE} days.",)
    found = {name: float(v[0]) for name, v in measures_of(rows([after])).items()}
    return tuple(
        f"{WORDS[name].capitalize()} would be {value:,.3g}; of {tier.name} activity, {tier.seen[name].low:,.3g} to "
        f"{tier.seen[name].high:,.3g} were seen in ten {MANY} or more: outside the support of the data."
        for name, value in found.items()
        if name in CHANGED[action.kind] and not tier.seen[name].holds(value)
    )


CHANGED: Mapping[str, tuple[str, ...]] = {
    "basket": ("pace_quick", "pace_slow", "basket_usd"),
    "silence": ("recency_days",),
}
"""What an action moves: only that is held against what was seen."""


def _distribution(expected: Predictions, row: int, spread: Spread, *, tilted: Spread | None = None) -> Distribution:
    """Expectation and levels; where recipients of a campaign scattered around another middle, that middle."""
    chance, baskets, spend = (float(getattr(expected, f)[row]) for f in ("active_probability", "baskets", "spend"))
    levels = tuple((p, *spread.quantile(p, baskets=baskets, spend=spend)) for p in LEVELS)
    if tilted is not None:
        # the mean over evenly spaced quantiles, so that no chance enters
        grid = np.linspace(0.005, 0.995, 199)
        drawn = np.array([spread.quantile(float(p), baskets=baskets, spend=spend) for p in grid])
        baskets, spend = float(drawn[:, 0].mean()), float(drawn[:, 1].mean())
    return Distribution(chance, round(baskets, 2), round(spend, 2), levels, spread.households)


def _redemption(tier: Tier, action: Action) -> Redemption | None:
    """Jeffreys' interval (Brown, Cai and DasGupta, 2001) of the share that redeemed."""
    if action.kind != "campaign":
        return None
    got = tier.campaigns[action.campaign]
    if got.redeemed is None:
        return None
    rng = np.random.default_rng(0)  # the same data always give the same range
    low, high = np.quantile(rng.beta(got.redeemed + 0.5, got.contacts - got.redeemed + 0.5, 20_000), [0.1, 0.9])
    return Redemption(round(got.redeemed / got.contacts, 3), round(float(low), 3), round(float(high), 3),
                      got.contacts)  # fmt: skip


def _number(said: str) -> float | None:
    try:
        number = float(said)
    except ValueError:
        return None
    return number if np.isfinite(number) and number > 0 else None
