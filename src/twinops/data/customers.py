"""How much the households of the shipped files shop and what they said of themselves: demo data grow around it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.door import BatchRequest, enter
from twinops.data.schema import Column
from twinops.plugins import text_beside
from twinops.ports import Engine

_LINES = "SELECT household_id, sales_value FROM transactions_file WHERE household_id IS NOT NULL"


def shopping(engine: Engine, ids: Sequence[int]) -> pa.Table:
    """`household_id, baskets, spend, coupons, lines` of these households, in order; `transactions` are entered."""
    found = engine.query(text_beside(__package__, "customers.sql"))
    found = found.append_column("spend", pa.array(_spend(engine, found["household_id"].to_numpy())))
    return found.filter(pc.is_in(found["household_id"], pa.array(ids, pa.int64())))


def _spend(engine: Engine, ids: np.ndarray) -> np.ndarray:
    """What each household of `ids` (in order) spent; summed in whole cents, in whatever order."""
    lines = engine.query(_LINES)
    cents = np.rint(lines["sales_value"].to_numpy() * 100)
    place = np.searchsorted(ids, lines["household_id"].to_numpy())
    return np.bincount(place, weights=cents, minlength=len(ids)) / 100


def answers(engine: Engine, asked: BatchRequest) -> pa.Table:
    """The file of demographics as it is."""
    enter(engine, asked, "demographics", (Column("household_id", "whole"),))
    return engine.query("SELECT * FROM demographics_file ORDER BY household_id")
