"""Compare a candidate with what is in production, as a comment for a pull request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from twinops.entities.evidence import Evidence
from twinops.entities.fact import Kind
from twinops.entities.measure import Measure
from twinops.entities.verdict import Verdict
from twinops.governance.assessment.reopening import Reopened
from twinops.governance.markdown import code, escape, plain, prose
from twinops.governance.policy.decide import Decision
from twinops.governance.verdicts.explain import MARKS, figures, headline, short

MARKER = "<!-- twinops gates diff -->"
"""By which a robot finds its own comment again, to change it instead of adding another."""
MOST, FEW, WIDEST = 25, 6, 400
"""Names in a comment, names on one page, and characters of a line there."""


@dataclass(frozen=True)
class Side:
    """One candidate: what it is called, its evidence, what is decided of it, and what its assessment describes."""

    name: str
    evidence: Evidence
    decision: Decision


def comparison_markdown(now: Side, before: Side | None, reopened: tuple[Reopened, ...] = ()) -> str:
    """What the gates say now and before, which measures moved, what was declared anew; rows that changed first."""
    lines = [MARKER, f"### {prose(headline(now.decision))}", ""]
    lines += [_against(now, before), "", *_gates(now, before), ""]
    if before is not None:
        lines += [*_measures(now, before), *_declared(now, before)]
    lines += [*_triggers(reopened)]
    lines.append(f"Policy {code(now.decision.policy_version)}; evidence {code(now.decision.evidence_digest[:12])}.")
    return "\n".join(lines).rstrip() + "\n"


def changes(now: Side, before: Side | None) -> tuple[str, ...]:
    """What differs, in a few plain lines: against what, gates, figures, declarations. Nothing to compare with: none."""
    if before is None:
        return ()
    if now.evidence.key == before.evidence.key and now.decision.decision == before.decision.decision:
        return (f"Against {plain(before.name)}: it is the same candidate, decided alike.",)
    old = {v.gate: v for v in before.decision.verdicts}
    gates = [
        f"{v.gate} {old[v.gate].outcome.value} → {v.outcome.value}"
        for v in now.decision.verdicts
        if _moved(v, old.get(v.gate))
    ]
    pairs = [(m, before.evidence.measure(m.name)) for m in now.evidence.headlines]
    figures_ = [f"{m.name} {short(was.value)} → {short(m.value)}" for m, was in pairs if was and _told(m) != _told(was)]
    said, spoken = _spoken(now.evidence), _spoken(before.evidence)
    otherwise = sorted(n for n in {*said, *spoken} if said.get(n) != spoken.get(n))
    parts = {"Gates": gates, "Figures": figures_, "Declared or answered otherwise": otherwise}
    return (f"Against {plain(before.name)}:", *(_few(label, names) for label, names in parts.items()))


def _few(label: str, names: list[str]) -> str:
    more = f" and {len(names) - FEW} more" if len(names) > FEW else ""
    return f"{label}: {plain(', '.join(names[:FEW])) or 'nothing'}{more}."[:WIDEST]


def _against(now: Side, before: Side | None) -> str:
    if before is None:
        return f"Candidate {code(now.evidence.key[:12])}; there is nothing to compare it with yet."
    same = " The two are the same candidate." if now.evidence.key == before.evidence.key else ""
    return (
        f"Candidate {code(now.evidence.key[:12])} against {escape(before.name)} {code(before.evidence.key[:12])}.{same}"
    )


def _gates(now: Side, before: Side | None) -> Iterator[str]:
    old = {v.gate: v for v in before.decision.verdicts} if before else {}
    yield "| gate | before | now | value [interval] | limit | why |"
    yield "|---|---|---|---|---|---|"
    verdicts = now.decision.verdicts
    for verdict in sorted(verdicts, key=lambda v: (not _moved(v, old.get(v.gate)), v.outcome.value == "passed")):
        was = old.get(verdict.gate)
        written = "".join(f" **{escape(s.sentence)}**" for s in now.decision.about(verdict.gate))
        outcome = f"{_outcome(verdict)}{' **changed**' if _moved(verdict, was) else ''}"
        judged = f"{escape(figures(verdict))} | {escape(short(verdict.limit))} | {prose(verdict.sentence)}{written}"
        yield f"| {code(verdict.gate)} | {_outcome(was)} | {outcome} | {judged} |"
    left = {v.gate for v in verdicts}
    yield from (f"| {code(g)} | {_outcome(v)} | **no longer judged** | | | |" for g, v in old.items() if g not in left)


def _moved(verdict: Verdict, was: Verdict | None) -> bool:
    return was is not None and was.outcome is not verdict.outcome


def _outcome(verdict: Verdict | None) -> str:
    return "-" if verdict is None else f"{MARKS[verdict.outcome.value]} {verdict.outcome.value}"


def _measures(now: Side, before: Side) -> Iterator[str]:
    rows = [(m, before.evidence.measure(m.name)) for m in sorted(now.evidence.headlines, key=lambda m: m.name)]
    moved = [(m, old) for m, old in rows if old is None or _told(m) != _told(old)]
    if not moved:
        yield from ("No headline measure moved.", "")
        return
    yield "| measure | before | now | apart? |"
    yield "|---|---|---|---|"
    for measure, was in moved:
        beside = f"{escape(was or '-')} | {escape(measure)} [{measure.id}]"
        yield f"| {code(measure.name)} | {beside} | {_apart(measure, was)} |"
    yield ""


def _told(measure: Measure) -> tuple[Any, ...]:
    return (measure.value, measure.low, measure.high, measure.n)


def _apart(now: Measure, was: Measure | None) -> str:
    """Whether two intervals leave no room for luck; overlapping ones may still differ when paired."""
    if was is None or None in (now.low, now.high, was.low, was.high):
        return "not known"
    apart = (now.low or 0) > (was.high or 0) or (now.high or 0) < (was.low or 0)
    return "intervals do not overlap" if apart else "intervals overlap"


def _declared(now: Side, before: Side) -> Iterator[str]:
    """Facts that people declare or answer, and that differ."""
    said, old = _spoken(now.evidence), _spoken(before.evidence)
    changed = [n for n in said if n in old and old[n] != said[n]]
    groups = {
        "Declared otherwise": changed,
        "Declared now": [n for n in said if n not in old],
        "No longer declared": [n for n in old if n not in said],
    }
    for label, names in groups.items():
        if names:
            more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
            yield f"{label}: {', '.join(code(n) for n in names[:MOST])}{more}."
            yield ""


def _spoken(evidence: Evidence) -> dict[str, Any]:
    return {f.name: _same(f.value) for f in evidence.facts if f.kind is not Kind.MEASURED}


def _same(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _same(v) for k, v in value.items()}
    return [_same(v) for v in value] if isinstance(value, (list, tuple)) else value


def _triggers(reopened: tuple[Reopened, ...]) -> Iterator[str]:
    if reopened:
        yield "**This reopens the impact assessment (GDPR art. 35(11)):**"
        yield ""
        yield from (f"- {code(t.trigger)}: {escape(plain(t.differs))}" for t in reopened)
        yield ""
