"""Do one step of the pipeline; `dvc.yaml` calls this."""

from __future__ import annotations

from time import monotonic
from typing import Any

import typer

from twinops.adapters.one_at_a_time import as_stage
from twinops.adapters.running_code import note
from twinops.cli._answer import Json, answer, home, plain, talk
from twinops.errors import ParamsError

app = typer.Typer(add_completion=False)


@app.command(hidden=True, context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
def run(ctx: typer.Context, verb: str, as_json: Json = False) -> None:
    """Do one workflow: `twinops run collect --source transactions --batch MONTH`."""
    arguments = pairs(ctx.args)
    named = " ".join([verb, *arguments.values()])
    started = monotonic()
    talk(f"{named} ...")
    with as_stage(ctx.obj):
        project = home(ctx)
        result = project.run(verb, **arguments)
    note(project.root)
    talk(f"{named}: done in {monotonic() - started:.1f} s{_figures(result)}")
    if as_json:
        answer(result, as_json=True, text="")


def pairs(words: list[str]) -> dict[str, str]:
    """`--key value` pairs as keywords.

    >>> pairs(["--source", "transactions", "--first-day", "3"])
    {'source': 'transactions', 'first_day': '3'}
    """
    names, values = words[::2], words[1::2]
    if len(words) % 2 or not all(n.startswith("--") and len(n) > 2 for n in names):
        raise ParamsError(
            f"These are not --name value pairs: {' '.join(words)}",
            hint="Write `twinops run collect --source NAME --batch MONTH`.",
        )
    return dict(zip((n[2:].replace("-", "_") for n in names), values, strict=True))


def _figures(result: Any) -> str:
    """The whole numbers of an aggregate record, in a few words."""
    figures = plain(result) if result is not None else {}
    counts = (
        [f"{k} {v:,}" for k, v in figures.items() if isinstance(v, int) and not isinstance(v, bool)]
        if isinstance(figures, dict)
        else []
    )
    return f" ({', '.join(counts[:6])})" if counts else ""
