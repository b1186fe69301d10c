"""A declaration in the making: what was chosen and why, what stands in its way, and its legal facts, never guessed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from shlex import quote
from typing import Any

from twinops.data.own_sources.files.cells import printable
from twinops.data.own_sources.proposing.sampling import Sampled, sampled
from twinops.entities.consent import Purpose
from twinops.errors import DataError, ParamsError, TwinopsError
from twinops.own_sections import OPEN

TWIN = (Purpose.TRAINING.value, Purpose.SCORING.value)


@dataclass(frozen=True)
class Said:
    """What the owner says; None: nothing. `columns` maps ours (or a purpose of the opt-ins) to theirs."""

    currency: str | None = None
    zone: str | None = None
    date: str | None = None
    controller: str | None = None
    basis: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)
    """`SOURCE.OURS:THEIRS` -> what that word of theirs means."""
    synthetic: bool = False
    texts_basis: str | None = None
    """On which basis what people wrote, and by what they are found again, may be read."""
    offers_basis: str | None = None
    groups_basis: str | None = None
    """On which profiles may be used to assess groups."""
    panel_basis: str | None = None
    collected_from: str | None = None
    notice: str | None = None
    retention_days: int | None = None
    discount: str | None = None
    discount_as: str | None = None
    """Whether discounts are off already, and how they are written: as `MoneyParams` says it."""
    uncounted: str | None = None
    """Words for kinds of rows that are no purchases, with commas between."""

    def of(self, source: str) -> dict[str, str]:
        """What was said of a source's columns: ours -> theirs."""
        pairs = ((*ours.partition("."), theirs) for ours, theirs in self.columns.items())
        return {column: theirs for name, _, column, theirs in pairs if name == source}

    def words_of(self, source: str) -> dict[str, dict[str, str]]:
        """What was said of a source's words: our column -> theirs -> what it means."""
        found: dict[str, dict[str, str]] = {}
        for place, means in self.codes.items():
            column, _, theirs = place.partition(":")
            name, _, ours = column.partition(".")
            if name == source:
                found.setdefault(ours, {})[theirs] = means
        if source == "sales" and self.uncounted:
            out = {w.strip(): "no" for w in self.uncounted.split(",") if w.strip()}
            found["counts"] = out | found.get("counts", {})
        return found


@dataclass(frozen=True)
class Trouble:
    """What is wrong with a file or an option, the file's columns, and options that mend it, ready for a shell.

    `mine`: a person's word is wrong, so that nothing goes on before it is mended.
    """

    file: str
    what: str
    columns: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    mine: bool = False

    def __str__(self) -> str:
        there = f" Its columns are {', '.join(map(printable, self.columns[:60]))}." if self.columns else ""
        return f"{self.file}: {self.what}{there}{f' Say {self.mend}' if self.options else ''}"

    @property
    def mend(self) -> str:
        """The options on one line."""
        return " ".join(self.options)


class Troubled(Exception):  # noqa: N818  (caught beside the file; all files' troubles are told together)
    """A file cannot be declared."""

    def __init__(self, *found: Trouble) -> None:
        super().__init__(*map(str, found))
        self.found = found


def refusal(found: Iterable[Trouble]) -> TwinopsError:
    """The error that tells all of them at once."""
    told = list(found)
    options = [o for t in told for o in t.options]
    hint = f"Add {' '.join(dict.fromkeys(options))}" if options else "Mend the files, or leave them out."
    error = ParamsError if all(t.mine for t in told) else DataError
    return error("\n".join(map(str, told)), hint=hint)


def column_option(source: str, ours: str, theirs: str) -> str:
    """How a column is said on the command line.

    >>> column_option("customers", "birth_year", "rok ur")
    "--column 'customers.birth_year=rok ur'"
    """
    return f"--column {quote(f'{source}.{ours}={theirs}')}"


def code_option(place: str, theirs: str, means: str) -> str:
    """How a word of theirs is said."""
    return f"--code {quote(f'{place}:{theirs}={means}')}"


@dataclass(frozen=True)
class Choice:
    """One thing that was decided: of which source, what, why, and how cells look that it was decided by."""

    source: str
    what: str
    value: str
    why: str
    sample: tuple[str, ...] = ()


@dataclass
class Draft:
    """A source in the making."""

    name: str
    file: Sampled
    columns: dict[str, str] = field(default_factory=dict)
    choices: list[Choice] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    """What only people can look after, and is open until they have."""
    money: dict[str, str] = field(default_factory=dict)
    """What was found of its discounts."""
    asks: list[str] = field(default_factory=list)
    """Fields of `Said` that nothing in the file decides."""
    unknown: dict[str, dict[str, float]] = field(default_factory=dict)
    """Of their columns that tell kinds of rows the words that nobody knows, with their shares."""
    currencies: dict[str, float] = field(default_factory=dict)
    """The currencies of amounts with their shares, where a column tells several."""
    known_by: dict[str, str] = field(default_factory=dict)
    """The source and its column that say whose the addresses are by which it names customers."""
    addresses: str | None = None
    """Their column of those, where it stands beside one of numbers."""
    answered: list[str] = field(default_factory=list)
    """Purposes that people were asked about, of opt-ins."""

    def called(self, name: str) -> None:
        """Give it another name, as there is one of this already."""
        self.name, self.choices = name, [replace(choice, source=name) for choice in self.choices]

    def take(self, ours: str, theirs: str, why: str) -> None:
        """Map a column."""
        self.columns[ours] = theirs
        self.choices.append(Choice(self.name, ours, printable(theirs), why, self.file.shapes(theirs)))

    @property
    def free(self) -> list[str]:
        """Columns that nothing was found for yet."""
        return [c for c in self.file.cells if c not in self.columns.values()]


def draft_of(name: str, path: Path) -> Draft:
    """Look at a file; nothing is mapped yet."""
    draft = Draft(name, sampled(path))
    draft.choices += [Choice(name, "file", path.name, " ".join(draft.file.why))]
    return draft


def must_exist(draft: Draft, ours: str, theirs: str) -> None:
    """Refuse a column that the file does not have.

    Raises:
        Troubled: it does not have it.
    """
    if theirs in draft.file.cells:
        return
    near = get_close_matches(theirs, list(draft.free), 1, 0.6)
    options = tuple(column_option(draft.name, ours, name) for name in near)
    raise Troubled(trouble(draft, f"it has no column {theirs!r}.", *options, mine=True))


def trouble(draft: Draft, what: str, *options: str, mine: bool = False) -> Trouble:
    """What is wrong with a draft's file."""
    names = tuple(name for name in draft.file.names if name)
    tables = " ".join((what, *draft.file.why)) if draft.file.query else what
    return Trouble(draft.file.path.name, tables, names, options, mine)


def take_said(draft: Draft, said: Said) -> None:
    """Map the columns that a person named; all that are not there are told at once.

    Raises:
        Troubled: some are not there.
    """
    found: list[Trouble] = []
    for ours, theirs in said.of(draft.name).items():
        try:
            must_exist(draft, ours, theirs)
            draft.take(ours, theirs, "you said so")
        except Troubled as lost:
            found += lost.found
    if found:
        raise Troubled(*found)


def read_as(draft: Draft) -> dict[str, Any]:
    """How the file is opened, as the declaration says it."""
    file = draft.file
    body: dict[str, Any] = {"reads": file.reads, "path": str(file.path)}
    if file.reads == "csv":
        body |= {"separator": file.separator} | ({} if file.encoding == "detect" else {"encoding": file.encoding})
        body |= {} if file.header else {"header": False}
    body |= ({"sheet": file.sheet} if file.sheet else {}) | ({"query": file.query} if file.query else {})
    body |= {"known_by": dict(draft.known_by)} if draft.known_by else {}
    body |= {"addresses": draft.addresses} if draft.addresses else {}
    if file.renamed:
        body["renamed"] = {theirs: [*others] for theirs, others in file.renamed.items()}
        told = "; ".join(f"{printable(c)} is {', '.join(map(printable, n))}" for c, n in file.renamed.items())
        draft.choices.append(Choice(draft.name, "renamed", told, "in some files its place and its cells say so"))
    return body


def legal_facts(draft: Draft, said: Said, bases: dict[str, str], purposes: dict[str, list[str]]) -> dict[str, Any]:
    """What is known of the law of a source; what only a person can say is open."""
    used = {p for listed in purposes.values() for p in listed}
    own = {p: basis for p, basis in bases.items() if p in used}
    return {
        "controller": said.controller or OPEN,
        "provenance": f"The file {draft.file.path.name}, as it was handed over.",
        "collected_from": said.collected_from or OPEN,
        "bases": OPEN if set(own.values()) <= {OPEN} else own,
        "purposes": purposes,
        "retention_days": said.retention_days or OPEN,
        "notice": said.notice or OPEN,
        "synthetic": said.synthetic,
    }


NOTHING_SAID = Said()
