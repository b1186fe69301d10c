"""Who was in which campaign, what was known of them the evening before, and who redeemed: rows to learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.vault.seal import with_text_sid
from twinops.params import FeaturesParams
from twinops.plugins import text_beside
from twinops.ports import Engine
from twinops.twin.state.features import calendar, log_values, memory
from twinops.twin.state.features import decay as pace_decay
from twinops.twin.tastes.events import Horizons, decay


@dataclass(frozen=True)
class CouponRows:
    """One row per household and campaign it was in; see `coupons.sql`. `may_train` per household and campaign day."""

    table: pa.Table
    consent: pa.Table

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @cached_property
    def cutoff(self) -> np.ndarray:
        """The day the campaign began."""
        return np.asarray(self.table["cutoff"].to_numpy())

    @cached_property
    def campaign(self) -> np.ndarray:
        """Which campaign it was."""
        return np.asarray(self.table["campaign_id"].to_numpy())

    @cached_property
    def kind(self) -> np.ndarray:
        """The campaign's type."""
        return np.array(self.table["campaign_type"].to_pylist(), dtype=str)

    @cached_property
    def closed(self) -> np.ndarray:
        """Whether the horizon is over."""
        return np.asarray(pc.is_valid(self.table["responded"]).to_numpy(zero_copy_only=False))

    @cached_property
    def responded(self) -> np.ndarray:
        """1.0 where a coupon of the campaign was redeemed within the horizon; 0.0 while that is not known."""
        told = pc.fill_null(self.table["responded"], fill_value=False)
        return np.asarray(told.to_numpy(zero_copy_only=False)).astype(float)

    @property
    def households(self) -> int:
        """How many different households there are."""
        return len(pc.unique(self.table["sid"]))

    def numbers(self, *names: str) -> list[np.ndarray]:
        """Columns as floats."""
        return [np.asarray(self.table[n].to_numpy()).astype(float) for n in names]

    def where(self, mask: np.ndarray) -> CouponRows:
        """Some of the rows."""
        return CouponRows(self.table.filter(pa.array(mask)), self.consent)

    def all_closed(self) -> CouponRows:
        """Every row whose horizon is over, of households that allow training."""
        return self.where(self.closed)

    def known_at(self, day: int, *, horizon_days: int) -> CouponRows:
        """What a head for `day` may learn from: campaigns over by then, households that allow training on that day."""
        today = self.consent.filter(pc.and_(pc.equal(self.consent["cutoff"], day), self.consent["may_train"]))
        allowed = pc.is_in(self.table["sid"], today["sid"].combine_chunks()).to_numpy(zero_copy_only=False)
        return self.where(self.closed & (self.cutoff <= day - horizon_days) & allowed)

    def scored_at(self, day: int) -> CouponRows:
        """Rows of campaigns that began on `day`, horizon over, of households that allowed scoring and offers then."""
        may = [self.table[name].to_numpy(zero_copy_only=False) for name in ("may_score", "may_offer")]
        return self.where((self.cutoff == day) & self.closed & may[0] & may[1])


def coupon_rows(table: pa.Table, consent: pa.Table) -> CouponRows:
    """From their sealed files, in order of day, campaign and household."""
    order = [("cutoff", "ascending"), ("campaign_id", "ascending"), ("sid", "ascending")]
    return CouponRows(with_text_sid(table).sort_by(order), with_text_sid(consent))


def campaign_days(campaigns: pa.Table, *, first: int, known_until: int) -> tuple[int, ...]:
    """Days on which campaigns began of which something was known before; in order."""
    days = sorted(pc.unique(campaigns["start_day"]).to_pylist())
    return tuple(d for d in days if first <= d <= known_until)


def tell(
    engine: Engine, grid: FeaturesParams, when: Horizons, *, decay_days: Sequence[int], oldest_age: int
) -> pa.Table:
    """The rows; the engine holds `transactions`, `campaigns`, `redemptions` and, as of these days, `permissions`.

    `decay_days` are the memories of a taste; `oldest_age` is how many days ago the oldest event was.
    """
    oldest = when.known_until - oldest_age
    engine.keep("baskets", text_beside("twinops.twin.state", "baskets.sql"))
    values = engine.query(text_beside("twinops.twin.state", "values.sql"))
    engine.register("log_value", log_values(values["cents"].to_numpy()))
    engine.register("cutoffs", when.table())
    engine.register("memory", memory(grid))
    engine.register("calendar", calendar(grid, oldest=oldest, known_until=when.known_until))
    engine.register("decay", pace_decay(grid.decay_days, oldest_age=oldest_age))
    engine.keep("coupon_panel", text_beside("twinops.twin.state", "panel.sql"))
    engine.register("coupon_cutoffs", when.table())
    engine.register("taste_decay", decay(decay_days, oldest_age=oldest_age))
    return engine.query(text_beside(__package__, "coupons.sql"))
