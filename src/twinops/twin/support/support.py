"""Where the data can answer a what-if: how far households went, how outcomes scatter, and who answered which campaign.

Made once from consenting households' closed rows and shipped beside the model as aggregates: every figure has at least
ten households behind it and, where it is an end, ten beyond it. Nothing in it belongs to one household.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal, NamedTuple, Self

import numpy as np
import pyarrow as pa
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from twinops.entities.canonical import rounded, to_json
from twinops.twin.model.model import TwinModel
from twinops.twin.state.examples import Examples
from twinops.twin.state.features import BILLION
from twinops.twin.state.streaming import Basket
from twinops.twin.state.terms import columns
from twinops.twin.strict_json import LARGEST, Count, Days, NotNegative, Number, StrictRecord, declared, parsed, refusing
from twinops.twin.support.newcomers import NewcomerModel, fit_newcomers, newcomers
from twinops.twin.support.spread import FEWEST, Outcomes, Spread, enough, fit_spread

SCHEMA = "twinops.support/1"
TIERS = ("low", "mid", "high")
"""Thirds of the household-days by expected baskets."""

MEASURED = ("recency_days", "pace_quick", "pace_slow", "basket_value")
"""What must have been seen of at least ten households of a tier for a what-if to be answered there."""

MOST_CAMPAIGNS = 12
"""Types of campaigns that are told apart, the most frequent first."""
LARGEST_FILE = 200_000
NOBODY = to_json({"schema": SCHEMA}, indent=1) + "\n"
"""The file where there were too few households."""


class Range(NamedTuple):
    """The lowest and highest value that ten households of the tier reached."""

    low: Number
    high: Number

    def holds(self, value: float) -> bool:
        """Within what was seen."""
        return self.low <= value <= self.high


def _two_ends(raw: Any) -> Any:
    if not isinstance(raw, list | tuple):
        raise ValueError("a range is no list")
    return raw


def _in_order(made: Range) -> Range:
    if made.low > made.high:
        raise ValueError("a range is out of order")
    return made


_Range = Annotated[Range, BeforeValidator(_two_ends), AfterValidator(_in_order)]


@declared
@dataclass(frozen=True)
class Response:
    """Mailings of one type: how many, how many redeemed (None: fewer than ten, or all but so few), and the scatter."""

    contacts: Count
    redeemed: Count | None
    spread: Spread | None


@declared
@dataclass(frozen=True)
class Tier:
    """One third of the household-days: how outcomes scatter, how far states went, who answered which campaign."""

    name: str
    upto_baskets: NotNegative
    spread: Spread
    seen: dict[str, _Range]
    campaigns: dict[str, Response]


@dataclass(frozen=True)
class Support:
    """All of it. `basket_value` are the smallest and largest single baskets that a what-if may add.

    `value_edges` part households by what a basket of theirs is worth on the mean, `activity_edges` by how many baskets
    are expected of them, `recency_edges` by the days since their last (whole): near the quartiles.
    """

    horizon_days: int
    basket_value: Range
    tiers: tuple[Tier, ...]
    newcomers: NewcomerModel | None
    value_edges: tuple[float, ...] = ()
    activity_edges: tuple[float, ...] = ()
    recency_edges: tuple[float, ...] = ()

    def tier(self, expected_baskets: float) -> Tier:
        """The tier of somebody of whom so many baskets are expected."""
        return next((t for t in self.tiers if expected_baskets <= t.upto_baskets), self.tiers[-1])


class _SupportFile(StrictRecord):
    """What `to_text` wrote; `cold` (newcomers) is the file's word."""

    schema_version: Literal["twinops.support/1"] = Field(alias="schema")
    horizon_days: Days
    basket_value: _Range
    tiers: tuple[Tier, Tier, Tier]
    cold: NewcomerModel | None
    value_edges: tuple[NotNegative, ...] = ()
    activity_edges: tuple[NotNegative, ...] = ()
    recency_edges: tuple[NotNegative, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if [tier.name for tier in self.tiers] != list(TIERS):
            raise ValueError("its tiers are others")
        types = set(self.tiers[0].campaigns)
        if not all(set(t.seen) == set(MEASURED) and set(t.campaigns) == types for t in self.tiers):
            raise ValueError("a tier does not tell of every measure and campaign")
        for edges in (self.value_edges, self.activity_edges, self.recency_edges):
            if list(edges) != sorted(set(edges)):
                raise ValueError("the edges of segments are out of order")
        return self


@dataclass(frozen=True)
class CampaignContacts:
    """Which running household got a campaign of which type from which day on, and whether it redeemed of it."""

    household: np.ndarray
    kind: np.ndarray
    start_day: np.ndarray
    redeemed: np.ndarray

    @property
    def types(self) -> tuple[str, ...]:
        """The most frequent types of campaigns, by name."""
        names, n = np.unique(self.kind, return_counts=True)
        most = sorted(zip((-n).tolist(), names.tolist(), strict=True))[:MOST_CAMPAIGNS]
        return tuple(sorted(name for _, name in most))


def fit_support(
    known: Examples,
    model: TwinModel,
    baskets: Mapping[int, Sequence[Basket]],
    contacts: CampaignContacts,
    *,
    known_until: int,
) -> Support | None:
    """Measure it on closed rows (`known`), on every basket of the same households, and on the campaigns they got.

    None: a third of the household-days has too few households to tell of it without telling of one.
    """
    expected = model.predict(known.table)
    outcomes = Outcomes(
        known.household, expected.active_probability, expected.baskets, expected.spend, known.baskets, known.spend
    )
    edges = [rounded(float(e)) for e in np.quantile(expected.baskets, [1 / 3, 2 / 3])]
    place = np.searchsorted(np.array(edges), expected.baskets)
    measured, got = measures_of(known.table), _got(known, contacts, model.horizon_days)
    tiers = []
    for k, (name, upto) in enumerate(zip(TIERS, (*edges, LARGEST), strict=True)):
        mask = place == k
        part = outcomes.where(mask)
        if not enough(part):
            return None
        seen = {m: _range(v[mask], part.household) for m, v in measured.items()}
        answered = {t: _response(part, there[mask], contacts, t) for t, there in got.items()}
        tiers.append(Tier(name, upto, fit_spread(part), seen, answered))
    who = newcomers(
        baskets,
        known_until=known_until,
        oldest=min((b[0].day for b in baskets.values() if b), default=0),
        quiet=model.horizon_days,
    )
    usd, whose = (np.array(v) for v in zip(*((b.cents / 100, h) for h, bs in baskets.items() for b in bs), strict=True))
    means = np.array([sum(b.cents for b in bs) / 100 / len(bs) for bs in baskets.values() if bs])
    newest = known.cutoff == known.cutoff.max()  # a row a household: many of one would count it often
    return Support(
        model.horizon_days,
        _range(usd, whose),
        tuple(tiers),
        fit_newcomers(who, model),
        quartile_edges(means),
        quartile_edges(expected.baskets[newest]),
        quartile_edges(measured["recency_days"][newest], whole=True),
    )


def quartile_edges(means: np.ndarray, *, whole: bool = False) -> tuple[float, ...]:
    """Quartiles of what is told of each household, in two digits so that none is anybody's own.

    `whole`: of whole numbers, at a whole number.

    An edge is left out where fewer than ten households would lie between it and the next, so that equal values part
    nobody, and all may be of one part.

    >>> quartile_edges(np.arange(1.0, 101.0)), quartile_edges(np.full(100, 3_000.0))
    ((26.0, 50.0, 75.0), ())
    >>> quartile_edges(np.arange(1.0, 102.0) / 1_000), quartile_edges(np.arange(1.0, 101.0) // 10, whole=True)
    ((0.026, 0.051, 0.076), (2.0, 5.0, 7.0))
    """
    edges: list[float] = []
    found = np.quantile(means, [0.25, 0.5, 0.75]) if len(means) else np.zeros(0)
    for edge in sorted({float(f"{round(q) if whole else q:.1e}") for q in found}):
        last = edges[-1] if edges else -np.inf
        if ((means >= last) & (means < edge)).sum() >= FEWEST and (means >= edge).sum() >= FEWEST:
            edges.append(edge)
    return tuple(edges)


def measures_of(table: pa.Table) -> dict[str, np.ndarray]:
    """What `Tier.seen` bounds, of each state: days since the last basket, baskets a day at two speeds, USD a basket."""
    names = ("recency_days", "baskets_quick", "exposure_quick", "baskets_slow", "exposure_slow", "cents_slow")
    s = columns(table, names)
    return {
        "recency_days": s["recency_days"],
        "pace_quick": s["baskets_quick"] / s["exposure_quick"],
        "pace_slow": s["baskets_slow"] / s["exposure_slow"],
        # after a year's silence the decayed count is as good as none
        "basket_value": s["cents_slow"] / 100 / np.maximum(s["baskets_slow"], BILLION * 1e-6),
    }


def to_text(support: Support | None) -> str:
    """Sorted JSON; where there were too few households, only the schema."""
    if support is None:
        return NOBODY
    body = asdict(support)
    return to_json({"schema": SCHEMA, "cold": body.pop("newcomers"), **body}, indent=1) + "\n"


def from_text(text: str) -> Support | None:
    """Read what `to_text` wrote.

    Raises:
        IntegrityError: it is something else.
    """
    if text == NOBODY:
        return None
    with refusing("The support file is not one", "Run `dvc repro twin`."):
        file = parsed(_SupportFile, text, at_most=LARGEST_FILE)
    edges = (file.value_edges, file.activity_edges, file.recency_edges)
    return Support(file.horizon_days, file.basket_value, file.tiers, file.cold, *edges)


def reached(values: np.ndarray, household: np.ndarray) -> tuple[float, float]:
    """The tenth lowest and tenth highest household, each by its own extreme."""
    # by household, not by row: one household's many days are one household
    order = np.unique(household, return_inverse=True)[1]
    low, high = np.full(order.max() + 1, np.inf), np.full(order.max() + 1, -np.inf)
    np.minimum.at(low, order, values)
    np.maximum.at(high, order, values)
    return float(np.sort(low)[FEWEST - 1]), float(np.sort(high)[-FEWEST])


def _range(values: np.ndarray, household: np.ndarray) -> Range:
    low, high = reached(values, household)
    return Range(rounded(low, 4), rounded(high, 4))


def _got(known: Examples, contacts: CampaignContacts, horizon_days: int) -> dict[str, np.ndarray]:
    """Per type: did a campaign begin for the row's household in the row's horizon?"""
    out = {}
    width = horizon_days
    for kind in contacts.types:
        mine = contacts.kind == kind
        starts: dict[int, list[int]] = {}
        for h, day in zip(contacts.household[mine].tolist(), contacts.start_day[mine].tolist(), strict=True):
            starts.setdefault(h, []).append(day)
        rows = zip(known.household.tolist(), known.cutoff.tolist(), strict=True)
        out[kind] = np.array([any(c <= d < c + width for d in starts.get(h, ())) for h, c in rows], dtype=bool)
    return out


def _response(part: Outcomes, got: np.ndarray, contacts: CampaignContacts, kind: str) -> Response:
    """Redemptions of the tier's recipients, and how their outcomes scattered around what was expected of them."""
    recipients = part.where(got)
    here = np.isin(contacts.household, np.unique(recipients.household)) & (contacts.kind == kind)
    n, redeemed = int(here.sum()), int(contacts.redeemed[here].sum())
    # all but a few would tell of those few
    told = redeemed if redeemed >= FEWEST and n - redeemed >= FEWEST else None
    spread = fit_spread(recipients) if enough(recipients) else None
    return Response(n if n >= FEWEST else 0, told, spread)
