"""Keep every subject's state up to date by its exact sums: new baskets are added, corrected ones taken out again."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa

from twinops.data.vault.atomic_files import Journal
from twinops.data.vault.sealed_file import SealedFile
from twinops.entities.canonical import to_json
from twinops.errors import IntegrityError
from twinops.plugins import text_beside
from twinops.twin.state.streaming import REMEMBERED, Basket, StreamingState, from_record, to_record
from twinops.whole_files import LIVING, beside, told_in, write
from twinops.workflows.places import Places
from twinops.workflows.receipts import TRANSACTIONS, Receipts

PROVED = 25
"""So many subjects are rebuilt from their receipts each time and must have exactly these sums."""
STANDS = "states.json"
BEFORE = "before"
States = dict[str, StreamingState]


@dataclass(frozen=True)
class Refreshed:
    """How many subjects have a state, how many baskets were added and taken out, how many were proved equal.

    `rebuilt`: all were made anew, since what they stood on is not known.
    """

    subjects: int
    added: int
    taken_out: int
    proved: int
    rebuilt: bool


@dataclass(frozen=True)
class StateStore:
    """States at rest, and which batches they stand on."""

    receipts: Receipts
    decay_days: tuple[int, int, int]

    @property
    def places(self) -> Places:
        """Where everything lies."""
        return self.receipts.plane.places

    def keep_before(self, batches: Iterable[str]) -> None:
        """Keep what these batches are now, as they will be replaced: what is taken out must be known."""
        stood = self._stood()
        for batch in batches:
            raw, kept = self.places.raw(TRANSACTIONS, batch), self._kept(batch)
            if raw.is_file() and stood["batches"].get(batch) == _sha(raw):
                with beside(kept) as half:
                    shutil.copyfile(raw, half)

    def refresh(self, allowed: frozenset[str]) -> tuple[States, Refreshed]:
        """Bring the states of those who may be scored up to the batches as they are; nobody else has one.

        The same batches and permissions give the same bytes, by whatever way.

        Raises:
            IntegrityError: a state is not what its receipts make of it.
        """
        journal = Journal(self.places.root, self.places.live("states.next"))
        journal.finish()
        stands, stood = self._stands(), self._stood()
        other = sorted(b for b in {*stands["batches"], *stood["batches"]} if _differs(b, stands, stood))
        rebuilt = stood["under"] != stands["under"] or not all(self._there(b, stood) for b in other)
        held = {} if rebuilt else self._open()
        states = {sid: state for sid, state in held.items() if sid in allowed}
        # GDPR art. 18: who may not be scored has no state; who may again is told by all of her receipts
        newcomers = allowed - states.keys()
        added, out = self._apply(states, other, stood)
        added += self._from_all(states, newcomers)
        states = {sid: states[sid] for sid in sorted(states) if not states[sid].empty}
        proved = self.prove(states)
        if other or rebuilt or states.keys() != self._at_rest():
            self._write(journal, states, stands)
        shutil.rmtree(self.places.live(BEFORE), ignore_errors=True)
        return states, Refreshed(len(states), added, out, proved, rebuilt)

    def known(self, allowed: frozenset[str]) -> States:
        """The states of these subjects as the batches are now; nothing is written.

        What an earlier `refresh` left is opened where it stands on these batches, all else is told by receipts.
        """
        held = self._open() if self._stood() == self._stands() else {}
        states = {sid: state for sid, state in held.items() if sid in allowed}
        self._from_all(states, allowed - states.keys())
        return {sid: state for sid, state in states.items() if not state.empty}

    def subjects(self) -> tuple[str, ...]:
        """Everybody with a receipt, whose key is there; no frame is opened."""
        files = (SealedFile.read(path, TRANSACTIONS) for path in self.places.raw_batches(TRANSACTIONS))
        sids = {sid.hex() for file in files for sid in file.sids}
        return tuple(sorted(self.receipts.plane.keys.subject_keys(sorted(sids))))

    def prove(self, states: States) -> int:
        """Rebuild some subjects from their own receipts alone, and compare every sum.

        Raises:
            IntegrityError: one differs.
        """
        # another few each time, the same for the same states
        seed = to_json(sorted(self._stands()["batches"].items()))
        order = sorted(states, key=lambda sid: hashlib.sha256((seed + sid).encode()).digest())[:PROVED]
        rebuilt: States = {}
        self._from_all(rebuilt, order)
        if any(rebuilt.get(sid) != states[sid] for sid in order):
            raise IntegrityError(
                "A state is not what its receipts make of it.",
                hint="Delete live/states.json; the next update rebuilds.",
            )
        return len(order)

    def _apply(self, states: States, batches: Iterable[str], stood: dict[str, Any]) -> tuple[int, int]:
        """What is new and no longer so in these batches, for those who have a state."""
        added = out = 0
        who = sorted(states)
        for batch in batches if who else ():
            raw = self.places.raw(TRANSACTIONS, batch)
            now = self._lines(raw, who) if raw.is_file() else None
            before = self._lines(self._kept(batch), who) if batch in stood["batches"] else None
            more, less = self._take(states, now=now, before=before)
            added, out = added + more, out + less
        return added, out

    def _from_all(self, states: States, who: Iterable[str]) -> int:
        """States of those who have none, from all their receipts."""
        lines = self.receipts.plane.tables.of(who).source(TRANSACTIONS)
        return self._take(states, now=self.receipts.served(lines), before=None)[0]

    def _take(self, states: States, *, now: pa.Table | None, before: pa.Table | None) -> tuple[int, int]:
        """Add and take out what the one side has and the other has not."""
        engine = self.receipts.plane.engine
        engine.register("lines_now", _NOTHING if now is None else now.select(_NOTHING.column_names))
        engine.register("lines_before", _NOTHING if before is None else before.select(_NOTHING.column_names))
        rows = engine.query(text_beside("twinops.twin.state", "changed_baskets.sql"))
        columns = (rows[c].to_pylist() for c in ("sid", "day", "cents", "came"))
        added = out = 0
        for sid, events in groupby(zip(*columns, strict=True), key=lambda row: row[0]):
            more, less = self._parted(events)
            state = states.get(sid, StreamingState(self.decay_days))
            states[sid] = state.merge(more).less(less).summed()
            added, out = added + more.baskets, out + less.baskets
        return added, out

    def _parted(self, events: Iterator[tuple[Any, ...]]) -> tuple[StreamingState, StreamingState]:
        sides: tuple[list[Basket], list[Basket]] = ([], [])
        for _, day, cents, came in events:
            side = sides[came < 0]
            side += [Basket(len(side) + n, day, cents) for n in range(abs(came))]
        return self._replayed(sides[0]), self._replayed(sides[1])

    def _replayed(self, events: list[Basket]) -> StreamingState:
        """The sums of these events; each is known to be one of its own."""
        state = StreamingState(self.decay_days, remembered=max(REMEMBERED, len(events)))
        for event in events:
            state.update(event)
        return state.summed()

    def _lines(self, path: Path, who: Iterable[str]) -> pa.Table:
        opened = self.receipts.plane.tables.of(who)
        return self.receipts.served(opened.table(path, dataset=TRANSACTIONS))

    def _kept(self, batch: str) -> Path:
        return self.places.live(BEFORE) / f"{batch}.parquet"

    def _there(self, batch: str, stood: dict[str, Any]) -> bool:
        """Whether what the states stand on is still known, where it is another one now."""
        if batch not in stood["batches"]:
            return True
        kept = self._kept(batch)
        return kept.is_file() and _sha(kept) == stood["batches"][batch]

    @cached_property
    def _under(self) -> str:
        """What decides which lines count, beside the batches."""
        births = self.receipts.births
        rows = sorted(zip(*(births[c].to_pylist() for c in ("sid", "birth_day")), strict=True))
        columns = {c: [p.value for p in used] for c, used in self.receipts.standing.legal.columns.items()}
        told = {"decay_days": self.decay_days, "births": rows, "adults": vars(self.receipts.adults), "columns": columns}
        return hashlib.sha256(to_json(told).encode()).hexdigest()

    def _stands(self) -> dict[str, Any]:
        batches = {p.stem: _sha(p) for p in self.places.raw_batches(TRANSACTIONS)}
        return {"batches": batches, "under": self._under}

    def _stood(self) -> dict[str, Any]:
        path = self.places.live(STANDS)
        if not (path.is_file() and self.places.states.is_file()):
            return {"batches": {}, "under": ""}
        with told_in(path, hint=LIVING) as told:
            return {"batches": dict(told["batches"]), "under": str(told["under"])}

    def _at_rest(self) -> set[str]:
        """Whose frames the file holds, whether they can be opened or not."""
        return {sid.hex() for sid in SealedFile.read(self.places.states, "states").sids}

    def _open(self) -> States:
        table = self.receipts.plane.tables.table(self.places.states)
        columns = zip(table["sid"].to_pylist(), table["record"].to_pylist(), strict=True)
        return {sid: from_record(json.loads(text)) for sid, text in columns}

    def _write(self, journal: Journal, states: States, stands: dict[str, Any]) -> None:
        """States and what they stand on change together or not at all."""
        waits = Places(journal.begin())
        records = [to_json(to_record(state)) for state in states.values()]
        table = pa.table({"sid": pa.array(list(states), pa.string()), "record": pa.array(records, pa.string())})
        self.receipts.plane.seal(table, waits.states)
        write(waits.live(STANDS), to_json(stands, indent=1) + "\n")
        journal.commit({})


_NOTHING = pa.table(
    {
        "sid": pa.array([], pa.string()),
        **{c: pa.array([], pa.int64()) for c in ("basket_id", "day", "sales_cents")},
    }
)


def _differs(batch: str, stands: dict[str, Any], stood: dict[str, Any]) -> bool:
    return bool(stands["batches"].get(batch) != stood["batches"].get(batch))


def _sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def known_at(states: States, day: int) -> States:
    """States that can be asked about this day: with a basket, and none of that day or later."""
    return {sid: s for sid, s in states.items() if s.last_day is not None and s.last_day < day}
