"""Foretell the next horizon of everybody who may be scored, sealed before it comes, and score it once it is over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.own_sources.declared_law import WHOLE
from twinops.data.vault.seal import write_sealed
from twinops.data.vault.sealed_file import SealedFile, write
from twinops.entities.consent import Purpose
from twinops.evaluation.monitoring.foretold import ENDS, Foretold, foretold
from twinops.params import FeaturesParams
from twinops.ports import Engine
from twinops.twin.model.intervals import Intervals
from twinops.twin.model.model import TwinModel
from twinops.twin.state.permissions import LedgerQuestion
from twinops.twin.state.streaming import rows
from twinops.workflows.places import Places
from twinops.workflows.receipts import TRANSACTIONS, Receipts
from twinops.workflows.update.states import States, known_at

DATASET = "expected"
KEPT = 3
"""Forecasts that are over and are kept: the newest, so that a late batch can still be scored (GDPR art. 5(1)(e))."""
Allowed = Mapping[Purpose, frozenset[str]]


@dataclass(frozen=True)
class Forecasts:
    """Sealed forecasts of a project."""

    receipts: Receipts
    grid: FeaturesParams

    @property
    def places(self) -> Places:
        """Where everything lies."""
        return self.receipts.plane.places

    def allowed(self, sids: tuple[str, ...]) -> Allowed:
        """Who allows what today."""
        answers = self.receipts.answers(LedgerQuestion(sids, (), self.receipts.today))
        now = answers.filter(pc.and_(pc.equal(answers["day"], self.receipts.today), answers["allowed"]))
        said: dict[Purpose, set[str]] = {purpose: set() for purpose in Purpose}
        for sid, purpose in zip(now["sid"].to_pylist(), now["purpose"].to_pylist(), strict=True):
            said[Purpose(purpose)].add(sid)
        return {purpose: frozenset(who) for purpose, who in said.items()}

    def seal(self, states: States, day: int, model: TwinModel, ranges: Intervals, allowed: Allowed) -> int:
        """Foretell from `day` on, of states of those who may be scored; how many there are."""
        known = known_at(states, day)
        if not known:
            return 0
        table = rows(state.at(day) for state in known.values())
        said = model.predict(table)
        ends = ranges.of(said, model.scatter)
        sids = list(known)
        columns = {
            "sid": pa.array(sids, pa.string()),
            "cutoff": np.full(len(sids), day, dtype=np.int64),
            "may_offer": [sid in allowed[Purpose.OFFERS] for sid in sids],
            "may_assess_bias": [sid in allowed[Purpose.BIAS_ASSESSMENT] for sid in sids],
            "active_probability": said.active_probability,
            "expected_baskets": said.baskets,
            "expected_spend": said.spend,
            "expected_spend_median": said.spend_median,
            **{name: np.asarray(getattr(ends, name), dtype=float) for name in ENDS},
        }
        path = self.places.expected(day)
        write_sealed(pa.table(columns), path, dataset=DATASET, keys=self.receipts.plane.keys, subject="sid")
        return len(sids)

    def over(self, known_until: int) -> list[int]:
        """Days of the forecasts whose window has closed."""
        days = [int(path.stem) for path in self.places.expectations]
        return [day for day in days if day + self.grid.horizon_days <= known_until]

    def came(self, day: int, allowed: Allowed) -> Foretold | None:
        """A forecast beside what came, of those who may still be scored; None: nobody is left."""
        forecast = self._open(day, allowed)
        if not forecast.num_rows:
            return None
        earlier = [d for d in self._days if d < day]
        older = self._open(earlier[-1], allowed) if earlier else None
        return self.beside(forecast, older=older)

    def beside(self, forecast: pa.Table, *, older: pa.Table | None = None) -> Foretold:
        """What was foretold (one row for each sid, from its `cutoff` on) beside what came."""
        first, last = (int(ends.as_py()) for ends in pc.min_max(forecast["cutoff"]).values())
        lines = self._lines(first, last, forecast["sid"].to_pylist())
        return foretold(self.engine, forecast, lines, horizon_days=self.grid.horizon_days, older=older)

    def keep_to(self, who: frozenset[str]) -> None:
        """Nobody else is in any forecast, however old (GDPR art. 18); the frames of others stay as they are."""
        for path in self.places.expectations:
            file = SealedFile.read(path, DATASET)
            kept = {sid: frame for sid, frame in zip(file.sids, file.frames, strict=True) if sid.hex() in who}
            if not kept:
                path.unlink()
            elif len(kept) < len(file.sids):
                write(path, file.label, list(kept), kept.values())

    def drop_old(self, known_until: int) -> None:
        """What is over, was scored, and is not among the newest, goes."""
        for day in self.over(known_until)[:-KEPT]:
            self.places.expected(day).unlink()

    @property
    def engine(self) -> Engine:
        """The SQL engine."""
        return self.receipts.plane.engine

    @cached_property
    def _days(self) -> list[int]:
        return [int(path.stem) for path in self.places.expectations]

    def _open(self, day: int, allowed: Allowed) -> pa.Table:
        opened = self.receipts.plane.tables.of(allowed[Purpose.SCORING])
        return opened.table(self.places.expected(day), dataset=DATASET)

    def _lines(self, first: int, last: int, who: list[str]) -> pa.Table:
        """Receipts of windows that begin on these days, of these subjects, from the batches that can hold any."""
        opened = self.receipts.plane.tables.of(who)
        tables = [opened.table(path, dataset=TRANSACTIONS) for path in self._batches(first, last)]
        return self.receipts.served(pa.concat_tables([t.replace_schema_metadata(None) for t in tables]))

    def _batches(self, day: int, last_day: int) -> Iterator[Path]:
        first, last = (self.receipts.days.date_of(d) for d in (day, last_day + self.grid.horizon_days - 1))
        for path in self.places.raw_batches(TRANSACTIONS):
            if path.stem == WHOLE or f"{first:%Y-%m}" <= path.stem <= f"{last:%Y-%m}":
                yield path
