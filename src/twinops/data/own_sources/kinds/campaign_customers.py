"""Who got which campaign; what a row does not say of its campaign, the list of campaigns does."""

from __future__ import annotations

from dataclasses import replace

from twinops.data.own_sources.kinds import campaigns
from twinops.data.schema import Column, Schema
from twinops.own_kinds import Form
from twinops.own_params import OwnSource

DAY = campaigns.DAY
FORM = Form(
    staged_as="campaigns",
    columns={"household_id": "identity", "campaign_id": "code", **campaigns.TOLD},
    needed=("household_id", "campaign_id"),
    fields=frozenset({"only"}),
)
SCHEMA = Schema(
    (Column("household_id", "text"), campaigns.ID, *(replace(c, nullable=True) for c in campaigns.DESCRIBED)),
    key=("household_id", "campaign_id", "start_date"),
)
JOINED, joined, sealed = campaigns.JOINED, campaigns.joined, campaigns.sealed


def schema(_said: OwnSource) -> Schema:
    """The same whatever is declared."""
    return SCHEMA
