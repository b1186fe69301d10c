"""Write what households are told about each source, in plain words (GDPR arts. 12-14, 22)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact
from twinops.governance.documents._evidence import CitedEvidence
from twinops.governance.markdown import render
from twinops.governance.policy.decide import Decision
from twinops.governance.words import words

FILES = ("notices.md",)
BASES = {
    "consent": "you said yes, and may take it back at any time",
    "legitimate_interest": "we believe our interest does not outweigh yours, and you may object at any time",
}


def build(evidence: Evidence, decision: Decision) -> dict[str, str]:
    """`notices.md`: one notice per source; a draft that the controller issues or changes."""
    told = CitedEvidence(evidence, decision)
    notices = [SourceNotice(fact, told) for fact in told.sources()]
    return {"notices.md": render("notices.md.j2", {"told": told, "notices": notices, "words": words})}


@dataclass(frozen=True)
class SourceNotice:
    """One source as its people are told of it."""

    fact: Fact
    told: CitedEvidence

    @property
    def name(self) -> str:
        """What the source is called."""
        return self.fact.name.removeprefix("source.").replace("_", " ")

    @property
    def article(self) -> str:
        """Art. 13 when the person gave the data, art. 14 when somebody else did."""
        return "14" if "not the data subject" in str(self.fact.value.get("collected_from")) else "13"

    @property
    def by_interest(self) -> bool:
        """Some purpose rests on a legitimate interest."""
        return "legitimate_interest" in self._bases().values()

    def purposes(self) -> list[tuple[str, str, str]]:
        """Each purpose, why, and on which basis, in plain words."""
        declared: Any = self.told.value("intended_use.purposes") or {}
        found = []
        for purpose, basis in sorted(self._bases().items()):
            said = declared.get(purpose) if isinstance(declared, dict) else None
            why = words(said.get("why")) if isinstance(said, dict) else "not declared"
            found.append((purpose.replace("_", " "), why, BASES.get(basis, basis)))
        return found

    def _bases(self) -> dict[str, str]:
        bases = self.fact.value.get("bases")
        return {str(p): str(b) for p, b in bases.items()} if isinstance(bases, dict) else {}
