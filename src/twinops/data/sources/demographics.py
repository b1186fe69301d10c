"""What some households said or were guessed to be. Having an answer at all tells who is active: never a feature."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from twinops.data import journey
from twinops.data.door import BatchRead, BatchRequest, enter
from twinops.data.schema import Column, Schema
from twinops.entities.consent import LegalBasis, Purpose
from twinops.entities.demographics import CODES
from twinops.entities.legal import LegalFacts
from twinops.ports import Engine

DAY = None
WHOLE = True
_ONLY_BIAS = (Purpose.BIAS_ASSESSMENT,)
MAY_BE_UNKNOWN = ("home_ownership", "marital_status")
_SQL = """
SELECT household_id, age, income, home_ownership, marital_status, household_size, household_comp, kids_count
FROM demographics_file
ORDER BY household_id, age, income, home_ownership, marital_status, household_size, household_comp, kids_count
"""

SCHEMA = Schema(
    (
        Column("household_id", "whole", 1, 10**15),
        *(Column(name, "text", allowed=levels, nullable=name in MAY_BE_UNKNOWN) for name, levels in CODES.items()),
    ),
    key=("household_id",),
)

LEGAL = LegalFacts(
    controller=journey.CONTROLLER,
    provenance=journey.PROVENANCE,
    collected_from="the household itself when it joined the loyalty card; partly imputed by the publisher",
    bases={Purpose.BIAS_ASSESSMENT: LegalBasis.CONSENT},
    columns=dict.fromkeys(SCHEMA.names, _ONLY_BIAS),
    retention_days=730,
    sheet=journey.SHEET,
    notice=journey.NOTICE,
    synthetic=False,
    personal_data="https://w3id.org/dpv/pd#Demographic",
)


def read(engine: Engine, asked: BatchRequest) -> BatchRead:
    """All households with an answer, one row each."""
    entered = enter(engine, asked, "demographics", SCHEMA.columns)
    return replace(entered, rows=engine.query(_SQL))


def sealed(rows: pa.Table) -> pa.Table:
    """Good rows as they are sealed: the same columns, as text."""
    return pa.table({"household_id": rows["household_id"], **{c: rows[c].cast(pa.string()) for c in SCHEMA.names[1:]}})
