"""The pure decision from an Evidence file and a policy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from twinops.cli._answer import Json, answer, home
from twinops.errors import REFUSED

app = typer.Typer(add_completion=False)


@app.command()
def decide(
    ctx: typer.Context,
    evidence: Annotated[Path, typer.Option(help="The Evidence file.", dir_okay=False)],
    *,
    on: Annotated[str | None, typer.Option(help="The day of judging, where the file names none: YYYY-MM-DD.")] = None,
    as_json: Json = False,
) -> None:
    """Judge an Evidence file by the project's policy; exit code 10 when it is refused.

    Nothing else is looked at: lineage and documents answer *missing* unless the file holds them, and so does the
    policy's time in force unless the file or `--on` names the day.
    """
    from twinops.entities.evidence import JUDGED_ON
    from twinops.entities.fact import Fact, Kind
    from twinops.governance.policy.decide import decide as judged
    from twinops.governance.verdicts.explain import verdicts_text
    from twinops.workflows.candidate.files import evidence_of
    from twinops.workflows.policy_file import policy_of

    given = evidence_of(evidence)
    if on is not None and given.fact(JUDGED_ON) is None:
        given = given.joined(facts=(Fact(JUDGED_ON, on, Kind.MEASURED, "given on the command line"),))
    decision = judged(policy_of(home(ctx).places), given)
    answer(decision, as_json=as_json, text=verdicts_text(decision))
    raise typer.Exit(0 if decision.promotable else REFUSED)
