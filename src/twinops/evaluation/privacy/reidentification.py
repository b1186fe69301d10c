"""What a released table gives away: singling out, linking and inferring, each as attack, control and guess.

The method of Anonymeter (Giomi et al. 2023, doi:10.56553/popets-2023-0055) after the three criteria of WP29 opinion
05/2014: the same attack is run on households the release was made from and on households it never saw. What succeeds
against both is knowledge of the population; what succeeds only against the first is a leak:
risk = (attack - control) / (1 - control).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.entities.small_cells import SMALLEST_CELL
from twinops.entities.wording import MANY
from twinops.evaluation.statistics import wilson
from twinops.evaluation.statistics.estimate import Estimate

METHOD = (
    f"success against {MANY} in the release, less success against {MANY} that are not, over one less the latter "
    "(Anonymeter's method, doi:10.56553/popets-2023-0055); interval by propagating Wilson's"
)
WIDTHS = (2, 6)
"""A singling-out predicate speaks of two to five columns."""
BATCHES = 150
"""How often as many predicates as are wanted are drawn: most are true of nobody or of many in the release."""
TIE = 1e-9


@dataclass(frozen=True)
class Tables:
    """Codes, rows x columns: who the release was made from, who it never saw, and what is released.

    `released` may hold halves: an attacker takes the middle of a range. `sizes`: how many codes a column has;
    `secret`: the column that is inferred.
    """

    members: np.ndarray
    control: np.ndarray
    released: np.ndarray
    sizes: tuple[int, ...]
    secret: int


@dataclass(frozen=True)
class AttackRisk:
    """One attack: successes against members, against the control, and by guessing, each out of as many tries."""

    name: str
    attack: int
    control: int
    guess: int
    tries: int
    control_tries: int

    @property
    def value(self) -> Estimate:
        """Risk with its 95 % interval, 0 .. 1."""
        a, a_low, a_high = wilson.share(self.attack, self.tries)
        c, c_low, c_high = wilson.share(self.control, self.control_tries)
        risk = (a - c) / (1 - c) if c < 1 else 0.0
        spread = (((a_high - a_low) / 2) ** 2 + ((1 - a) / max(1 - c, TIE) * (c_high - c_low) / 2) ** 2) ** 0.5
        half = spread / max(1 - c, TIE)
        return Estimate(max(risk, 0.0), max(min(risk, 1.0) - half, 0.0), min(max(risk, 0.0) + half, 1.0))

    @property
    def informative(self) -> bool:
        """Whether the attack beats guessing at all: one that does not says nothing about safety."""
        return self.attack > self.guess


def attacks(tables: Tables, *, tries: int, seed: int) -> tuple[AttackRisk, ...]:
    """All three attacks, each with its own random numbers; none where fewer than ten are in the table or out of it."""
    if min(len(tables.members), len(tables.control), len(tables.released)) < SMALLEST_CELL:
        return ()
    seeds = np.random.SeedSequence(seed).spawn(3)
    return tuple(
        attack(tables, tries, np.random.default_rng(s))
        for attack, s in zip((singling_out, linkability, inference), seeds, strict=True)
    )


def singling_out(tables: Tables, tries: int, rng: np.random.Generator) -> AttackRisk:
    """Predicates true of exactly one row of the release: of how many households is each true?"""
    drawn = _predicates(tables, tables.released, tries, rng, alone=True)
    guessed = _predicates(tables, _anything(tables, rng), tries, rng, alone=False)
    hits = [int((_matches(people, drawn) == 1).sum()) for people in (tables.members, tables.control)]
    share_guessed = float((_matches(tables.members, guessed) == 1).mean())
    n = max(len(drawn.low), 1)
    return AttackRisk("singling_out_risk", hits[0], hits[1], round(share_guessed * n), n, n)


def linkability(tables: Tables, tries: int, rng: np.random.Generator) -> AttackRisk:
    """Two halves of a household's columns, each matched to its nearest row of the release: is it the same row?"""
    order = rng.permutation(len(tables.sizes))
    halves = order[: len(order) // 2], order[len(order) // 2 :]

    def linked(people: np.ndarray) -> int:
        one, other = (_nearest(people[:, h], tables.released[:, h], tables.sizes, h) for h in halves)
        return int((one & other).any(axis=1).sum())

    # members and strangers are attacked alike: what works on both is knowledge of the population (WP29 05/2014)
    members, control = (_some(people, tries, rng) for people in (tables.members, tables.control))
    sizes = [_nearest(members[:, h], tables.released[:, h], tables.sizes, h).sum(axis=1) for h in halves]
    by_chance = 1 - (1 - sizes[0] / len(tables.released)) ** sizes[1]
    by_guess = round(float(by_chance.sum()))
    return AttackRisk("linkability_risk", linked(members), linked(control), by_guess, len(members), len(control))


def inference(tables: Tables, tries: int, rng: np.random.Generator) -> AttackRisk:
    """All columns but one are known: does the nearest row of the release tell the last?"""
    aux = np.array([c for c in range(len(tables.sizes)) if c != tables.secret])

    def met(people: np.ndarray) -> int:
        near = _nearest(people[:, aux], tables.released[:, aux], tables.sizes, aux)
        # among rows equally near, the most frequent value is what an attacker would say
        said = [_mode(tables.released[rows, tables.secret]) for rows in near]
        return int((np.abs(np.array(said) - people[:, tables.secret]) < 0.5).sum())

    members, control = (_some(people, tries, rng) for people in (tables.members, tables.control))
    often = _mode(tables.released[:, tables.secret])
    by_guess = int((np.abs(members[:, tables.secret] - often) < 0.5).sum())
    return AttackRisk("inference_risk", met(members), met(control), by_guess, len(members), len(control))


def risk_findings(found: dict[str, tuple[AttackRisk, ...]], sources: dict[str, str], *, seed: int) -> Findings:
    """Measures `singling_out_risk`, `linkability_risk`, `inference_risk`; `.<table>` for every table but the first."""
    first = next(iter(found))
    measures, table = [], []
    for which, risks in found.items():
        for risk in risks:
            name, source = risk.name if which == first else f"{risk.name}.{which}", sources[which]
            measures.append(risk.value.measure(name, risk.tries, source, METHOD, unit_of_n="attacks", seed=seed))
            table.append(
                {
                    "table": which,
                    "attack": risk.name.removesuffix("_risk"),
                    "success": round(risk.attack / risk.tries, 4),
                    "control": round(risk.control / risk.control_tries, 4),
                    "guess": round(risk.guess / risk.tries, 4),
                    "tries": risk.tries,
                    "beats_guessing": risk.informative,
                }
            )
    return Findings(tuple(measures), (Fact("reidentification", table, Kind.MEASURED, "privacy: attacks on tables"),))


@dataclass(frozen=True)
class _Predicates:
    """Ranges of codes, predicates x columns; a column that a predicate does not speak of may hold anything."""

    low: np.ndarray
    high: np.ndarray

    def where(self, mask: np.ndarray) -> _Predicates:
        return _Predicates(self.low[mask], self.high[mask])


def _predicates(tables: Tables, rows: np.ndarray, tries: int, rng: np.random.Generator, *, alone: bool) -> _Predicates:
    """Ranges of a few columns around a row; `alone`: only such as are true of one row of the table they come from."""
    low, high = [], []
    for _ in range(BATCHES):
        batch = _batch(tables, rows, tries, rng)
        kept = batch.where(_matches(rows, batch) == 1) if alone else batch
        low.append(kept.low)
        high.append(kept.high)
        if sum(map(len, low)) >= tries:
            break
    return _Predicates(np.concatenate(low)[:tries], np.concatenate(high)[:tries])


def _batch(tables: Tables, rows: np.ndarray, size: int, rng: np.random.Generator) -> _Predicates:
    """As many predicates as `size`: of each column spoken of, this very code, or from it outwards."""
    columns = len(tables.sizes)
    value = rows[rng.integers(len(rows), size=size)]
    width = np.minimum(rng.integers(*WIDTHS, size=size), columns)
    spoken = rng.random((size, columns)).argsort(axis=1).argsort(axis=1) < width[:, None]
    exact = rng.random((size, columns)) < 0.5
    upper = value >= (np.array(tables.sizes) - 1) / 2
    low = np.where(spoken & (exact | upper), np.floor(value), -np.inf)
    high = np.where(spoken & (exact | ~upper), np.ceil(value), np.inf)
    return _Predicates(low, high)


def _matches(people: np.ndarray, predicates: _Predicates) -> np.ndarray:
    """Of how many of these people each predicate is true; a bit per person, since millions of pairs are asked for."""
    held = np.packbits(np.ones((1, len(people)), dtype=bool), axis=1)
    for column, low, high in zip(people.T, predicates.low.T, predicates.high.T, strict=True):
        values = np.unique(column)
        below = np.packbits(column < np.append(values, np.inf)[:, None], axis=1)
        first, last = np.searchsorted(values, low, side="left"), np.searchsorted(values, high, side="right")
        held = held & below[last] & ~below[first]
    return np.asarray(np.bitwise_count(held).sum(axis=1, dtype=np.int64))


def _anything(tables: Tables, rng: np.random.Generator) -> np.ndarray:
    """Rows that know the code-book and nothing else."""
    return np.column_stack([rng.integers(0, size, 1000) for size in tables.sizes]).astype(float)


def _some(people: np.ndarray, tries: int, rng: np.random.Generator) -> np.ndarray:
    return people[rng.permutation(len(people))[:tries]]


def _nearest(people: np.ndarray, released: np.ndarray, sizes: tuple[int, ...], columns: np.ndarray) -> np.ndarray:
    """People x released rows: which rows are nearest, by Gower's distance on bands (ties together)."""
    reach = np.array([max(sizes[c] - 1, 1) for c in columns])
    apart = sum(np.abs(people[:, None, i] / reach[i] - released[None, :, i] / reach[i]) for i in range(len(columns)))
    return np.asarray(apart <= np.min(apart, axis=1, keepdims=True) + TIE)


def _mode(values: np.ndarray) -> float:
    """The most frequent value, the lower of equals."""
    found, counts = np.unique(values, return_counts=True)
    return float(found[np.argmax(counts)])
