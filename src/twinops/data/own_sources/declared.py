"""A declared source with its project around it, and what the pipeline takes in its place."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from twinops import plugins
from twinops.data.own_sources.declared_law import legal, legal_of
from twinops.data.schema import Schema
from twinops.entities.legal import LegalFacts
from twinops.errors import ParamsError
from twinops.own_kinds import staged_as
from twinops.own_params import OwnParams, OwnSource

KINDS = "twinops.data.own_sources.kinds"
"""Said here as well: whoever names a shelf is what `make deps` follows, and it does not follow parameters."""
MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


@dataclass(frozen=True)
class DeclaredSource:
    """One source of your own: its name, what `params.yaml` says of it, the project's folder and the most rows."""

    name: str
    said: OwnSource
    root: Path
    max_rows: int = 100_000_000
    knows: tuple[tuple[DeclaredSource, str], ...] = ()
    """Sources that say whose an address is, and their column of addresses."""

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
    SUBJECT: str = "household_id"

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
    said = own.root[name]
    knows = tuple((DeclaredSource(n, own.root[n], root, max_rows), theirs) for n, theirs in said.known_by.items())
    return DeclaredSource(name, said, root, max_rows, knows)


def shelf(said: OwnSource) -> DeclaredShelf:
    """Schema, day column, legal facts and sealing of a declared source, under the name of the source it replaces."""
    module = plugins.load(KINDS, said.kind)
    whose = getattr(module, "SUBJECT", "household_id")
    return DeclaredShelf(staged_as(said.kind), module.schema(said), module.DAY, legal(said), module.sealed, whose)


def staged(own: OwnParams, source: str) -> DeclaredShelf | None:
    """The same of all the declared sources that together take the place of one; None: there is none.

    Where they are joined, a row must be what it is afterwards.
    """
    names = own.all_staged_as(source)
    if not names:
        return None
    said = own.root[names[0]]
    whole = replace(shelf(said), LEGAL=legal_of(own).get(source, legal(said)))
    joined = getattr(plugins.load(KINDS, said.kind), "JOINED", None)
    return replace(whole, SCHEMA=joined) if joined else whole
