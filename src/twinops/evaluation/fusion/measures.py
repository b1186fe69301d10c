"""How far fusion can be trusted: hide what is known, let it be borrowed, and compare; beside drawing at random and hot
deck.

Levels after Rässler 2002 (doi:10.1007/978-1-4613-0053-3): marginal distribution, joint distribution, single values.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from twinops.data.fusion.predictive_mean_matching import MatchGroup, Shared, groups, match
from twinops.entities import shown
from twinops.entities.findings import Findings
from twinops.entities.measure import Measure
from twinops.entities.shown import Section
from twinops.entities.wording import MANY
from twinops.evaluation.statistics.bootstrap import TAILS
from twinops.evaluation.statistics.estimate import Estimate

SHOWN = shown.measures(
    {
        "fusion_individual_accuracy": f"A known variable, hidden and borrowed back: {MANY} whose class is met",
        "fusion_individual_accuracy.random": "The same, borrowing from anybody",
        "fusion_joint_tv": "The same variable with those it was matched on: total variation distance, 0 is alike",
    },
    section=Section.FUSION,
)

METHOD = "random halves: one gives, the other borrows; percentiles over the halvings"


@dataclass(frozen=True)
class Hidden:
    """The hidden known variable with its codes; what is matched on; a number the fusion never sees; the data's name."""

    name: str
    codes: tuple[str, ...]
    shared: tuple[Shared, ...]
    unseen: str
    source: str


@dataclass(frozen=True)
class Halvings:
    """How many halvings, among how many nearest donors, and the seed."""

    halvings: int
    donors: int
    seed: int


class Halves(NamedTuple):
    """Who borrows and who gives."""

    ours: pa.Table
    theirs: pa.Table


Borrow = Callable[[MatchGroup, np.ndarray, int, np.random.Generator], np.ndarray]


def at_random(group: MatchGroup, _: np.ndarray, __: int, rng: np.random.Generator) -> np.ndarray:
    """Any donor."""
    return group.donors[rng.integers(0, len(group.donors), len(group.recipients))]


def hot_deck(group: MatchGroup, _: np.ndarray, __: int, rng: np.random.Generator) -> np.ndarray:
    """The donor whose shared variables are nearest, a tie by lot."""
    from scipy.spatial import cKDTree

    spread = np.maximum(group.donor_x.std(axis=0), 1e-9)
    order: np.ndarray = rng.permutation(len(group.donors))
    _, nearest = cKDTree(np.round(group.donor_x[order] / spread, 6)).query(np.round(group.recipient_x / spread, 6), k=1)
    return np.asarray(group.donors[order[nearest]])


def _matched(group: MatchGroup, answers: np.ndarray, near: int, rng: np.random.Generator) -> np.ndarray:
    return match(group, answers, near=near, rng=rng)


WAYS: Mapping[str, Borrow] = {"": _matched, ".random": at_random, ".hot_deck": hot_deck}


def by_hiding(table: pa.Table, hidden: Hidden, params: Halvings) -> Findings:
    """Fidelity of one hidden variable at three levels, for predictive mean matching and the two baselines on the same
    halves.

    `fusion_marginal_tv`, `fusion_joint_tv`: total variation distance of the hidden variable alone, and with each shared
    variable; `fusion_individual_accuracy`: share of persons whose class is met; `fusion_correlation_error`: with a
    number that was not matched on. `fusion_..._gain.<baseline>`: how much better than the baseline on the same halves;
    above 0 is better.
    """
    known = table.filter(table[hidden.name].is_valid())
    rng = np.random.default_rng(params.seed)
    figures: dict[str, list[float]] = {}
    borrowed_by = 0
    for _ in range(params.halvings):
        order = rng.permutation(known.num_rows)
        halves = Halves(known.take(np.sort(order[: len(order) // 2])), known.take(np.sort(order[len(order) // 2 :])))
        for suffix, way in WAYS.items():
            for name, value in _fidelity(halves, hidden, way, params.donors, rng).items():
                figures.setdefault(name + suffix, []).append(value)
        borrowed_by = halves.ours.num_rows
    for baseline in ("random", "hot_deck"):
        accuracy, joint = (
            np.subtract(figures[n], figures[f"{n}.{baseline}"])
            for n in ("fusion_individual_accuracy", "fusion_joint_tv")
        )
        figures |= {
            f"fusion_individual_gain.{baseline}": accuracy.tolist(),
            f"fusion_joint_gain.{baseline}": (-joint).tolist(),
        }
    made = tuple(_measure(name, values, borrowed_by, hidden, params) for name, values in figures.items())
    return Findings(made, shown=SHOWN)


def _fidelity(halves: Halves, hidden: Hidden, way: Borrow, near: int, rng: np.random.Generator) -> dict[str, float]:
    """One halving, one way."""
    ours, theirs = halves
    place = {code: i for i, code in enumerate(hidden.codes)}
    given = np.array([place[v] for v in theirs[hidden.name].to_pylist()], dtype=float)[:, None]
    true = np.array([place[v] for v in ours[hidden.name].to_pylist()])
    said = np.full(len(true), -1)
    for group in groups(theirs, ours, hidden.shared):
        said[group.recipients] = given[way(group, given, near, rng), 0]
    there = said >= 0
    true, said, ours = true[there], said[there].astype(int), ours.filter(pa.array(there))
    size = len(hidden.codes)
    with_shared = [_distance(_joint(c, true, size), _joint(c, said, size)) for c in _coded(ours, hidden.shared)]
    y = ours[hidden.unseen].to_numpy().astype(float)
    return {
        "fusion_marginal_tv": _distance(np.bincount(true, minlength=size), np.bincount(said, minlength=size)),
        "fusion_joint_tv": float(np.mean(with_shared)),
        "fusion_individual_accuracy": float((true == said).mean()),
        "fusion_correlation_error": _correlation(said, y) - _correlation(true, y),
    }


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """What does not vary goes with nothing."""
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 0 and b.std() > 0 else 0.0


def _coded(table: pa.Table, shared: Sequence[Shared]) -> list[np.ndarray]:
    """Shared variables as code numbers; numbers in fifths, the unknown as a code of its own."""
    out = []
    for variable in shared:
        if variable.codes:
            place = {code: i + 1 for i, code in enumerate(variable.codes)}
            out.append(np.array([place.get(v, 0) for v in table[variable.name].to_pylist()]))
        else:
            values = table[variable.name].to_numpy().astype(float)
            out.append(np.searchsorted(np.quantile(values, [0.2, 0.4, 0.6, 0.8]), values))
    return out


def _joint(codes: np.ndarray, classes: np.ndarray, size: int) -> np.ndarray:
    """Counts of every pair of code and class."""
    return np.bincount(codes * size + classes, minlength=(int(codes.max()) + 1) * size)


def _distance(one: np.ndarray, other: np.ndarray) -> float:
    """Total variation distance of two tables of counts."""
    return float(np.abs(one / one.sum() - other / other.sum()).sum() / 2)


def _measure(name: str, values: Sequence[float], n: int, hidden: Hidden, params: Halvings) -> Measure:
    found = Estimate.around(float(np.mean(values)), *(float(v) for v in np.quantile(values, TAILS)))
    return found.measure(name, n, f"{hidden.source}; hidden: {hidden.name}", METHOD, seed=params.seed)
