"""What would come if: one twin, one action, a distribution of outcomes, and a refusal where no data can answer.

Nothing here is an effect. Campaigns were not randomised and baskets were not assigned: what is told is the *response*
of households that look like this one, not what the action would cause (Holland, JASA 81, 1986).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from twinops.entities.wording import MANY, MONEY, amount
from twinops.errors import ParamsError
from twinops.twin.answers.forecast import Expected, Forecast, forecast
from twinops.twin.answers.opening import Opening
from twinops.twin.state.streaming import Basket
from twinops.twin.support.support import Tier, measures_of

KINDS = ("campaign", "basket", "silence")
MOST_SILENCE = 365

RESPONSE = (
    "This is response, not uplift: who got a campaign, or shopped more, was not chosen at random, so the difference "
    f"says what like {MANY} did, not what the action causes."
)
ADDED = "The basket that is added is not itself counted."

LONGEST_TYPE = 60
WORDS = {
    "recency_days": "days since the last basket",
    "pace_quick": "baskets a day lately",
    "pace_slow": "baskets a day over the months",
    "basket_value": f"{MONEY} a basket",
}


@dataclass(frozen=True)
class Action:
    """A campaign of a known type sent today; one more basket of so much money today; so many days of silence."""

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
        if kind == "campaign" and value.strip() and len(value) <= LONGEST_TYPE:
            return cls(kind, 0.0, value)
        if kind in ("basket", "silence"):
            amount = _number(value)
            if amount is not None and (round(amount * 100) >= 1 if kind == "basket" else amount == int(amount)):
                return cls(kind, amount)
        raise ParamsError(
            "The action is not understood.", hint="Say campaign:A (its type), basket:25 (money) or silence:14 (days)."
        )


def banded(e: Forecast) -> Forecast:
    """Whole baskets, and tens of the currency."""
    levels = tuple((p, float(round(b)), 10.0 * round(usd / 10)) for p, b, usd in e.levels)
    low, high = (10.0 * round(usd / 10) for usd in e.spend_range)
    return replace(
        e,
        active_probability=None if e.active_probability is None else round(e.active_probability, 1),
        baskets=float(round(e.baskets)),
        spend=10.0 * round(e.spend / 10),
        spend_median=10.0 * round(e.spend_median / 10),
        spend_range=(low, high),
        levels=levels,
    )


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
    without: Forecast | None
    with_action: Forecast | None
    redemption: Redemption | None
    refused: tuple[str, ...]
    caveat: str = RESPONSE

    @classmethod
    def refusal(cls, action: Action, *why: str) -> Simulated:
        """No answer, with every reason."""
        return cls(action, None, None, None, why)

    def banded(self) -> Simulated:
        """The same in rounded figures, to be shown to others."""
        without, with_action = (None if d is None else banded(d) for d in (self.without, self.with_action))
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
    usd = twin.support.basket_value
    if action.kind == "basket" and not usd.holds(action.amount):
        seen = f"{amount(usd.low)} to {amount(usd.high)} {MONEY}"
        return Simulated.refusal(action, f"Baskets of {seen} were seen often enough, this one was not.")
    before, after = _before_and_after(twin, action)
    tier = twin.support.tier(float(before.expected.baskets[0]))
    refused = _outside(tier, action, after)
    return Simulated.refusal(action, *refused) if refused else _told(action, before, after, tier)


def _told(action: Action, before: Opening, after: Opening, tier: Tier) -> Simulated:
    """What is expected without and with the action: of each state what a prediction for it says."""
    without, caveat = forecast(before), caveat_of(action)
    scatter = tier.campaigns[action.campaign].spread if action.kind == "campaign" else None
    if scatter is None:
        return Simulated(action, without, forecast(after), None, (), caveat)
    # recipients of a campaign scattered around another middle: that of a prediction is moved there
    moved = Expected.of(before.expected).within(scatter, without.horizon_days, without.basis, tilted=True)
    with_action = moved.row(0)
    return Simulated(action, without, with_action, _redemption(tier, action), (), caveat)


def _before_and_after(twin: Opening, action: Action) -> tuple[Opening, Opening]:
    """The twins without and with the action on the day the horizon begins."""
    if action.kind == "basket":
        return _one_more(twin, action)
    if action.kind == "silence" and 1 <= action.amount <= MOST_SILENCE:
        return twin, replace(twin, day=twin.day + int(action.amount))
    return twin, twin


def _one_more(twin: Opening, action: Action) -> tuple[Opening, Opening]:
    """The evening of the day without and with a basket on it."""
    more = copy.deepcopy(twin.state)
    free = max(more.recent, default=0) + 1  # a number no basket of theirs has, or it would be taken for a duplicate
    more.update(Basket(free, twin.day, round(action.amount * 100)))
    return replace(twin, day=twin.day + 1), replace(twin, day=twin.day + 1, state=more)


def _outside(tier: Tier, action: Action, after: Opening) -> tuple[str, ...]:
    """Why no data can answer: fewer than ten households of this tier were ever seen there."""
    if action.kind == "campaign":
        got = tier.campaigns.get(action.campaign)
        if got is None:
            known = ", ".join(tier.campaigns) or "none"
            return (f"Too few {MANY} got a campaign of such a type to tell what they do; told are: {known}.",)
        if got.spread is None:
            return (
                f"Too few {MANY} of {tier.name} activity got a campaign of type {action.campaign} to tell what "
                "they do: outside the support of the data.",
            )
        return ()
    if action.kind == "silence" and not 1 <= action.amount <= MOST_SILENCE:
        return (f"Silence is asked about for 1 to {MOST_SILENCE} days.",)
    found = {name: float(v[0]) for name, v in measures_of(after.table).items()}
    return tuple(
        f"{WORDS[name].capitalize()} would be {value:,.3g}; of {tier.name} activity, {tier.seen[name].low:,.3g} to "
        f"{tier.seen[name].high:,.3g} were seen in ten {MANY} or more: outside the support of the data."
        for name, value in found.items()
        if name in CHANGED[action.kind] and not tier.seen[name].holds(value)
    )


CHANGED: Mapping[str, tuple[str, ...]] = {
    "basket": ("pace_quick", "pace_slow", "basket_value"),
    "silence": ("recency_days",),
}
"""What an action moves: only that is held against what was seen."""


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
