"""A declared source with its project around it, and what the pipeline takes in its place."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import pyarrow as pa

from twinops import plugins
from twinops.data.schema import Schema
from twinops.entities.legal import DataSheet, LegalFacts
from twinops.errors import ParamsError
from twinops.own_params import OPEN, OwnLegal, OwnParams, OwnSource, staged_as

KINDS = "twinops.data.own_sources.kinds"
"""Said here as well: whoever names a shelf is what `make deps` follows, and it does not follow parameters."""
MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
WHOLE = "all"
"""The batch of a source that is not collected by the month."""


@dataclass(frozen=True)
class DeclaredSource:
    """One source of your own: its name, what `params.yaml` says of it, the project's folder and the most rows."""

    name: str
    said: OwnSource
    root: Path
    max_rows: int = 100_000_000

    @property
    def where(self) -> str:
        """For messages."""
        return f"own.{self.name}"


@dataclass(frozen=True)
class DeclaredShelf:
    """What a source module promises (see `twinops.data.sources`), for a declared source."""

    name: str
    SCHEMA: Schema
    DAY: str | None
    LEGAL: LegalFacts
    sealed: Callable[[pa.Table], pa.Table]

    @property
    def __name__(self) -> str:
        """As a module has it."""
        return self.name


def declared(own: OwnParams, name: str, *, root: Path, max_rows: int) -> DeclaredSource:
    """The declared source of this name.

    Raises:
        ParamsError: there is none.
    """
    if name not in own.root:
        known = ", ".join(own.root) or "none yet"
        raise ParamsError(f"No source of your own is called {name!r}.", hint=f"Declared in params.yaml, own: {known}.")
    return DeclaredSource(name, own.root[name], root, max_rows)


def shelf(said: OwnSource) -> DeclaredShelf:
    """Schema, day column, legal facts and sealing of a declared source, under the name of the source it replaces."""
    module = plugins.load(KINDS, said.kind)
    return DeclaredShelf(staged_as(said.kind), module.schema(said), module.DAY, legal(said), module.sealed)


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
