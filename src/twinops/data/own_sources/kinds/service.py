"""Cases of your customer service: who asked what and when, whether it is closed, and how it ended."""

from __future__ import annotations

import pyarrow as pa

from twinops.data.days import CREDIBLE, local_day
from twinops.data.reading import scored_text
from twinops.data.reading.reading import in_total_order
from twinops.data.schema import Column, Schema
from twinops.entities.consent import Purpose
from twinops.own_kinds import Form
from twinops.own_params import OwnSource
from twinops.own_sections import TWIN

DAY = "opened"
KEEP_TEXT: tuple[Purpose, ...] = ()
"""Purposes that allow keeping the words themselves after scoring; none does, so they are not sealed."""
ANSWERS = ("channel", "category", "outcome", "satisfaction")
"""Kept as they stand."""
SOURCE = "care_cases"
FORM = Form(
    staged_as=SOURCE,
    columns={
        "household_id": "identity",
        "account": "handle",
        "event_id": "identity",
        "time": "moment",
        "closed": "until",
        **dict.fromkeys(ANSWERS, "answer"),
        "text": "text",
    },
    needed=("time",),
    fields=frozenset({"language", "requests"}),
    serves=TWIN,
    or_else="account",
    event="case",
    many=True,
)
SCHEMA = Schema(
    (
        Column("household_id", "text"),
        Column("event_id", "text"),
        Column("time", "time", *CREDIBLE),
        Column("closed", "time", *CREDIBLE, nullable=True),
        *(Column(c, "text", nullable=True) for c in (*ANSWERS, "text")),
    ),
    key=("event_id",),
)


def schema(_said: OwnSource) -> Schema:
    """The same whatever is declared."""
    return SCHEMA


def sealed(rows: pa.Table) -> pa.Table:
    """The shipped cases' columns and how content people were: signals in place of texts."""
    told = {c: rows[c] for c in ("household_id", "event_id")}
    told |= {"opened": local_day(rows["time"]), "closed": local_day(rows["closed"])}
    told |= {c: rows[c] for c in (*ANSWERS, "text")}
    return scored_text.scored(in_total_order(pa.table(told)).replace_schema_metadata(rows.schema.metadata), KEEP_TEXT)
