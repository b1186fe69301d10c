"""The sheet that goes with a table that leaves: what it is, what it promises, how it was attacked, what it is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twinops.entities.legal import DataSheet
from twinops.entities.wording import MANY, ONE
from twinops.governance.markdown import escape

KINDS = {
    "synthetic": f"Rows of people who do not exist, drawn from noisy counts of real {MANY} (a tree of pairs of "
    "columns, noise by OpenDP).",
    "generalised": f"Rows of real {MANY} in ranges so wide that every row stands in a class of several (strict "
    "Mondrian partitioning); the column an attacker is after keeps its band.",
}


def sheet(
    figures: Mapping[str, Any], book: Mapping[str, Any], *, of: DataSheet, risk_at_most: float, exact: bool = True
) -> str:
    """Markdown; every figure comes from `figures`, nothing is judged here but against the stated limit.

    Without `exact` it says nothing that was counted without noise.
    """
    many = f"{figures['households']:,} " if exact else ""
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
            f"Made on {figures['day']} from {many}{of.people} that allow "
            f"training and scoring{made_up}. It tells nothing about {of.not_about}.",
            "",
            "## What it promises",
            "",
            *_promise(figures),
            "",
            "## What attacks on it achieved",
            "",
            f"Each attack was run on {MANY} in the release and on {MANY} kept out of it; the risk is what it "
            f"had over the latter. A table with an attack that may succeed beyond {risk_at_most:g} is not written.",
            "",
            *(_measured(risks, figures["utility"]) if exact else [STAYS_INSIDE]),
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


STAYS_INSIDE = (
    "What the attacks achieved and what the table is good for was counted without noise, so it stays with the "
    "controller: the promise above covers this folder, but for one thing, that the table passed and was written."
)


def _measured(risks: list[str], utility: Mapping[str, Any]) -> list[str]:
    head = ["| attack | risk | 95 % interval | tries |", "|---|---|---|---|"]
    return [*head, *risks, "", "## What it is good for", "", *_utility(utility)]


def _promise(figures: Mapping[str, Any]) -> list[str]:
    said = figures["promise"]
    if figures["kind"] == "synthetic":
        return [
            f"Differential privacy with epsilon {said['epsilon']:.3g} at delta {said['delta']:g} per {ONE} (zero-"
            f"concentrated loss {said['rho']:.4g}). All synthetic tables so far have spent epsilon "
            f"{figures['epsilon_spent_in_all']:.3g} together; {_others(figures['generalised_in_all'])}. It holds if a "
            f"{ONE} is one row, made of its own data alone, as here, and if the ledger of releases is complete: a "
            "copy of the project with its own ledger spends a budget of its own."
        ]
    return [
        f"Every row stands in a class of at least {said['k']} {MANY} whose bands of the sensitive "
        f"column are as mixed as {said['l']:g} equally frequent ones and within {said['t']:g} of everybody's spread.",
        "These are real rows, only wider: it promises nothing against someone who knows more than these columns, or "
        f"holds several such tables; {_others(figures['generalised_in_all'])}.",
    ]


def _others(generalised: int) -> str:
    return f"generalised tables that left so far: {generalised}, to which no epsilon applies"


def _utility(figures: Mapping[str, Any]) -> list[str]:
    return [
        f"Its single columns are {figures['single']:.3f} from those of the {figures['n']:,} {MANY} it stands for "
        f"(mean total variation distance), its pairs {figures['pairs']:.3f}. Two random parts of the {MANY} are "
        f"{figures['single_apart']:.3f} and {figures['pairs_apart']:.3f} apart, so distances of that size are chance."
    ]
