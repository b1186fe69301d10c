"""Write what households are told about each source, in plain words (GDPR arts. 12-14, 22)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from markupsafe import Markup

from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact
from twinops.governance.citations import said
from twinops.governance.documents._evidence import CitedEvidence
from twinops.governance.markdown import render
from twinops.governance.policy.decide import Decision

FILES = ("notices.md",)
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")
BASES = {
    "consent": "you said yes",
    "legitimate_interest": "our interest; you may object",
    "contract": "our contract with you",
    "open": "not said yet",
    "legal_obligation": "the law asks it of us",
}


def build(evidence: Evidence, decision: Decision) -> dict[str, str]:
    """`notices.md`: one page for all sources, a row each; a draft that the controller issues or changes."""
    told = CitedEvidence(evidence, decision)
    notices = [SourceNotice(fact) for fact in told.sources()]
    outside = [n for n in notices if n.second_hand]
    shown = {
        "told": told,
        "notices": notices,
        "interest": any("legitimate_interest" in n.bases.values() for n in notices),
        "outside": said(", ".join(n.name for n in outside), *(n.fact for n in outside)) if outside else "",
    }
    return {"notices.md": render("notices.md.j2", shown)}


@dataclass(frozen=True)
class SourceNotice:
    """One source as its people are told of it, without names of columns."""

    fact: Fact

    @property
    def name(self) -> str:
        """What the source is called."""
        return self.fact.name.removeprefix("source.").replace("_", " ")

    @property
    def what(self) -> Markup:
        """Its kind of data, from its DPV term.

        `https://w3id.org/dpv/pd#PurchasesAndSpendingHabit` is told as "purchases and spending habit".
        """
        term = str(self.fact.value.get("personal_data") or "data not described").rpartition("#")[2]
        return said(_CAPITAL.sub(" ", term).strip().lower(), self.fact)

    @property
    def second_hand(self) -> bool:
        """Somebody else gave the data: art. 14 instead of art. 13."""
        return "not the data subject" in str(self.fact.value.get("collected_from"))

    @property
    def from_whom(self) -> str:
        """The beginning of what is declared; which article asks for the notice is no business of its reader."""
        return str(self.fact.value.get("collected_from") or "not declared").partition(";")[0]

    @property
    def bases(self) -> dict[str, str]:
        """Purpose -> legal basis."""
        found = self.fact.value.get("bases")
        return {str(p): str(b) for p, b in found.items()} if isinstance(found, dict) else {}

    @property
    def purposes(self) -> str:
        """What it is used for, in words."""
        return ", ".join(sorted(p.replace("_", " ") for p in self.bases)) or "no purpose is declared"

    @property
    def why_we_may(self) -> str:
        """The legal bases in plain words."""
        return ", ".join(sorted({BASES.get(b, b.replace("_", " ")) for b in self.bases.values()})) or "not declared"
