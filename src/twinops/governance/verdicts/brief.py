"""One page for who has ten minutes: what it is for, what was decided, why, who must do what by when, what changed.

The same passages stand in the terminal, on the review page and on paper.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from twinops.entities.evidence import Evidence
from twinops.entities.passage import Passage
from twinops.entities.verdict import Verdict
from twinops.governance.assessment import questions as dpia
from twinops.governance.gates._shelf import in_brief
from twinops.governance.gates._trial import sentence, trial
from twinops.governance.markdown import plain
from twinops.governance.open_fields import MARK
from twinops.governance.people.offices import RISK_OFFICER
from twinops.governance.policy.decide import Decision
from twinops.governance.policy.lasting import lasts
from twinops.governance.policy.limits import Policy
from twinops.governance.policy.resolution import allowance
from twinops.governance.verdicts.compare import Side, changes
from twinops.governance.verdicts.explain import MARKS, headline_so_far, in_order, later

REASONS, MOST = 3, 6
WIDTH = 320
"""Characters of one sentence."""


@dataclass(frozen=True)
class Reason:
    """One verdict that stands in the way, cut to what fits a page, and what to do about it."""

    gate: str
    outcome: str
    why: str
    next: str
    evidence: str


@dataclass(frozen=True)
class Asked:
    """What one office does, and by when."""

    who: str
    what: str

    def __str__(self) -> str:
        """One line."""
        return f"{self.who}: {self.what}"


@dataclass(frozen=True)
class Brief:
    """What stands on the page; all of it is plain text, to be escaped where it is shown."""

    title: str
    purpose: str
    decided: str
    reasons: tuple[Reason, ...]
    more: int
    """So many more gates stand in the way."""
    asked: tuple[Asked, ...] = ()
    changed: tuple[str, ...] = ()
    """Against what, then each thing that differs."""
    stale: str = ""
    """What changed since it was measured."""
    looks: tuple[str, ...] = ()
    """How often the figures were looked at while they were chosen by."""

    @property
    def passages(self) -> tuple[Passage, ...]:
        """Everything but the title, in the order in which it is read."""
        told = [
            line
            for r in self.reasons
            for line in (f"{MARKS[r.outcome]} {r.gate} ({r.outcome}): {r.why}", f"    do: {r.next}")
        ]
        told += [f"And {self.more} more; every verdict stands in the model card."] if self.more else []
        parts = {
            "": (self.purpose,),
            "What was decided": (*((self.stale,) if self.stale else ()), self.decided, *self.looks),
            "What stands in the way": tuple(told) or ("Nothing that was judged so far.",),
            "What to do, by whom, by when": tuple(map(str, self.asked)) or ("Nothing is open.",),
            "What changed": self.changed or ("There is nothing to compare it with.",),
        }
        return tuple(Passage(heading, lines) for heading, lines in parts.items())

    def text(self) -> str:
        """For a terminal and for mail."""
        lines = [self.title]
        for passage in self.passages:
            lines += ["", *([passage.heading.upper()] if passage.heading else []), *passage.lines]
        return "\n".join(lines)


_NO_PURPOSE = "Its purpose is not declared."


def brief(evidence: Evidence, decision: Decision, *, policy: Policy | None = None, before: Side | None = None) -> Brief:
    """The page of this candidate, by the policy that decided; `before`: the one that it is compared with."""
    waiting = later(decision)
    in_way = [v for v in in_order(decision) if v.gate in decision.blocking and v.gate not in waiting]
    about = {k: v for k, v in evidence.table("intended_use.about").items() if not str(v).startswith(MARK)}
    return Brief(
        title=first_words(str(about.get("title") or evidence.model), WIDTH // 2),
        purpose=first_words(str(about.get("summary") or _NO_PURPOSE), WIDTH),
        decided=" ".join([*_trial(evidence), plain(headline_so_far(decision))]),
        reasons=tuple(_reason(v) for v in in_way[:REASONS]),
        more=max(0, len(in_way) - REASONS),
        asked=(*_asked(policy, in_way, evidence), *_to_renew(policy, evidence, decision)),
        changed=changes(Side("this candidate", evidence, decision), before),
        looks=in_brief(evidence),
    )


def _trial(evidence: Evidence) -> list[str]:
    fact = trial(evidence)
    return [] if fact is None else [sentence(fact)]


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


def _to_answer(evidence: Evidence) -> Iterator[Asked]:
    """Judgements of the impact assessment that nobody gave yet, by whom they are asked of."""
    record = dpia.from_evidence(evidence)
    left = Counter(str(field.who) for field in record[1].asked().values() if field.open_parts) if record else Counter()
    for who, many in sorted(left.items())[:MOST]:
        what = f"{many} question{'s' if many > 1 else ''} of the impact assessment"
        yield Asked(first_words(who, WIDTH // 3), f"answer and sign {what}, before anybody approves")


def _to_resolve(policy: Policy, in_way: list[Verdict]) -> tuple[Asked, ...]:
    """Gates that an office may let through in writing."""
    found: dict[tuple[str, int], list[str]] = {}
    for verdict in in_way:
        allowed = allowance(policy, verdict.gate, verdict)
        if _may_pass(policy, verdict):
            found.setdefault((" or ".join(allowed.offices), allowed.at_most_days), []).append(verdict.gate)
    return tuple(
        Asked(who, f"say in writing whether it may pass all the same, for at most {days} days: {', '.join(gates)}")
        for (who, days), gates in found.items()
    )


def _asked(policy: Policy | None, in_way: list[Verdict], evidence: Evidence) -> Iterator[Asked]:
    answers = tuple(_to_answer(evidence))
    yield from answers
    if policy:
        yield from _to_resolve(policy, in_way)[:MOST]
        mend = [v.gate for v in in_way if not _may_pass(policy, v) and not (answers and v.gate == "dpia")]
        if mend:
            yield Asked("whoever works on it", f"mend what nobody may let through: {', '.join(mend[:MOST])}")
    if not in_way:
        yield Asked(RISK_OFFICER, "who did not work on it: read the review page, then decide")


def _may_pass(policy: Policy, verdict: Verdict) -> bool:
    allowed = allowance(policy, verdict.gate, verdict)
    return not allowed.problem and bool(allowed.offices)


def _to_renew(policy: Policy | None, evidence: Evidence, decision: Decision) -> Iterator[Asked]:
    """What ends on which day, soonest first: an approval ends with the first of them."""
    ends = lasts(policy, evidence, decision) if policy else {}
    for what, day in list(ends.items())[:REASONS]:
        named = "the policy, which nobody has named yet" if MARK in what else first_words(what, WIDTH // 3)
        yield Asked(f"by {day}", f"renew {named}, or the approval ends with it")
