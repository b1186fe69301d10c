"""The law that every source of the pipeline comes under, the shipped ones' and your own."""

from __future__ import annotations

from twinops import plugins
from twinops.data.own_sources.declared_law import legal_of
from twinops.entities.legal import LegalFacts
from twinops.own_params import NOTHING_OWN, OwnParams

SOURCES = "twinops.data.sources"


def law_of(own: OwnParams = NOTHING_OWN) -> dict[str, LegalFacts]:
    """Legal facts of every source of the pipeline: the shipped ones', with your own in their place."""
    return {name: plugins.load(SOURCES, name).LEGAL for name in plugins.names(SOURCES)} | legal_of(own)
