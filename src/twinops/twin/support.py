"""Where the data can answer a what-if: how far households went, how outcomes scatter, and who answered which campaign.

Made once from consenting households' closed rows and shipped beside the model as aggregates: every figure has at least
ten households behind it and, where it is an end, ten beyond it. Nothing in it belongs to one household.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from twinops.entities.canonical import rounded, to_json
from twinops.errors import IntegrityError
from twinops.twin.cold import NewcomerModel, fit_newcomers, newcomers
from twinops.twin.examples import Examples
from twinops.twin.features import BILLION
from twinops.twin.living import Basket
from twinops.twin.model import TwinModel
from twinops.twin.spread import FEWEST, Outcomes, Spread, enough, fit_spread
from twinops.twin.state import columns

SCHEMA = "twinops.support/1"
TIERS = ("low", "mid", "high")
"""Thirds of the household-days by expected baskets."""

MEASURED = ("recency_days", "pace_quick", "pace_slow", "basket_usd")
"""What must have been seen of at least ten households of a tier for a what-if to be answered there."""

CAMPAIGNS = ("A", "B", "C")
LARGEST_FILE = 200_000


@dataclass(frozen=True)
class Range:
    """The lowest and highest value that ten households of the tier reached."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Within what was seen."""
        return self.low <= value <= self.high


@dataclass(frozen=True)
class Response:
    """Mailings of one type: how many, how many were redeemed (None: fewer than ten, or all but so few), what came."""

    contacts: int
    redeemed: int | None
    spread: Spread | None


@dataclass(frozen=True)
class Tier:
    """One third of the household-days: how outcomes scatter, how far states went, who answered which campaign."""

    name: str
    upto_baskets: float
    spread: Spread
    seen: Mapping[str, Range]
    campaigns: Mapping[str, Response]


@dataclass(frozen=True)
class Support:
    """All of it. `basket_usd` are the smallest and largest single baskets that a what-if may add."""

    horizon_days: int
    basket_usd: Range
    tiers: tuple[Tier, ...]
    newcomers: NewcomerModel | None

    def tier(self, expected_baskets: float) -> Tier:
        """The tier of somebody of whom so many baskets are expected."""
        return next((t for t in self.tiers if expected_baskets <= t.upto_baskets), self.tiers[-1])


@dataclass(frozen=True)
class CampaignContacts:
    """Which running household got a campaign of which type from which day on, and whether it redeemed of it."""

    household: np.ndarray
    kind: np.ndarray
    start_day: np.ndarray
    redeemed: np.ndarray


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
    expected = model.by_heads(known.table)
    outcomes = Outcomes(known.household, expected.baskets, expected.spend, known.baskets, known.spend)
    edges = [rounded(float(e)) for e in np.quantile(expected.baskets, [1 / 3, 2 / 3])]
    place = np.searchsorted(np.array(edges), expected.baskets)
    measured, got = measures_of(known.table), _got(known, contacts, model.horizon_days)
    tiers = []
    for k, (name, upto) in enumerate(zip(TIERS, (*edges, 1e9), strict=True)):
        mask = place == k
        part = outcomes.where(mask)
        if not enough(part):
            return None
        seen = {m: _range(v[mask], part.household) for m, v in measured.items()}
        answered = {t: _response(part, got[t][mask], contacts, t) for t in CAMPAIGNS}
        tiers.append(Tier(name, upto, fit_spread(part), seen, answered))
    who = newcomers(baskets, known_until=known_until, oldest=min((b[0].day for b in baskets.values() if b), default=0))
    cold = fit_newcomers(who, model, horizon_days=model.horizon_days, decay_days=model.decay_days)
    return Support(model.horizon_days, _baskets_range(baskets), tuple(tiers), cold)


def measures_of(table: pa.Table) -> dict[str, np.ndarray]:
    """What `Tier.seen` bounds, of each state: days since the last basket, baskets a day at two speeds, USD a basket."""
    names = ("recency_days", "baskets_quick", "exposure_quick", "baskets_slow", "exposure_slow", "cents_slow")
    s = columns(table, names)
    return {
        "recency_days": s["recency_days"],
        "pace_quick": s["baskets_quick"] / s["exposure_quick"],
        "pace_slow": s["baskets_slow"] / s["exposure_slow"],
        "basket_usd": s["cents_slow"] / 100 / np.maximum(s["baskets_slow"], BILLION * 1e-6),
    }


def to_text(support: Support | None) -> str:
    """Sorted JSON; where there were too few households, only the schema."""
    return to_json({"schema": SCHEMA} if support is None else _record(support), indent=1) + "\n"


def from_text(text: str) -> Support | None:
    """Read what `to_text` wrote.

    Raises:
        IntegrityError: it is something else.
    """
    try:
        if len(text) > LARGEST_FILE:
            raise ValueError("it is too long")
        raw = json.loads(text, parse_constant=_no_constant)
        if raw["schema"] != SCHEMA:
            raise ValueError("it has another schema")
        if set(raw) == {"schema"}:
            return None
        tiers = tuple(_tier(t) for t in raw["tiers"])
        if [t.name for t in tiers] != list(TIERS):
            raise ValueError("its tiers are others")
        cold = None if raw["cold"] is None else NewcomerModel.from_record(raw["cold"])
        return Support(int(raw["horizon_days"]), _a_range(raw["basket_usd"]), tiers, cold)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise IntegrityError(
            f"The support file is not one: {type(problem).__name__}.", hint="Run `dvc repro twin`."
        ) from None


def reached(values: np.ndarray, household: np.ndarray) -> tuple[float, float]:
    """The tenth lowest and tenth highest household, each by its own extreme."""
    order = np.unique(household, return_inverse=True)[1]
    low, high = np.full(order.max() + 1, np.inf), np.full(order.max() + 1, -np.inf)
    np.minimum.at(low, order, values)
    np.maximum.at(high, order, values)
    return float(np.sort(low)[FEWEST - 1]), float(np.sort(high)[-FEWEST])


def _range(values: np.ndarray, household: np.ndarray) -> Range:
    low, high = reached(values, household)
    return Range(rounded(low, 4), rounded(high, 4))


def _baskets_range(baskets: Mapping[int, Sequence[Basket]]) -> Range:
    pairs = [(h, b.cents / 100) for h, listed in baskets.items() for b in listed]
    return _range(np.array([p[1] for p in pairs]), np.array([p[0] for p in pairs]))


def _got(known: Examples, contacts: CampaignContacts, horizon_days: int) -> dict[str, np.ndarray]:
    """Per type: did a campaign begin for the row's household in the row's horizon?"""
    out = {}
    width = horizon_days
    for kind in CAMPAIGNS:
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
    told = redeemed if redeemed >= FEWEST and n - redeemed >= FEWEST else None
    spread = fit_spread(recipients) if enough(recipients) else None
    return Response(n if n >= FEWEST else 0, told, spread)


def _record(support: Support) -> dict[str, Any]:
    tiers = [
        {
            "name": t.name,
            "upto_baskets": t.upto_baskets,
            "spread": t.spread.to_record(),
            "seen": {m: [r.low, r.high] for m, r in t.seen.items()},
            "campaigns": {
                k: {"contacts": r.contacts, "redeemed": r.redeemed,
                    "spread": None if r.spread is None else r.spread.to_record()}
                for k, r in t.campaigns.items()
            },
        }
        for t in support.tiers
    ]  # fmt: skip
    usd = support.basket_usd
    return {"schema": SCHEMA, "horizon_days": support.horizon_days, "basket_usd": [usd.low, usd.high], "tiers": tiers,
            "cold": None if support.newcomers is None else support.newcomers.to_record()}  # fmt: skip


def _tier(raw: Any) -> Tier:
    seen = {m: _a_range(raw["seen"][m]) for m in MEASURED}
    campaigns = {k: _a_response(raw["campaigns"][k]) for k in CAMPAIGNS}
    return Tier(str(raw["name"]), float(raw["upto_baskets"]), Spread.from_record(raw["spread"]), seen, campaigns)


def _a_response(raw: Any) -> Response:
    redeemed = None if raw["redeemed"] is None else int(raw["redeemed"])
    spread = None if raw["spread"] is None else Spread.from_record(raw["spread"])
    return Response(int(raw["contacts"]), redeemed, spread)


def _a_range(raw: Any) -> Range:
    low, high = (float(v) for v in raw)
    if not low <= high:
        raise ValueError("a range is out of order")
    return Range(low, high)


def _no_constant(name: str) -> Any:
    raise ValueError(f"it holds {name}")
