"""Open a case for each message of your customer service that asks for a right, as its category says; once each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from twinops.data.own_sources.kinds.service import SOURCE
from twinops.data.reading.plain_letters import plain
from twinops.governance.subject_cases import RequestCase, RequestKind, Step, StepAsked, cases_of
from twinops.workflows.subject.casework import act_of
from twinops.workflows.subject.desk import ActingOfficer, Desk

COLUMNS = ("sid", "event_id", "category", "opened")
NOBODY_WROTE = pa.schema([(c, pa.int64() if c == "opened" else pa.string()) for c in COLUMNS]).empty_table()


@dataclass(frozen=True)
class Heard:
    """How many messages became cases now, and how many were cases before."""

    opened: int = 0
    known: int = 0

    def text(self) -> str:
        """In words; nothing where nothing is new."""
        if not self.opened:
            return ""
        return f"{self.opened:,} messages to customer service ask for a right: `twinops subject requests` lists them"


@dataclass(frozen=True)
class _Message:
    """Whose, what it asks, since when, and a code of its own."""

    sid: str
    kind: RequestKind
    received: date
    reference: str


def heard(desk: Desk) -> Heard:
    """Doing it again opens nothing twice; the month to answer counts from the day of the message (art. 12(3)).

    Who wrote is who the shop's file says: whoever works on a case makes sure of it.
    """
    asked = sorted(_asked(desk), key=lambda m: (m.received, m.reference))
    if not asked:
        return Heard()
    cases = cases_of(desk.rights.entries())
    known = {c.reference for c in cases.values()}
    fresh = {m.reference: m for m in asked if m.reference not in known}
    file = ActingOfficer("source", SOURCE)
    acts = [
        act_of(
            RequestCase(f"c-{number:06}", m.kind, m.received, "", m.sid, reference=m.reference),
            StepAsked(Step.RECEIVED),
            file,
        )
        for number, m in enumerate(fresh.values(), start=len(cases) + 1)
    ]
    if acts:
        desk.rights.append(*acts)
    return Heard(len(acts), len({m.reference for m in asked}) - len(acts))


def _asked(desk: Desk) -> Iterator[_Message]:
    """Messages in a category that is declared to ask for a right."""
    said = desk.receipts.own.root.values()
    kinds = {plain(word.strip()): RequestKind(kind) for s in said for word, kind in s.requests.items()}
    if not kinds:
        return
    held = desk.receipts.plane.tables.source(SOURCE, otherwise=NOBODY_WROTE).select(COLUMNS)
    for row in held.to_pylist():
        kind = kinds.get(plain((row["category"] or "").strip()))
        if kind is not None:
            day = min(desk.receipts.days.date_of(row["opened"]), desk.today)
            yield _Message(str(row["sid"]), kind, day, f"service-{row['event_id']}")
