"""Which household was in which mailing campaign, and when that ran."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from twinops.data import journey
from twinops.data.days import CREDIBLE, local_day
from twinops.data.door import BatchRead, BatchRequest, enter
from twinops.data.schema import Column, Schema
from twinops.entities.consent import LegalBasis, Purpose
from twinops.entities.legal import LegalFacts
from twinops.plugins import text_beside
from twinops.ports import Engine

DAY = "start_day"
WHOLE = True
_MEMBERS = (Column("household_id", "whole", 1, 10**15), Column("campaign_id", "whole", 1, 10**9))
_CAMPAIGNS = (
    Column("campaign_type", "text", allowed=("Type A", "Type B", "Type C")),
    Column("start_date", "time", *CREDIBLE),
    Column("end_date", "time", *CREDIBLE),
)
SCHEMA = Schema((*_MEMBERS, *_CAMPAIGNS))

LEGAL = LegalFacts(
    controller=journey.CONTROLLER,
    provenance=journey.PROVENANCE,
    collected_from="the controller's own mailings",
    bases=dict.fromkeys((Purpose.TRAINING, Purpose.SCORING, Purpose.OFFERS), LegalBasis.CONSENT),
    columns=dict.fromkeys(SCHEMA.names, (Purpose.TRAINING, Purpose.SCORING, Purpose.OFFERS)),
    retention_days=730,
    notice=journey.NOTICE,
    synthetic=False,
    personal_data="https://w3id.org/dpv/pd#Behavioural",
)


def read(engine: Engine, asked: BatchRequest) -> BatchRead:
    """One row per household and campaign, with the campaign's type and dates; a campaign nobody described has none."""
    members = enter(engine, asked, "campaigns", _MEMBERS)
    described = enter(engine, asked, "campaign_descriptions", (Column("campaign_id", "whole"), *_CAMPAIGNS))
    rows = engine.query(text_beside(__package__, "campaigns.sql"))
    return replace(members, rows=rows, dropped=members.dropped + described.dropped)


def sealed(rows: pa.Table) -> pa.Table:
    """Good rows as they are sealed. Dates are calendar days as given: no time zone is applied."""
    return pa.table(
        {
            "household_id": rows["household_id"],
            "campaign_id": rows["campaign_id"].cast(pa.int64()),
            "campaign_type": rows["campaign_type"].cast(pa.string()),
            "start_day": local_day(rows["start_date"]),
            "end_day": local_day(rows["end_date"]),
        }
    )
