"""Profiles of your own: the shipped attributes or any others, answers kept as they stand; any may be missing."""

from __future__ import annotations

import pyarrow as pa

from twinops.data.reading.reading import in_total_order
from twinops.data.schema import Column, Schema
from twinops.entities.consent import Purpose
from twinops.entities.demographics import CODES
from twinops.own_kinds import REPLACES, Form
from twinops.own_params import OwnSource

DAY = None
FORM = Form(
    staged_as="demographics",
    columns={"household_id": "identity", **dict.fromkeys(CODES, "answer"), "birth_year": "year"},
    needed=("household_id",),
    answers=True,
    fields=frozenset({"ages_in"}),
    serves=frozenset({Purpose.BIAS_ASSESSMENT}),
    settled_by={REPLACES: "identity"},
)


def schema(said: OwnSource) -> Schema:
    """The shipped attributes, for those who ask for them, and your own; who is in it twice was in it once."""
    own = [c for c in said.ours if c not in ("household_id", "birth_year", *CODES)]
    answers = (Column(name, "text", nullable=True) for name in (*CODES, *own))
    return Schema((Column("household_id", "text"), *answers), key=("household_id",))


def sealed(rows: pa.Table) -> pa.Table:
    """The same columns, as text; a year of birth stays outside once it is a band of age."""
    return in_total_order(rows.select([c for c in rows.column_names if c not in ("place", "birth_year")]))
