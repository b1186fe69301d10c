"""What a panel of other people lets us guess about segments of ours: always inferred, always with its doubt.

Statistical matching (`matching`) in several draws, brought together by Rubin's rules. Nothing is said of a person, of
special categories, or of a small cell.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from twinops.data.fusion.panel_shift import shift
from twinops.data.fusion.plan import HIGH, Plan, SegmentColumn
from twinops.data.fusion.predictive_mean_matching import MatchGroup, groups, match
from twinops.data.fusion.segment_bounds import open_ends
from twinops.data.fusion.table import UnseenDoubt, figures_of, table
from twinops.errors import DataError
from twinops.params import FusionParams
from twinops.plugins import text_beside
from twinops.ports import Engine


def fuse(engine: Engine, donors: pa.Table, recipients: pa.Table, *, plan: Plan, params: FusionParams) -> pa.Table:
    """Scales per segment, a row per (variable, segment, scale, figure): `mean` in points, `share_high` from 0 to 1.

    `low` and `high`: 95 %, Rubin's rules over draws in each of which the donors were resampled, widened for
    panelists who may be other people in what was not matched on, see `fusion_shift`; `drawn_low`, `drawn_high`: without
    that. `bound_low`, `bound_high`: whatever the dependence given what was matched on, with the 95 % doubt of the panel
    and so widened; null where nothing is left open.

    Raises:
        DataError: nobody can give to anybody.
    """
    matched = list(groups(donors, recipients, plan.shared))
    if not matched:
        raise DataError(
            "No recipient shares a known variable with two donors.",
            hint="Check the shared variables and their code-books.",
        )
    answers = _answers(donors, plan.scales)
    # all draws share one stream, so that more draws begin with the same ones
    rng = np.random.default_rng(params.seed)
    drawn = [[match(g, answers, near=params.donors, rng=rng) for g in matched] for _ in range(params.draws)]
    _register(engine, matched, drawn, recipients, plan)
    engine.register("answers", _long_answers(answers, plan.scales))
    sums = engine.query(text_beside(__package__, "fusion.sql")).to_pylist()
    assumed = [s for s in plan.segments if not s.seen_through(plan.shared)]
    ends = {s.column: open_ends(matched, answers, _members(recipients, s), params) for s in assumed}
    return table(figures_of(sums), UnseenDoubt(ends, shift(matched, answers)), plan, params)


def _answers(donors: pa.Table, scales: Sequence[str]) -> np.ndarray:
    return np.stack([donors[s].to_numpy().astype(float) for s in scales], axis=1)


def _long_answers(answers: np.ndarray, scales: Sequence[str]) -> pa.Table:
    donor, scale = np.divmod(np.arange(answers.size), len(scales))
    return pa.table(
        {
            "donor": donor,
            "scale": pa.array([scales[i] for i in scale], pa.string()),
            "points": answers.reshape(-1).astype(np.int64),
        }
    )


def _register(
    engine: Engine,
    matched: Sequence[MatchGroup],
    drawn: Sequence[Sequence[np.ndarray]],
    recipients: pa.Table,
    plan: Plan,
) -> None:
    """The tables of `fusion.sql`, but for the answers."""
    who = np.concatenate([g.recipients for g in matched])
    borrowed = {
        "recipient": np.tile(who, len(drawn)),
        "draw": np.repeat(np.arange(len(drawn)), len(who)),
        "donor": np.concatenate([np.concatenate(d) for d in drawn]),
    }
    engine.register("borrowed", pa.table(borrowed))
    parts = [
        pa.table(
            {
                "recipient": np.arange(recipients.num_rows),
                "variable": pa.array([s.column] * recipients.num_rows, pa.string()),
                "segment": recipients[s.column].cast(pa.string()),
            }
        )
        for s in plan.segments
    ]
    members = pa.concat_tables(parts)
    engine.register("memberships", members.filter(members["segment"].is_valid()))
    engine.register("fusion_settings", pa.table({"high": pa.array([HIGH], pa.int64())}))


def _members(recipients: pa.Table, segment: SegmentColumn) -> np.ndarray:
    return np.array(recipients[segment.column].cast(pa.string()).to_pylist(), dtype=object)
