"""What the gates say of the measures that one stage keeps; the rest of the evidence is not looked at."""

from dataclasses import dataclass, replace
from datetime import date

from twinops.entities.evidence import Evidence
from twinops.entities.findings import Findings
from twinops.entities.verdict import Verdict
from twinops.governance.policy.decide import Decision, decide
from twinops.governance.verdicts.explain import verdicts_text
from twinops.governance.verdicts.preview import preview_html
from twinops.workflows.declared_words import DeclaredWords
from twinops.workflows.places import Places
from twinops.workflows.policy_file import policy_of

TITLE = "What the gates say of these measures"
ABOUT = "Gates that judge what this stage measured; the others, and documents, are judged by the pipeline."


@dataclass(frozen=True)
class StageVerdicts:
    """The verdicts of the gates that this stage's measures decide; shows itself in a notebook and in a terminal."""

    decision: Decision

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """One of each such gate."""
        return self.decision.verdicts

    def _repr_html_(self) -> str:
        return preview_html(self.decision, title=TITLE, about=ABOUT)

    def __repr__(self) -> str:
        return f"{ABOUT}\n{verdicts_text(self.decision)}"


def stage_verdicts(places: Places, words: DeclaredWords, findings: Findings) -> StageVerdicts:
    """Ask every gate of the policy with one stage's findings and without, and show those whose answer they change."""
    policy = policy_of(places)
    with_them, without = (decide(policy, _evidence(words, found)) for found in (findings, Findings()))
    before = {v.gate: v for v in without.verdicts}
    theirs = tuple(v for v in with_them.verdicts if replace(v, evidence=None) != replace(before[v.gate], evidence=None))
    names = {v.gate for v in theirs}
    blocking, advisory = (tuple(g for g in of if g in names) for of in (with_them.blocking, with_them.advisory))
    judged = "refused" if blocking else "promotable"
    return StageVerdicts(
        replace(with_them, decision=judged, verdicts=theirs, blocking=blocking, advisory=advisory)  # type: ignore[arg-type]
    )


def _evidence(words: DeclaredWords, findings: Findings) -> Evidence:
    """Nothing but these findings: no candidate's name, no key, no day."""
    found = words.told(findings)
    return Evidence("notebook", "0" * 64, date.min, found.measures, (*found.facts, words.fact), found.shown)
