"""How good each source is: completeness, validity, consistency, timeliness and uniqueness, with intervals and trend.

The five are dimensions of DAMA-DMBOK and ISO/IEC 25012. A row is counted once: as taken, or by the first reason that
kept it out. Evidently's data summary would count the same missing values and duplicates again, without intervals and
for five CPU-seconds; it is not used here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.entities.canonical import rounded
from twinops.entities.day_count import DayCount
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.entities.measure import Measure
from twinops.entities.small_cells import SMALLEST_CELL
from twinops.evaluation.quality.contradictions import Contradiction
from twinops.evaluation.statistics.wilson import share

ABSENT = ("_missing", "missing_value", "empty_text")
TWICE = ("duplicate_row", "duplicate_id")
WHOLE = "all"
"""The batch of a source that is not taken by month."""


@dataclass(frozen=True)
class Tally:
    """Rows of a source or of one of its months: how many were read, lack a value, break a rule, came twice."""

    read: int = 0
    incomplete: int = 0
    invalid: int = 0
    doubled: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(a + b for a, b in zip(self._all, other._all, strict=True)))

    @property
    def _all(self) -> tuple[int, int, int, int]:
        return self.read, self.incomplete, self.invalid, self.doubled

    def good(self, dimension: str) -> int:
        """How many rows are fine in that respect."""
        wrong = {"completeness": self.incomplete, "validity": self.invalid, "uniqueness": self.doubled}
        return self.read - wrong[dimension]


@dataclass(frozen=True)
class Source:
    """What quality is measured on: the counts of every batch, and the opened rows without those of the erased.

    `declared` are the sealed columns that stand for a column of the schema; `day` is the one that dates a row.
    """

    name: str
    counts: tuple[Mapping[str, Any], ...]
    rows: pa.Table
    declared: tuple[str, ...]
    day: str | None
    retention_days: int | None
    synthetic: bool

    @property
    def described(self) -> str:
        """How measures call it."""
        return f"{self.name}{' (synthetic)' if self.synthetic else ''}: counts of its batches and its sealed rows"

    def share(self, dimension: str, hits: int, n: int, method: str, *, unit: str = "rows") -> Measure:
        """One dimension of quality as the share of rows that are fine in that respect."""
        return share(hits, n).measure(f"quality.{self.name}.{dimension}", n, self.described, method, unit_of_n=unit)


def by_month(source: Source, days: DayCount) -> dict[str, Tally]:
    """A tally per month; `all` for what no month is known of, such as rejected rows of a source taken in one piece."""
    out: dict[str, Tally] = defaultdict(Tally)
    for batch in source.counts:
        out[batch["batch"]] += _rejected(batch["quarantined"])
    for day, n, lacks in _by_day(source):
        out[WHOLE if day is None else f"{days.date_of(day):%Y-%m}"] += Tally(read=n, incomplete=lacks)
    return dict(sorted((m, t) for m, t in out.items() if t.read))


def measures(source: Source, months: Mapping[str, Tally], today: int) -> tuple[Measure, ...]:
    """Completeness, validity and uniqueness of all rows read and their trend, and timeliness of the rows taken."""
    whole = sum(months.values(), Tally())
    out = []
    for dimension, method in _METHODS.items():
        if whole.read:
            out.append(source.share(dimension, whole.good(dimension), whole.read, method))
    dated = {m: t for m, t in months.items() if m != WHOLE and t.read >= SMALLEST_CELL}
    if len(dated) > 1:
        out += [_trend(source, dimension, dated) for dimension in ("completeness", "validity")]
    return (*out, *_timeliness(source, today))


def consistency(source: Source, against: Iterable[Contradiction]) -> tuple[Measure, ...]:
    """Share of checked rows that no other source, and no other column, contradicts."""
    mine = [c for c in against if c.check.source == source.name and c.concerned]
    if not mine:
        return ()
    concerned, wrong = sum(c.concerned for c in mine), sum(c.contradicting for c in mine)
    names = ", ".join(c.check.id for c in mine)
    method = f"rows not contradicted, over {len(mine)} check(s): {names}; Wilson's interval"
    return (source.share("consistency", concerned - wrong, concerned, method, unit="checked rows"),)


def empty_shares(source: Source) -> dict[str, float]:
    """Of every declared column the share of taken rows that say nothing."""
    n = source.rows.num_rows
    return {c: round(source.rows[c].null_count / n, 6) for c in source.declared} if n else {}


def newest(source: Source, today: int) -> dict[str, int | None]:
    """How many batches there are, and how old the newest row is on the as-of date."""
    last = pc.max(source.rows[source.day]).as_py() if source.day and source.rows.num_rows else None
    return {"batches": len(source.counts), "newest_age_days": None if last is None else today - last}


_METHODS = {
    "completeness": "share of rows read in which every declared column has a value; Wilson's interval",
    "validity": "share of rows read that break no rule, missing values and doubles aside; Wilson's interval",
    "uniqueness": "share of rows read that did not come before; Wilson's interval",
}


def _rejected(reasons: Mapping[str, int]) -> Tally:
    """Rows kept out, by what their reasons mean."""
    absent = sum(n for r, n in reasons.items() if r.endswith(ABSENT))
    twice = sum(n for r, n in reasons.items() if r in TWICE)
    # each rejected row has one reason, so the three parts add up to all of them
    n = sum(reasons.values())
    return Tally(n, absent, n - absent - twice, twice)


def _by_day(source: Source) -> Iterator[tuple[int | None, int, int]]:
    """Each day with its taken rows and how many of them lack a value; None for rows without a day."""
    days = pa.nulls(source.rows.num_rows, pa.int64()) if source.day is None else source.rows[source.day]
    lacking = pa.array(_incomplete(source)).cast(pa.int64())
    grouped = (
        pa.table({"day": days, "lacking": lacking}).group_by("day").aggregate([([], "count_all"), ("lacking", "sum")])
    )
    for row in grouped.to_pylist():
        yield row["day"], row["count_all"], row["lacking_sum"]


def _incomplete(source: Source) -> np.ndarray:
    """1 where a taken row lacks a value."""
    empty = np.zeros(source.rows.num_rows, dtype=bool)
    for column in source.declared:
        if source.rows[column].null_count:
            empty |= source.rows[column].is_null().to_numpy()
    return empty


def _timeliness(source: Source, today: int) -> tuple[Measure, ...]:
    """Of the rows taken: rejected ones have no day."""
    if source.day is None or source.rows.num_rows == 0 or source.retention_days is None:
        return ()
    days = source.rows[source.day]
    fine = pc.and_(pc.less_equal(days, today), pc.greater_equal(days, today - source.retention_days))
    hits = pc.sum(pc.fill_null(fine, fill_value=False).cast(pa.int64())).as_py()
    method = f"share of rows taken, neither of tomorrow nor older than {source.retention_days} days; Wilson's interval"
    return (source.share("timeliness", hits, len(days), method),)


def _trend(source: Source, dimension: str, dated: Mapping[str, Tally]) -> Measure:
    """Last month less all before it, with Newcombe's interval for a difference of shares (Stat. Med. 17, 1998)."""
    *before, last = (dated[m] for m in sorted(dated))
    earlier = sum(before, Tally())
    p1, low1, high1 = share(last.good(dimension), last.read)
    p2, low2, high2 = share(earlier.good(dimension), earlier.read)
    gap = p1 - p2
    low, high = gap - ((p1 - low1) ** 2 + (high2 - p2) ** 2) ** 0.5, gap + ((high1 - p1) ** 2 + (p2 - low2) ** 2) ** 0.5
    method = f"{max(dated)} less the months before it; Newcombe's interval of a difference of shares"
    name, n = f"quality.{source.name}.{dimension}.trend", last.read + earlier.read
    return Measure(name, gap, n, source.described, method, low, high, unit_of_n="rows")


Months = Mapping[str, Mapping[str, Tally]]


def quality_findings(
    sources: Sequence[Source], months: Months, against: Sequence[Contradiction], *, declared: Sequence[str], today: int
) -> Findings:
    """`declared` are all sources there could be: those without rows are named, not skipped in silence."""
    found = [m for s in sources for m in (*measures(s, months[s.name], today), *consistency(s, against))]
    there = [s.name for s in sources]
    facts = {
        "quality_sources": {"measured": there, "switched_off_or_empty": sorted(set(declared) - set(there))},
        "quality_by_month": {name: {m: _month(t) for m, t in tallies.items()} for name, tallies in months.items()},
        "quality_columns_empty": {s.name: empty_shares(s) for s in sources},
        "quality_newest": {s.name: newest(s, today) for s in sources},
        "contradictions": [_contradiction(c) for c in against],
    }
    source = "data/counts and data/raw"
    return Findings(tuple(found), tuple(Fact(name, v, Kind.MEASURED, source) for name, v in facts.items()))


OFF, UNDECLARED = "switched off in params.yaml", "no source of this kind is declared in params.yaml"


def absent_sources(counts: Mapping[str, Sequence[Mapping[str, Any]]]) -> tuple[Fact, ...]:
    """A fact `source_absent.NAME` for each source of which nothing was read because it is off or not declared.

    A declared source that is empty, or of which every row was refused, is not absent.
    """
    found = []
    for name, batches in sorted(counts.items()):
        if batches and not any(b["read"] for b in batches):
            why = [OFF if b["off"] else UNDECLARED for b in batches if b["off"] or b.get("undeclared")]
            if len(why) == len(batches):
                value = {"why": why[0]}
                found.append(Fact(f"source_absent.{name}", value, Kind.MEASURED, f"data/counts/{name}"))
    return tuple(found)


def _month(tally: Tally) -> dict[str, Any]:
    """A month of fewer than ten rows is not shown."""
    if tally.read < SMALLEST_CELL:
        return {"rows": None, "completeness": None, "validity": None}
    shares = {d: rounded(tally.good(d) / tally.read) for d in ("completeness", "validity")}
    return {"rows": tally.read, **shares}


def _contradiction(c: Contradiction) -> dict[str, Any]:
    """Fewer than ten contradicting rows are not counted in the open; none is none."""
    small = 0 < c.contradicting < SMALLEST_CELL
    counted = None if small else c.contradicting
    check = {"id": c.check.id, "source": c.check.source, "says": c.check.says}
    return {**check, "checked": c.concerned, "contradicting": counted, "suppressed": small}
