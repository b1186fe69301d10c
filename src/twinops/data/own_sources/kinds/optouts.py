"""A list of who objected (GDPR art. 21): whoever stands in it is out of every purpose, or of the one it names."""

from __future__ import annotations

from twinops.data.own_sources.kinds import consent
from twinops.own_kinds import Form

DAY = consent.DAY
FORM = Form(
    staged_as="consent",
    columns=consent.FORM.columns,
    needed=("household_id",),
    fields=frozenset({"undated_from", "holding"}),
    lists=True,
    many=True,
)
SCHEMA = consent.SCHEMA
schema, sealed, joined = consent.schema, consent.sealed, consent.joined
