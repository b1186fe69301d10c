"""A consent ledger of your own. `seq` orders a day's events; where it is not mapped, time and place in the file do."""

from __future__ import annotations

import pyarrow as pa

from twinops.data.days import CREDIBLE, day_number
from twinops.data.own_sources.sorting import in_total_order
from twinops.data.schema import Column, Schema
from twinops.entities.consent import Event, LegalBasis, Purpose
from twinops.own_params import Form, OwnSource

DAY = "day"
FORM = Form(
    staged_as="consent",
    columns={
        "household_id": "identity",
        "purpose": "word",
        "event": "said",
        "basis": "word",
        "notice_version": "word",
        "time": "moment",
        "seq": "count",
    },
    needed=("household_id", "purpose", "event", "time"),
    fields=frozenset({"answers", "undated_from"}),
)
SCHEMA = Schema(
    (
        Column("household_id", "text"),
        Column("purpose", "text", allowed=tuple(Purpose)),
        Column("event", "text", allowed=tuple(Event)),
        Column("basis", "text", allowed=tuple(b for b in LegalBasis if b is not LegalBasis.OPEN)),
        Column("notice_version", "text"),
        Column("time", "time", *CREDIBLE),
        Column("seq", "whole", 0, 10**16),
    ),
    key=("household_id", "purpose", "time", "seq"),
)


def schema(_said: OwnSource) -> Schema:
    """The same whatever is declared."""
    return SCHEMA


def sealed(rows: pa.Table) -> pa.Table:
    """The shipped ledger's columns."""
    text = {c: rows[c] for c in ("purpose", "event", "basis", "notice_version")}
    return in_total_order(
        pa.table({"household_id": rows["household_id"], **text, "day": day_number(rows["time"]), "seq": rows["seq"]})
    )
