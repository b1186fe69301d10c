"""The legal facts of declared sources; whoever only asks for them depends on no reader of files."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

from twinops.entities.legal import DataSheet, LegalFacts
from twinops.own_params import OPEN, OwnLegal, OwnParams, OwnSource, staged_as

WHOLE = "all"
"""The batch of a source that is not collected by the month."""


def legal(said: OwnSource) -> LegalFacts:
    """The declared legal facts; own data are never demo data."""
    facts = said.legal
    return LegalFacts(
        controller=facts.controller,
        provenance=facts.provenance,
        collected_from=facts.collected_from,
        bases=facts.acted_on,
        columns={ours: tuple(facts.purposes[ours]) for ours in said.entering},
        retention_days=None if facts.retention_days == OPEN else int(facts.retention_days),
        notice=facts.notice,
        synthetic=facts.synthetic,
        personal_data=facts.personal_data,
        sheet=_sheet(facts),
        demo=False,
    )


def _sheet(facts: OwnLegal) -> DataSheet:
    """Whom the data are about, as far as that is declared."""
    plain = DataSheet()
    where = f" in {facts.country}" if facts.country else ""
    return replace(plain, name=facts.dataset or plain.name, people=f"{plain.people}{where}")


def law_on(own: OwnParams, source: ModuleType) -> LegalFacts:
    """Legal facts of one source of the pipeline: the shipped one's, or your own in its place."""
    shipped: LegalFacts = source.LEGAL
    return legal_of(own).get(source.__name__.rpartition(".")[2], shipped)


def legal_of(own: OwnParams) -> dict[str, LegalFacts]:
    """Legal facts of the declared sources, by the name of the pipeline's source whose place they take."""
    return {staged_as(said.kind): legal(said) for said in own.root.values()}
