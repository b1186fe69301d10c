"""What measures and judges candidates: code, notebooks and stages of a commit. Evidence of another does not count."""

from __future__ import annotations

from typing import Any

import typer

from twinops.cli._answer import Json, answer, home, talk
from twinops.cli.policy import Secret, _signature

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)


@app.command()
def show(ctx: typer.Context, as_json: Json = False) -> None:
    """The judge of the commit in this folder, and in what it differs from the registry's active one."""
    from twinops.adapters.registry_client.client import Door
    from twinops.adapters.registry_client.commit import Commit

    judge = Commit.head(home(ctx).root).judge()
    changes = _changes(Door.from_environment().get("judge"), judge)
    lines = [f"judge {judge.digest[:12]} of commit {judge.commit[:12]}: {len(changes)} difference(s)", *changes]
    told = {"digest": judge.digest, "commit": judge.commit, "tree": judge.tree, "differs": changes}
    answer(told, as_json=as_json, text="\n".join(lines))


@app.command()
def activate(ctx: typer.Context, key: Secret = None, as_json: Json = False) -> None:
    """Make the judge of this commit the registry's own; a risk officer who wrote none of its change."""
    from twinops.adapters.registry_client.client import Door
    from twinops.adapters.registry_client.commit import Commit
    from twinops.governance.policy.judge import NAMESPACE

    door, judge = Door.from_environment(), Commit.head(home(ctx).root).judge()
    changes = _changes(door.get("judge"), judge)
    for line in changes[:50] if door.get("judge")["judge"] else ():
        talk(f"  {line}")
    text = judge.to_json()
    signature = _signature(text, key.expanduser(), NAMESPACE) if key else None
    done = door.post("rules", kind="judge", text=text, signature=signature)
    said = f"judge {judge.digest[:12]} active, {len(changes)} difference(s), entry {done['rules']}"
    answer({**done, "digest": judge.digest, "differs": changes}, as_json=as_json, text=said)


def _changes(active: dict[str, Any], judge: Any) -> list[str]:
    """In what it differs from the active one."""
    from twinops.governance.policy import judge as judges

    before = judges.Judge.model_validate(active["judge"]) if active["judge"] else None
    return [str(change) for change in judges.differences(before, judge)]
