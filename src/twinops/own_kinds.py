"""What a kind of source holds: each says it in its own module on a shelf, and every kind is one file there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from twinops import plugins
from twinops.entities.consent import Purpose

KINDS = "twinops.data.own_sources.kinds"
RETURNS_OF = "returns_of"
"""The receipt on which was bought what a line brings back."""
REPLACES = "replaces"
"""The customer number that a row's own number replaced: both are one subject's."""
CHANNEL = "channel"
"""The column of ours that says by which channel an answer holds."""
ANSWER = {"purpose": "which purpose", "event": "what was said"}
"""Columns that a table with a column a purpose is turned into: a row an answer."""
BESIDE = {"born": "birth_year"}
"""Columns that are read from the file's column of another one; no declaration maps them."""


@dataclass(frozen=True)
class Form:
    """What a kind of source holds; each says it in its own module on the shelf `KINDS`.

    `columns` maps ours to how a cell is read (see `mapping`), `staged_as` is the source of the pipeline whose place it
    takes. With `answers`, columns of any other name are its people's answers, kept as they stand.
    """

    staged_as: str
    columns: Mapping[str, str]
    needed: tuple[str, ...]
    answers: bool = False
    fields: frozenset[str] = frozenset()
    """Fields of the declaration that this kind alone has."""
    serves: frozenset[Purpose] = frozenset(Purpose)
    lists: bool = False
    """Whoever stands in it said the same thing: it is turned into a ledger, as a table with a column a purpose is."""
    many: bool = False
    """There may be more than one source of it."""
    personal: bool = True
    """Its rows are about people: GDPR asks for a basis, a notice and a period."""
    or_else: str | None = None
    """The column of accounts that tells whose a row is, where it names no customer."""
    event: str | None = None
    """What an event is called in its number; the kind's rows are events."""
    once: bool = False
    """Of rows about one subject the first counts; the others are left out, not refused."""
    settled_by: Mapping[str, str] = field(default_factory=dict)
    """Columns that say which lines stand and whose they are, before rows are made; rows do not keep them."""
    archives: bool = False
    """It can be read out of the exports that people ask of a platform."""
    sealed: bool = True
    """It is collected as a source of the pipeline is; else it lies in the open, beside them."""

    @property
    def people(self) -> str | None:
        """The column that tells people apart."""
        return next((c for c in (*self.needed, *self.columns) if self.columns.get(c) in ("identity", "handle")), None)

    def moments(self, among: Iterable[str]) -> bool:
        """Some of these columns hold moments."""
        return any(self.columns.get(c) in ("moment", "until") for c in among)


def form(kind: str) -> Form:
    """What a kind of source holds.

    Raises:
        ParamsError: there is no such kind.
    """
    found: Form = plugins.load(KINDS, kind).FORM
    return found


def staged_as(kind: str) -> str:
    """The source of the pipeline whose place a kind takes."""
    return form(kind).staged_as
