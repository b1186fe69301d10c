"""What people of a panel answered: of themselves, how they shop, and on scales of your own; any answer may be missing.

Mostly they are other people than your customers. Where a row names a customer, it is filed under that customer.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.days import CREDIBLE, local_day
from twinops.data.reading.reading import in_total_order
from twinops.data.schema import Column, Schema
from twinops.entities.consent import Purpose
from twinops.entities.demographics import CODES, SHOPPING, is_special
from twinops.errors import ParamsError
from twinops.own_kinds import Form
from twinops.own_params import OwnSource

DAY = "day"
SUBJECT = "panelist"
FORM = Form(
    staged_as="panelists",
    columns={
        "panelist": "identity",
        "household_id": "link",
        "wave": "until",
        **dict.fromkeys(CODES, "answer"),
        "birth_year": "year",
        **dict.fromkeys(SHOPPING, "figure"),
    },
    needed=("panelist",),
    fields=frozenset({"ages_in", "scales"}),
    serves=frozenset({Purpose.TRAINING}),
)


def schema(said: OwnSource) -> Schema:
    """The shipped questions, and the declared scales in whole points from 0 to 100.

    Raises:
        ParamsError: a scale holds, or stands for, a special category.
    """
    special = [name for name in said.scales if is_special(name)]
    if special:
        raise ParamsError(
            f"Special categories are never fused: {', '.join(special)} (GDPR art. 9(1); C-184/20).",
            hint="Take them out of `scales` and `columns`.",
        )
    return Schema(
        (
            Column("panelist", "text"),
            Column("household_id", "text", nullable=True),
            Column("wave", "time", *CREDIBLE, nullable=True),
            *(Column(name, "text", nullable=True) for name in CODES),
            *(Column(name, "whole", 0, 10**9, nullable=True) for name in SHOPPING),
            *(Column(name, "whole", 0, 100, nullable=True) for name in said.scales),
        ),
        key=("panelist",),
    )


def sealed(rows: pa.Table) -> pa.Table:
    """The shipped panel's columns and your scales; a linked panelist is the customer."""
    answers = [c for c in rows.column_names if c not in ("panelist", "household_id", "wave", "birth_year", "place")]
    who = pc.coalesce(rows["household_id"], rows["panelist"])
    wave = local_day(rows["wave"])
    return in_total_order(pa.table({"panelist": who, "day": wave, **{c: rows[c] for c in answers}}))
