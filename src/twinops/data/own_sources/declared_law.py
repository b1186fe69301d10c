"""The legal facts of declared sources; whoever only asks for them depends on no reader of files."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

from twinops.entities.consent import LegalBasis
from twinops.entities.legal import DataSheet, LegalFacts
from twinops.own_kinds import BESIDE, staged_as
from twinops.own_params import OwnParams, OwnSource
from twinops.own_sections import OPEN

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
        columns={c: tuple(facts.purposes[BESIDE.get(c, c)]) for c in (*said.entering, *said.beside)},
        retention_days=None if facts.retention_days == OPEN else int(facts.retention_days),
        notice=facts.notice,
        synthetic=facts.synthetic,
        personal_data=facts.personal_data,
        sheet=_sheet(said),
        demo=False,
    )


def _sheet(said: OwnSource) -> DataSheet:
    """Whom the data are about, as far as that is declared, and what was rounded away of amounts."""
    facts, plain = said.legal, DataSheet()
    if said.money is not None and said.money.rounded_to is not None:
        cut = f"Every amount is rounded to hundredths of {said.money.currency}, as was declared."
        plain = replace(plain, caveats=(*plain.caveats, cut))
    where = f" in {facts.country}" if facts.country else ""
    return replace(plain, name=facts.dataset or plain.name, people=f"{plain.people}{where}")


def law_on(own: OwnParams, source: ModuleType) -> LegalFacts:
    """Legal facts of one source of the pipeline: the shipped one's, or your own in its place."""
    shipped: LegalFacts = source.LEGAL
    return legal_of(own).get(source.__name__.rpartition(".")[2], shipped)


def legal_of(own: OwnParams) -> dict[str, LegalFacts]:
    """Legal facts of the declared sources, by the name of the pipeline's source whose place they take."""
    found: dict[str, LegalFacts] = {}
    for said in sorted(own.root.values(), key=lambda s: not s.form.personal):
        if said.form.sealed:
            name, facts = staged_as(said.kind), legal(said)
            found[name] = _both(found[name], facts, personal=said.form.personal) if name in found else facts
    return found


def _both(one: LegalFacts, other: LegalFacts, *, personal: bool) -> LegalFacts:
    """What holds of a table made of two sources: the first one's facts, but every column, and the shorter period.

    Of a second one that tells of nobody only its columns count.
    """
    columns = {c: one.columns.get(c, other.columns.get(c, ())) for c in (*one.columns, *other.columns)}
    if not personal:
        return replace(one, columns=columns)
    days = [d for d in (one.retention_days, other.retention_days) if d is not None]
    bases = {**other.bases, **one.bases}
    # what nobody said of one of them, nobody said of both
    bases |= {p: LegalBasis.OPEN for p, b in other.bases.items() if b is LegalBasis.OPEN}
    made_up = one.synthetic and other.synthetic
    return replace(one, columns=columns, bases=bases, retention_days=min(days, default=None), synthetic=made_up)
