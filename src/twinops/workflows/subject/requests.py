"""Take a file of requests in as cases, once each, and list the cases with the day by which each must be answered."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from twinops.data.own_sources.declared import declared
from twinops.data.own_sources.kinds.service import SOURCE
from twinops.data.own_sources.people.asked_rights import tickets
from twinops.entities.consent import Purpose
from twinops.entities.rights import MOST_TEXT, RightsAct, is_code
from twinops.errors import DataError, TwinopsError
from twinops.governance.subject_cases import NARROWED, RequestCase, RequestKind, Step, StepAsked, cases_of, queue
from twinops.workflows.subject.asked_file import rows_of
from twinops.workflows.subject.casework import HEARD, begun
from twinops.workflows.subject.desk import WRONG_OFFICE, Desk

COLUMNS = ("reference", "id", "kind", "received", "purpose", "what")
MOST_MESSAGES = 10**9
"""Reading goes through blocks: what is looked for stops it, not the file's length."""
NEEDED = ("reference", "id", "kind", "received")


@dataclass(frozen=True)
class RequestsTaken:
    """How many were new and known already, and the queue."""

    taken: int
    known: int
    cases: tuple[RequestCase, ...]
    today: date
    refused: str | None = None
    tickets: Mapping[str, str] = field(default_factory=dict)
    """Of cases that messages opened: the number that the shop's own file gives the message, by reference."""

    def to_dict(self) -> dict[str, Any]:
        """Without ids."""
        return {
            "taken": self.taken, "known": self.known, "refused": self.refused,
            "cases": [case_told(c, self.today) | self._ticket(c) for c in self.cases],
        }  # fmt: skip

    def text(self) -> str:
        """In words."""
        if self.refused:
            return self.refused
        lines = [_line(c, self.today, self.tickets.get(c.reference, c.reference)) for c in self.cases]
        return "\n".join([f"{self.taken:,} taken in, {self.known:,} known already", *lines])

    def _ticket(self, case: RequestCase) -> dict[str, str]:
        return {"ticket": self.tickets[case.reference]} if case.reference in self.tickets else {}


def requests(desk: Desk, *, path: Path | None = None, by: str = "") -> RequestsTaken:
    """Take the file in, if one is named; the clock of each runs from the day it was received.

    Raises:
        ParamsError, DataError: the file cannot be taken; all mistakes at once, nothing was written.
    """
    cases = cases_of(desk.rights.entries())
    if path is None:
        return _listed(desk, 0, 0)
    officer = desk.officer(by)
    if officer is None:
        return RequestsTaken(0, 0, (), desk.today, WRONG_OFFICE)
    rows = list(rows_of(path, COLUMNS, needed=NEEDED))
    held: dict[str, _Told] = {c.reference: (c.kind.value, c.received.isoformat()) for c in cases.values()}
    wrong = [f"line {line}: {why}" for line, row in rows if (why := _against(row, desk.today))]
    wrong = wrong or [f"line {line}: {TWICE}" for line in _told_otherwise(rows, held)]
    if wrong:
        raise DataError(
            f"{len(wrong)} request(s) cannot be taken in, so none was:\n  " + "\n  ".join(wrong[:50]),
            hint="Mend them all, then take the file again.",
        )
    known = {c.reference for c in cases.values()}
    fresh = {row["reference"].strip(): row for _, row in rows if row["reference"].strip() not in known}
    people = desk.people() if fresh else None
    acts: list[RightsAct] = []
    for number, (reference, row) in enumerate(fresh.items(), start=len(cases) + 1):
        sids = people.sids(row["id"]) if people is not None and row["id"].strip() else ()
        case = RequestCase(
            f"c-{number:06}", RequestKind(row["kind"].strip()), date.fromisoformat(row["received"].strip()), "",
            sids[0] if sids else "", row["purpose"].strip(), reference,
        )  # fmt: skip
        acts += begun(case, StepAsked(Step.RECEIVED, row["what"]), officer, sids)
    if acts:
        desk.rights.append(*acts)
    return _listed(desk, len(fresh), len(rows) - len(fresh))


def _listed(desk: Desk, taken: int, known: int) -> RequestsTaken:
    listed = tuple(queue(cases_of(desk.rights.entries()).values()))
    return RequestsTaken(taken, known, listed, desk.today, tickets=_tickets(desk, {c.reference for c in listed}))


def _tickets(desk: Desk, references: Collection[str]) -> dict[str, str]:
    """What the shop calls the messages that opened cases: whoever works on one looks there for what was written."""
    own, wanted = desk.receipts.own, {r.removeprefix(HEARD) for r in references if r.startswith(HEARD)}
    found: dict[str, str] = {}
    for name in own.all_staged_as(SOURCE) if wanted else ():
        try:
            found |= tickets(declared(own, name, root=desk.places.root, max_rows=MOST_MESSAGES), wanted)
        except TwinopsError:
            # a list without the shop's own numbers is better than none
            continue
    return {f"{HEARD}{event}": number for event, number in found.items() if is_code(number)}


def case_told(case: RequestCase, today: date) -> dict[str, Any]:
    """One case for whoever works on it; no id of anybody."""
    return {
        "case": case.id, "kind": case.kind.value, "purpose": case.purpose, "subject": case.subject,
        "state": case.state.value,
        "reference": case.reference, "received": case.received.isoformat(), "due": case.due.isoformat(),
        "extended": case.extended, "overdue": case.overdue(today),
    }  # fmt: skip


_Told = tuple[str, ...]
TWICE = "its reference is another request's: each has one of its own, or one of the two would be lost"


def _told_otherwise(rows: Sequence[tuple[int, dict[str, str]]], held: Mapping[str, _Told]) -> Iterator[int]:
    """Lines whose reference stands for something else already, in this file or among the cases."""
    first: dict[str, _Told] = {}
    for line, row in rows:
        cells = {name: cell.strip() for name, cell in row.items()}
        reference, told = cells["reference"], (cells["kind"], date.fromisoformat(cells["received"]).isoformat())
        whole = tuple(cells.values())
        if first.setdefault(reference, whole) != whole or held.get(reference, told) != told:
            yield line


def _against(row: dict[str, str], today: date) -> str:
    return "; ".join(_mistakes(row, today))


def _mistakes(row: dict[str, str], today: date) -> Iterator[str]:
    kinds = [k.value for k in RequestKind]
    if row["kind"].strip() not in kinds:
        yield f"{row['kind']!r:.30} is no kind of request; there are {', '.join(kinds)}"
    if not row["reference"].strip() or not is_code(row["reference"].strip()):
        yield "a reference is a short code of your own, such as the letter's number"
    if row["purpose"].strip() not in ("", *(p.value for p in Purpose)):
        yield f"{row['purpose']!r:.30} is no declared purpose"
    if any(len(text) > MOST_TEXT for text in row.values()):
        yield f"a text is longer than {MOST_TEXT:,} signs"
    try:
        if date.fromisoformat(row["received"].strip()) > today:
            yield "it was received in the future"
    except ValueError:
        yield "`received` is a day, as 2026-11-28"


def _line(case: RequestCase, today: date, called: str) -> str:
    late = "OVERDUE since" if case.overdue(today) else "due"
    when = "" if case.closed else f", {late} {case.due}{' (extended)' if case.extended else ''}"
    of = case.purpose or ("every use" if case.kind in NARROWED else "")
    what = f"{case.kind.value}{f' to {of}' if of else ''}"
    return f"{case.id}  {what:26}{case.state.value:12}{case.subject or 'nobody recognised':20}{called}{when}"
