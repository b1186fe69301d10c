"""One page for who has ten minutes: what it is for, what was decided, why, and who must do what by when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from twinops.entities.evidence import Evidence
from twinops.entities.verdict import Outcome, Verdict
from twinops.governance.gates._shelf import in_brief
from twinops.governance.markdown import plain
from twinops.governance.policy.decide import Decision
from twinops.governance.verdicts.explain import MARKS, headline_so_far, in_order, later

REASONS = 3
WIDTH = 320


@dataclass(frozen=True)
class Reason:
    """One verdict that stands in the way, cut to what fits a page, and what to do about it."""

    gate: str
    outcome: str
    why: str
    next: str
    evidence: str


@dataclass(frozen=True)
class Brief:
    """What stands on the page; all of it is plain text, to be escaped where it is shown."""

    title: str
    purpose: str
    decided: str
    reasons: tuple[Reason, ...]
    more: int
    """So many more gates stand in the way."""
    ends: tuple[str, ...]
    """What runs out on which day, soonest first."""
    looks: tuple[str, ...] = ()
    """How often the figures were looked at while they were chosen by."""

    def text(self) -> str:
        """For a terminal and for mail."""
        told = [f"{MARKS[r.outcome]} {r.gate}: {r.why}\n    do: {r.next}" for r in self.reasons]
        more = [f"and {self.more} more in the way: `twinops gates explain`"] if self.more else []
        return "\n".join([self.title, self.purpose, "", self.decided, *told, *more, *self.ends, *self.looks])


def brief(evidence: Evidence, decision: Decision, *, lasts: Mapping[str, date] | None = None) -> Brief:
    """The page of this candidate; `lasts`: what it rests on and that day on which each ends."""
    waiting = later(decision)
    in_way = [
        v
        for v in in_order(decision)
        if v.outcome is not Outcome.PASSED and v.gate in decision.blocking and v.gate not in waiting
    ]
    about = _table(evidence, "intended_use.about")
    return Brief(
        title=plain(about.get("title") or evidence.model),
        purpose=first_words(str(about.get("summary") or "Its purpose is not declared."), WIDTH),
        decided=plain(headline_so_far(decision)),
        reasons=tuple(_reason(v) for v in in_way[:REASONS]),
        more=max(0, len(in_way) - REASONS),
        ends=tuple(_endings(decision, lasts or {})),
        looks=in_brief(evidence),
    )


def first_words(text: str, width: int) -> str:
    """The text, cut at a word where it is longer.

    >>> first_words("one two three", 9)
    'one two …'
    """
    text = plain(text)
    return text if len(text) <= width else f"{text[:width].rsplit(' ', 1)[0]} …"


def _reason(verdict: Verdict) -> Reason:
    why, then = first_words(verdict.sentence, WIDTH), first_words(verdict.next or "Read the verdict.", WIDTH)
    return Reason(verdict.gate, verdict.outcome.value, why, then, verdict.evidence or "")


def _endings(decision: Decision, lasts: Mapping[str, date]) -> Iterator[str]:
    """Rulings and whatever else ends, soonest first."""
    days = {f"the ruling on {r.gate} by {r.by}": r.until for r in decision.rulings if r.counts and r.until}
    for what, day in sorted({**days, **lasts}.items(), key=lambda one: (str(one[1]), one[0])):
        yield f"{plain(what)} ends on {day}"


def _table(evidence: Evidence, name: str) -> dict[str, Any]:
    value = evidence.value(name)
    return value if isinstance(value, dict) else {}
