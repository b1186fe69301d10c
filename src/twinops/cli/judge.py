"""What measures and judges candidates: code, notebooks and stages of a commit. Evidence of another does not count."""

from __future__ import annotations

from typing import Any

import typer

from twinops.cli._answer import Json, answer, home
from twinops.cli.policy import Secret, Yes, hand_in

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
def activate(ctx: typer.Context, key: Secret = None, yes: Yes = False, as_json: Json = False) -> None:
    """Make the judge of this commit the registry's own, after showing what it changes against the active one.

    A risk officer does so who wrote none of its change.
    """
    from twinops.adapters.registry_client.commit import Commit

    hand_in("judge", Commit.head(home(ctx).root).judge().to_json(), key=key, yes=yes, as_json=as_json)


def _changes(active: dict[str, Any], judge: Any) -> list[str]:
    """In what it differs from the active one."""
    from twinops.governance.policy import judge as judges

    before = judges.Judge.model_validate(active["judge"]) if active["judge"] else None
    return [str(change) for change in judges.differences(before, judge)]
