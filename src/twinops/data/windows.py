"""Propose every as-of day and window of a project from the days on which its receipts lie, and say why."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from twinops.entities.day_count import DayCount
from twinops.params import FeaturesParams, Params

HORIZONS = (28, 56, 84, 168, 364)
"""Whole weeks, so that each weekday is in a horizon as often as any other."""
SHORT = 14
"""The horizon of a shop whose data hold nothing longer yet."""
MOST_WINDOWS = 4
"""As-of days to choose on, and as many to measure on: what months differ by is told by several."""
LEAD, SHORT_LEAD = 2.5, 1.5
"""Horizons before the first as-of day, to fill memories, and again before the first choice, to learn from."""
MOST_STEPS = 52
"""As-of days are half a horizon apart; older purchases are still remembered, but no rows are made of older days."""
FEWEST_CUSTOMERS, FEWEST_VISITS = 100, 100
"""Customers in all, and visits in a horizon, below which nothing can be measured."""
STRAY_SHARE, STRAY_GAP_DAYS = 0.01, 90
"""So few visits, so far from all others, are mistaken dates and set no window."""


@dataclass(frozen=True)
class ReceiptDays:
    """What is counted of receipts, aggregates only: `visits` a day from `first` on, and how many customers came.

    All a customer bought on a day is one visit.
    """

    first: date
    visits: tuple[int, ...]
    customers: int

    @property
    def days(self) -> int:
        """From the first receipt to the last, both counted."""
        return len(self.visits)

    @property
    def rhythm_days(self) -> float:
        """Days between two visits of an average customer, as if all had been customers all the time."""
        return self.customers * self.days / max(sum(self.visits), 1)

    @property
    def end(self) -> date:
        """The first day nothing is known of."""
        return self.first + timedelta(days=self.days)


@dataclass(frozen=True)
class ProposedWindows:
    """Sections of `params.yaml` and why, in sentences; none where there is too little, and then `not_before` says when
    there may be enough (None: nobody can tell).
    """

    params: dict[str, Any] = field(default_factory=dict)
    why: tuple[str, ...] = ()
    not_before: date | None = None


def counted(batches: Iterable[pa.Table]) -> ReceiptDays | None:
    """Count receipts that come in any number of tables `household_id, day` (dates); None: there are none."""
    parts = [visits(rows) for rows in batches]
    if not any(part.num_rows for part in parts):
        return None
    all_visits = visits(pa.concat_tables(parts))
    on = {v["values"]: v["counts"] for v in pc.value_counts(all_visits["day"]).to_pylist()}
    first, customers = min(on), pc.count_distinct(all_visits["household_id"]).as_py()
    span = (max(on) - first).days + 1
    return ReceiptDays(first, tuple(on.get(first + timedelta(days=n), 0) for n in range(span)), customers)


def proposed(receipts: ReceiptDays) -> ProposedWindows:
    """Every window that hangs on the data's span and rhythm; the same receipts give the same windows.

    The horizon is the shortest of `HORIZONS` in which an average customer comes once: shorter, and nearly everybody is
    silent in it and nothing is told; longer, and the answer comes late. (A customer base is judged over a period of the
    order of its own purchase cycle: Fader, Hardie and Lee, Marketing Science 24, 2005, hold out 39 weeks of a music
    shop.) It is no longer than leaves two days to choose on and two to measure on, where it can be. In time come:
    memory, days to learn from, days to choose on, days to measure on; the latter are whole horizons apart, so that no
    outcome is on two sides. All else is in horizons.
    """
    dense, stray = _without_stray(receipts)
    told = (*_counts(dense), *stray)
    if dense.customers < FEWEST_CUSTOMERS:
        lack = (
            f"{FEWEST_CUSTOMERS} customers are the least that can be told from each other: there are {dense.customers}."
        )
        return ProposedWindows({}, (*told, lack), None)
    grid = _grid(dense)
    if grid is None:
        return _too_early(dense, told)
    return ProposedWindows(_sections(dense, grid), (*told, *_reasons(dense, grid)))


def moved(declared: Params, *, known_until: int) -> dict[str, Any]:
    """Clock and windows of a project whose data now reach the day before `known_until`; what stays is not named.

    Every day that is chosen, measured or judged on moves by the same number of whole horizons, so that a day which was
    looked at is the same day in the ledger of looks. Drift is asked on the newest day whose first days are known.
    """
    grid = declared.features
    as_of = max(grid.days.date_of(known_until), declared.as_of)
    found: dict[str, Any] = {"as_of": as_of.isoformat()} if as_of != declared.as_of else {}
    reach = known_until - declared.drift.early_days - grid.first_cutoff
    newest = grid.first_cutoff + reach // grid.step_days * grid.step_days
    by = _whole_horizons(declared, known_until)
    first = grid.first_cutoff
    if newest > grid.last_cutoff:
        first = max(first, newest - MOST_STEPS * grid.step_days) if by else first
        found["features"] = {"first_cutoff": first, "last_cutoff": newest}
        found["drift"] = {"reference_cutoff": newest - _gap(declared), "current_cutoff": newest}
    found |= _left_behind(declared, found.get("drift", {}), first)
    return found | (_judged(declared, by) if by else {})


def _left_behind(declared: Params, drift: dict[str, Any], first: int) -> dict[str, Any]:
    """Days before which, now that the grid begins on `first`, there is nothing to learn from any more."""
    watched, told = _watched_from(declared.features, first), _told_from(declared.features, first)
    drift = drift | ({"early_from": watched} if declared.drift.early_from < watched else {})
    found = {"drift": drift} if drift else {}
    return found | ({"scorecard": {"first_origin": told}} if declared.scorecard.first_origin < told else {})


def _watched_from(grid: FeaturesParams | _Grid, first: int) -> int:
    """Two as-of days whose horizon has closed are the least that expectations are learned from."""
    return first + grid.horizon_days + grid.step_days


def _told_from(grid: FeaturesParams | _Grid, first: int) -> int:
    """And one more, to calibrate on."""
    return _watched_from(grid, first) + grid.step_days


def _whole_horizons(declared: Params, known_until: int) -> int:
    """By how many days what is measured on moves: whole horizons, on the grid, each closed by then."""
    grid = declared.features
    stride = math.lcm(grid.horizon_days, grid.step_days)
    return max((known_until - grid.horizon_days - max(declared.evaluate.cutoffs)) // stride, 0) * stride


def _gap(declared: Params) -> int:
    return declared.drift.current_cutoff - declared.drift.reference_cutoff


def _judged(declared: Params, by: int) -> dict[str, Any]:
    """Every declared day on which the model is chosen, measured or judged, later by so many days."""
    return {
        "choose": {"cutoffs": [day + by for day in declared.choose.cutoffs]},
        "evaluate": {"cutoffs": [day + by for day in declared.evaluate.cutoffs]},
        "fairness": {"cutoff": declared.fairness.cutoff + by},
        "proxies": {"cutoff": declared.proxies.cutoff + by},
        "coupons": {"held_out_from": declared.coupons.held_out_from + by},
        "minimisation": {"learn_until": declared.minimisation.learn_until + by},
        "privacy": {"cutoff": declared.privacy.cutoff + by},
    }


@dataclass(frozen=True)
class _Grid:
    """The horizon, as-of days to choose and to measure on, and the first and last as-of day of all."""

    horizon_days: int
    choose: tuple[int, ...]
    evaluate: tuple[int, ...]
    first: int

    @property
    def last(self) -> int:
        return self.evaluate[-1]

    @property
    def step_days(self) -> int:
        return self.horizon_days // 2


def visits(rows: pa.Table) -> pa.Table:
    """Who came when, each once; a row without either is no visit."""
    known = rows.filter(pc.and_(pc.is_valid(rows["household_id"]), pc.is_valid(rows["day"])))
    return known.select(["household_id", "day"]).group_by(["household_id", "day"]).aggregate([])


def _without_stray(receipts: ReceiptDays) -> tuple[ReceiptDays, tuple[str, ...]]:
    """The same without few visits far away at either end, and a sentence that says so."""
    first, end = _trimmed(receipts.visits), receipts.days - _trimmed(receipts.visits[::-1])
    lost = sum(receipts.visits) - sum(receipts.visits[first:end])
    if not lost:
        return receipts, ()
    kept = ReceiptDays(receipts.first + timedelta(days=first), receipts.visits[first:end], receipts.customers)
    return kept, (
        f"A few visits lie more than {STRAY_GAP_DAYS} days from all others, which looks like mistaken dates: no window "
        "reaches them, and their months are left out.",
    )


def _trimmed(visits: tuple[int, ...]) -> int:
    """How many days at the beginning hold a share below `STRAY_SHARE` and end in a gap of `STRAY_GAP_DAYS`."""
    total, seen, last, cut = sum(visits), 0, 0, 0
    for day, came in enumerate(visits):
        if not came:
            continue
        if seen and day - last > STRAY_GAP_DAYS and seen <= STRAY_SHARE * total:
            cut = day
        seen, last = seen + came, day
        if seen > STRAY_SHARE * total:
            break
    return cut


def _grid(receipts: ReceiptDays) -> _Grid | None:
    """The grid of the horizon that fits rhythm and span; None: there is too little of either."""
    wanted = next((h for h in HORIZONS if h >= receipts.rhythm_days), HORIZONS[-1])
    shorter = [h for h in HORIZONS if h <= wanted][::-1]
    for fewest in (2, 1):  # rather a shorter horizon than one window alone
        for horizon in (*shorter, SHORT):
            grid = _laid_out(receipts, horizon)
            if grid is not None and len(grid.evaluate) >= fewest:
                return grid
    return None


def _laid_out(receipts: ReceiptDays, horizon: int) -> _Grid | None:
    """Backwards from the last day whose horizon has closed."""
    known = receipts.days
    lead = LEAD if known >= (2 * LEAD + 2) * horizon else SHORT_LEAD
    windows = min(MOST_WINDOWS, int((known / horizon - 2 * lead) // 2))
    last, step = known - horizon, horizon // 2
    if windows < 1 or min(_a_horizon(receipts, horizon, 2 * windows)) < FEWEST_VISITS:
        return None
    days = [last - n * horizon for n in range(2 * windows)][::-1]
    room = min((last - int(-(-lead * horizon // 1))) // step, MOST_STEPS)
    return _Grid(horizon, tuple(days[:windows]), tuple(days[windows:]), last - room * step)


def _a_horizon(receipts: ReceiptDays, horizon: int, n: int) -> list[int]:
    """Visits in each of the last `n` horizons."""
    ends = [receipts.days - k * horizon for k in range(n)]
    return [sum(receipts.visits[end - horizon : end]) for end in ends]


def _sections(receipts: ReceiptDays, grid: _Grid) -> dict[str, Any]:
    """As `params.yaml` has them: lists, and dates as text."""
    h, first, last = grid.horizon_days, grid.first, grid.last
    held_out = grid.evaluate[0]
    return {
        "as_of": receipts.end.isoformat(),
        "months": _months(receipts.first, receipts.end - timedelta(days=1)),
        "features": {
            "first_day": receipts.first.isoformat(),
            "first_cutoff": first,
            "last_cutoff": last,
            "step_days": grid.step_days,
            "horizon_days": h,
            "decay_days": _scaled((10, 30, 90), h),
        },
        "choose": {"cutoffs": [*grid.choose]},
        "evaluate": {"cutoffs": [*grid.evaluate]},
        "fairness": {"cutoff": last},
        "drift": {
            "reference_cutoff": last - h,
            "current_cutoff": last,
            "early_days": _weeks(h / 4),
            "early_from": _watched_from(grid, first),
        },
        "proxies": {"cutoff": last},
        "tastes": {"decay_days": _scaled((10, 30, 90, 200), h), "new_after_days": 3 * h},
        "coupons": {"held_out_from": held_out - _weeks(h / 4)},
        "scorecard": {
            "first_origin": _told_from(grid, first),
            "state_ages": [grid.step_days, h, 2 * h, 3 * h],
            "head_ages": [h, 2 * h, 3 * h, 4 * h],
        },
        "minimisation": {
            "histories": [n for n in (0, _weeks(h / 4), h // 2, h, 2 * h) if n <= 365],
            "learn_until": held_out - h,
        },
        "privacy": {"cutoff": last},
    }


def _scaled(days: tuple[int, ...], horizon: int) -> list[int]:
    """Memories that were found good for a horizon of four weeks, in proportion."""
    return [round(d * horizon / HORIZONS[0]) for d in days]


def _weeks(days: float) -> int:
    """Whole weeks, one at least: a part of a week has other weekdays than the next."""
    return max(7, 7 * round(days / 7))


def _months(first: date, last: date) -> list[str]:
    """Every month from the first day to the last."""
    n = (last.year - first.year) * 12 + last.month - first.month + 1
    return [f"{first.year + (first.month - 1 + k) // 12:04}-{(first.month - 1 + k) % 12 + 1:02}" for k in range(n)]


def _counts(receipts: ReceiptDays) -> tuple[str, ...]:
    last = receipts.end - timedelta(days=1)
    return (
        f"Receipts lie on {receipts.first} to {last}, {receipts.days:,} days: {sum(receipts.visits):,} visits of "
        f"{receipts.customers:,} customers, for an average customer one in {receipts.rhythm_days:.0f} days.",
    )


def _reasons(receipts: ReceiptDays, grid: _Grid) -> Iterator[str]:
    """Horizon, order of windows, memories."""
    dated = DayCount(receipts.first).date_of
    if grid.horizon_days >= receipts.rhythm_days:
        why = f"the shortest of {', '.join(map(str, HORIZONS))} in which an average customer comes once"
    else:
        why = "an average customer comes less often, but a longer one leaves too few days to choose and measure on"
    yield f"The horizon is {grid.horizon_days} days: {why}."
    h = grid.horizon_days
    chosen, measured = (", ".join(str(dated(d)) for d in days) for days in (grid.choose, grid.evaluate))
    yield (
        f"As-of days go from {dated(grid.first)} to {dated(grid.last)}, {grid.step_days} days apart; the model is "
        f"chosen on {chosen} and measured on {measured}. Each of these is a horizon after the one before."
    )
    yield (
        f"All other windows are in horizons: memories {', '.join(map(str, _scaled((10, 30, 90), h)))} days, "
        f"the first {_weeks(h / 4)} days watched early, from day {_watched_from(grid, grid.first)} on."
    )
    if len(grid.evaluate) < MOST_WINDOWS:
        yield (
            f"With {(2 * LEAD + 2 * MOST_WINDOWS) * h:.0f} days of receipts there are {MOST_WINDOWS} days "
            f"to measure on; now there are {len(grid.evaluate)}, so how months differ is told less surely."
        )


def _too_early(receipts: ReceiptDays, told: tuple[str, ...]) -> ProposedWindows:
    """From when on there may be enough, if customers go on as they do."""
    a_day = sum(receipts.visits) / receipts.days
    least = next((h for h in (SHORT, *HORIZONS) if h * a_day >= FEWEST_VISITS), None)
    if least is None:
        lack = f"So few visits that no horizon of up to {HORIZONS[-1]} days holds {FEWEST_VISITS}."
        return ProposedWindows({}, (*told, lack), None)
    needed = round((2 * SHORT_LEAD + 2) * least)
    when = max(receipts.first + timedelta(days=needed), receipts.end + timedelta(days=1))
    return ProposedWindows(
        {},
        (
            *told,
            f"Five horizons of {least} days are the least: one and a half to remember, as many to learn from, one to "
            f"choose on and one to measure on. If customers go on as they do, that is from {when} on.",
        ),
        when,
    )
