"""What your customers wrote when they registered: names, addresses and handles, to find their other records by."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.days import CREDIBLE, local_day
from twinops.data.reading.reading import in_total_order
from twinops.data.schema import Column, Schema
from twinops.own_kinds import REPLACES, Form
from twinops.own_params import OwnSource
from twinops.own_sections import TWIN

DAY = "registered"
CONTACT = ("name", "given", "surname", "street", "postcode", "city", "email", "phone", "handle")
FORM = Form(
    staged_as="registrations",
    columns={"household_id": "identity", **dict.fromkeys(CONTACT, "contact"), "time": "moment"},
    needed=("household_id", "time"),
    fields=frozenset({"undated_from"}),
    serves=TWIN,
    once=True,
    settled_by={REPLACES: "identity"},
)
SCHEMA = Schema(
    (
        Column("household_id", "text"),
        *(Column(c, "text", nullable=True) for c in CONTACT),
        Column("time", "time", *CREDIBLE),
    ),
    key=("household_id",),
    repeats=True,
)
"""Of rows about one the first is taken: the others are no mistake."""


def schema(_said: OwnSource) -> Schema:
    """The same whatever is declared."""
    return SCHEMA


def sealed(rows: pa.Table) -> pa.Table:
    """The shipped registrations' columns and the handle; a name in two fields is one."""
    both = (pc.fill_null(rows[c], "") for c in ("given", "surname"))
    whole = pc.utf8_trim_whitespace(pc.binary_join_element_wise(*both, " "))
    two = pc.if_else(pc.equal(whole, ""), pa.scalar(None, pa.string()), whole)
    told = {"household_id": rows["household_id"], "name": pc.coalesce(rows["name"], two)}
    told |= {c: rows[c] for c in ("street", "postcode", "city", "email", "phone", "handle")}
    return in_total_order(pa.table({**told, "registered": local_day(rows["time"])}))
