"""What looks broken of a part that would be taken in, and who said that it is right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.arrivals import Arrived, PeriodLines
from twinops.data.likeness import LEAST_LINES, Oddity, oddities
from twinops.data.own_sources.declared_law import WHOLE
from twinops.data.reading.reading import Fault
from twinops.entities.small_cells import shown
from twinops.own_params import OwnSource
from twinops.params import Params
from twinops.whole_files import LIVING, told_in
from twinops.workflows.places import Places

PENDING = "pending.json"
"""In `live/`: what the update that works, or broke off, takes in."""
CUT_SHORT = (Fault.TORN.value, Fault.FIELD_COUNT.value)
UNREADABLE = "_unreadable"
HARDLY_READ = 0.05
OURS = {"sid": ("household_id",), "sales_cents": ("sales_value", "unit_price")}
"""Which declared columns a column of sealed lines is made of, where its name is another."""


@dataclass(frozen=True)
class Asked:
    """What the command says: the last month to take in, the day it is, and which periods are right, by whose word."""

    until: str | None = None
    today: date | None = None
    accepted: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Doubt:
    """What a period looks like, and why, in a clause without a value of any row."""

    what: Arrived
    why: str


@dataclass(frozen=True)
class Came:
    """Rows of one period beside rows that are held, and whether its file ends in the middle of a line."""

    lines: PeriodLines
    rows: pa.Table
    held: pa.Table
    broken_end: str = ""
    records: int = 0
    missing: tuple[str, ...] = ()
    """Months before it that are not held, and of which no file is there beside others that are called by theirs."""

    @property
    def unread(self) -> bool:
        """Hardly any of its records are receipt lines that can be read, where others could be."""
        some = self.held.num_rows and self.records >= LEAST_LINES
        return bool(some) and self.rows.num_rows < HARDLY_READ * self.records


def doubts(came: Came, *, said: OwnSource, params: Params, today: date | None) -> Iterator[Doubt]:
    """Everything that looks broken of it; `today` None: no day is called the future."""
    # a shop's day may be ahead of this machine's by one
    last = date.max if today is None else today + timedelta(days=1)
    if came.rows.num_rows and pc.max(came.rows["day"]).as_py() > params.features.days.number(last):
        yield Doubt(Arrived.FUTURE, f"it has receipts of days after {today}")
    if came.missing:
        gap = f"{came.missing[0]}{' and later ones' if len(came.missing) > 1 else ''}"
        yield Doubt(Arrived.BEHIND_A_GAP, f"there is no file of {gap}, and silence would be learned from it")
    if came.broken_end:
        yield Doubt(Arrived.CUT, f"its last line is broken ({came.broken_end}), as where a copy broke off")
    if came.lines.shrunken(params.updates.gone_share):
        share = 1 - came.lines.came / came.lines.held
        yield Doubt(Arrived.SHRUNKEN, f"it is shorter by {share:.0%} than what is held")
    if came.lines.onto and said.reads != "folder" and "basket_id" in said.entering and said.corrections is None:
        yield Doubt(Arrived.ONTO, _onto(came.lines.onto, said))
    if came.unread:
        yield Doubt(Arrived.UNLIKE, f"hardly any of its {came.records:,} records can be read")
    found = oddities(came.held, came.rows, factor=params.updates.unlike_factor)
    if found:
        yield Doubt(Arrived.UNLIKE, "; ".join(_clause(odd, said) for odd in found))


def _onto(lines: int, said: OwnSource) -> str:
    """Lines on top of a receipt that is held: one file for all cannot tell what is added from what replaces."""
    mend = "write `corrections: replace` there"
    if "line_id" not in said.entering:
        mend = f"name the column of line numbers there (line_id, with a purpose) and {mend}"
    return (
        f"{shown(lines) or 'some'} of its lines are new on receipts that are held already, and own in params.yaml does "
        f"not say whether they replace lines of those. If they do, {mend}; without line numbers put corrected files in "
        "place of the first ones. Else they are added on top"
    )


def _clause(odd: Oddity, said: OwnSource) -> str:
    theirs = [said.columns[c] for c in OURS.get(odd.column, (odd.column,)) if c in said.columns]
    column = f"column {theirs[0]} ({odd.column}): " if theirs else f"{odd.column}: " if odd.column else ""
    return f"{column}{odd.looks}"


def said_before(places: Places, source: str, parts: Mapping[str, str]) -> dict[str, str]:
    """Who said which periods are right to an update of the same parts that broke off."""
    path = places.live(PENDING)
    if not path.is_file():
        return {}
    with told_in(path, hint=LIVING) as told:
        before = told["digests"].get(source, {})
        return {
            a["period"]: a["accepted_by"]
            for a in told["arrivals"]
            if a["source"] == source and a.get("accepted_by") and _of(before, a["period"]) == _of(parts, a["period"])
        }


def _of(parts: Mapping[str, str], period: str) -> str | None:
    return parts.get(period, parts.get(WHOLE))
