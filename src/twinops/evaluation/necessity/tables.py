"""The table of the notebook `minimise`: what is proposed to hold, and what that rests on."""

from twinops.entities.findings import Findings
from twinops.evaluation.statistics.rendering import table

HEAD = ["", "with all history", "newly met, by days known", "proposed"]


def proposals_table(findings: Findings) -> str:
    """One row per attribute and source: outcomes, and the first sentence of its proposal."""
    items = next((f.value["items"] for f in findings.facts if f.name == "retention_proposal"), ())
    return table(HEAD, [
        [i["unit"].replace("_", " "), i["established"] or "not tried", _newly(i["newly_met"]), _short(i["text"])]
        for i in items
    ])  # fmt: skip


def _newly(outcomes: dict[str, str]) -> str:
    """`inconclusive: 0, 7; not necessary: 14, 28, 56`."""
    found: dict[str, list[str]] = {}
    for days, outcome in sorted((int(d.removesuffix(" days")), o) for d, o in outcomes.items()):
        found.setdefault(outcome, []).append(str(days))
    return "; ".join(f"{outcome}: {', '.join(days)}" for outcome, days in found.items()) or "not tried"


def _short(text: str) -> str:
    """Without what is the same for all of them."""
    told = text.removeprefix("Proposed: ").partition(":")[0].partition(". ")[0].rstrip(".")
    return told[0].upper() + told[1:]
