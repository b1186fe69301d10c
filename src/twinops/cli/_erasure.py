"""`twinops subject erase` and `certificate`: commands that the noun `subject` takes up."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twinops.adapters import one_at_a_time
from twinops.cli._answer import Json, answer, home, talk
from twinops.errors import REFUSED, IntegrityError, ParamsError

if TYPE_CHECKING:
    from twinops.workflows.subject.erase import ErasureDone

NEXT = "Next: `dvc repro` builds features, models and figures without them; then push the commit."
By = Annotated[str, typer.Option(help="Who you are: name, address or account in compliance/offices.yaml.")]
Key = Annotated[Path, typer.Option(help="Your ssh key, which signs the certificate.", dir_okay=False)]
OWN_KEY = Path("~/.ssh/id_ed25519")
erasing = partial(one_at_a_time.at_work, with_stages=False, making=False)
"""Neither an update nor a run nor a stage of `dvc repro` writes what is taken away, and none reads it half gone."""


def erase(
    ctx: typer.Context,
    by: By,
    who: Annotated[str, typer.Argument(help="The person's number in the source, or a subject id.")] = "",
    *,
    file: Annotated[Path | None, typer.Option(help="Many at once: one id a line.", dir_okay=False)] = None,
    reason: Annotated[str, typer.Option(help="Why, and not who: it stands in the certificate.")] = "",
    key: Key = OWN_KEY,
    models: Annotated[str | None, typer.Option(help="retrain, keep or retire; else as policy.yaml says.")] = None,
    why_kept: Annotated[str, typer.Option(help="Why versions that learned from them are kept.")] = "",
    resume: Annotated[bool, typer.Option("--resume", help="Take the last steps of what was killed.")] = False,
    as_json: Json = False,
) -> None:
    """Erase a person with every identity of theirs, or a file of persons; ends in a certificate."""
    from twinops.cli._rights_log import keep
    from twinops.workflows.subject.erase import ErasureAsked, read_ids

    if models not in (None, "retrain", "keep", "retire"):
        raise ParamsError("--models is retrain, keep or retire.", hint="Leave it out to go by compliance/policy.yaml.")
    if sum((bool(who), file is not None, resume)) != 1:
        raise ParamsError("Name one person, or a --file, or --resume.", hint="`twinops subject erase --help`")
    ids = () if resume else read_ids(file) if file is not None else (who,)
    asked = ErasureAsked(ids, reason, by, key.expanduser(), datetime.now(UTC), models, why_kept)
    with erasing(ctx.obj, "`twinops subject erase`"):
        work = ("subject.resume", {}) if resume else ("subject.erase", {"say": talk})
        found = home(ctx).run(work[0], asked=asked, **work[1])
    answer(found, as_json=as_json, text=_told(found))
    keep(home(ctx))
    raise typer.Exit(REFUSED if found.refused else 0)


def certificate(
    ctx: typer.Context,
    which: Annotated[str, typer.Argument(help="The person's id, a certificate's name, or its file.")],
    act: Annotated[str, typer.Argument(help="verify: end with 4 when something does not hold.")] = "show",
    as_json: Json = False,
) -> None:
    """Show the certificate of an erasure, or check it: signature, office, marks in epoch.json."""
    project = home(ctx)
    if act not in ("show", "verify"):
        raise ParamsError(f"{act!r:.20} is neither show nor verify.", hint="Leave it out to be shown the page.")
    by_name = which.endswith(".json") or project.places.certificate(which).is_file()
    asked = {"where": which} if by_name else {"who": which}
    found = project.run("subject.certificate" if by_name else "subject.certificate_of", **asked)
    if act == "show" and not as_json:
        print(found.path.with_suffix(".md").read_text(encoding="utf-8"))
    told = f"{found.name}: {found.persons:,} person(s), {found.at}, signed by {found.signed_by}"
    if as_json or act == "verify":
        answer(found, as_json=as_json, text="\n".join([told, *found.faults]))
    if act == "verify" and found.faults:
        raise IntegrityError("The certificate does not stand.", hint="Compare it with the repository it came from.")


def _told(found: ErasureDone) -> str:
    if found.refused:
        return "\n".join(found.refused)
    lines = []
    if found.already:
        lines.append(f"{found.already:,} had been erased before; nothing was done twice.")
    if found.persons:
        lines.append(f"{found.persons:,} person(s) erased.")
    if found.named_in_the_open:
        talk("Named in the open, for the owner to delete: " + ", ".join(found.named_in_the_open))
    lines += [f"certificate: {path}" for path in found.certificates]
    if found.commit:
        lines.append(f"committed as {found.commit[:12]}")
    return "\n".join([*lines, NEXT] if found.persons else lines or ["Nothing was left to do."])
