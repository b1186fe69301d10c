"""Accounts in social media or a forum, with what tells whose they are; the first row of an account counts."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.days import CREDIBLE, local_day
from twinops.data.reading.reading import in_total_order
from twinops.data.schema import Column, Schema
from twinops.own_kinds import Form
from twinops.own_params import OwnSource
from twinops.own_sections import TWIN

DAY = "since"
CONTACT = ("handle", "display_name", "email", "city")
FORM = Form(
    staged_as="social_accounts",
    columns={"account": "handle", **dict.fromkeys(CONTACT, "contact"), "time": "moment"},
    needed=("account", "time"),
    fields=frozenset({"undated_from"}),
    serves=TWIN,
    once=True,
    many=True,
    archives=True,
)
SCHEMA = Schema(
    (
        Column("account", "text"),
        *(Column(c, "text", nullable=True) for c in CONTACT),
        Column("time", "time", *CREDIBLE),
    ),
    key=("account",),
    repeats=True,
)
"""Of rows about one the first is taken: the others are no mistake."""
SUBJECT = "account"


def schema(_said: OwnSource) -> Schema:
    """The same whatever is declared."""
    return SCHEMA


def sealed(rows: pa.Table) -> pa.Table:
    """The shipped accounts' columns; without a handle, what stands before the account's at sign."""
    bare = pc.replace_substring_regex(pc.utf8_ltrim(rows["account"], "@"), "@.*$", "")
    told = {"account": rows["account"], "handle": pc.coalesce(rows["handle"], bare)}
    told |= {c: rows[c] for c in CONTACT[1:]} | {"since": local_day(rows["time"])}
    return in_total_order(pa.table(told))
