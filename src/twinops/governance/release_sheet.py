"""The sheet that goes with a table that leaves: what it is, what it promises, how it was attacked, what it is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twinops.entities.legal import DataSheet
from twinops.governance.markdown import escape

KINDS = {
    "synthetic": "Rows of people who do not exist, drawn from noisy counts of real households (a tree of pairs of "
    "columns, noise by OpenDP).",
    "generalised": "Rows of real households in ranges so wide that every row stands in a class of several (strict "
    "Mondrian partitioning); the column an attacker is after keeps its band.",
}


def sheet(figures: Mapping[str, Any], book: Mapping[str, Any], *, of: DataSheet, risk_at_most: float) -> str:
    """Markdown; every figure comes from `figures`, nothing is judged here but against the stated limit."""
    made_up = f" ({of.made_up})" if of.made_up else ""
    columns = [f"| {escape(name)} | {escape(entry['says'])} |" for name, entry in book.items()]
    risks = [
        f"| {escape(m['name'].removesuffix('_risk').replace('_', ' '))} | {m['value']:.3f} | {m['low']:.3f} to "
        f"{m['high']:.3f} | {m['n']:,} {escape(m['unit_of_n'])} |"
        for m in figures["risks"]
    ]
    return "\n".join(
        [
            f"# A {figures['kind']} table of {figures['rows']:,} rows",
            "",
            KINDS[figures["kind"]],
            "",
            f"Made on {figures['day']} from {figures['households']:,} {of.people} that allow training and "
            f"scoring{made_up}. It tells nothing about {of.not_about}.",
            "",
            "## What it promises",
            "",
            *_promise(figures),
            "",
            "## What attacks on it achieved",
            "",
            "Each attack was run on households in the release and on households kept out of it; the risk is what it "
            f"had over the latter. A table with an attack that may succeed beyond {risk_at_most:g} is not written.",
            "",
            "| attack | risk | 95 % interval | tries |",
            "|---|---|---|---|",
            *risks,
            "",
            "## What it is good for",
            "",
            *_utility(figures["utility"]),
            "",
            "## What it is not",
            "",
            "The attacks are those we know and ran; others may do better, above all with knowledge from elsewhere. "
            "Whether the table is still personal data is for the controller to assess (GDPR recital 26). It may be "
            "used for statistics, not to decide about anybody.",
            "",
            "## Columns",
            "",
            "| column | what it says |",
            "|---|---|",
            *columns,
            "",
        ]
    )


def _promise(figures: Mapping[str, Any]) -> list[str]:
    said = figures["promise"]
    if figures["kind"] == "synthetic":
        return [
            f"Differential privacy with epsilon {said['epsilon']:.3g} at delta {said['delta']:g} per household (zero-"
            f"concentrated loss {said['rho']:.4g}). All synthetic tables so far have spent epsilon "
            f"{figures['epsilon_spent_in_all']:.3g} together. It holds if a household is one row, as here, and if the "
            "ledger of releases is complete: a copy of the project with its own ledger spends a budget of its own. The "
            "number of households and the figures of attacks and use on this sheet are exact: no part of that promise."
        ]
    return [
        f"Every row stands in a class of at least {said['k']} households with at least {said['l']} different bands of "
        f"the sensitive column, whose spread is within {said['t']:g} of everybody's.",
        "It promises nothing against someone who knows more than these columns.",
    ]


def _utility(figures: Mapping[str, Any]) -> list[str]:
    return [
        f"Its single columns are {figures['single']:.3f} from those of the {figures['n']:,} households it stands for "
        f"(mean total variation distance), its pairs {figures['pairs']:.3f}. Two random parts of the households are "
        f"{figures['single_apart']:.3f} and {figures['pairs_apart']:.3f} apart, so distances of that size are chance."
    ]
