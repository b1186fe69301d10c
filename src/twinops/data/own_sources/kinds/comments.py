"""Comments under your own posts or in your own forum, a row each: by an account, or by a customer who is named."""

from __future__ import annotations

import pyarrow as pa

from twinops.data.days import CREDIBLE, local_day
from twinops.data.reading import scored_text
from twinops.data.reading.activitypub import VERBS
from twinops.data.reading.reading import in_total_order
from twinops.data.schema import Column, Schema
from twinops.entities.consent import Purpose
from twinops.own_kinds import Form
from twinops.own_params import OwnSource
from twinops.own_sections import TWIN

DAY = "day"
KEEP_TEXT: tuple[Purpose, ...] = ()
"""Purposes that allow keeping the words themselves after scoring; none does, so they are not sealed."""
COLUMNS = {
    "household_id": "identity",
    "account": "handle",
    "event_id": "identity",
    "time": "moment",
    "text": "text",
    "likes": "figure",
    "shares": "figure",
}
FORM = Form(
    staged_as="social_comments",
    columns=COLUMNS,
    needed=("time",),
    fields=frozenset({"language"}),
    serves=TWIN,
    or_else="account",
    event="comment",
    many=True,
)
SCHEMA = Schema(
    (
        Column("household_id", "text"),
        Column("event_id", "text"),
        Column("time", "time", *CREDIBLE),
        Column("text", "text", nullable=True),
        *(Column(c, "whole", 0, 10**9, nullable=True) for c in ("likes", "shares")),
    ),
    key=("event_id",),
)


def schema(_said: OwnSource) -> Schema:
    """The same whatever is declared."""
    return SCHEMA


def sealed(rows: pa.Table) -> pa.Table:
    """The shipped comments' columns and how many liked and shared them: signals in place of texts."""
    n = rows.num_rows
    told = {
        "household_id": rows["household_id"],
        "event_id": rows["event_id"],
        "verb": pa.array([VERBS[0]] * n, pa.string()),
        "day": local_day(rows["time"]),
        "brand": pa.array([1] * n, pa.int64()),
        "reply": pa.array([0] * n, pa.int64()),
        **{c: rows[c] for c in ("likes", "shares", "text")},
    }
    return scored_text.scored(in_total_order(pa.table(told)).replace_schema_metadata(rows.schema.metadata), KEEP_TEXT)
