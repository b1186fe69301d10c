"""Many states at once after some days of silence, or one more basket: the same sums as `living`, on columns."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from twinops.twin.own_features._shelf import own_columns
from twinops.twin.state.features import BILLION, MILLION, SPEEDS, STATE, lapse_days
from twinops.twin.state.terms import columns


def silent(table: pa.Table, days: int, decay_days: tuple[int, int, int]) -> pa.Table:
    """Each row's state after so many days without a basket."""
    state = columns(table, STATE)
    tenure = state["tenure_days"] + days
    for speed, tau in zip(SPEEDS, decay_days, strict=True):
        kept = np.exp(-days / tau)
        state[f"baskets_{speed}"] *= kept
        state[f"cents_{speed}"] *= kept
        state[f"exposure_{speed}"] = BILLION * tau * (1 - np.exp(-tenure / tau))
    return pa.table({**state, "tenure_days": tenure, "recency_days": state["recency_days"] + days, **own(table)})


def with_basket(table: pa.Table, usd: float, decay_days: tuple[int, int, int]) -> pa.Table:
    """Each row's state on the morning after one more basket of so many USD, bought on the row's as-of day."""
    state = columns(silent(table, 1, decay_days), STATE)
    log_value = np.rint(MILLION * np.log1p(usd))
    for speed, tau in zip(SPEEDS, decay_days, strict=True):
        weight = BILLION * np.exp(-1 / tau)
        state[f"baskets_{speed}"] += weight
        state[f"cents_{speed}"] += weight * 100 * usd
    ended = np.maximum(state["recency_days"] - 1 - lapse_days(decay_days), 0)
    more = {"shopping_days": 1, "quiet_days": ended, "baskets_total": 1, "cents_total": 100 * usd,
            "log_value_sum": log_value, "log_value_squares": log_value**2}  # fmt: skip
    changed = {**state, **{k: state[k] + v for k, v in more.items()}, "recency_days": np.ones(table.num_rows)}
    return pa.table({**changed, **own(table)})


def own(table: pa.Table) -> dict[str, pa.ChunkedArray]:
    """The project's own features, held as they stand: what is imagined has no receipt lines to compute them from."""
    return {name: table[name] for name in own_columns(table.column_names)}
