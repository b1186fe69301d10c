"""The documents of the candidate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from twinops import plugins
from twinops.cli._answer import Json, answer, current, home
from twinops.errors import DataError, IntegrityError

SHELF = "twinops.governance.documents"
app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)


@app.command("list")
def list_documents(ctx: typer.Context, as_json: Json = False) -> None:
    """Every document that is built, the project's own among them, and its files."""
    home(ctx)
    files = {name: list(plugins.load(SHELF, name).FILES) for name in plugins.names(SHELF)}
    answer(files, as_json=as_json, text="\n".join(f"{name}: {', '.join(made)}" for name, made in files.items()))


@app.command()
def build(ctx: typer.Context, as_json: Json = False) -> None:
    """Gather the evidence, judge it and write the documents; `dvc repro` does the same."""
    done = home(ctx).run("documents")
    found = {"files": list(done.files), "evidence": done.evidence.digest, "decision": done.decision.decision}
    answer(found, as_json=as_json, text=f"{len(done.files)} documents written: {', '.join(done.files)}")


@app.command()
def bundle(
    ctx: typer.Context,
    *,
    into: Annotated[Path | None, typer.Option(help="The folder; evidence/MODEL/KEY when not given.")] = None,
    email: Annotated[str, typer.Option("--as", help="Sign it: your e-mail, as compliance/offices.yaml has it.")] = "",
    key: Annotated[Path, typer.Option(help="Your ssh key.", dir_okay=False)] = Path("~/.ssh/id_ed25519"),
    time_stamp: Annotated[
        str, typer.Option(help="Address of a time stamp authority (RFC 3161); none by default.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Put the candidate's evidence into one folder that anyone can check with sha256sum and ssh-keygen."""
    done = home(ctx).run("candidate.bundle", into=str(into or ""), email=email, key=str(key))
    signed = f"signed by {done.signed_by}" if done.signed_by else "not signed"
    if time_stamp:
        from twinops.adapters.registry_client.time_stamp import stamp

        signed += f", stamped ({stamp(done.folder / 'SHA256SUMS', time_stamp).name})"
    answer(done, as_json=as_json, text=f"{done.folder}: {done.files} files, {signed}; VERIFY.md says how to check it")


@app.command("annex-iv")
def annex_iv(
    ctx: typer.Context,
    into: Annotated[Path, typer.Option(help="Where to write it.", dir_okay=False)] = Path("annex_iv.md"),
    as_json: Json = False,
) -> None:
    """Write the technical documentation of the AI Act's Annex IV; the build does it when the system is high-risk."""
    done = home(ctx).run("candidate.annex_iv", into=str(into))
    answer({"path": done}, as_json=as_json, text=f"{done} written; what is empty is written by people")


@app.command()
def check(ctx: typer.Context, as_json: Json = False) -> None:
    """Whether all documents are there, unchanged, and cite evidence that exists; exit code 4 when not."""
    judged = home(ctx).run("candidate.judge")
    evidence = judged.evidence
    present, problems = (evidence.fact(f"documents.{name}") for name in ("present", "problems"))
    if present is None or problems is None:
        raise DataError("There are no documents yet.", hint="Run `make run`, or `twinops documents build`.")
    answer(
        {"present": present.value, "problems": problems.value, "stale": judged.stale or None},
        as_json=as_json,
        text=f"{len(present.value)} documents found",
    )
    if problems.value:
        raise IntegrityError(
            f"The documents do not fit: {'; '.join(problems.value[:5])}.", hint="Run `dvc repro --force documents`."
        )
    current(judged.stale)
