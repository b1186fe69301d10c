"""Which values a segment's mean could have, whatever the dependence that no data show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twinops.data.fusion import frechet_bounds
from twinops.data.fusion.plan import HIGH
from twinops.data.fusion.predictive_mean_matching import MatchGroup, regression
from twinops.entities.measure import NORMAL_95
from twinops.params import FusionParams

CELLS = 10
Ends = tuple[str, int, str]


@dataclass(frozen=True)
class Cell:
    """Recipients whose predicted answer on a scale is alike, and what donors of that kind answered."""

    recipients: np.ndarray
    scale: int
    answers: np.ndarray


def open_ends(
    matched: Sequence[MatchGroup], answers: np.ndarray, member: np.ndarray, params: FusionParams
) -> dict[Ends, tuple[float, float]]:
    """Bounds per segment, number of the scale, and figure, widened by the doubt that resampled donors leave.

    `member` says of each recipient to which segment it belongs, or None.
    """
    rng = np.random.default_rng([params.seed, 1])
    found: dict[Ends, list[tuple[float, float]]] = {}
    # first the panel as it is, then resampled ones, whose spread is the doubt
    for lot in (None, *[rng] * params.draws):
        cells = [c for g in matched for c in _cells(g, answers, lot)]
        for segment in sorted({m for m in member if m is not None}):
            for scale in range(answers.shape[1]):
                for figure, ends in _ends([c for c in cells if c.scale == scale], member == segment).items():
                    found.setdefault((segment, scale, figure), []).append(ends)
    return {key: _widened(np.array(ends)) for key, ends in found.items()}


def _ends(cells: Sequence[Cell], belongs: np.ndarray) -> dict[str, tuple[float, float]]:
    """Bounds of both figures, from the cells of one scale."""
    share = np.array([belongs[c.recipients].mean() for c in cells])
    weight = np.array([len(c.recipients) for c in cells], dtype=float)
    high = [(c.answers >= HIGH).astype(float) for c in cells]
    return {
        "mean": frechet_bounds.mean_within(share, weight, [c.answers for c in cells]),
        "share_high": frechet_bounds.mean_within(share, weight, high),
    }


def _cells(group: MatchGroup, answers: np.ndarray, lot: np.random.Generator | None) -> list[Cell]:
    """Recipients and donors' answers in tenths of the predicted answer; donors as they are, or resampled by lot."""
    sample = (
        np.arange(len(group.donors)) if lot is None else np.sort(lot.integers(0, len(group.donors), len(group.donors)))
    )
    weights, _ = regression(group.donor_x[sample], answers[group.donors[sample]])
    out: list[Cell] = []
    for place in range(answers.shape[1]):
        ours, theirs = group.recipient_x @ weights[:, place], group.donor_x[sample] @ weights[:, place]
        edges = np.quantile(theirs, np.linspace(0, 1, min(CELLS, max(len(sample) // 20, 1)) + 1)[1:-1])
        cell_of, donor_cell = np.searchsorted(edges, ours), np.searchsorted(edges, theirs)
        out += [
            Cell(group.recipients[cell_of == c], place, answers[group.donors[sample[donor_cell == c]], place])
            for c in range(len(edges) + 1)
            if (cell_of == c).any() and (donor_cell == c).any()
        ]
    return out


def _widened(ends: np.ndarray) -> tuple[float, float]:
    """Bounds as estimated, moved outwards by 1.96 standard deviations over the resampled panels."""
    half = NORMAL_95 * ends[1:].std(axis=0, ddof=1) if len(ends) > 2 else np.zeros(2)
    return float(ends[0, 0] - half[0]), float(ends[0, 1] + half[1])
