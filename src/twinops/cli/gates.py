"""The gates of the policy, and what they say about the candidate."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twinops import plugins
from twinops.cli._answer import Json, answer, current, home
from twinops.errors import REFUSED, ParamsError
from twinops.whole_files import write

if TYPE_CHECKING:
    from twinops.wiring import Project

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)


@app.command("list")
def list_gates(ctx: typer.Context, as_json: Json = False) -> None:
    """Every gate of the policy: its question, its limits, the rule it comes from."""
    from twinops.governance.gates._shelf import SHELF
    from twinops.workflows.policy_file import policy_of

    project = home(ctx)
    told = [_told(gate, plugins.load(SHELF, gate.gate), project) for gate in policy_of(project.places).gates]
    answer(
        told,
        as_json=as_json,
        text="\n".join(f"{g['id']} ({g['severity']}): {g['question']}\n    rule: {g['rule']}" for g in told),
    )


@app.command()
def explain(
    ctx: typer.Context,
    gate: Annotated[str, typer.Argument(help="This gate alone; all without.")] = "",
    *,
    html: Annotated[Path | None, typer.Option(help="Write a page of HTML here as well.", dir_okay=False)] = None,
    plain: Annotated[bool, typer.Option("--plain", help="Lines instead of a table.")] = False,
    as_json: Json = False,
) -> None:
    """Every verdict on the candidate in this folder, with its reason; exit code 10 when it is refused, 4 when stale."""
    judged = home(ctx).run("candidate.judge")
    decision = judged.decision
    if html is not None:
        _write_page(html, judged)
    _print(_only(judged, gate) if gate else judged, as_json=as_json, plain=plain)
    current(judged.stale)
    raise typer.Exit(0 if decision.promotable else REFUSED)


@app.command()
def preview(ctx: typer.Context, *, as_json: Json = False) -> None:
    """What the gates would say of the measures as they lie here, before a commit.

    Exit code 10 when they refuse, 4 when measures are older than what they are made from.
    """
    found = home(ctx).run("candidate.preview")
    if not as_json:
        print(found.about)
    _print(found, as_json=as_json, plain=False)
    current(found.stale)
    raise typer.Exit(0 if found.decision.promotable else REFUSED)


@app.command()
def diff(
    ctx: typer.Context,
    against: Annotated[
        str, typer.Argument(help="An Evidence file, or git:REVISION; production when nothing is given.")
    ] = "",
    as_json: Json = False,
) -> None:
    """A Markdown comment for a pull request: this candidate beside production. Exit code 0 whatever it says."""
    found = home(ctx).run("candidate.compare", against=against)
    answer(found, as_json=as_json, text=found.markdown.rstrip())


@app.command()
def resolve(
    ctx: typer.Context,
    gate: Annotated[str, typer.Argument(help="The gate that could not tell, or that failed.")],
    *,
    email: Annotated[str, typer.Option("--as", help="Your e-mail, as compliance/offices.yaml has it.")],
    reason: Annotated[str, typer.Option(help="Why the candidate may pass all the same.")],
    days: Annotated[int, typer.Option(help="For how many days.", min=1)] = 30,
    key: Annotated[Path, typer.Option(help="Your ssh key.", dir_okay=False)] = Path("~/.ssh/id_ed25519"),
    as_json: Json = False,
) -> None:
    """Resolve one gate in writing, under your name, signed and for a time, as far as the policy lets you."""
    asked = {"gate": gate, "email": email, "reason": reason, "days": days, "key": key.expanduser()}
    done = home(ctx).run("candidate.resolve", **asked)
    answer(done, as_json=as_json, text=f"{done.path.name} written and signed by {done.by}, until {done.until}")


@app.command()
def justify(
    ctx: typer.Context,
    attribute: Annotated[str, typer.Argument(help="The attribute by which fairness failed.")],
    *,
    email: Annotated[str, typer.Option("--as", help="Your e-mail, as compliance/offices.yaml has it.")] = "",
    key: Annotated[Path, typer.Option(help="Your ssh key.", dir_okay=False)] = Path("~/.ssh/id_ed25519"),
    as_json: Json = False,
) -> None:
    """Sign compliance/justifications/ATTRIBUTE.yaml for your office; without --as, print a draft to fill in."""
    if not email:
        drafted = home(ctx).run("candidate.justification_draft", attribute=attribute)
        answer({"draft": drafted}, as_json=as_json, text=drafted.rstrip())
        return
    done = home(ctx).run("candidate.justify", attribute=attribute, email=email, key=key.expanduser())
    left = f"; it does not count yet: {done.problem}" if done.problem else "; it counts"
    answer(done, as_json=as_json, text=f"{done.path.name} signed by {done.by}{left}")


def _only(judged: Any, gate: str) -> Any:
    """One gate's verdict; the decision stays that on all."""
    found = tuple(v for v in judged.decision.verdicts if v.gate == gate)
    if not found:
        raise ParamsError(f"The policy has no gate {gate!r}.", hint="`twinops gates list` names them.")
    return replace(judged, decision=replace(judged.decision, verdicts=found))


def _print(judged: Any, *, as_json: bool, plain: bool) -> None:
    """The decision, and before it what is stale in it."""
    if as_json or plain:
        from twinops.governance.verdicts.explain import verdicts_text

        text = "\n".join(filter(None, [judged.stale, verdicts_text(judged.decision)]))
        answer({**judged.decision.to_dict(), "stale": judged.stale or None}, as_json=as_json, text=text)
        return
    from twinops.cli._verdicts import show

    show(judged.decision)


def _write_page(path: Path, judged: Any) -> None:
    from twinops.governance.verdicts.preview import page, preview_html

    evidence = judged.evidence
    about = f"{judged.stale} Candidate {evidence.model} {evidence.key[:12]}, as of {evidence.as_of}.".lstrip()
    title = "What the gates say"
    write(path, page(preview_html(judged.decision, title=title, about=about), title=title))


def _told(gate: Any, module: Any, project: Project) -> dict[str, Any]:
    return {
        "id": gate.id,
        "gate": gate.gate,
        "severity": gate.severity,
        "question": project.told(module.QUESTION),
        "rule": module.RULE,
        "limits": dict(gate.limits),
        "may_resolve": list(gate.may_resolve),
    }
