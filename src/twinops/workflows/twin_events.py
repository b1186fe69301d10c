"""The events of all households as they came, and whether a state that takes them in one by one equals the panel's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from twinops.data.consent import ages
from twinops.entities.measure import Measure
from twinops.entities.wording import ONE
from twinops.errors import DataError
from twinops.plugins import text_beside
from twinops.twin.model.model import TwinModel
from twinops.twin.state.examples import Examples
from twinops.twin.state.features import BILLION, STATE
from twinops.twin.state.streaming import Basket, StreamingState
from twinops.twin.support.support import CampaignContacts
from twinops.workflows.receipts import TRANSACTIONS, Receipts

Diary = dict[int, list[Basket]]
"""Running number of a household -> its baskets, in order of day."""


@dataclass(frozen=True)
class EventTables:
    """Opens the collected events of the panel's households."""

    receipts: Receipts

    def diaries(self, everyone: Examples) -> Diary:
        """Every basket. A till's number on two days is two visits, as in `baskets.sql`: each gets its own number."""
        receipts, engine = self.receipts, self.receipts.plane.engine
        numbers, out = _numbers(everyone), Diary()
        engine.register("permissions", pa.table({"sid": pa.array(numbers, pa.string())}))
        for lines in receipts.plane.tables.source_in_parts(TRANSACTIONS):
            engine.register("transactions", ages.since_full_age(lines, receipts.births, receipts.full_age))
            baskets = engine.query(text_beside("twinops.twin.state", "baskets.sql"))
            for sid, day, cents in zip(*(baskets[c].to_pylist() for c in ("sid", "day", "cents")), strict=True):
                visits = out.setdefault(numbers[sid], [])
                visits.append(Basket(len(visits) + 1, day, cents))
        engine.register("transactions", lines.schema.empty_table())
        return out

    def contacts(self, everyone: Examples) -> CampaignContacts:
        """Which household got which campaign, and whether it redeemed a coupon of it."""
        engine, tables = self.receipts.plane.engine, self.receipts.plane.tables
        if not all(tables.collected(source) for source in ("campaigns", "redemptions")):
            nothing = np.array([], dtype=np.int64)
            return CampaignContacts(nothing, nothing.astype(str), nothing, nothing.astype(bool))
        for source in ("campaigns", "redemptions"):
            engine.register(f"story_{source}", tables.source(source))
        numbers = _numbers(everyone)
        engine.register("story_who", pa.table({"sid": list(numbers), "household": list(numbers.values())}))
        rows = engine.query(_CONTACTS)
        return CampaignContacts(*(np.asarray(rows[c].to_numpy(zero_copy_only=False)) for c in rows.column_names))


_CONTACTS = """
SELECT
    w.household, REGEXP_REPLACE(c.campaign_type, '^Type ', '') AS kind, c.start_day,
    COUNT(r.campaign_id) > 0 AS redeemed
FROM story_campaigns AS c
INNER JOIN story_who AS w ON c.sid = w.sid
LEFT JOIN story_redemptions AS r ON c.sid = r.sid AND c.campaign_id = r.campaign_id
GROUP BY w.household, c.campaign_id, c.campaign_type, c.start_day
ORDER BY w.household, c.campaign_id
"""


def stream_gap(everyone: Examples, diary: Diary, model: TwinModel) -> tuple[Measure, ...]:
    """Take in every basket as it came, stop at each as-of day, and compare with the panel, household by household.

    Raises:
        DataError: something that must be equal is not.
    """
    batch = {c: everyone.table[c].to_pylist() for c in STATE}
    states = _streamed(everyone, diary, model.decay_days)
    worst = max((_gap(row, {c: batch[c][i] for c in STATE}) for i, row in enumerate(states)), default=0.0)
    method = (
        "largest gap of a decayed number of baskets between taking in events one by one and the panel's SQL, for each "
        f"basket of the {ONE}; counted in full; tenure, exposure, days, counts and totals are equal"
    )
    return (
        Measure("stream_batch_gap", worst / BILLION, len(everyone), "panel and baskets", method, unit="baskets",
                unit_of_n=f"{ONE}-days"),
    )  # fmt: skip


def _streamed(everyone: Examples, diary: Diary, decay_days: tuple[int, int, int]) -> Iterator[dict[str, int]]:
    """The state at each row's as-of day; the rows of a household follow each other, in order of day."""
    number, state, left = -1, StreamingState(decay_days), list[Basket]()
    for household, day in zip(everyone.household.tolist(), everyone.cutoff.tolist(), strict=True):
        if household != number:
            number, state, left = household, StreamingState(decay_days), diary.get(household, [])[::-1]
        while left and left[-1].day < day:
            state.update(left.pop())
        yield state.at(day)


def _gap(row: dict[str, int], batch: dict[str, int]) -> float:
    """Billionths of a basket that a decayed count is off, for each basket of the household.

    Decayed sums are rounded per basket in SQL and once here (see `StreamingState.at`); everything else must be equal.
    """
    gaps = {c: abs(row[c] - batch[c]) for c in STATE}
    if any(gap for c, gap in gaps.items() if not _decayed(c)):
        what = "The streaming state and the panel tell of different baskets."
        raise DataError(what, hint="Run `dvc repro features`.")
    return max(gaps[c] / (row["baskets_total"] + 1) for c in _DECAYED_COUNTS)


def _decayed(column: str) -> bool:
    return column.startswith(("baskets_", "cents_")) and not column.endswith("_total")


_DECAYED_COUNTS: Sequence[str] = [c for c in STATE if _decayed(c) and c.startswith("baskets_")]


def _numbers(everyone: Examples) -> dict[str, int]:
    """Running number of each household."""
    return dict(zip(everyone.table["sid"].to_pylist(), everyone.household.tolist(), strict=True))
