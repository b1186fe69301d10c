"""Receipt lines, a month at a time."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa

from twinops.data import journey
from twinops.data.days import CREDIBLE, local_day
from twinops.data.door import BatchRead, BatchRequest, enter
from twinops.data.schema import Column, Schema
from twinops.errors import ParamsError
from twinops.plugins import text_beside
from twinops.ports import Engine

DAY = "day"
_MONEY = {
    "sales_value": "sales_cents",
    "retail_disc": "retail_discount_cents",
    "coupon_disc": "coupon_discount_cents",
    "coupon_match_disc": "coupon_match_discount_cents",
}

LEGAL = journey.RECEIPTS

# Counted in the shipped file: 11,226 lines have no value, 8,869 no quantity; fuel and miscellaneous items have units of
# their own, up to 89,638; no line has a negative amount. All of these are taken.
SCHEMA = Schema(
    (
        Column("household_id", "whole", 1, 10**15),
        Column("store_id", "whole", 1, 10**12),
        Column("basket_id", "whole", 1, 10**15),
        Column("product_id", "whole", 1, 10**15),
        Column("quantity", "whole", 0, 1_000_000),
        *(Column(dollars, "number", 0, 10_000) for dollars in _MONEY),
        Column("transaction_timestamp", "time", *CREDIBLE),
    )
)


def read(engine: Engine, asked: BatchRequest) -> BatchRead:
    """The lines of one month by the shops' own clock (America/New_York; the file's is UTC), in a total order.

    A line without a time belongs to no month: it is read with the file's first one, to be quarantined there.

    Raises:
        DataError: see `door.enter`.
        ParamsError: the batch is not a month.
    """
    month = _month(asked.batch)
    entered = enter(engine, asked, "transactions", SCHEMA.columns)
    engine.register("month", month)
    return replace(entered, rows=engine.query(text_beside(__package__, "transactions.sql")))


def days(engine: Engine, asked: BatchRequest) -> pa.Table:
    """Who bought on which day by the shops' own clock (`household_id, day`, each pair once), in the whole file.

    Raises:
        DataError: see `door.enter`.
    """
    enter(engine, asked, "transactions", SCHEMA.columns)
    return engine.query(_DAYS)


def _month(batch: str) -> pa.Table:
    """The one row of the table `month`; see `transactions.sql`."""
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", batch):
        raise ParamsError(f"{batch!r} is not a month.", hint="Say it as 2017-01.")
    begins = datetime.fromisoformat(f"{batch}-01")
    ends = (begins + timedelta(days=31)).replace(day=1)
    day = timedelta(days=1)
    return pa.table({"begins": [begins], "ends": [ends], "about_begins": [begins - day], "about_ends": [ends + day]})


def sealed(rows: pa.Table) -> pa.Table:
    """Good rows as they are sealed: local `day`, money in whole cents, discounts as positive amounts as in the file."""
    cents = {
        name: pa.array(np.rint(rows[dollars].to_numpy() * 100).astype(np.int64)) for dollars, name in _MONEY.items()
    }
    whole = {c: rows[c].cast(pa.int64()) for c in ("basket_id", "store_id", "product_id", "quantity")}
    return pa.table({"household_id": rows["household_id"], "day": local_day(rows["local_time"]), **whole, **cents})


_DAYS = """
SELECT DISTINCT
  household_id, CAST(transaction_timestamp AT TIME ZONE 'UTC' AT TIME ZONE 'America/New_York' AS DATE) AS day
FROM transactions_file
WHERE transaction_timestamp BETWEEN TIMESTAMP '1900-01-01' AND TIMESTAMP '2100-01-01'
"""
