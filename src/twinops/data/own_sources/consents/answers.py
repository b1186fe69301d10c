"""A table with a column a purpose, and a list of objections, as a ledger is written: a row an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.own_sources.cell_values import event_of, is_nothing
from twinops.data.own_sources.customer_number import form_of
from twinops.data.own_sources.files.cells import TextCells
from twinops.entities.consent import Event, Purpose
from twinops.own_kinds import ANSWER
from twinops.own_params import OwnSource

SILENT = "no_answer"
"""Left at the door: nothing was said there."""
NO_OBJECTION = "no_objection"
NO_NUMBER = "no_customer_number"
"""A title, a head or a remark among numbers that are told by their digits."""
UNKNOWN_PURPOSE = "no_for_an_unknown_purpose_taken_for_all"
ANOTHER_PURPOSE = "answer_for_a_purpose_of_none_of_ours"
NONE = "none"
"""What a word for a purpose means that a person said is none of ours, such as greetings on a birthday."""


def lengthened(cells: TextCells, said: OwnSource) -> TextCells:
    """The same records with one row an answer, where the source is such a table; any other as it is.

    A row's place is its record's, times so many answers as a record may hold (`fold`), and the number of the answer.
    """
    return _for_each_purpose(_turned(cells, said), said)


def purposes_in(means: str) -> tuple[str, ...]:
    """The purposes that one word of theirs stands for.

    >>> purposes_in("twin_training, twin_scoring")
    ('twin_training', 'twin_scoring')
    >>> purposes_in("none")
    ()
    """
    return () if means.strip() == NONE else tuple(p.strip() for p in means.split(","))


def _turned(cells: TextCells, said: OwnSource) -> TextCells:
    if said.form.lists:
        return _objections(cells, said)
    if not said.answers:
        return cells
    table, parts, silent = cells.table, [], 0
    others = [c for c in table.column_names if c == "place" or c in (*said.entering.values(), *said.proof)]
    for k, (purpose, theirs) in enumerate(said.answers.items()):
        rows = _answered(_on_its_day(table, said, purpose).select(others), table[theirs], purpose)
        rows = rows.set_column(0, "place", _placed(table, said, k))
        spoken = np.array(
            [not is_nothing(text or "") and text.strip() not in said.missing for text in table[theirs].to_pylist()],
            bool,
        )
        silent += int((~spoken).sum())
        parts.append(rows.filter(pa.array(spoken)))
    return _as_long(cells, parts, said, {SILENT: silent} if silent else {})


def _on_its_day(table: pa.Table, said: OwnSource, purpose: Purpose) -> pa.Table:
    """The records with the day of one purpose for their day, where each purpose has its own."""
    if purpose not in said.times:
        return table
    at = table.column_names.index(said.columns["time"])
    return table.set_column(at, said.columns["time"], table[said.times[purpose]])


def fold(said: OwnSource) -> int:
    """How many answers a record may hold."""
    if said.form.lists:
        return (1 if _one_purpose(said) else len(Purpose)) * form_of(said).several
    # a no for a purpose that nobody knows is one to each
    return len(said.answers) or max(len(Purpose) if _listed(said) else 1, *map(len, _meant(said).values()), 1)


def _meant(said: OwnSource) -> dict[str, tuple[str, ...]]:
    """Words of theirs for purposes, with what each stands for."""
    listed = said.codes.get("purpose", {}) if "purpose" in said.entering else {}
    return {theirs: purposes_in(means) for theirs, means in listed.items()}


def _for_each_purpose(cells: TextCells, said: OwnSource) -> TextCells:
    """A row a purpose, where one word stands for several; a no for a word that nobody knows stands for all."""
    if not _listed(said):
        return cells
    table, name = cells.table, said.theirs("purpose")
    every, lost = _every_purpose(table[name], said, _noes(table, said))
    parts = [_kth(table, every, k, said) for k in range(fold(said))]
    others = sum(not purposes for purposes in every)
    left = dict(cells.left_out) | ({ANOTHER_PURPOSE: others} if others else {})
    return replace(_as_long(cells, parts, said, left), lost=lost)


def _listed(said: OwnSource) -> bool:
    """Its rows name their purpose, and each says something of its own."""
    return said.form.staged_as == "consent" and not said.turned and "purpose" in said.entering


def _every_purpose(
    words: pa.ChunkedArray, said: OwnSource, noes: Sequence[bool]
) -> tuple[list[tuple[str, ...]], dict[str, int]]:
    """What each row's word stands for; of a no that may be about any purpose all, and how many those are."""
    meant, known, unread = _meant(said), set(Purpose), 0
    every: list[tuple[str, ...]] = []
    for text, no in zip(words.to_pylist(), noes, strict=True):
        purposes = meant.get((text or "").strip(), ((text or "").strip(),))
        if no and not known.issuperset(purposes):
            purposes, unread = tuple(p.value for p in Purpose), unread + 1
        every.append(purposes)
    return every, {UNKNOWN_PURPOSE: unread} if unread else {}


def _noes(table: pa.Table, said: OwnSource) -> list[bool]:
    """Rows that say anything but a yes."""
    codes = said.codes.get("event", {})
    told = table[said.columns["event"]].to_pylist() if "event" in said.entering else [None] * table.num_rows
    fixed = said.constants.get("event", "")
    means = ((t, codes.get(t, t)) for t in ((cell or fixed).strip() for cell in told))
    return [_speaks(t, said) and event_of(m) is not Event.GRANTED and m != Event.GRANTED for t, m in means]


def _kth(table: pa.Table, every: Sequence[tuple[str, ...]], k: int, said: OwnSource, m: int = 0) -> pa.Table:
    """A row for the k-th purpose of each that has so many; `m`: of the m-th way to read whose it is."""
    name = said.theirs("purpose")
    kth = pa.array([purposes[k] if k < len(purposes) else None for purposes in every], pa.string())
    rows = table.set_column(table.column_names.index(name), name, kth)
    return rows.set_column(0, "place", _placed(table, said, m * len(Purpose) + k)).filter(kth.is_valid())


def without_yeses(table: pa.Table, said: OwnSource) -> tuple[list[dict[str, Any] | None], int]:
    """Records of a ledger with what they refuse alone; None: it refuses nothing. And how many said a yes."""
    rows = table.to_pylist()
    if said.form.staged_as != "consent" or said.form.lists:
        return rows, 0
    if not said.answers:
        noes = _noes(table, said)
        return [row if no else None for row, no in zip(rows, noes, strict=True)], noes.count(False)
    codes, yeses = said.codes.get("event", {}), 0
    for row in rows:
        words = {c: (row[c] or "").strip() for c in said.answers.values()}
        agreed = [c for c, word in words.items() if event_of(codes.get(word, word)) == Event.GRANTED]
        yeses += bool(agreed)
        row.update(dict.fromkeys(agreed))
    return rows, yeses


def long_columns(said: OwnSource) -> tuple[str, ...]:
    """The columns of the cells, once a row is an answer."""
    if not said.turned:
        return said.read
    return (*dict.fromkeys((*said.entering.values(), *said.proof)), *ANSWER.values())


def _speaks(text: str, said: OwnSource) -> bool:
    return not is_nothing(text) and text.strip() not in said.missing


def _objections(cells: TextCells, said: OwnSource) -> TextCells:
    """Whoever stands in the list objects to every purpose, or to the one that is named; a clear no is no objection."""
    table, left = cells.table, dict[str, int]()
    if said.digits:
        # an address is no title, though no digit stands in it
        numbered = pc.fill_null(pc.match_substring_regex(table[said.columns["household_id"]], r"\p{Nd}|\S@\S"), True)
        titles = table.num_rows - pc.sum(numbered, min_count=0).as_py()
        left, table = {NO_NUMBER: titles} if titles else {}, table.filter(numbered)
    if "event" in said.entering:
        codes = said.codes.get("event", {})
        told = [(text or "").strip() for text in table[said.columns["event"]].to_pylist()]
        no = [event_of(codes.get(text, text)) is Event.REFUSED for text in told]
    else:
        no = [False] * table.num_rows
    left |= {NO_OBJECTION: sum(no)} if any(no) else {}
    listed = table.filter(pa.array([not n for n in no], pa.bool_()))
    parts = []
    lost: dict[str, int] = {}
    for m, whom in enumerate(_whoever_it_may_be(listed, said)):
        stands = pa.array([str(Event.OBJECTED)] * whom.num_rows, pa.string())
        if _one_purpose(said):
            rows = _answered(whom, stands, said.constants["purpose"])
            parts.append(rows.set_column(0, "place", _placed(whom, said, m)))
            continue
        if "purpose" in said.entering:
            name = ANSWER["purpose"]
            both = whom.append_column(name, whom[said.columns["purpose"]]).append_column(ANSWER["event"], stands)
            every, lost = _every_purpose(both[name], said, [True] * whom.num_rows)
            parts += [_kth(both, every, k, said, m) for k in range(len(Purpose))]
            continue
        for k, purpose in enumerate(Purpose):
            rows = _answered(whom, stands, purpose)
            parts.append(rows.set_column(0, "place", _placed(whom, said, m * len(Purpose) + k)))
    if fold(said) == 1:
        return replace(cells, table=parts[0], left_out=left)
    return replace(_as_long(cells, parts, said, left), lost=lost)


def _whoever_it_may_be(listed: pa.Table, said: OwnSource) -> list[pa.Table]:
    """The list with each customer that a number may stand for: an objection is lost by no way of writing it."""
    form = form_of(said)
    if form.several < 2:
        return [listed]
    theirs = said.columns["household_id"]
    at = listed.column_names.index(theirs)
    every = [form.every(t) if t else (t,) for t in listed[theirs].to_pylist()]
    nth = ([one[n] if n < len(one) else None for one in every] for n in range(form.several))
    tables = (listed.set_column(at, theirs, pa.array(who, pa.string())) for who in nth)
    return [t if not n else t.filter(t[theirs].is_valid()) for n, t in enumerate(tables)]


def _one_purpose(said: OwnSource) -> bool:
    return "purpose" in said.constants


def _answered(rows: pa.Table, answers: pa.Array | pa.ChunkedArray, purpose: str) -> pa.Table:
    told = pa.array([str(purpose)] * rows.num_rows, pa.string())
    return rows.append_column(ANSWER["purpose"], told).append_column(ANSWER["event"], answers)


def _placed(table: pa.Table, said: OwnSource, k: int) -> pa.Array:
    return pc.add(pc.multiply(table["place"], fold(said)), k)


def _as_long(cells: TextCells, parts: list[pa.Table], said: OwnSource, left: dict[str, int]) -> TextCells:
    refused = tuple(r._replace(place=str(int(r.place) * fold(said))) for r in cells.refused)
    return replace(cells, table=pa.concat_tables(parts).sort_by("place"), refused=refused, left_out=left)
