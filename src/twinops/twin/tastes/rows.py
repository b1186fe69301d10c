"""Taste states as numbers to learn from, households x categories, cut so that nothing of later days is learned."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import pyarrow as pa

from twinops.data.vault.seal import with_text_sid
from twinops.twin.state.features import MILLION
from twinops.twin.tastes.events import SPEEDS

NEVER = -1
"""The last day on which a category was bought that never was."""


@dataclass(frozen=True)
class TasteRows:
    """One row per household and as-of day; matrices are rows x categories.

    `bought`: decayed baskets per speed; `baskets`: all earlier baskets with the category; `last_day`: of the latest,
    or `NEVER`; `chosen`: 1.0 where it was bought in the horizon, nothing unless `closed`. `panel` holds the panel's
    columns of the same rows.
    """

    panel: pa.Table
    cutoff: np.ndarray
    household: np.ndarray
    closed: np.ndarray
    bought: dict[str, np.ndarray]
    baskets: np.ndarray
    last_day: np.ndarray
    chosen: np.ndarray

    def __len__(self) -> int:
        return len(self.cutoff)

    @property
    def tenure(self) -> np.ndarray:
        """Days since the first basket."""
        return self._flag("tenure_days").astype(float)

    def new(self, *, after_days: int) -> np.ndarray:
        """Where a category was not bought in the last `after_days` days, or never."""
        return np.asarray((self.last_day == NEVER) | (self.cutoff[:, None] - self.last_day > after_days))

    def where(self, mask: np.ndarray) -> TasteRows:
        """Some of the rows."""
        cut = {f.name: getattr(self, f.name)[mask] for f in fields(self) if f.name not in ("panel", "bought")}
        bought = {speed: values[mask] for speed, values in self.bought.items()}
        return replace(self, panel=self.panel.filter(pa.array(mask)), bought=bought, **cut)

    def all_closed(self) -> TasteRows:
        """Every row whose horizon is over: what the shipped heads learn from."""
        return self.where(self.closed)

    def known_at(self, day: int, *, horizon_days: int) -> TasteRows:
        """What heads for `day` may learn from: rows closed by then, of households that allow training on that day."""
        allowed = np.unique(self.household[(self.cutoff == day) & self._flag("may_train")])
        return self.where(self.closed & (self.cutoff <= day - horizon_days) & np.isin(self.household, allowed))

    def scored_at(self, day: int) -> TasteRows:
        """The rows heads are measured on: as of `day`, horizon over, of households that allow scoring on that day."""
        return self.where((self.cutoff == day) & self.closed & self._flag("may_score"))

    def _flag(self, name: str) -> np.ndarray:
        return np.asarray(self.panel[name].to_numpy())


def taste_rows(panel: pa.Table, states: pa.Table, labels: pa.Table | None, *, categories: int) -> TasteRows:
    """Rows in order of household and as-of day, for the as-of days that occur in `states`.

    `panel` and `states` are as they are sealed; `labels` None: nothing is known of any horizon yet.
    """
    days = np.unique(states["cutoff"].to_numpy())
    kept = with_text_sid(panel.filter(pa.array(np.isin(panel["cutoff"].to_numpy(), days))))
    kept = kept.sort_by([("sid", "ascending"), ("cutoff", "ascending")])
    sids = kept["sid"].combine_chunks().dictionary_encode()
    household, cutoff = sids.indices.to_numpy().astype(np.int64), kept["cutoff"].to_numpy()
    places = _Places(sids.dictionary.to_pylist(), household, days, cutoff)
    closed_days = np.unique(labels["cutoff"].to_numpy()) if labels is not None else np.array([], dtype=np.int64)
    shape = (len(cutoff), categories)
    return TasteRows(
        panel=kept,
        cutoff=cutoff,
        household=household,
        closed=np.isin(cutoff, closed_days),
        bought={s: places.filled(states, f"bought_{s}", shape) / MILLION for s in SPEEDS},
        baskets=places.filled(states, "baskets", shape),
        last_day=places.filled(states, "last_day", shape, empty=NEVER),
        chosen=np.zeros(shape) if labels is None else (places.filled(labels, "baskets", shape) > 0).astype(float),
    )


class _Places:
    """Where each (household, as-of day) is among the rows."""

    def __init__(self, sids: list[str], household: np.ndarray, days: np.ndarray, cutoff: np.ndarray) -> None:
        self._number = {sid: i for i, sid in enumerate(sids)}
        self._days = days
        self._row = np.full((len(sids) + 1, max(len(days), 1)), -1, dtype=np.int64)
        self._row[household, np.searchsorted(days, cutoff)] = np.arange(len(cutoff))
        self._cache: tuple[int, np.ndarray, np.ndarray] | None = None

    def filled(self, table: pa.Table, column: str, shape: tuple[int, int], *, empty: int = 0) -> np.ndarray:
        """A column of a sparse table as rows x categories."""
        out = np.full(shape, float(empty))
        row, place = self._of(table)
        held = row >= 0
        out[row[held], place[held]] = table[column].to_numpy()[held]
        return out

    def _of(self, table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
        # the same states fill one column per speed: places are looked up once
        if self._cache is None or self._cache[0] != id(table):
            coded = table["sid"].cast(pa.string()).combine_chunks().dictionary_encode()
            known = np.array([self._number.get(s, -1) for s in coded.dictionary.to_pylist()], dtype=np.int64)
            day = np.searchsorted(self._days, table["cutoff"].to_numpy())
            there = np.isin(table["cutoff"].to_numpy(), self._days)
            row = np.where(there, self._row[known[coded.indices.to_numpy()], np.minimum(day, len(self._days) - 1)], -1)
            self._cache = (id(table), row, table["place"].to_numpy())
        return self._cache[1], self._cache[2]
