"""What the fairness test does on populations whose truth is known: how often it cries wolf, and what it finds.

Simulated households, four attributes in the proportions of the shipped data and merged by the declared rule, an offer
to one in five. One level of income, a fifth of all, is reached so much less often than everyone else (the true ratio).
What is tried is the test the pipeline runs (`twinops.evaluation.fairness.evenness`), with the limits of
`intended_use.yaml`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from twinops.evaluation.fairness import disparity
from twinops.evaluation.fairness.decision import RankedHouseholds
from twinops.evaluation.fairness.declaration import Assessed, read_decision
from twinops.evaluation.fairness.groups import Grouping, groupings
from twinops.evaluation.fairness.measures import TestedGroups, tested
from twinops.evaluation.statistics import bootstrap, wilson

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
LESS = ("income", "35-49K")
"""Who is reached `ratio` times as often as the rest."""
OFFERED, DRAWS = 0.2, 200
ALARM_RUNS, RUNS = {801: 8000, 3204: 8000, 10000: 2000}, 200
"""Populations per size to count false alarms on, and of each true ratio for all three outcomes."""
RATIOS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4)
Share = tuple[float, float, float]
OUTCOMES = ("failed", "inconclusive", "passed")


@dataclass(frozen=True)
class Alarms:
    """How many of `runs` populations of `n` households without any gap were called uneven."""

    n: int
    runs: int
    failed: int

    @property
    def share(self) -> Share:
        """Share of false alarms, and its 95 % interval."""
        return wilson.share(self.failed, self.runs)

    def to_json(self) -> dict[str, object]:
        """With share and interval beside the counts."""
        return {**asdict(self), **_told(self.share)}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Alarms:
        """As it stood in the file."""
        return cls(**{f.name: raw[f.name] for f in fields(cls)})


@dataclass(frozen=True)
class Row:
    """How often each outcome came among `runs` populations of `n` households at one true ratio.

    `stated`: the ratio is the one the test itself says it would find with a chance of .8.
    """

    n: int
    ratio: float
    runs: int
    failed: int
    inconclusive: int
    passed: int
    stated: bool = False

    def share(self, outcome: str) -> Share:
        """Share of the runs with this outcome, and its 95 % interval."""
        hits: int = getattr(self, outcome)
        return wilson.share(hits, self.runs)

    def to_json(self) -> dict[str, object]:
        """With the share that failed and its interval beside the counts."""
        return {**asdict(self), **_told(self.share("failed"))}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Row:
        """As it stood in the file."""
        return cls(**{f.name: raw[f.name] for f in fields(cls)})


def _told(share: Share) -> dict[str, float]:
    return {name: round(v, 4) for name, v in zip(("share", "low", "high"), share, strict=True)}


def alarms() -> Iterator[Alarms]:
    """False alarms by size. Whether a decision fails hangs on no bootstrap, so none is drawn."""
    rule = declared()
    for n, runs in ALARM_RUNS.items():
        yield Alarms(n, runs, sum(outcome(*tried(n, 1.0, run, rule, draws=1), rule) == "failed" for run in range(runs)))


def powers() -> Iterator[Row]:
    """All three outcomes: without a gap, with each gap, and at the ratio that the test says it would find."""
    rule = declared()
    for n in ALARM_RUNS:
        yield from (power(n, ratio, runs=RUNS, rule=rule) for ratio in RATIOS)
        yield replace(power(n, stated(n, rule), runs=RUNS, rule=rule), stated=True)


def declared() -> Assessed:
    """The declared rule, for the attributes the towns have."""
    rule = read_decision(ROOT / "compliance" / "intended_use.yaml").fairness
    return rule.model_copy(update={"attributes": {k: v for k, v in rule.attributes.items() if k in SHARES}})


def power(n: int, ratio: float, *, runs: int, rule: Assessed) -> Row:
    """How often each outcome comes at this size and true ratio."""
    counts = Counter(outcome(*tried(n, ratio, run, rule), rule) for run in range(runs))
    return Row(n, ratio, runs, *(counts[o] for o in OUTCOMES))


def tried(
    n: int, ratio: float, run: int, rule: Assessed, *, draws: int = DRAWS
) -> tuple[tuple[Grouping, ...], TestedGroups]:
    """One town, grouped by the rule and tested."""
    people, table = town(n, ratio, np.random.default_rng([run, n, round(1000 * ratio)]))
    grouped = tuple(g for g in groupings(people, table, rule) if g.attribute in SHARES)
    comparable = [g for g in grouped if len(g.groups) > 1]
    return grouped, tested(people.offered, comparable, draws=bootstrap.counts(n, draws=draws, seed=run))


def outcome(grouped: Sequence[Grouping], test: TestedGroups, rule: Assessed) -> str:
    """As the gate says it: failed if one group is uneven, passed if all groups of all attributes are shown even."""
    found = test.each()
    if any(c.uneven(rule) for c in found):
        return "failed"
    all_compared = {g.attribute for g in grouped} == {c.attribute for c in found}
    return "passed" if all_compared and all(c.shown_even(rule) for c in found) else "inconclusive"


def stated(n: int, rule: Assessed) -> float:
    """The ratio below which the test of an even town says it would find that this level is reached less."""
    _, test = tried(n, 1.0, 0, rule)
    found = disparity.detectable_ratio(test.counts, alpha=rule.alpha / test.tests, limit=rule.ratio_limit)
    return round(float(found[test.names.index(LESS)]), 3)


def town(n: int, ratio: float, rng: np.random.Generator) -> tuple[RankedHouseholds, pa.Table]:
    """Households whose attributes tell nothing of one another, nor, but for one level, of the decision."""
    levels = {k: rng.choice(list(v), n, p=np.array(list(v.values())) / sum(v.values())) for k, v in SHARES.items()}
    chance = np.where(levels[LESS[0]] == LESS[1], ratio, 1.0)
    offered = rng.random(n) < OFFERED * chance / chance.mean()
    sids = np.array([f"{i:032x}" for i in range(n)])
    spend = rng.gamma(2, 50, n)
    people = RankedHouseholds(
        sids, offered, offered, spend, np.rint(spend * 100).astype(np.int64), np.ones(n, dtype=bool)
    )
    return people, pa.table({"sid": sids, **levels})
