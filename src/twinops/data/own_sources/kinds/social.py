"""Posts, shares and likes out of the exports people ask of a platform (GDPR art. 20), or a table of the same."""

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
FORM = Form(
    staged_as="social_posts",
    columns={
        "household_id": "identity",
        "account": "handle",
        "event_id": "identity",
        "verb": "word",
        "time": "moment",
        "brand": "count",
        "reply": "count",
        "text": "text",
    },
    needed=("time",),
    fields=frozenset({"language", "brand"}),
    serves=TWIN,
    or_else="account",
    event="post",
    many=True,
    archives=True,
)
SCHEMA = Schema(
    (
        Column("household_id", "text"),
        Column("event_id", "text"),
        Column("verb", "text", allowed=VERBS),
        Column("time", "time", *CREDIBLE),
        *(Column(c, "whole", 0, 1) for c in ("brand", "reply")),
        Column("text", "text", nullable=True),
    ),
    key=("event_id",),
)


def schema(_said: OwnSource) -> Schema:
    """The same whatever is declared."""
    return SCHEMA


def sealed(rows: pa.Table) -> pa.Table:
    """The shipped posts' columns: signals in place of texts."""
    told = {c: rows[c] for c in ("household_id", "event_id", "verb")}
    told |= {"day": local_day(rows["time"])} | {c: rows[c] for c in ("brand", "reply", "text")}
    return scored_text.scored(in_total_order(pa.table(told)).replace_schema_metadata(rows.schema.metadata), KEEP_TEXT)
