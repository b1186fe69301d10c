"""Predictive mean matching: every recipient borrows the answers of a donor whom the shared variables make alike.

Rubin 1986 (doi:10.1080/07350015.1986.10509497); Rässler 2002, Statistical Matching (doi:10.1007/978-1-4613-0053-3).
Answers are borrowed, never computed: only what somebody said can come out. All scales come from one donor, so how they
go together is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from twinops.data.threads import one_thread

_RIDGE = 1.0
_SPREAD = 1e-9


@dataclass(frozen=True)
class Shared:
    """A variable both sides have: coded answers with their code-book, or else a number, used as its logarithm."""

    name: str
    codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class MatchGroup:
    """Recipients who know the same shared variables, and the donors who know them too, as rows of numbers."""

    known: tuple[str, ...]
    recipients: np.ndarray
    donors: np.ndarray
    recipient_x: np.ndarray
    donor_x: np.ndarray


def groups(donors: pa.Table, recipients: pa.Table, shared: Sequence[Shared]) -> Iterator[MatchGroup]:
    """Recipients by what is known of them. Where nothing shared is known, or nobody could give, there is no group.

    Raises:
        KeyError: a table lacks a shared column.
    """
    known = np.stack([recipients[v.name].is_valid().to_numpy() for v in shared], axis=1)
    given = np.stack([donors[v.name].is_valid().to_numpy() for v in shared], axis=1)
    for pattern in np.unique(known, axis=0):
        there = [v for v, k in zip(shared, pattern, strict=True) if k]
        who, from_whom = np.flatnonzero((known == pattern).all(axis=1)), np.flatnonzero(given[:, pattern].all(axis=1))
        # nobody who could give: better no answer than one from everybody
        if not there or len(from_whom) < 2:
            continue
        centre = _centre(donors.take(from_whom), there)
        yield MatchGroup(
            tuple(v.name for v in there),
            who,
            from_whom,
            _numbers(recipients.take(who), there, centre),
            _numbers(donors.take(from_whom), there, centre),
        )


def match(group: MatchGroup, answers: np.ndarray, *, near: int, rng: np.random.Generator) -> np.ndarray:
    """One draw: for every recipient of the group the row of its donor.

    Donors are resampled first (approximate Bayesian bootstrap, Rubin and Schenker 1986), so that draws differ by what
    the panel leaves open too; then one of the `near` donors with the nearest predicted answers is taken by lot.
    """
    from scipy.spatial import cKDTree

    # the approximate Bayesian bootstrap's first step: donors are resampled
    sample = np.sort(rng.integers(0, len(group.donors), len(group.donors)))
    weights, spread = regression(group.donor_x[sample], answers[group.donors[sample]])
    pool = np.unique(sample)
    tree = cKDTree(np.round(group.donor_x[pool] @ weights / spread, 6))
    near = min(near, len(pool))
    _, nearest = tree.query(np.round(group.recipient_x @ weights / spread, 6), k=near)
    chosen = nearest.reshape(len(group.recipients), near)[
        np.arange(len(group.recipients)), rng.integers(0, near, len(group.recipients))
    ]
    return np.asarray(group.donors[pool[chosen]])


def regression(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ridge weights of the answers on the shared variables, rounded, and the spread of what they leave unexplained."""
    with one_thread():
        penalty = _RIDGE * np.eye(x.shape[1])
        # the constant is not shrunk
        penalty[0, 0] = 0.0
        weights = np.round(np.linalg.solve(x.T @ x + penalty, x.T @ y), 6)
        return weights, np.maximum((y - x @ weights).std(axis=0), _SPREAD)


def _centre(table: pa.Table, shared: Sequence[Shared]) -> Mapping[str, tuple[float, float]]:
    """Mean and spread of the logarithms of the donors' numbers; both sides are measured by them."""
    logs = {v.name: _log(table, v.name) for v in shared if not v.codes}
    return {name: (float(values.mean()), max(float(values.std()), _SPREAD)) for name, values in logs.items()}


def _numbers(table: pa.Table, shared: Sequence[Shared], centre: Mapping[str, tuple[float, float]]) -> np.ndarray:
    """A constant; a column per code but the first; and for a number its standardised logarithm and that squared."""
    columns = [np.ones(table.num_rows)]
    for variable in shared:
        if variable.codes:
            values = np.array(table[variable.name].to_pylist(), dtype=object)
            columns += [(values == code).astype(float) for code in variable.codes[1:]]
        else:
            middle, spread = centre[variable.name]
            score = np.clip((_log(table, variable.name) - middle) / spread, -4, 4)
            columns += [score, score**2]
    return np.stack(columns, axis=1)


def _log(table: pa.Table, name: str) -> np.ndarray:
    return np.asarray(np.log1p(np.maximum(table[name].to_numpy().astype(float), 0.0)))
