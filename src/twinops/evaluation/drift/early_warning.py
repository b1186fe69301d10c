"""Watch the first days after an as-of day: what households did over what the twin's heads expected of them.

Labels come a whole horizon late. The same heads, taught on the same rows but on what was done in the first days of each
horizon, say after a week what the labels say after four.

A week moves by itself. So a ratio has two intervals: of draws of households, which says how well this week was seen,
and with how far calm weeks lay from one, which says whether anything lasts beyond the week.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import pyarrow as pa

from twinops.data.threads import side_by_side
from twinops.entities.measure import Measure
from twinops.entities.wording import MANY
from twinops.evaluation.statistics import bootstrap, calm
from twinops.evaluation.statistics.between import FEWEST_CALM, Noisy, ends_of_day
from twinops.evaluation.statistics.bounds import AMOUNT
from twinops.evaluation.statistics.estimate import Estimate
from twinops.params import FeaturesParams, TrainParams
from twinops.plugins import text_beside
from twinops.ports import Engine
from twinops.twin.model.fit import fit_twin
from twinops.twin.state.examples import Examples

QUANTITIES = ("baskets", "active", "spend")
JUDGED = ("baskets", "active")
"""Spend in one week is told and not judged: it moves by more than the limits in weeks in which nothing happened."""

FEWEST_HOUSEHOLDS = 50
"""With fewer on the day nothing is measured."""

MOST = 0.5
"""Calm weeks that lie farther off set no wider limit: half as many as expected is news in any shop."""

WARN_RATE, ALARM_RATE = 1 / 4, 1 / 8
"""Of calm weeks, how many at most lie beyond the limits that calm weeks set: for a warning, for an alarm."""

Answer = Callable[[Sequence[Measure], Sequence[Measure], Mapping[str, float]], str]
"""The gate's own answer to what one day shows: passed, inconclusive (a warning) or failed (an alarm).

It is given the ratios with how weeks move, the same with the interval of this week's households alone, and the limits
that calm weeks set (`calm_limits`)."""


@dataclass(frozen=True)
class Watching:
    """How many first days are watched, how the heads are made, and the draws of the intervals."""

    days: int
    grid: FeaturesParams
    penalties: TrainParams
    draws: int
    seed: int

    @property
    def about(self) -> tuple[object, ...]:
        """All that a day's figures follow from beside its rows."""
        grid, penalties = self.grid, sorted(self.penalties.model_dump().items())
        return self.days, grid.horizon_days, grid.decay_days, penalties, self.draws, self.seed

    @property
    def method(self) -> str:
        """How a ratio comes about."""
        return (
            f"actual over expected in the first {self.days} days, expected by the twin's heads taught on the first "
            f"{self.days} days of closed horizons"
        )


@dataclass(frozen=True)
class Watched:
    """One as-of day: what each household that may be scored did, and what was expected. Arrays by quantity."""

    cutoff: int
    actual: Mapping[str, np.ndarray]
    expected: Mapping[str, np.ndarray]

    @property
    def households(self) -> int:
        """How many there are."""
        return len(self.actual["baskets"])


@dataclass(frozen=True)
class Week:
    """The ratios of one day with the middle 95 % over draws of households, and their variance there; by quantity."""

    cutoff: int
    households: int
    found: tuple[Estimate, ...]
    variance: tuple[float, ...]

    def noisy(self, place: int) -> Noisy:
        """One quantity's ratio."""
        return Noisy(self.found[place].value, self.variance[place])


@dataclass(frozen=True)
class DayAnswer:
    """What one day shows: a ratio for each quantity with how weeks move, the same for the week, the gate's answer."""

    cutoff: int
    ratios: tuple[Measure, ...]
    weeks: tuple[Measure, ...]
    answer: str


def first_days(engine: Engine, known: Examples, lines: pa.Table, *, days: int) -> Examples:
    """The same rows, labelled with what was done in the first `days`; closed where the data reach so far.

    `lines` has `sid, day, basket_id, sales_cents`, and ends where the data end.
    """
    engine.register("panel", known.table.select(["sid", "cutoff"]))
    engine.register("first_lines", lines)
    engine.register("first_days", pa.table({"days": pa.array([days], pa.int64())}))
    done = engine.query(text_beside(__package__, "first_days.sql"))
    # the engine keeps hold of what it knows, and the heads are fitted next
    engine.register("first_lines", lines.schema.empty_table())
    came = pa.array(done["baskets"].to_numpy() > 0)
    columns = {"active": came, "baskets": done["baskets"], "spend_cents": done["spend_cents"]}
    table = known.table
    for name, values in columns.items():
        table = table.set_column(table.schema.get_field_index(name), name, values)
    return Examples(table)


def watch_all(early: Examples, how: Watching, *, cutoffs: Sequence[int]) -> list[Watched]:
    """Every as-of day asked for on which enough households may be scored; each with heads of its own past."""
    return side_by_side([partial(watch, early, how, day) for day in measurable(early, cutoffs)])


def measurable(early: Examples, cutoffs: Sequence[int]) -> list[int]:
    """As-of days on which enough households may be scored."""
    return [d for d in cutoffs if _scored(early, d).sum() >= FEWEST_HOUSEHOLDS]


def watch(early: Examples, how: Watching, day: int) -> Watched:
    """Fit on the rows the twin would be fitted on for this day, and set what was observed beside what was expected."""
    rows = early.where(_scored(early, day))
    # only rows whose whole horizon was over: the first days are labels too
    past = early.known_at(day, horizon_days=how.grid.horizon_days)
    heads = fit_twin(past, how.grid.model_copy(update={"horizon_days": how.days}), how.penalties)
    said = heads.predict(rows.table)
    expected = {"baskets": said.baskets, "active": said.active_probability, "spend": said.spend}
    return Watched(day, {q: getattr(rows, q) for q in QUANTITIES}, expected)


def week_of(seen: Watched, how: Watching) -> Week:
    """The ratios of a day, on the households as they are and over draws of them."""
    draws = _draws(seen.households, how.draws, how.seed)
    both = draws @ np.stack([side[q] for side in (seen.actual, seen.expected) for q in QUANTITIES], axis=1)
    drawn = (both[:, : len(QUANTITIES)] / both[:, len(QUANTITIES) :]).T
    found = tuple(bootstrap.percentiles(d) for d in drawn)
    return Week(seen.cutoff, seen.households, found, tuple(float(d[1:].var(ddof=1)) for d in drawn))


def calm_limits(weeks: Sequence[Week]) -> dict[str, float]:
    """How far calm weeks lay from one, and how far the ends of their own intervals; empty: too few to tell.

    Of a week the quantity that is farther off counts, as one that is off is enough to warn.
    """
    places = [QUANTITIES.index(q) for q in JUDGED]
    off = [max(abs(w.found[k].value - 1) for k in places) for w in weeks]
    ends = [max(abs(end - 1) for k in places for end in (w.found[k].low, w.found[k].high)) for w in weeks]
    found = {
        "warn": calm.upper(off, rate=WARN_RATE),
        "alarm": calm.upper(off, rate=ALARM_RATE),
        "wide": calm.upper(ends, rate=WARN_RATE),
    }
    return {name: min(limit, MOST) for name, limit in found.items() if limit is not None}


def day_answer(week: Week, others: Sequence[Week], how: Watching, answer: Answer) -> DayAnswer | None:
    """The ratios of a day with their intervals, and what the gate would answer; None: too few calm weeks beside it."""
    if len(others) < FEWEST_CALM:
        return None
    ratios, weeks = [], []
    for place, quantity in enumerate(QUANTITIES):
        low, high = ends_of_day(week.noisy(place), [c.noisy(place) for c in others], usual=1.0)
        lasting = Estimate(week.found[place].value, *AMOUNT.ends(low, high))
        moved = f"interval of how {len(others)} other weeks, taken as calm, lay from one (Student), and of {MANY}"
        ratios.append(_ratio(name_of(quantity), lasting, week, how, moved))
        named = f"{name_of(quantity)}.week"
        weeks.append(_ratio(named, week.found[place], week, how, f"of this week alone: percentile bootstrap of {MANY}"))
    judged = [QUANTITIES.index(q) for q in JUDGED]
    said = answer([ratios[k] for k in judged], [weeks[k] for k in judged], calm_limits(others))
    return DayAnswer(week.cutoff, tuple(ratios), tuple(weeks), said)


@lru_cache(maxsize=2)
def _draws(households: int, draws: int, seed: int) -> np.ndarray:
    """The same draws for a day as it was and for all that is planted into it."""
    return bootstrap.counts(households, draws=draws, seed=seed).astype(float)


def name_of(quantity: str) -> str:
    """What the measure is called."""
    return f"early_{quantity}_ratio"


def _ratio(name: str, found: Estimate, week: Week, how: Watching, doubt: str) -> Measure:
    first = week.cutoff
    source = f"receipts of days {first} to {first + how.days - 1}, {MANY} that may be scored"
    return found.measure(name, week.households, source, f"{how.method}; {doubt}", seed=how.seed)


def _scored(early: Examples, day: int) -> np.ndarray:
    """Which rows are the day's, of households that may be scored."""
    may = early.table["may_score"].to_numpy(zero_copy_only=False)
    return np.asarray((early.cutoff == day) & may)
