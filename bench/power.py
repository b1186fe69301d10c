"""What the fairness test does on populations whose truth is known: how often it cries wolf, and what it finds.

Simulated households, four attributes in the proportions of the shipped data and merged by the declared rule, an offer
to one in five. One level of income, a fifth of all, is reached so much less often than everyone else (the true ratio),
or one level of every attribute is. What is tried is the test the pipeline runs
(`twinops.evaluation.fairness.measures.outcomes`), with the limits of `policy.yaml`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from twinops.entities.verdict import Outcome
from twinops.evaluation.fairness.decision import RankedHouseholds
from twinops.evaluation.fairness.declaration import Assessed
from twinops.evaluation.fairness.disparity import KEPT
from twinops.evaluation.fairness.groups import Grouping, groupings
from twinops.evaluation.fairness.measures import outcomes
from twinops.evaluation.statistics import wilson
from twinops.workflows.places import Places
from twinops.workflows.replayed_decision import assessed_of

ROOT = Path(__file__).resolve().parents[1]
SHARES = {  # households of 801 at each level, as in the shipped demographics
    "age": {"19-24": 46, "25-34": 142, "35-44": 194, "45-54": 288, "55-64": 59, "65+": 72},
    "income": {
        "Under 15K": 61, "15-24K": 74, "25-34K": 77, "35-49K": 172, "50-74K": 192, "75-99K": 96,
        "100-124K": 34, "125-149K": 38, "150-174K": 30, "175-199K": 11, "200-249K": 5, "250K+": 11,
    },
    "marital_status": {"Married": 340, "Unmarried": 324, "not told": 137},
    "household_comp": {"1 Adult No Kids": 250, "2 Adults No Kids": 255, "2 Adults Kids": 187, "1 Adult Kids": 109},
}  # fmt: skip
ONE = {"income": "35-49K"}
EVERY = {"age": "35-44", "income": "35-49K", "marital_status": "Unmarried", "household_comp": "1 Adult No Kids"}
PLANTED = {"one": ONE, "every": EVERY}
"""Who is reached `ratio` times as often as the rest: one level, or one of every attribute."""
OFFERED = 0.2
RUNS = {801: 1000, 3204: 1000, 10_000: 300, 15_000: 400}
"""Populations by number of households, at ratios by which errors are counted; a hundred elsewhere."""
CLOSE = {15_000: 4_000}
"""Populations at the limit with one level less, where the error of *passed* comes closest to what is accepted."""
RATIOS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4)
LIMIT = 0.8
"""The policy's ratio; compared with it when run."""
COUNTED = (1.0, LIMIT)
Share = tuple[float, float, float]
OUTCOMES = ("failed", "inconclusive", "passed")


@dataclass(frozen=True)
class Row:
    """How often each outcome came among `runs` populations of `n` households at one true ratio of what is `planted`."""

    n: int
    ratio: float
    runs: int
    failed: int
    inconclusive: int
    passed: int
    planted: str = "one"
    level: float = 1.0
    """Part of the policy's level at which *passed* was tested when this was measured."""

    def share(self, outcome: str) -> Share:
        """Share of the runs with this outcome, and its 95 % interval."""
        hits: int = getattr(self, outcome)
        return wilson.share(hits, self.runs)

    def to_json(self) -> dict[str, object]:
        """The counts."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Row:
        """As it stood in the file."""
        return cls(**{f.name: raw[f.name] for f in fields(cls) if f.name in raw})


def powers() -> Iterator[Row]:
    """All three outcomes: without a gap, with each gap at one level, and with one at the limit in every attribute."""
    rule = declared()
    if rule.ratio != LIMIT:
        raise SystemExit(f"The policy's limit is {rule.ratio:g}; change LIMIT in bench/power.py, and RATIOS around it.")
    for n in RUNS:
        yield from of_size(n, rule)


def of_size(n: int, rule: Assessed) -> Iterator[Row]:
    """All rows of one number of households."""
    for ratio in RATIOS:
        counted = CLOSE.get(n, RUNS[n]) if ratio == LIMIT else RUNS[n]
        yield power(n, ratio, runs=counted if ratio in COUNTED else 100, rule=rule)
    yield power(n, rule.ratio, runs=RUNS[n], rule=rule, planted="every")


def declared() -> Assessed:
    """The rule of policy and declaration, for the attributes the towns have."""
    each = [pa.table({name: list(levels)}) for name, levels in SHARES.items()]
    rule = assessed_of(Places(ROOT), pa.concat_tables(each, promote_options="default"))
    return Assessed(rule.attributes, tuple(sorted(set(rule.deciding) & set(SHARES))), rule.ratio, rule.alpha)


def power(n: int, ratio: float, *, runs: int, rule: Assessed, planted: str = "one") -> Row:
    """How often each outcome comes at this size and true ratio."""
    one = partial(_outcome, n, ratio, rule, planted)
    with ProcessPoolExecutor() as pool:
        counts = Counter(pool.map(one, range(runs), chunksize=20))
    return Row(n, ratio, runs, *(counts[o] for o in OUTCOMES), planted, KEPT)


def _outcome(n: int, ratio: float, rule: Assessed, planted: str, run: int) -> str:
    return outcome(*tried(n, ratio, run, rule, planted=planted), rule)


def tried(
    n: int, ratio: float, run: int, rule: Assessed, *, planted: str = "one"
) -> tuple[np.ndarray, tuple[Grouping, ...]]:
    """Who is offered in one town, and its groups by the rule."""
    people, table = town(n, ratio, np.random.default_rng([run, n, round(1000 * ratio)]), less=PLANTED[planted])
    return people.offered, groupings(people, table, rule)


def outcome(offered: np.ndarray, grouped: tuple[Grouping, ...], rule: Assessed) -> str:
    """As the gate says it: failed if one attribute fails, passed if all pass."""
    found = {name: reach.outcome for name, reach in outcomes(offered, grouped, rule).items()}
    told = {found.get(name, Outcome.INCONCLUSIVE) for name in rule.deciding}
    if Outcome.FAILED in told:
        return "failed"
    return "passed" if told == {Outcome.PASSED} else "inconclusive"


def town(
    n: int, ratio: float, rng: np.random.Generator, *, less: Mapping[str, str]
) -> tuple[RankedHouseholds, pa.Table]:
    """Households whose attributes tell nothing of one another, nor, but for what is planted, of the decision."""
    levels = {k: rng.choice(list(v), n, p=np.array(list(v.values())) / sum(v.values())) for k, v in SHARES.items()}
    chance = np.prod([np.where(levels[a] == level, ratio, 1.0) for a, level in less.items()], axis=0)
    offered = rng.random(n) < OFFERED * chance / chance.mean()
    sids = np.array([f"{i:032x}" for i in range(n)])
    spend = rng.gamma(2, 50, n)
    cents, everyone = np.rint(spend * 100).astype(np.int64), np.ones(n, dtype=bool)
    people = RankedHouseholds(sids, spend, offered, offered, cents > 0, spend, cents, everyone)
    return people, pa.table({"sid": sids, **levels})
