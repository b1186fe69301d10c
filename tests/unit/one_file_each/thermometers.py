"""Thermometers at home. Made up: the source of the conformance test."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from twinops.data.door import BatchRead, BatchRequest, enter
from twinops.data.schema import Column, Schema
from twinops.entities.consent import LegalBasis, Purpose
from twinops.entities.legal import LegalFacts
from twinops.ports import Engine

DAY = None
WHOLE = True
SCHEMA = Schema((Column("household_id", "whole", 1, 10**15), Column("degrees", "whole", -50, 60)))
LEGAL = LegalFacts(
    controller="Thermometer Makers (made up)",
    provenance="Invented readings of thermometers.",
    collected_from="the household itself, by its thermometer",
    bases={Purpose.TRAINING: LegalBasis.CONSENT},
    columns=dict.fromkeys(SCHEMA.names, (Purpose.TRAINING,)),
    retention_days=77,
    notice="Thermometer notice (made up)",
    synthetic=True,
    personal_data="https://w3id.org/dpv/pd#Behavioural",
)


def read(engine: Engine, asked: BatchRequest) -> BatchRead:
    """One row per household."""
    came = enter(engine, asked, "thermometers", SCHEMA.columns)
    return replace(came, rows=engine.query("SELECT household_id, degrees FROM thermometers_file ORDER BY household_id"))


def sealed(rows: pa.Table) -> pa.Table:
    """As they are."""
    return rows
