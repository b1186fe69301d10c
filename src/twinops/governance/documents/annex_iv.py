"""Write the technical documentation of the AI Act's Annex IV, when the declared facts make the system high-risk."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from twinops.entities.evidence import Evidence
from twinops.governance.citations import items, said
from twinops.governance.documents._evidence import CitedEvidence
from twinops.governance.gates._shelf import speaking_to
from twinops.governance.markdown import render
from twinops.governance.policy.decide import Decision
from twinops.governance.reading import law
from twinops.governance.words import words

FILES = ("annex_iv.md",)
HIGH = "high_risk"
EVIDENCE = {
    "1": ("intended_use.about", "intended_use.controller", "intended_use.decision", "libraries"),
    "2a": ("dpia.declared.description", "model.family"),
    "2b": ("model.family", "intended_use.decision"),
    "2c": ("dpia.declared.assets",),
    "2d": ("source.", "quarantined"),
    "2e": ("intended_use.decision",),
    "2f": (),
    "2g": ("singling_out_risk",),
    "2h": ("dpia.declared.security_measures",),
    "3": ("intended_use.not_for",),
    "4": (),
    "5": ("dpia.human.risk_", "dpia.human.incident_", "dpia.human.residual"),
    "6": ("dpia.review",),
    "7": ("dpia.declared.standards_codes",),
    "8": (),
    "9": (),
}
"""What in the evidence speaks to each item beside what gates judge by; where nothing does, a person writes."""
_WIDTH = 600


@dataclass(frozen=True)
class Item:
    """One item of the annex: what is asked, and what the evidence says to it."""

    number: str
    title: str
    lines: tuple[Markup, ...]


def build(evidence: Evidence, decision: Decision) -> dict[str, str]:
    """`annex_iv.md`, or nothing when the system is not high-risk."""
    found = CitedEvidence(evidence, decision).value("ai_act_classification", "class")
    return {"annex_iv.md": written(evidence, decision)} if found == HIGH else {}


def written(evidence: Evidence, decision: Decision) -> str:
    """The document whatever the class, for whoever asks."""
    annex = law("ai_act_annex_iv")
    told = CitedEvidence(evidence, decision)
    listed = [Item(n, item["title"], _lines(n, evidence)) for n, item in annex["items"].items()]
    applies = (
        said(annex["applies_from"].isoformat(), fact)
        if (fact := evidence.fact("ai_act_classification"))
        else "not known"
    )
    return render("annex_iv.md.j2", {"told": told, "listed": listed, "applies": applies})


def _lines(number: str, evidence: Evidence) -> tuple[Markup, ...]:
    names = (*EVIDENCE[number], *speaking_to(f"annex_iv.{number}"))
    found = [i for n in names for i in items(evidence) if i.name == n or (n[-1] in "._" and i.name.startswith(n))]
    return tuple(said(f"{i.name.replace('_', ' ')}: {_short(i)}", i) for i in found)


def _short(item: object) -> str:
    value = getattr(item, "value", None) if hasattr(item, "kind") else str(item)
    text = words(value)
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"
