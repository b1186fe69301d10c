"""Show a scientist what the gates would say of the work as it lies here, before anything is committed."""

from dataclasses import dataclass
from typing import Any

from twinops.entities.evidence import Evidence
from twinops.errors import DataError
from twinops.governance.policy.decide import Decision, decide
from twinops.governance.verdicts.explain import verdicts_text
from twinops.governance.verdicts.preview import page, preview_html
from twinops.ports import Lineage
from twinops.workflows.candidate.files import lineage_facts, stale
from twinops.workflows.candidate.judge import Day, day_fact
from twinops.workflows.compliance_files import declarations
from twinops.workflows.evidence import NO_KEY, CandidateFolder

TITLE = "What the gates would say now"


@dataclass(frozen=True)
class Preview:
    """Evidence and decision; shows itself in a notebook and in a terminal."""

    evidence: Evidence
    decision: Decision
    about: str
    stale: str = ""
    """Which measures are older than what they were made from, in a sentence."""

    def _repr_html_(self) -> str:
        return preview_html(self.decision, title=TITLE, about=self.said)

    @property
    def html(self) -> str:
        """A page of its own."""
        return page(self._repr_html_(), title=TITLE)

    def __str__(self) -> str:
        return f"{self.said}\n{verdicts_text(self.decision)}"

    @property
    def said(self) -> str:
        """What this is about, and before it what is stale in it."""
        return f"{self.stale} {self.about}".lstrip()

    def __repr__(self) -> str:
        return str(self)

    def to_dict(self) -> dict[str, Any]:
        """For JSON: the decision, and what is stale in it."""
        return {**self.decision.to_dict(), "stale": self.stale or None}


def preview(candidate: CandidateFolder, lineage: Lineage, today: Day = None) -> Preview:
    """Judge the measures that lie here with today's declarations; nothing is written, documents are not looked at.

    Raises:
        DataError: nothing was measured yet.

    """
    declared, key = declarations(candidate.places), _key(lineage)
    measured = candidate.gather(declared, key=key or NO_KEY)
    looked_up = lineage_facts(lineage, measured) if key else ()
    evidence = declared.reviewed(measured).joined(facts=(*looked_up, day_fact(today)))
    about = (
        f"Measures of {len(candidate.places.all_measures)} stages as they lie here, as of {candidate.as_of}; documents "
        "are built and judged by the pipeline."
    )
    return Preview(evidence, decide(declared.rules, evidence), about, stale(lineage) if key else "")


def _key(lineage: Lineage) -> str | None:
    """The candidate's key, or None before the pipeline ran once."""
    try:
        return lineage.candidate_key()
    except DataError:
        return None
