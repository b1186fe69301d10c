"""What each customer would have answered in the panel: made up from demographics and shopping, for evaluation alone."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from twinops.demo import panel
from twinops.entities.demographics import CODES

DAYS = 365
"""The shopping is of one year."""


def panel_truth(shopping: pa.Table, demographics: pa.Table, *, seed: int) -> pa.Table:
    """`household_id` and the psychographic scales: a row per household of `shopping` (see `data.customers`).

    How keen on coupons a household is stands for what no panelist is asked.
    """
    known = {r["household_id"]: r for r in demographics.to_pylist()}
    rows = [known.get(i, {}) for i in shopping["household_id"].to_pylist()]
    said = pa.table({c: pa.array([r.get(c) for r in rows], pa.string()) for c in CODES})
    keen = np.log1p(100 * shopping["coupons"].to_numpy() / shopping["lines"].to_numpy())
    people = panel.households(
        said,
        np.rint(shopping["baskets"].to_numpy() * 28 / DAYS).astype(int),
        np.rint(shopping["spend"].to_numpy() * 28 / DAYS).astype(int),
        (keen - keen.mean()) / max(float(keen.std()), 1e-9),
    )
    return pa.table({"household_id": shopping["household_id"], **panel.true_answers(people, seed)})
