"""A synthetic panel of other people than our customers, and what each customer would have answered in it.

Answers follow from demographics, shopping and a part of one's own, by weights that are written here. One scale also
hangs on how keen on coupons somebody is, which no panelist is asked: so fusion meets a dependence that it cannot see.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from twinops.entities.demographics import CODES, SCALES, SHOPPING

UNSEEN = "coupon_keenness"
"""Known of customers, never asked in the panel: a standard score that price consciousness hangs on beyond the rest."""
SPOILT = 0.02
MIDDLE, SPREAD = 50.0, 14.0
WEIGHTS: Mapping[str, tuple[float, ...]] = {
    #                 age    income kids   single often  spend  unseen
    "price_consciousness": (0.10, -0.45, 0.25, 0.00, 0.20, -0.10, 0.45),
    "brand_loyalty": (0.40, 0.10, 0.00, 0.00, -0.10, 0.20, 0.00),
    "novelty_seeking": (-0.45, 0.15, 0.00, 0.10, 0.10, 0.10, 0.00),
    "convenience_orientation": (-0.20, 0.25, 0.20, 0.25, -0.25, 0.00, 0.00),
    "quality_orientation": (0.20, 0.35, -0.10, 0.00, 0.00, 0.30, 0.00),
    "cooking_enjoyment": (0.15, 0.00, 0.15, -0.25, 0.30, 0.10, 0.00),
}
"""Per standard deviation of each cause, in standard deviations of the scale; the rest is the person's own."""


@dataclass(frozen=True)
class Respondents:
    """Demographics as code numbers, shopping in four weeks, and the unseen score; one entry per person."""

    codes: Mapping[str, np.ndarray]
    baskets: np.ndarray
    spend: np.ndarray
    unseen: np.ndarray

    def __len__(self) -> int:
        return len(self.baskets)


def panelists(size: int, seed: int) -> Respondents:
    """People of a plausible make-up; younger and poorer than our customers, as online panels are."""
    rng = np.random.default_rng([seed, 50])
    comp = rng.choice(4, size, p=[0.34, 0.30, 0.13, 0.23])
    kids = np.where(comp >= 2, 1 + np.minimum(rng.geometric(0.55, size) - 1, 2), 0)
    age = np.where(
        comp >= 2,
        rng.choice(6, size, p=[0.08, 0.3, 0.34, 0.24, 0.03, 0.01]),
        rng.choice(6, size, p=[0.12, 0.22, 0.18, 0.24, 0.13, 0.11]),
    )
    married = (comp % 2 == 1) & (rng.random(size) < 0.8)
    income = np.clip(
        np.rint(rng.normal(3.2 + 0.9 * married + 0.35 * np.minimum(age, 4) - 0.9 * (age == 5), 1.9)), 0, 11
    ).astype(int)
    home = np.where(
        rng.random(size) < 1 / (1 + np.exp(-(-1.6 + 0.35 * income + 0.3 * age))),
        rng.choice([2, 3], size, p=[0.04, 0.96]),
        rng.choice([0, 1], size, p=[0.85, 0.15]),
    )
    household = np.minimum((comp % 2 == 1) + kids, 4)
    baskets = rng.negative_binomial(2.2, 2.2 / (2.2 + 4.0 + 0.8 * household))
    spend = np.rint((baskets + 0.5) * rng.gamma(3.0, (20 + 2.0 * income + 3.0 * household) / 3.0)).astype(int)
    codes = dict(zip(CODES, (age, income, home, married.astype(int), household, comp, kids), strict=True))
    return Respondents(codes, np.minimum(baskets, 200), np.minimum(spend, 20_000), rng.normal(size=size))


def households(demographics: pa.Table, baskets: np.ndarray, spend: np.ndarray, unseen: np.ndarray) -> Respondents:
    """Customers: demographics as code numbers, -1 where unknown, and shopping per four weeks."""
    codes = {
        name: np.array([CODES[name].index(v) if v in CODES[name] else -1 for v in demographics[name].to_pylist()])
        for name in CODES
    }
    return Respondents(codes, np.asarray(baskets), np.asarray(spend), np.asarray(unseen, dtype=float))


def true_answers(people: Respondents, seed: int, *, unseen_matters: bool = True) -> dict[str, np.ndarray]:
    """What each would answer on every scale: whole points from 0 to 100."""
    rng = np.random.default_rng([seed, 51, len(people)])
    causes = _causes(people)
    own = rng.normal(size=(len(people), len(SCALES))) @ _own_correlation().T
    out = {}
    for place, scale in enumerate(SCALES):
        weights = np.array(WEIGHTS[scale]) * np.array([1, 1, 1, 1, 1, 1, unseen_matters])
        rest = np.sqrt(max(0.05, 1 - float(weights @ weights)))
        out[scale] = np.clip(np.rint(MIDDLE + SPREAD * (causes @ weights + rest * own[:, place])), 0, 100).astype(int)
    return out


def answers(size: int, *, seed: int, wave: date) -> bytes:
    """The institute's delivery as CSV: the panel's answers, with columns we may not have and rows that are broken."""
    people = panelists(size, seed)
    scales = true_answers(people, seed)
    rng = np.random.default_rng([seed, 52])
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\r\n")
    write.writerow(["panelist", "wave", *CODES, *SHOPPING, *SCALES, "religion", "voted_for", "synthetic"])
    numbers = 100_000 + rng.permutation(900_000)[:size]
    for i in range(size):
        demographics = ["" if rng.random() < 0.03 else CODES[name][people.codes[name][i]] for name in CODES]
        told = [str(people.baskets[i]), str(int(round(people.spend[i] / 5) * 5)), *(str(scales[s][i]) for s in SCALES)]
        row = [f"p-{numbers[i]}", f"{wave}", *demographics, *told, "none", "nobody", "yes"]
        write.writerow(SPOILERS[rng.integers(len(SPOILERS))](row) if rng.random() < SPOILT else row)
    return out.getvalue().encode()


def _causes(people: Respondents) -> np.ndarray:
    """Standard scores of what answers hang on, unknown is average; centre and scale are fixed: worlds compare."""
    code = {n: np.where(c < 0, np.nan, c).astype(float) for n, c in people.codes.items()}
    columns = [
        (code["age"] - 2.4) / 1.4,
        (code["income"] - 4.0) / 2.2,
        (code["kids_count"] - 0.6) / 0.9,
        ((code["household_size"] == 0) - 0.3) / 0.46,
        (np.log1p(people.baskets) - 1.5) / 0.7,
        (np.log1p(people.spend) - 4.6) / 1.0,
        people.unseen,
    ]
    return np.asarray(np.clip(np.nan_to_num(np.stack(columns, axis=1)), -3, 3))


def _own_correlation() -> np.ndarray:
    """Loadings that make what is one's own correlate between scales by 0.2."""
    return np.linalg.cholesky(np.full((len(SCALES), len(SCALES)), 0.2) + 0.8 * np.eye(len(SCALES)))


def _with(place: int, value: str) -> Callable[[list[str]], list[str]]:
    return lambda row: [*row[:place], value, *row[place + 1 :]]


SPOILERS: tuple[Callable[[list[str]], list[str]], ...] = (
    _with(0, "anna@mail.example"),
    _with(1, "2031-01-01"),
    _with(2, "forty"),
    _with(9, "-3"),
    _with(10, "1e9"),
    _with(11, "101"),
    _with(12, ""),
    _with(13, "=1+1"),
    _with(14, "NaN"),
    _with(3, "50-74K\0"),
    lambda row: row[:8],
    lambda row: [*row, "one too many"],
)
