"""Campaigns of your own: what, of which kind, from when to when. Who got them is a list of its own, or none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.days import CREDIBLE, local_day
from twinops.data.own_sources.codes import HIGHEST
from twinops.data.own_sources.reading_result import OwnReading, numbered_apart
from twinops.data.reading.reading import in_total_order
from twinops.data.schema import Column, Schema
from twinops.own_kinds import Form
from twinops.own_params import OwnSource

DAY = "start_day"
DESCRIPTIONS = "campaigns_described"
"""Rows that tell of campaigns, and of nobody: they go into the rows of who got them."""
UNTYPED = "campaign"
"""The type of a campaign of which none is told."""
TOLD = {"campaign_type": "answer", "start_date": "moment", "end_date": "until"}
FORM = Form(
    staged_as="campaigns",
    columns={"campaign_id": "code", **TOLD},
    needed=("campaign_id", "start_date"),
    personal=False,
)
DESCRIBED = (
    Column("campaign_type", "text", nullable=True),
    Column("start_date", "time", *CREDIBLE),
    Column("end_date", "time", *CREDIBLE, nullable=True),
)
ID = Column("campaign_id", "whole", 1, HIGHEST)
SCHEMA = Schema((ID, *DESCRIBED), key=("campaign_id",))
JOINED = Schema((Column("household_id", "text"), ID, *DESCRIBED), key=("household_id", "campaign_id", "start_date"))
"""Of both lists together: a contact with a campaign that nobody described has no first day, and is quarantined."""


def schema(_said: OwnSource) -> Schema:
    """The same whatever is declared."""
    return SCHEMA


def joined(readings: Mapping[str, OwnReading]) -> OwnReading:
    """Who got which campaign, with what is told of it: by the contact itself, or else by the list of campaigns."""
    parts = list(readings.values())
    told, sent = readings.get("campaigns"), readings.get("campaign_customers")
    rows = JOINED_EMPTY if sent is None else sent.rows.replace_schema_metadata(None)
    if sent is not None and told is not None:
        rows = _described(rows, told.rows)
    described = Counter({DESCRIPTIONS: told.rows.num_rows} if told is not None and told.rows.num_rows else {})
    return OwnReading(
        rows.select(JOINED.names),
        sum(r.in_file for r in parts),
        tuple(dict.fromkeys(c for r in parts for c in r.dropped)),
        numbered_apart(parts),
        dict(sum((Counter(r.left_out) for r in parts), described)),
        lost=dict(sum((Counter(r.lost) for r in parts), Counter[str]())),
    )


JOINED_EMPTY = pa.table(
    {
        "household_id": pa.array([], pa.string()),
        "campaign_id": pa.array([], pa.int64()),
        "campaign_type": pa.array([], pa.string()),
        **{c: pa.array([], pa.timestamp("s")) for c in ("start_date", "end_date")},
    }
)


def _described(rows: pa.Table, told: pa.Table) -> pa.Table:
    """The same rows; what they do not say of their campaign, the list of campaigns does."""
    place = pc.index_in(rows["campaign_id"], told["campaign_id"].combine_chunks())
    for name in TOLD:
        own = pc.coalesce(rows[name], told[name].combine_chunks().take(place.combine_chunks()))
        rows = rows.set_column(rows.column_names.index(name), name, own)
    return rows


def sealed(rows: pa.Table) -> pa.Table:
    """The shipped campaigns' columns, one row per customer and campaign."""
    return in_total_order(
        pa.table(
            {
                "household_id": rows["household_id"],
                "campaign_id": rows["campaign_id"],
                "campaign_type": pc.fill_null(rows["campaign_type"], UNTYPED),
                "start_day": local_day(rows["start_date"]),
                "end_day": local_day(rows["end_date"]),
            }
        )
    )
