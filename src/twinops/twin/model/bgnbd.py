"""The classic of its kind: BG/NBD for how often, gamma-gamma for how much. A baseline, and a family of heads.

Fader, Hardie and Lee, "Counting your customers" the easy way, Marketing Science 24 (2005); Fader and Hardie, The
gamma-gamma model of monetary value (2013). Fitted by maximum likelihood to histories alone: it needs no labels, so it
may know a household up to the very day it predicts for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations

import numpy as np
import pyarrow as pa

from twinops.data.threads import one_thread
from twinops.entities.canonical import rounded
from twinops.errors import DataError
from twinops.twin.model.predictions import LARGEST_LOG, Predictions
from twinops.twin.state.priors import columns
from twinops.twin.strict_json import Days, NotNegative, Positive, declared

RIDGE = 1e-3
"""Pull on the logarithms of the parameters. Without it nobody may seem ever to leave, and a and b run away."""

NEARLY_ONE = 1e-6
LARGEST, SMALLEST = np.exp(LARGEST_LOG), np.exp(-LARGEST_LOG)
PARTS = ("pace", "recency", "familiarity", "value")
"""The terms under which its reasons are told: how often, how long ago, how long known, and how much at a time."""


@dataclass(frozen=True)
class Histories:
    """Per household: baskets after the first, days from the first to the last, days known, all baskets, mean USD."""

    repeats: np.ndarray
    last: np.ndarray
    known: np.ndarray
    baskets: np.ndarray
    usd: np.ndarray

    @classmethod
    def of(cls, table: pa.Table) -> Histories:
        """From rows of the panel."""
        s = columns(table, ("baskets_total", "tenure_days", "recency_days", "cents_total"))
        baskets = np.maximum(s["baskets_total"], 1)
        return cls(
            repeats=baskets - 1,
            last=np.maximum(s["tenure_days"] - s["recency_days"], 0),
            known=s["tenure_days"],
            baskets=baskets,
            usd=s["cents_total"] / 100 / baskets,
        )

    def usual(self) -> Usual:
        """The household in the middle of them."""
        return Usual(*(rounded(float(np.mean(v))) for v in (self.repeats, self.last, self.known, self.usd)))

    def with_usual(self, usual: Usual, own: frozenset[str]) -> Histories:
        """Rows like the usual household, but for the parts that are their own. The last day is no later than today."""

        def of(part: str, mine: np.ndarray, its: float) -> np.ndarray:
            return mine if part in own else np.full(len(self.repeats), its)

        repeats, known = of("pace", self.repeats, usual.repeats), of("familiarity", self.known, usual.known)
        # silence is what a part says of, not the day of the last basket: it would move with the days known
        silence = of("recency", self.known - self.last, usual.known - usual.last)
        usd = of("value", self.usd, usual.usd)
        return Histories(repeats, np.maximum(known - silence, 0), known, repeats + 1, usd)


@declared
@dataclass(frozen=True)
class Usual:
    """The mean household of those it was fitted to: what its reasons are told beside."""

    repeats: NotNegative
    last: NotNegative
    known: NotNegative
    usd: NotNegative


@declared
@dataclass(frozen=True)
class BgNbd:
    """Paces are Gamma(r, alpha in days) between households; after each basket one leaves with a Beta(a, b) chance."""

    r: Positive
    alpha: Positive
    a: Positive
    b: Positive

    def log_likelihood(self, h: Histories) -> np.ndarray:
        """Per household (their equation 6)."""
        from scipy.special import betaln, gammaln

        r, alpha, a, b, x = self.r, self.alpha, self.a, self.b, h.repeats
        shared = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        stays = betaln(a, b + x) - betaln(a, b) - (r + x) * np.log(alpha + h.known)
        left = betaln(a + 1, b + np.maximum(x, 1) - 1) - betaln(a, b) - (r + x) * np.log(alpha + h.last)
        return np.asarray(shared + np.where(x > 0, np.logaddexp(stays, left), stays))

    def alive(self, h: Histories) -> np.ndarray:
        """The chance that a household has not left."""
        x = h.repeats
        with np.errstate(over="ignore"):
            odds = (
                self.a
                / (self.b + np.maximum(x, 1) - 1)
                * np.exp(np.minimum((self.r + x) * np.log((self.alpha + h.known) / (self.alpha + h.last)), 700))
            )
        return np.asarray(np.where(x > 0, 1 / (1 + odds), 1.0))

    def active(self, h: Histories, days: float) -> np.ndarray:
        """The chance of a basket within so many days: not having left, and not being silent by chance."""
        silent = (self.r + h.repeats) * np.log((self.alpha + h.known) / (self.alpha + h.known + days))
        return np.asarray(self.alive(h) * -np.expm1(silent))

    def expected(self, h: Histories, days: float) -> np.ndarray:
        """Baskets expected in so many days (their equation 10; by Euler's transformation, which cannot overflow)."""
        from scipy.special import hyp2f1

        a = self.a + NEARLY_ONE if abs(self.a - 1) < NEARLY_ONE else self.a
        x = h.repeats
        share = (self.alpha + h.known) / (self.alpha + h.known + days)
        series = hyp2f1(a + self.b - 1 - self.r, a - 1, a + self.b + x - 1, 1 - share)
        lasting = (a + self.b + x - 1) / (a - 1) * (1 - share ** (a - 1) * series)
        return np.asarray(np.maximum(lasting, 0) * self.alive(h))


@declared
@dataclass(frozen=True)
class GammaGamma:
    """A household's baskets are worth Gamma(p, nu) USD each, and nu is Gamma(q, gamma) between households."""

    p: Positive
    q: Positive
    gamma: Positive

    def log_likelihood(self, h: Histories) -> np.ndarray:
        """Per household with baskets worth anything (their equation 1a)."""
        from scipy.special import betaln

        px = self.p * h.baskets
        total = h.baskets * h.usd
        return np.asarray(
            -betaln(px, self.q) + self.q * np.log(self.gamma / (self.gamma + total))
            + px * np.log(total / (self.gamma + total)) - np.log(h.usd)
        )  # fmt: skip

    def usd_a_basket(self, h: Histories) -> np.ndarray:
        """What a household's baskets are worth, drawn towards all households' the more the fewer it has."""
        return np.asarray(self.p * (self.gamma + h.baskets * h.usd) / (self.p * h.baskets + self.q - 1))


@declared
@dataclass(frozen=True)
class Classic:
    """Both together, as a forecaster."""

    horizon_days: Days
    baskets: BgNbd
    value: GammaGamma
    usual: Usual

    def predict(self, table: pa.Table) -> Predictions:
        """Chance to buy, baskets, and baskets times their worth."""
        return self.of(Histories.of(table))

    def of(self, h: Histories) -> Predictions:
        """The same for histories; finite whatever the parameters are."""
        with np.errstate(all="ignore"):
            expected = _held(self.baskets.expected(h, self.horizon_days))
            chance = np.clip(np.nan_to_num(self.baskets.active(h, self.horizon_days)), SMALLEST, 1)
            return Predictions.of(chance, expected, _held(expected * self.value.usd_a_basket(h)))

    def parts(self, table: pa.Table, head: str, *, beside: Usual | None = None) -> tuple[float, np.ndarray]:
        """The logarithm of one head for the usual household, and what each of `PARTS` adds to it: rows x parts.

        `beside`: another household to start from.

        Shapley values over the four (Shapley 1953): each part's share, averaged over every order of joining.
        """
        h, start = Histories.of(table), beside or self.usual
        seen: dict[frozenset[str], np.ndarray] = {}

        def log_of(own: frozenset[str]) -> np.ndarray:
            if own not in seen:
                p = self.of(h.with_usual(start, own))
                told = {"activity": p.active_probability, "baskets": p.baskets, "spend": p.spend}[head]
                seen[own] = np.log(np.maximum(told, SMALLEST))
            return seen[own]

        added = np.zeros((table.num_rows, len(PARTS)))
        orders = list(permutations(range(len(PARTS))))
        for order in orders:
            for place, part in enumerate(order):
                before = frozenset(PARTS[i] for i in order[:place])
                added[:, part] += (log_of(before | {PARTS[part]}) - log_of(before)) / len(orders)
        return float(log_of(frozenset())[0]), added


def fit_classic(table: pa.Table, *, horizon_days: int) -> Classic:
    """Fit both to one row per household, as of one day.

    Raises:
        DataError: nobody came twice, or the likelihood has no top.
    """
    h = Histories.of(table)
    if not (h.repeats > 0).any():
        raise DataError("Nobody came twice: there is no pace to learn.", hint="Collect more months.")
    return Classic(horizon_days, fit_bgnbd(h), fit_gamma_gamma(h), h.usual())


def fit_bgnbd(h: Histories, *, ridge: float = RIDGE) -> BgNbd:
    """Maximum likelihood; time is scaled to its mean, so that the ridge does not depend on the unit."""
    scale = float(max(h.known.mean(), 1e-9))
    scaled = Histories(h.repeats, h.last / scale, h.known / scale, h.baskets, h.usd)
    r, alpha, a, b = _top(lambda v: BgNbd(*v).log_likelihood(scaled), (1.0, 0.1, 0.5, 2.0), ridge)
    return BgNbd(*(rounded(float(v)) for v in (r, alpha * scale, a, b)))


def fit_gamma_gamma(h: Histories, *, ridge: float = RIDGE) -> GammaGamma:
    """Maximum likelihood on households whose baskets were worth anything; q stays above 1, so that means exist."""
    worth = h.usd > 0
    scale = float(h.usd[worth].mean()) if worth.any() else 1.0
    known = Histories(h.repeats[worth], h.last[worth], h.known[worth], h.baskets[worth], h.usd[worth] / scale)
    if not len(known.usd):
        raise DataError("Every basket was worth nothing.", hint="Check the collected months.")
    p, more, gamma = _top(lambda v: GammaGamma(v[0], 1 + v[1], v[2]).log_likelihood(known), (1.0, 2.0, 1.0), ridge)
    return GammaGamma(*(rounded(float(v)) for v in (p, 1 + more, gamma * scale)))


def _top(log_likelihood: Callable[[np.ndarray], np.ndarray], start: tuple[float, ...], ridge: float) -> np.ndarray:
    """Parameters, all above zero, at the top of the mean log-likelihood less the ridge on their logarithms."""
    from scipy.optimize import minimize

    def cost(log: np.ndarray) -> float:
        return float(-log_likelihood(np.exp(log)).mean() + ridge * (log**2).sum())

    with one_thread():
        found = minimize(cost, np.log(start), method="Nelder-Mead",
                         options={"xatol": 1e-5, "fatol": 1e-10, "maxiter": 4000, "maxfev": 4000})  # fmt: skip
    if not found.success or not np.isfinite(found.fun):
        raise DataError("The BG/NBD baseline could not be fitted.", hint="Collect more consumers.")
    return np.asarray(np.exp(found.x))


def _held(amount: np.ndarray) -> np.ndarray:
    """Above zero and below 1.2 million, as every head's rates are."""
    return np.asarray(np.clip(np.nan_to_num(amount, posinf=LARGEST), SMALLEST, LARGEST))
