"""The gates of the policy, and what they say about the candidate."""

from __future__ import annotations

from typing import Any

import typer

from twinops import plugins
from twinops.cli._answer import Json, answer, home
from twinops.errors import REFUSED

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _gates() -> None:
    """The gates of the policy, and what they say about the candidate."""


@app.command("list")
def list_gates(ctx: typer.Context, as_json: Json = False) -> None:
    """Every gate of the policy: its question, its limits, the rule it comes from."""
    from twinops.governance.policy import SHELF
    from twinops.workflows.judge import rules_of

    told = [_told(gate, plugins.load(SHELF, gate.gate)) for gate in rules_of(home(ctx).places).gates]
    answer(
        told,
        as_json=as_json,
        text="\n".join(f"{g['id']} ({g['severity']}): {g['question']}\n    rule: {g['rule']}" for g in told),
    )


@app.command()
def explain(ctx: typer.Context, as_json: Json = False) -> None:
    """Every verdict on the candidate in this folder, with its reason; exit code 10 when it is refused."""
    from twinops.governance.explain import verdicts_text

    decision = home(ctx).run("judge").decision
    answer(decision, as_json=as_json, text=verdicts_text(decision))
    raise typer.Exit(0 if decision.promotable else REFUSED)


def _told(gate: Any, module: Any) -> dict[str, Any]:
    return {
        "id": gate.id,
        "gate": gate.gate,
        "severity": gate.severity,
        "question": module.QUESTION,
        "rule": module.RULE,
        "limits": dict(gate.limits),
        "may_resolve": list(gate.may_resolve),
    }
