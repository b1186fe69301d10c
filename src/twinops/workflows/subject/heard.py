"""Open a case for each message of your customer service that asks for a right, as its category says; once each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from twinops.data.own_sources.kinds.service import SOURCE
from twinops.data.reading.plain_letters import plain
from twinops.entities.consent import Purpose
from twinops.entities.rights import RightsAct
from twinops.governance.subject_cases import RequestCase, RequestKind, Step, StepAsked, cases_of
from twinops.workflows.subject.casework import HEARD, begun
from twinops.workflows.subject.desk import ActingOfficer, Desk, held_as_one

COLUMNS = ("sid", "event_id", "category", "opened")
UNSUBSCRIBE = "unsubscribe"
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
    purpose: str


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
    persons = held_as_one(desk.receipts, desk.rights.entries()) if fresh else {}
    acts: list[RightsAct] = []
    for number, m in enumerate(fresh.values(), start=len(cases) + 1):
        case = RequestCase(f"c-{number:06}", m.kind, m.received, "", m.sid, m.purpose, m.reference)
        acts += begun(case, StepAsked(Step.RECEIVED), file, persons.get(m.sid, ()))
    if acts:
        desk.rights.append(*acts)
    return Heard(len(fresh), len({m.reference for m in asked}) - len(fresh))


def _asked(desk: Desk) -> Iterator[_Message]:
    """Messages in a category that is declared to ask for a right."""
    said = desk.receipts.own.root.values()
    kinds = {plain(word.strip()): _meant(kind) for s in said for word, kind in s.requests.items()}
    if not kinds:
        return
    held = desk.receipts.plane.tables.source(SOURCE, otherwise=NOBODY_WROTE).select(COLUMNS)
    for row in held.to_pylist():
        asks = kinds.get(plain((row["category"] or "").strip()))
        if asks is not None:
            day = min(desk.receipts.days.date_of(row["opened"]), desk.today)
            yield _Message(str(row["sid"]), asks[0], day, f"{HEARD}{row['event_id']}", asks[1])


def _meant(word: str) -> tuple[RequestKind, str]:
    """What a declared word asks for, and for which purpose: who unsubscribes objects to offers alone (art. 21(3))."""
    return (RequestKind.OBJECTION, Purpose.OFFERS.value) if word == UNSUBSCRIBE else (RequestKind(word), "")
