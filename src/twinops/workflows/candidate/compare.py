"""Compare the candidate in this folder with production, or with any Evidence file or revision."""

from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from twinops import plugins
from twinops.entities.evidence import JUDGED_ON, Evidence
from twinops.errors import DataError, IntegrityError
from twinops.governance.assessment.reopening import Reopened, triggers
from twinops.governance.gates._shelf import SHELF
from twinops.governance.policy.decide import Decision, decide
from twinops.governance.policy.limits import Gate
from twinops.governance.verdicts.approved_description import description
from twinops.governance.verdicts.compare import Side, comparison_markdown
from twinops.ports import Lineage, Production
from twinops.workflows.candidate.files import evidence_of
from twinops.workflows.candidate.judge import JudgedCandidate, judge
from twinops.workflows.places import Places

REVISIONS = ("HEAD", *(f"HEAD~{n}" for n in range(1, 20)))
"""So far back a candidate is looked for that was another."""


@dataclass(frozen=True)
class Compared:
    """Both decisions by one policy, the comment, and what would reopen the impact assessment."""

    now: Decision
    before: Decision | None
    reopened: tuple[Reopened, ...]
    markdown: str

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        before = self.before.to_dict() if self.before else None
        return {"now": self.now.to_dict(), "before": before, "reopens": [t.to_dict() for t in self.reopened]}


def compare(places: Places, lineage: Lineage, production: Production, *, against: str = "") -> Compared:
    """Judge both by the policy of this folder. `against`: a file, `git:REVISION`, or nothing for production.

    Raises:
        DataError: the file or revision is not there.
        IntegrityError: it holds no evidence.

    """
    judged = judge(places, lineage)
    now = Side("this folder", judged.evidence, judged.decision)
    name, other = _other(places, production, against, judged.measured.model)
    if other is None:
        return Compared(now.decision, None, (), comparison_markdown(now, None))
    before = side(judged, name, other)
    then, today_is = (description(e, decide(judged.rules, e), judged.rules) for e in (other, judged.measured))
    fired = triggers(then, today_is)
    return Compared(now.decision, before.decision, fired, comparison_markdown(now, before, fired))


def side(judged: JudgedCandidate, name: str, other: Evidence) -> Side:
    """The other candidate, judged by the policy of this folder and on the same day."""
    today = judged.evidence.fact(JUDGED_ON)
    seen = other.joined(facts=[today] if today and other.fact(JUDGED_ON) is None else ())
    return Side(name, seen, _comparable(decide(judged.rules, seen), judged))


def before_this(places: Places, production: Production, judged: JudgedCandidate) -> Side | None:
    """What is in production, else the last committed candidate that was another; None: this is the first."""
    path, seen = places.evidence.relative_to(places.root), {judged.measured.to_json()}
    live = production.evidence(judged.measured.model)
    found = chain((("production", live),), ((f"revision {r}", production.at(r, path)) for r in REVISIONS))
    for name, text in found:
        other = None if text is None or text in seen else _read(text, name)
        if other is not None and other.digest != judged.measured.digest:
            return side(judged, name, other)
        seen.add(text or "")
    return None


def _comparable(decision: Decision, judged: JudgedCandidate) -> Decision:
    """Without the gates that judge what is looked up in a folder: nobody knows it of another one."""
    looked_up = {f.name for f in judged.evidence.facts} - {f.name for f in judged.measured.facts} - {JUDGED_ON}
    gates = {g.id for g in judged.rules.gates if looked_up & set(_needs(g))}
    return replace(decision, verdicts=tuple(v for v in decision.verdicts if v.gate not in gates))


def _needs(gate: Gate) -> tuple[str, ...]:
    needs: tuple[str, ...] = plugins.load(SHELF, gate.gate).needs(gate.checked_limits())
    return needs


def _other(places: Places, production: Production, against: str, model: str) -> tuple[str, Evidence | None]:
    if not against:
        text = production.evidence(model)
        return "production", None if text is None else _read(text, "production's evidence")
    if against.startswith("git:"):
        revision = against.removeprefix("git:")
        text = production.at(revision, places.evidence.relative_to(places.root))
        if text is None:
            raise DataError(f"Revision {revision} holds no evidence.", hint="Fetch it, or name another.")
        return f"revision {revision}", _read(text, f"evidence of {revision}")
    return Path(against).name, evidence_of(Path(against))


def _read(text: str, what: str) -> Evidence:
    try:
        return Evidence.from_json(text)
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise IntegrityError(f"{what} cannot be read: {str(problem)[:200]}", hint="Compare with another.") from None
