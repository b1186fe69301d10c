"""Requests of consumers as cases: their steps, and the month in which each must be answered (GDPR art. 12(3)-(6)).

Pure: cases are read from entries of the ledger of rights, and what may be done next follows from them and a day.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType

from twinops.entities.rights import BESIDE, Right, RightsEntry, pseudonym

ANSWER_MONTHS, MORE_MONTHS = 1, 2
"""Art. 12(3): one month from receipt; two more where it is complex, told with reasons within the first."""


class RequestKind(StrEnum):
    """What is asked."""

    ACCESS = "access"
    PORTABILITY = "portability"
    RECTIFICATION = "rectification"
    ERASURE = "erasure"
    RESTRICTION = "restriction"
    OBJECTION = "objection"
    WITHDRAWAL = "withdrawal"
    CONTEST = "contest"


ARTICLES: Mapping[RequestKind, str] = MappingProxyType(
    {
        RequestKind.ACCESS: "art. 15",
        RequestKind.PORTABILITY: "art. 20",
        RequestKind.RECTIFICATION: "art. 16",
        RequestKind.ERASURE: "art. 17",
        RequestKind.RESTRICTION: "art. 18",
        RequestKind.OBJECTION: "art. 21",
        RequestKind.WITHDRAWAL: "art. 7(3)",
        RequestKind.CONTEST: "art. 22(3)",
    }
)


class Step(StrEnum):
    """What may become of a case."""

    RECEIVED = "received"
    IDENTIFIED = "identified"
    WORKING = "in work"
    EXTENDED = "extended"
    ANSWERED = "answered"
    REFUSED = "refused"


CLOSED = (Step.ANSWERED, Step.REFUSED)
GROUNDS: Mapping[str, str] = MappingProxyType(
    {
        "12(2)": "who asks cannot be identified",
        "12(5)(b)": "manifestly unfounded or excessive",
        "15(4)": "would harm the rights of others",
        "17(3)(a)": "freedom of expression and information",
        "17(3)(b)": "a legal duty to keep",
        "17(3)(c)": "public health",
        "17(3)(d)": "archiving, research or statistics",
        "17(3)(e)": "legal claims",
        "18(2)": "legal claims, or the protection of another",
        "21(1)": "compelling grounds that override",
        "22(2)": "the decision is allowed by contract, law or consent",
    }
)
"""Legal grounds of a refusal, in words."""
ALWAYS = ("12(2)", "12(5)(b)")
"""Grounds that may stand against any request; the others belong to an article."""
OF_KIND: Mapping[RequestKind, tuple[str, ...]] = MappingProxyType(
    {
        RequestKind.ACCESS: ("15(4)",),
        RequestKind.PORTABILITY: ("15(4)",),
        RequestKind.RECTIFICATION: (),
        RequestKind.ERASURE: ("17(3)(a)", "17(3)(b)", "17(3)(c)", "17(3)(d)", "17(3)(e)"),
        RequestKind.RESTRICTION: ("18(2)",),
        RequestKind.OBJECTION: ("21(1)",),
        RequestKind.WITHDRAWAL: (),
        RequestKind.CONTEST: ("22(2)",),
    }
)
RESTRICTS = ("a", "b", "c", "d")
"""Of art. 18(1): contested accuracy, unlawful use, needed for claims, objection under way."""
NARROWED = (RequestKind.OBJECTION, RequestKind.WITHDRAWAL)
"""Kinds that may be of one use of data."""
OUTCOMES = ("upheld", "changed")
"""Of a contested decision, when a person has looked."""


def months_later(day: date, months: int) -> date:
    """The same day of a later month, or its last where it has no such day (Regulation 1182/71, art. 3(2)(c)).

    >>> months_later(date(2026, 1, 31), 1), months_later(date(2024, 1, 31), 1), months_later(date(2026, 11, 28), 3)
    (datetime.date(2026, 2, 28), datetime.date(2024, 2, 29), datetime.date(2027, 2, 28))
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


@dataclass(frozen=True)
class CaseStep:
    """One step of a case; `entry` is its place in the ledger."""

    step: Step
    at: datetime
    by: str
    office: str
    entry: int
    ground: str = ""
    outcome: str = ""


@dataclass(frozen=True)
class RequestCase:
    """One request: whose (a pseudonym; empty: nobody was recognised), what, since when, and its steps."""

    id: str
    kind: RequestKind
    received: date
    subject: str
    sid: str = field(repr=False)
    purpose: str = ""
    reference: str = ""
    digest: str = ""
    """Of its newest entry: whoever decides says that this is what they saw."""
    steps: tuple[CaseStep, ...] = ()

    @property
    def state(self) -> Step:
        """Where it stands; an extension changes the day, not the state."""
        return next(s.step for s in reversed(self.steps) if s.step is not Step.EXTENDED)

    @property
    def closed(self) -> bool:
        """It was answered or refused."""
        return self.state in CLOSED

    @property
    def extended(self) -> bool:
        """The two months more were told."""
        return any(s.step is Step.EXTENDED for s in self.steps)

    @property
    def identified(self) -> bool:
        """It was checked who asks."""
        return any(s.step is Step.IDENTIFIED for s in self.steps)

    @property
    def first_due(self) -> date:
        """The last day of the first month."""
        return months_later(self.received, ANSWER_MONTHS)

    @property
    def due(self) -> date:
        """The last day to answer."""
        return months_later(self.received, ANSWER_MONTHS + (MORE_MONTHS if self.extended else 0))

    def overdue(self, today: date) -> bool:
        """Nobody answered in time."""
        return not self.closed and today > self.due

    @property
    def ground(self) -> str:
        """With which it was taken into work."""
        return next((s.ground for s in reversed(self.steps) if s.step is Step.WORKING), "")

    @property
    def grounds(self) -> tuple[str, ...]:
        """On which it may be refused; an objection to direct marketing on none of art. 21(1) (art. 21(3))."""
        marketing = self.kind is RequestKind.OBJECTION and self.purpose in ("", "offers")
        return (*ALWAYS, *(() if marketing else OF_KIND[self.kind]))


@dataclass(frozen=True)
class StepAsked:
    """What somebody does with a case, and why."""

    step: Step
    reason: str = field(default="", repr=False)
    ground: str = ""
    outcome: str = ""
    purpose: str = ""
    """Of an objection or withdrawal in work: the one use that it is of, as whoever read it says; else it is of all."""


def cases_of(entries: Iterable[RightsEntry]) -> dict[str, RequestCase]:
    """Every case by its id, in the order in which they came."""
    found: dict[str, RequestCase] = {}
    for entry in entries:
        if entry.right is not Right.CASE or BESIDE in entry.act.about:
            continue
        about = entry.act.about
        made = CaseStep(
            Step(about["step"]), entry.at, entry.act.person, entry.act.office, entry.seq,
            about.get("ground", ""), about.get("outcome", ""),
        )  # fmt: skip
        before = found.get(about["case"]) or RequestCase(
            about["case"], RequestKind(about["kind"]), date.fromisoformat(about["received"]), "", "",
            entry.act.purpose or "", about.get("reference", ""),
        )  # fmt: skip
        sid = entry.sid or before.sid
        name, purpose = pseudonym(sid) if sid else "", entry.act.purpose or before.purpose
        found[before.id] = replace(
            before, sid=sid, subject=name, purpose=purpose, digest=entry.digest, steps=(*before.steps, made)
        )
    return found


def queue(cases: Iterable[RequestCase]) -> list[RequestCase]:
    """Open ones first, by the day they are due (so the overdue lead), then the closed, newest first."""
    listed = list(cases)
    still = sorted((c for c in listed if not c.closed), key=lambda c: (c.due, c.id))
    return [*still, *sorted((c for c in listed if c.closed), key=lambda c: c.steps[-1].at, reverse=True)]


def against_step(case: RequestCase, asked: StepAsked, *, today: date) -> str:
    """Why this cannot be done with the case now, in a sentence; nothing where it can."""
    if case.closed:
        return f"The case was {case.state.value} already."
    if asked.purpose and (asked.step is not Step.WORKING or case.kind not in NARROWED or case.purpose):
        return "A purpose is said of an objection or withdrawal that names none, and when it is taken into work."
    return _AGAINST[asked.step](case, asked, today)


def _against_identified(case: RequestCase, asked: StepAsked, _today: date) -> str:
    if case.identified:
        return "It was checked already who asks."
    if not case.sid:
        return "Nobody is held under the id that was given; ask for another, or refuse (art. 12(2))."
    return "" if asked.reason.strip() else "Say how it was checked who asks."


def _against_working(case: RequestCase, asked: StepAsked, _today: date) -> str:
    if case.state is Step.WORKING:
        return "It is in work already."
    if case.kind is RequestKind.RESTRICTION and asked.ground not in RESTRICTS:
        return f"A restriction has a ground of art. 18(1): one of {', '.join(RESTRICTS)}."
    return "" if case.identified else "It must be checked first who asks (art. 12(6))."


def _against_extended(case: RequestCase, asked: StepAsked, today: date) -> str:
    if case.extended:
        return "It was extended already: two months more, once (art. 12(3))."
    if today > case.first_due:
        return f"The first month ended on {case.first_due}: an extension is told within it (art. 12(3))."
    return "" if asked.reason.strip() else "Say why more time is needed: the reasons are told to whoever asks."


def _against_answered(case: RequestCase, asked: StepAsked, _today: date) -> str:
    if not case.identified:
        return "It must be checked first who asks (art. 12(6)): an answer to somebody else is a breach."
    if case.kind is RequestKind.CONTEST and asked.outcome not in OUTCOMES:
        return f"Say what a person decided: {' or '.join(OUTCOMES)} (art. 22(3))."
    if case.kind is RequestKind.CONTEST and not asked.reason.strip():
        return "Give the person's reasons: they are told to whoever contested."
    return ""


def _against_refused(case: RequestCase, asked: StepAsked, _today: date) -> str:
    if asked.ground not in case.grounds:
        return f"A refusal of this names its ground: {', '.join(f'{g} ({GROUNDS[g]})' for g in case.grounds)}."
    return "" if asked.reason.strip() else "Give the reasons: they are told with the right to complain (art. 12(4))."


_AGAINST = {
    Step.RECEIVED: lambda *_: "It was received already.",
    Step.IDENTIFIED: _against_identified,
    Step.WORKING: _against_working,
    Step.EXTENDED: _against_extended,
    Step.ANSWERED: _against_answered,
    Step.REFUSED: _against_refused,
}
