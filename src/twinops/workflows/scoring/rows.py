"""The rows of a batch of scores: twins some at a time, each answered as it would be alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.vault.sealed_ahead import ahead
from twinops.data.vault.sealed_tables import SealedTables
from twinops.errors import DataError
from twinops.twin.answers.forecast import before_the_first_basket
from twinops.twin.answers.scores import FIGURES, REASONS, scores, unknown
from twinops.twin.model.model import TwinModel
from twinops.twin.model.predictions import Predictions
from twinops.twin.support.support import Support
from twinops.twin.tastes.categories import Tastes
from twinops.workflows.places import Places
from twinops.workflows.scoring.offered import Offered
from twinops.workflows.scoring.scored import ModelTold
from twinops.workflows.scoring.states_today import StatesToday
from twinops.workflows.twin.open import Opener
from twinops.workflows.twin.tastes import liked_by

BLOCK = 4_000
"""Twins whose receipts are open at one time."""
CATEGORIES = 3
"""So many categories are told of each twin, the likeliest first."""
_CATEGORY = tuple((f"category_{k}", f"category_{k}_chance") for k in range(1, CATEGORIES + 1))
_REASON = tuple((f"reason_{k}", f"reason_{k}_factor") for k in range(1, REASONS + 1))


@dataclass(frozen=True)
class Answering:
    """What answers: the model, where the data can answer, and the head of tastes, where there are such."""

    model: TwinModel
    support: Support | None
    tastes: Tastes | None
    told: ModelTold


@dataclass(frozen=True)
class Block:
    """Answers of some twins, by sid; those of them with a basket, and what the model said of these, in order."""

    table: pa.Table
    known: tuple[str, ...] = ()
    said: Predictions | None = None


@dataclass(frozen=True)
class ScoreRows:
    """Opens and answers some twins at a time, where the engine says."""

    opener: Opener
    answering: Answering

    def blocks(self, sids: Sequence[str]) -> Iterator[Block]:
        """All of them, in order."""
        plane = self.opener.receipts.plane
        states, asked = StatesToday.among(self.opener.receipts, self.opener.grid), pa.table({"sid": list(sids)})
        if states.engine is not None or self.answering.model.own:  # what the project brings of its own is asked here
            work = Answers(states, plane.tables, self.answering, self.opener.places)
            yield from (block(work(asked.slice(n, BLOCK))) for n in range(0, len(sids), BLOCK))
            return
        lent = replace(plane.tables, keys=plane.engine.lent(plane.keys, sids))
        work = Answers(states, lent, self.answering, self.opener.places)
        yield from map(block, plane.engine.spread_some(asked, work, gives=GIVES, at_once=BLOCK))


@dataclass(frozen=True)
class Answers:
    """Answers some twins, wherever that is done: opens their receipts and tastes, and nobody else's."""

    states: StatesToday
    sealed: SealedTables
    answering: Answering
    places: Places

    @cached_property
    def tables(self) -> SealedTables:
        """Read once for all blocks, a block after the other: every file holds frames of all of them."""
        return ahead(self.sealed)

    def __call__(self, asked: pa.Table) -> pa.Table:
        """`GIVES`, a row each, by sid; nobody of whom nothing can be told."""
        sids, parts = asked["sid"].to_pylist(), []
        states = self.states.of(sids, self.tables)
        known = states["sid"].to_pylist()
        if known:
            found = scores(states, model=self.answering.model, support=self.answering.support)
            said = ((name, pa.array(getattr(found.said, field))) for field, name in _SAID.items())
            answers = found.table.add_column(0, "sid", states["sid"])
            for name, values in said:
                answers = answers.append_column(name, values)
            parts = [answers]
        rest = sorted(set(sids) - set(known))
        nobody = self._unknown(rest) if rest else None
        parts += [nobody] if nobody is not None else []
        if not parts:
            return GIVES.empty_table()
        table = pa.concat_tables(parts, promote_options="permissive").sort_by("sid")
        table = self._with_tastes(table)
        there = set(table.column_names)
        return pa.table(
            {f.name: table[f.name].cast(f.type) if f.name in there else pa.nulls(table.num_rows, f.type) for f in GIVES}
        )

    def _unknown(self, sids: list[str]) -> pa.Table | None:
        """Who bought nothing yet; None: too few newcomers were seen to tell of anybody."""
        try:
            found = before_the_first_basket(self.answering.support, horizon_days=self.answering.model.horizon_days)
        except DataError:
            return None
        return unknown(found, len(sids)).add_column(0, "sid", pa.array(sids, pa.string()))

    def _with_tastes(self, table: pa.Table) -> pa.Table:
        sids = table["sid"].to_pylist()
        found = liked_by(self.tables.of(sids), self.places, self.answering.tastes, top=CATEGORIES)
        place = {sid: i for i, sid in enumerate(found.sids.tolist())}
        rows = [place.get(sid) for sid in sids]
        for k, (name, chance) in enumerate(_CATEGORY):
            told = [None if i is None else str(found.names[i, k]) for i in rows]
            chances = [None if i is None else round(float(found.chances[i, k]), 3) for i in rows]
            table = table.append_column(name, pa.array(told, pa.string()))
            table = table.append_column(chance, pa.array(chances, pa.float64()))
        return table


def schema(*, sid: bool, named: bool, decided: bool) -> pa.Schema:
    """The columns of the table, in order; what may be null is told as such."""
    chance, *always = FIGURES
    fields = [
        *([_text("sid", nullable=False)] if sid else []),
        *([_text("id", nullable=False)] if named else []),
        _text("basis", nullable=False),
        pa.field(chance, pa.float64()),
        *(pa.field(name, pa.float64(), nullable=False) for name in always),
        pa.field("like_cases", pa.int64(), nullable=False),
        *(f for name, beside in (*_REASON, *_CATEGORY) for f in (_text(name), pa.field(beside, pa.float64()))),
    ]
    choice = [pa.field("selected", pa.bool_(), nullable=False), _text("kept_back")]
    return pa.schema([*fields, *(choice if decided else ())])


def block(answers: pa.Table) -> Block:
    """Answers as they are written, and beside them what the model said of those with a basket."""
    known = answers.filter(pc.is_valid(answers[next(iter(_SAID.values()))]))
    said = Predictions(*(known[name].to_numpy() for name in _SAID.values())) if known.num_rows else None
    return Block(answers.drop_columns([*_SAID.values()]), tuple(known["sid"].to_pylist()), said)


def with_choice(blocks: Sequence[Block], choice: Offered) -> Iterator[Block]:
    """The same blocks with what was decided; who has no basket yet was no candidate."""
    place = {sid: i for i, sid in enumerate(sid for block in blocks for sid in block.known)}
    for block in blocks:
        at = [place.get(sid) for sid in block.table["sid"].to_pylist()]
        selected = pa.array([i is not None and bool(choice.selected[i]) for i in at], pa.bool_())
        why = pa.array([None if i is None else choice.kept_back[i] for i in at], pa.string())
        yield replace(block, table=block.table.append_column("selected", selected).append_column("kept_back", why))


def among(names: Mapping[str, str], of: Block) -> Block:
    """Those of a block who are named; what the model said of them is not kept."""
    there = pc.is_in(of.table["sid"], pa.array(sorted(names), pa.string()))
    return Block(of.table.filter(there), tuple(sid for sid in of.known if sid in names))


def said_of_all(blocks: Sequence[Block]) -> Predictions:
    """What the model said of everybody with a basket, in order."""
    each = [block.said for block in blocks if block.said is not None]
    return Predictions(*(np.concatenate([getattr(p, f) for p in each]) for f in Predictions.__dataclass_fields__))


def with_ids(table: pa.Table, names: Mapping[str, str]) -> pa.Table:
    """The table with the ids of the source."""
    return table.append_column("id", pa.array([names[sid] for sid in table["sid"].to_pylist()], pa.string()))


def _text(name: str, *, nullable: bool = True) -> pa.Field:
    return pa.field(name, pa.string(), nullable=nullable)


_SAID = {field: f"said_{field}" for field in Predictions.__dataclass_fields__}
"""What the model says, before it is made to fit like cases: a choice is made by it."""
GIVES = pa.schema(
    [
        *(f.with_nullable(True) for f in schema(sid=True, named=False, decided=False)),
        *(pa.field(name, pa.float64()) for name in _SAID.values()),
    ]
)
"""The columns of answers, wherever they are given."""
