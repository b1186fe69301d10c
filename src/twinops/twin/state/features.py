"""The panel: what was known about each household on each as-of day, in exact whole numbers, and what it did next."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.errors import DataError
from twinops.params import FeaturesParams
from twinops.plugins import text_beside
from twinops.ports import Engine

SPEEDS = ("quick", "steady", "slow")
"""The three speeds of forgetting, in the order of `features.decay_days`."""

BILLION = 1_000_000_000
MILLION = 1_000_000
SATURDAY = 5

PERMISSIONS = ("may_train", "may_score", "may_offer", "may_assess_bias")
"""Consent per purpose, read as of the row's as-of day."""

STATE = (
    *(f"{what}_{speed}" for what in ("baskets", "cents", "exposure") for speed in SPEEDS),
    "tenure_days", "recency_days", "shopping_days", "quiet_days",
    "baskets_total", "cents_total", "log_value_sum", "log_value_squares",
)  # fmt: skip
"""The twin's state. `quiet_days`: from how many days since the first basket on a lapse passed without any
(`lapse_days`), up to the last one. Decayed sums and exposures are in billionths, logarithms of basket values in
millionths."""

RFM = (
    "recency_days", "tenure_days",
    "baskets_h1", "baskets_h3", "baskets_total", "cents_h1", "cents_h3", "cents_total",
)  # fmt: skip
"""Recency, frequency, monetary value: what the strongest of the plain baselines reads."""

WINDOWS = ("h1", "h2", "h3")
"""The last one, two and three horizons before an as-of day."""

_COUNTED = ("baskets", "shopping_days", "stores", "cents", "lines", "cents_per_basket", "saved_share", "weekend_share")
WINDOWED = tuple(f"{what}_{days}" for what in _COUNTED for days in WINDOWS)
"""What happened in a window and nothing before it (`_h2`: two horizons): sums since the first day drift with time."""


def as_of_days(features: FeaturesParams, *, known_until: int) -> tuple[int, ...]:
    """The as-of days of the grid that the data reach; `known_until` is the first day that is not known in full.

    Raises:
        DataError: the data end before the grid begins.
    """
    days = tuple(c for c in features.cutoffs if c <= known_until)
    if not days:
        raise DataError(
            f"The data end on day {known_until}, before the first as-of day {features.first_cutoff}.",
            hint="`twinops sources windows` proposes as-of days, or says from when on there is enough.",
        )
    return days


def panel(engine: Engine, features: FeaturesParams, *, known_until: int) -> pa.Table:
    """One row per household and as-of day with an earlier basket; the engine holds `transactions` and `permissions`.

    Raises:
        DataError: nobody may be looked at, or nobody bought anything before an as-of day.
    """
    return filled(_panel(engine, features, known_until=known_until))


def filled(table: pa.Table) -> pa.Table:
    """The panel, if there is anybody in it.

    Raises:
        DataError: there is not.
    """
    if table.num_rows == 0:
        raise DataError(
            "The panel is empty: no consumer with a basket before an as-of day may be used for training.",
            hint="`twinops sources windows` says what the receipts are enough for, `twinops status --open` what only "
            "people can say: a legitimate interest that nobody signed for, or not for that day (`valid_until`), lets "
            "nobody in, nor does a lacking consent. A signature of today counts.",
        )
    return table


def panel_of_parts(
    engine: Engine, features: FeaturesParams, parts: Iterable[object], *, known_until: int
) -> tuple[list[pa.Table], list[pa.Table]]:
    """The same panel and its labels, where the engine is given `transactions` part by part, each time with all lines
    of its subjects, by sid.

    Raises:
        DataError: see `panel`.
    """
    made, told = [], []
    for _ in parts:
        made.append(_panel(engine, features, known_until=known_until))
        # the engine knows the baskets of this part alone
        told.append(labels(engine, made[-1]))
    some = [n for n, table in enumerate(made) if table.num_rows] or [0]
    filled(made[some[0]])
    return [made[n] for n in some], [told[n] for n in some]


def _panel(engine: Engine, features: FeaturesParams, *, known_until: int) -> pa.Table:
    engine.keep("baskets", text_beside(__package__, "baskets.sql"))
    values = engine.query(text_beside(__package__, "values.sql"))
    # an own source may begin before day 0, and the decay table must reach its oldest event
    oldest = min(pc.min(values["first_day"]).as_py() or 0, 0)
    engine.register("log_value", log_values(values["cents"].to_numpy()))
    engine.register("cutoffs", cutoffs(features, known_until=known_until))
    engine.register("memory", memory(features))
    engine.register("calendar", calendar(features, oldest=oldest, known_until=known_until))
    engine.register("decay", decay(features.decay_days, oldest_age=known_until - oldest))
    return engine.query(text_beside(__package__, "panel.sql"))


def labels(engine: Engine, table: pa.Table) -> pa.Table:
    """What each household of the panel did in the horizon; as-of days whose horizon is not over have no label."""
    engine.register("panel", table.select(["sid", "cutoff"]))
    return engine.query(text_beside(__package__, "labels.sql"))


def cutoffs(features: FeaturesParams, *, known_until: int) -> pa.Table:
    """As-of days, the day their horizon closes, and whether it has."""
    days = np.array(as_of_days(features, known_until=known_until), dtype=np.int64)
    closes = days + features.horizon_days
    return pa.table({"cutoff": days, "closes": closes, "closed": closes <= known_until})


def memory(features: FeaturesParams) -> pa.Table:
    """The one row of `memory`: how long a window, which is a horizon, and a lapse are."""
    spans = {"horizon": features.horizon_days, "lapse": lapse_days(features.decay_days)}
    return pa.table({name: pa.array([days], pa.int64()) for name, days in spans.items()})


def calendar(features: FeaturesParams, *, oldest: int, known_until: int) -> pa.Table:
    """Which days are Saturdays or Sundays; day 0 is `first_day`."""
    days = np.arange(oldest, known_until, dtype=np.int64)
    return pa.table({"day": days, "weekend": (days + features.first_day.weekday()) % 7 >= SATURDAY})


def lapse_days(decay_days: tuple[int, int, int]) -> int:
    """A silence longer than this is a lapse: the steady memory in whole weeks.

    >>> lapse_days((10, 30, 90)), lapse_days((20, 60, 180))
    (28, 56)
    """
    return 7 * max(decay_days[1] // 7, 1)


def decay(decay_days: tuple[int, int, int], *, oldest_age: int) -> pa.Table:
    """Per age in days, at each speed: the weight exp(-age/tau) of an event and the exposure tau(1-exp(-age/tau)).

    Both in whole billionths, so that sums of them are exact.
    """
    age = np.arange(1, oldest_age + 1, dtype=np.int64)
    columns = {"age": age}
    for speed, tau in zip(SPEEDS, decay_days, strict=True):
        weight = np.exp(-age / tau)
        columns[f"weight_{speed}"] = np.rint(BILLION * weight).astype(np.int64)
        columns[f"exposure_{speed}"] = np.rint(BILLION * tau * (1 - weight)).astype(np.int64)
    return pa.table(columns)


def log_values(cents: np.ndarray) -> pa.Table:
    """log(1 + USD) of each basket value that occurs, in whole millionths."""
    return pa.table({"cents": cents, "log_millionths": np.rint(MILLION * np.log1p(cents / 100)).astype(np.int64)})
