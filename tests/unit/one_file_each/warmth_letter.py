"""Say how warm it is. Made up: the document of the conformance test."""

from __future__ import annotations

from twinops.entities.evidence import Evidence
from twinops.governance.citations import said
from twinops.governance.policy.decide import Decision

FILES = ("warmth.md",)


def build(evidence: Evidence, _decision: Decision) -> dict[str, str]:
    """`warmth.md`."""
    share = evidence.measure("warmth_share")
    return {"warmth.md": f"# Warmth\n\n{said(str(share), share)}\n" if share else "# Warmth\n\nNot measured.\n"}
