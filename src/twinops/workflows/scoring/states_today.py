"""The states of many twins as of today, from their receipts: what `Opener` makes of one, on columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.vault.sealed_rows import Then
from twinops.data.vault.sealed_tables import SealedTables
from twinops.params import FeaturesParams
from twinops.ports import Engine
from twinops.twin.own_features._shelf import own_features
from twinops.twin.own_features.computed import with_own
from twinops.twin.state.tabled import Visits, tabled
from twinops.workflows.receipts import TRANSACTIONS, Receipts


@dataclass(frozen=True)
class StatesToday:
    """Opens receipts of some subjects at a time; baskets of today and later do not enter. It can be pickled, but for
    the engine: features of one's own are asked of it.
    """

    serving: Then
    today: int
    grid: FeaturesParams
    engine: Engine | None = None

    @classmethod
    def among(cls, receipts: Receipts, grid: FeaturesParams) -> StatesToday:
        """Of receipts under the law, as of today."""
        return cls(receipts.sealed().then, receipts.today, grid, receipts.plane.engine if own_features() else None)

    def of(self, sids: Sequence[str], tables: SealedTables) -> pa.Table:
        """`sid`, the state and features of one's own, by sid; who has no basket before today has no row."""
        today = self.today
        lines = self.serving(tables.of(sids).source(TRANSACTIONS))
        lines = lines.filter(pc.less(lines["day"], today))
        made = tabled(_visits(lines, sids), today=today, decay_days=self.grid.decay_days)
        if not len(made.who):
            return pa.table({"sid": pa.array([], pa.string())})
        named = pa.array([sids[i] for i in made.who.tolist()], pa.string())
        states = made.table.add_column(0, "sid", named)
        if self.engine is None:
            return states
        asked = states.append_column("cutoff", pa.array(np.full(len(named), today)))
        return with_own(asked, lines, own_features(), self.engine).drop_columns(["cutoff"])


def _visits(lines: pa.Table, sids: Sequence[str]) -> Visits:
    """A till's number on two days is two visits, as in `baskets.sql`."""
    who = pc.index_in(lines["sid"], value_set=pa.array(sids, pa.string()))
    numbered = pa.table({"who": who, **{c: lines[c] for c in ("basket_id", "day", "sales_cents")}})
    baskets = numbered.group_by(["who", "basket_id", "day"]).aggregate([("sales_cents", "sum")])
    columns = (baskets[c].to_numpy().astype(np.int64) for c in ("who", "day", "sales_cents_sum"))
    return Visits(*columns)
