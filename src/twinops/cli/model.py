"""One version at the registry's door. TWINOPS_SERVER names the registry, MLflow's own variables the login."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from twinops.cli._answer import Json, answer, home, talk

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
Name = Annotated[str, typer.Argument(help="The registered model.")]
Number = Annotated[int, typer.Argument(help="The version.", min=1)]
Reason = Annotated[str, typer.Option(help="Why, at least ten characters; kept with the decision.")]
Key = Annotated[
    Path | None, typer.Option("--key", help="Public key file of the registry; registry/registry.pub by default.")
]


@app.command()
def verify(
    uri: Annotated[str, typer.Argument(help="name@alias on the registry of TWINOPS_SERVER, or an exported folder.")],
    key: Key = None,
    version: Annotated[int | None, typer.Option(help="Only this version will do.", min=1)] = None,
    as_json: Json = False,
) -> None:
    """Check signature, digests, approval, revocation and that it loads; exit code 10 when refused."""
    from twinops.adapters.mlflow import trial_load
    from twinops.adapters.registry_client import load as registry_loading
    from twinops.adapters.registry_client.client import RefusedError
    from twinops.errors import IntegrityError

    with registry_loading.verified(uri, key=key, version=version) as found:
        try:
            trial_load.try_out(found.folder)
        except IntegrityError as problem:
            raise RefusedError(problem.what) from None
        told = {"name": found.name, "version": found.version, "digest": found.digest, "approval": found.approval}
        stamped = "" if found.approval["separated"] else ", roles not separated"
        day = found.approval["at"][:10]
        rulings = found.approval.get("settled", ())  # passes of older registries name none
        ruled = "".join(f", {s['gate']} ({s['answer']}) resolved until {s['until']}" for s in rulings)
        until = f"; usable until {found.ends.date()}, if not revoked since {found.issued[:10]}" if found.ends else ""
        text = f"{found.name} version {found.version}: signed, unchanged, approved {day}{stamped}{ruled}, loads{until}."
        text += f" {found.ended}" if found.ended else ""
        answer({**told, "issued": found.issued, "ends": found.approval["expires"]}, as_json=as_json, text=text)


@app.command()
def export(
    uri: Annotated[str, typer.Argument(help="name@alias.")],
    into: Annotated[Path, typer.Option(help="A new folder.", file_okay=False)],
    key: Key = None,
) -> None:
    """Leave a bundle that can be verified and loaded offline."""
    from twinops.adapters.registry_client import load as registry_loading

    found = registry_loading.export(uri, into, key=key)
    until = f"usable until {found.ends.date()}" if found.ends else ""
    talk(f"{found.name} version {found.version} in {into}, {until}: verify it with `twinops model verify {into}`.")


@app.command()
def evidence(ctx: typer.Context, name: Name, version: Number, as_json: Json = False) -> None:
    """The gate runner makes everything anew in this folder, with an empty cache, and hands in evidence."""
    from twinops.adapters.registry_client import gate_runner

    project = home(ctx)
    done = gate_runner.hand_in(project.root, project.lineage, name, version)
    answer(done, as_json=as_json, text=f"evidence {done['evidence']} on {name} version {version}")


@app.command()
def review(
    name: Name,
    version: Number,
    act: Annotated[str, typer.Argument(help="request, approve, reject, ask or revoke.")],
    reason: Reason = "",
    digest: Annotated[
        str, typer.Option(help="What you read, as `twinops model show` or the page tells it; needed to approve.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Request a review, or decide; the review page shows what there is to read."""
    from twinops.adapters.registry_client.client import Door

    done = Door.from_environment().post(
        "review", name=name, version=version, act=act, digest=digest or None, reason=reason
    )
    answer(done, as_json=as_json, text=f"{done['act']}: recorded as entry {done['review']}")


@app.command()
def resolve(
    name: Name,
    version: Number,
    gate: Annotated[str, typer.Argument(help="A gate that could not tell, or that failed and may be overridden.")],
    *,
    reason: Reason,
    days: Annotated[int, typer.Option(help="For how many days; the policy says how many at most.", min=1)] = 30,
    digest: Annotated[str, typer.Option(help="What you read, as `twinops model show` or the page tells it.")] = "",
    as_json: Json = False,
) -> None:
    """Resolve one gate of a version under your name and for a time, as far as the active policy lets your office."""
    from twinops.adapters.registry_client.client import Door

    about = {"name": name, "version": version, "gate": gate, "reason": reason, "days": days, "digest": digest or None}
    done = Door.from_environment().post("resolve", **about)
    kind = "overridden" if done["answer"] == "failed" else "resolved"
    answer(done, as_json=as_json, text=f"{gate} {kind} until {done['until']}: recorded as entry {done['ruling']}")


@app.command()
def withdraw(
    name: Name,
    version: Number,
    gate: Annotated[str, typer.Argument(help="The gate.")],
    *,
    reason: Reason,
    as_json: Json = False,
) -> None:
    """Withdraw the ruling on a gate: it stands in the way again."""
    from twinops.adapters.registry_client.client import Door

    done = Door.from_environment().post("withdraw", name=name, version=version, gate=gate, reason=reason)
    answer(done, as_json=as_json, text=f"{gate} is open again: recorded as entry {done['ruling']}")


@app.command()
def show(
    name: Name,
    version: Number,
    digest: Annotated[bool, typer.Option("--digest", help="Only the digest that a decision names.")] = False,
    as_json: Json = False,
) -> None:
    """What the registry knows of a version: verdicts, who worked on it, what is in the way, and whose turn it is."""
    from twinops.adapters.registry_client.client import Door

    told = Door.from_environment().get("version", name=name, version=version)
    if digest:
        answer(told["digest"], as_json=as_json, text=str(told["digest"]))
        return
    lines = [f"{name} version {version}: {told['state']}, digest {told['digest']}", *_verdicts(told["decision"])]
    lines += ["who worked on it", *(f"  {who}" for who in _people(told))]
    if told["needed"]:
        lines += [
            "why it may carry no protected alias",
            *(f"  {why}" for why in told["against_promotion"] or ["nothing"]),
        ]
        lines += ["what is needed", *(line for step in told["needed"] for line in _step(step))]
    answer(told, as_json=as_json, text="\n".join(lines))


@app.command("adopt-base")
def adopt_base(
    ctx: typer.Context,
    name: Name,
    commit: Annotated[str, typer.Argument(help="A commit, as git names one: what lies up to it is upstream's.")],
    *,
    key: Annotated[Path | None, typer.Option("--key", help="Your ssh key, where the offices file lists one.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Accept up to which commit a model's history is upstream's; moving it later needs a second office."""
    from twinops.adapters.registry_client import contributors
    from twinops.cli.policy import hand_in

    base, found = contributors.history_of(home(ctx).root, commit)
    people = {who for one in found.values() for who in one.people}
    talk(f"Up to {base[:12]} the history names: {', '.join(sorted(people))}")
    text = f"model: {name}\ncommit: '{base}'\ncommits: {len(found)}\npeople: {len(people)}\n"
    hand_in("base", text, key=key, yes=yes, as_json=as_json)


@app.command()
def promote(
    name: Name,
    version: Number,
    alias: Annotated[str, typer.Option(help="The protected alias.")] = "production",
    etag: Annotated[
        int | None, typer.Option(help="The alias's state you decided on; looked up when not given.", min=0)
    ] = None,
    as_json: Json = False,
) -> None:
    """Point a protected alias to an approved version, unless it changed meanwhile; exit code 10 when refused."""
    from twinops.adapters.registry_client.client import Door

    door = Door.from_environment()
    known = door.get("alias", name=name, alias=alias)["etag"] if etag is None else etag
    done = door.post("promote", name=name, alias=alias, version=version, etag=known)
    answer(done, as_json=as_json, text=f"{name}@{alias} is version {version} (ETag {done['etag']})")


def _verdicts(decision: dict[str, Any] | None) -> list[str]:
    """Each verdict, and under it what officers ruled on it in the words of every other place."""
    from twinops.governance.policy.resolution import JudgedRuling

    if decision is None:
        return ["verdicts: none; nothing was judged"]
    written = [JudgedRuling(**{k: v for k, v in s.items() if k != "counts"}) for s in decision["settled"]]
    lines = [f"verdicts by policy {decision['policy_version']}: {decision['decision']}"]
    for verdict in decision["verdicts"]:
        blocks = " (in the way)" if verdict["id"] in decision["blocking"] else ""
        lines.append(f"  {verdict['outcome']:14} {verdict['id']}{blocks}: {verdict['sentence']}")
        lines += [f"  {'':14} {verdict['id']}: {one.sentence}" for one in written if one.gate == verdict["id"]]
    return lines


def _people(told: dict[str, Any]) -> list[str]:
    adopted = [f"the base was accepted by {told['adopted']['by']}"] if told["adopted"] else []
    unknown = [f"not known: {who}" for who in (*told["unknown"], *told["unknown_emails"])]
    return [*told["contributors"], *unknown, told["since"], *adopted]


def _step(step: dict[str, str]) -> list[str]:
    command = [f"      {step['command']}"] if step["command"] else []
    return [f"  {step['who']}: {step['what']}", *command]
