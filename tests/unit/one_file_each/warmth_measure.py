"""Measure how warm it is. Made up: the measure of the conformance test."""

from __future__ import annotations

from twinops.entities import shown
from twinops.entities.findings import Findings
from twinops.entities.measure import Measure
from twinops.entities.shown import Section
from twinops.workflows.places import Places

SHOWN = (
    *shown.measures(
        {"warmth_share": "The share that is told warmly"}, section=Section.MONITORING, headlines=("warmth_share",)
    ),
    *shown.pictures({"warmth": "How warmly each household is told"}, section=Section.MONITORING),
)


def warmth_measure(places: Places) -> Findings:
    """Write `reports/measures/warmth.json`."""
    share = Measure("warmth_share", 0.4, 200, "households of the test", "counted", 0.3, 0.5)
    findings = Findings((share,), shown=SHOWN)
    places.measures("warmth").parent.mkdir(parents=True, exist_ok=True)
    places.measures("warmth").write_text(findings.to_json(), encoding="utf-8")
    return findings
