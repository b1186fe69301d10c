"""Execute one notebook; `dvc.yaml` calls this."""

from __future__ import annotations

from time import monotonic

import typer

from twinops.adapters.one_at_a_time import as_stage
from twinops.adapters.running_code import note
from twinops.cli._answer import Json, answer, home, talk
from twinops.cli.run import pairs

app = typer.Typer(add_completion=False)


@app.command(hidden=True, context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
def notebook(ctx: typer.Context, name: str, as_json: Json = False) -> None:
    """Execute `notebooks/NAME.py`; further `--key value` pairs set its parameters."""
    started = monotonic()
    talk(f"notebook {name} ...")
    with as_stage(ctx.obj):
        project = home(ctx)
        done = project.run("notebook", name=name, **pairs(ctx.args))
    note(project.root)
    talk(f"notebook {name}: done in {monotonic() - started:.1f} s, published as {done.path.name}")
    if as_json:
        answer(done, as_json=True, text="")
