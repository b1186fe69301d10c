"""How segments may be cut: by behaviour only, at the shop's own quartiles where a rhythm or an amount is cut.

What is often in one shop is seldom in another, so edges of activity, recency and value follow from the people the model
was made from, and were written down with it; shares are cut at fixed ones.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa

from twinops.entities.wording import MONEY
from twinops.twin.model.predictions import Predictions
from twinops.twin.state.terms import columns
from twinops.twin.support.support import Support


@dataclass(frozen=True)
class Cut:
    """One way to cut: a name per interval between the edges, and what is cut."""

    names: tuple[str, ...]
    edges: tuple[float, ...]
    of: Callable[[pa.Table, Predictions], np.ndarray]


FIXED: Mapping[str, Cut] = {
    "discounts": Cut(
        ("saves under 10 %", "saves 10 to 20 %", "saves 20 to 30 %", "saves 30 % and more"),
        (0.1, 0.2, 0.3),
        lambda table, _expected: _column(table, "saved_share_h3"),
    ),
    "weekend": Cut(
        ("weekdays mostly", "mixed", "weekends mostly"),
        (0.2, 0.5),
        lambda table, _expected: _column(table, "weekend_share_h3"),
    ),
}


def cuts(support: Support | None) -> Mapping[str, Cut]:
    """Every way to cut; without support, or where all are alike, a rhythm or an amount parts nobody."""
    none: tuple[float, ...] = ()
    activity, recency, value = (
        (none, none, none) if support is None else (support.activity_edges, support.recency_edges, support.value_edges)
    )
    return {
        "activity": Cut(_activity(activity), activity, lambda _table, expected: expected.baskets),
        "recency": Cut(_recency(recency), recency, lambda table, _expected: _column(table, "recency_days")),
        **FIXED,
        "value": Cut(_value(value), value, _worth),
    }


def _activity(edges: Sequence[float]) -> tuple[str, ...]:
    if not edges:
        return ("any number of baskets expected",)
    told = [f"{e:g}" for e in edges]
    between = (f"{low} to {high} baskets" for low, high in pairwise(told))
    return (f"under {told[0]} baskets expected", *between, f"{told[-1]} baskets and more")


def _recency(edges: Sequence[float]) -> tuple[str, ...]:
    """Edges are the first days that are no more within.

    >>> _recency((6.0, 13.0, 30.0))
    ('bought within 5 days', '6 to 12 days ago', '13 to 29 days ago', '30 days ago or longer')
    """
    if not edges:
        return ("bought on any day",)
    days = [int(e) for e in edges]
    first = "bought on the last day" if days[0] == 1 else f"bought within {days[0] - 1} days"
    between = (f"{low} to {high - 1} days ago" if high - low > 1 else f"{low} days ago" for low, high in pairwise(days))
    return (first, *between, f"{days[-1]} days ago or longer")


def _value(edges: Sequence[float]) -> tuple[str, ...]:
    if not edges:
        return ("any value a basket",)
    told = [f"{e:,.0f}" if e >= 10 else f"{e:g}" for e in edges]
    between = (f"{low} to {high} {MONEY}" for low, high in pairwise(told))
    return (f"under {told[0]} {MONEY} a basket", *between, f"{told[-1]} {MONEY} and more")


def _worth(table: pa.Table, _expected: Predictions) -> np.ndarray:
    return np.asarray(_column(table, "cents_total") / 100 / _column(table, "baskets_total"))


def _column(table: pa.Table, name: str) -> np.ndarray:
    return columns(table, (name,))[name]
