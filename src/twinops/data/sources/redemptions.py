"""Which household redeemed which coupon of which campaign, and on which day."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from twinops.data import journey
from twinops.data.days import CREDIBLE, local_day
from twinops.data.door import BatchRead, BatchRequest, enter
from twinops.data.schema import Column, Schema
from twinops.entities.consent import LegalBasis, Purpose
from twinops.entities.legal import LegalFacts
from twinops.ports import Engine

DAY = "day"
WHOLE = True

SCHEMA = Schema(
    (
        Column("household_id", "whole", 1, 10**15),
        Column("coupon_upc", "whole", 1, 10**15),
        Column("campaign_id", "whole", 1, 10**9),
        Column("redemption_date", "time", *CREDIBLE),
    )
)

LEGAL = LegalFacts(
    controller=journey.CONTROLLER,
    provenance=journey.PROVENANCE,
    collected_from="the household itself, by its loyalty card at the till",
    bases=dict.fromkeys((Purpose.TRAINING, Purpose.SCORING, Purpose.OFFERS), LegalBasis.CONSENT),
    columns=dict.fromkeys(SCHEMA.names, (Purpose.TRAINING, Purpose.SCORING, Purpose.OFFERS)),
    retention_days=730,
    notice=journey.NOTICE,
    synthetic=False,
    personal_data="https://w3id.org/dpv/pd#Transactional",
)


def read(engine: Engine, asked: BatchRequest) -> BatchRead:
    """One row per redeemed coupon."""
    entered = enter(engine, asked, "coupon_redemptions", SCHEMA.columns)
    return replace(entered, rows=engine.query(_SQL))


def sealed(rows: pa.Table) -> pa.Table:
    """Good rows as they are sealed. The date is a calendar day as given: no time zone is applied."""
    whole = {c: rows[c].cast(pa.int64()) for c in ("coupon_upc", "campaign_id")}
    return pa.table({"household_id": rows["household_id"], **whole, "day": local_day(rows["redemption_date"])})


_SQL = """
SELECT household_id, coupon_upc, campaign_id, redemption_date FROM coupon_redemptions_file
ORDER BY household_id, redemption_date, coupon_upc, campaign_id
"""
