"""Who redeemed a coupon of which campaign, and on which day."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from twinops.data.days import CREDIBLE, local_day
from twinops.data.own_sources.codes import HIGHEST
from twinops.data.reading.reading import in_total_order
from twinops.data.schema import Column, Schema
from twinops.own_kinds import Form
from twinops.own_params import OwnSource

DAY = "day"
FORM = Form(
    staged_as="redemptions",
    columns={"household_id": "identity", "coupon_upc": "code", "campaign_id": "code", "redemption_date": "moment"},
    needed=("household_id", "campaign_id", "redemption_date"),
    fields=frozenset({"repeated"}),
)
SCHEMA = Schema(
    (
        Column("household_id", "text"),
        Column("coupon_upc", "whole", 1, HIGHEST),
        Column("campaign_id", "whole", 1, HIGHEST),
        Column("redemption_date", "time", *CREDIBLE),
    )
)


def schema(said: OwnSource) -> Schema:
    """Without numbers of coupons two equal rows are two coupons, unless it was declared that they are one row twice."""
    return replace(SCHEMA, repeats="coupon_upc" not in said.entering and said.repeated != "drop")


def sealed(rows: pa.Table) -> pa.Table:
    """The shipped redemptions' columns."""
    codes = {c: rows[c] for c in ("coupon_upc", "campaign_id")}
    return in_total_order(
        pa.table({"household_id": rows["household_id"], **codes, "day": local_day(rows["redemption_date"])})
    )
