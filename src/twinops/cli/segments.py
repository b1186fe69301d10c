"""What segments of consumers are expected to do, and would be if."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twinops.cli._answer import Json, answer, home
from twinops.entities.wording import MANY, MONEY
from twinops.errors import REFUSED

if TYPE_CHECKING:
    from twinops.evaluation.segments.measures import Mean, Segment
    from twinops.workflows.twin.segments import Segmented

app = typer.Typer(add_completion=False)


@app.command()
def segments(
    ctx: typer.Context,
    by: Annotated[
        list[str] | None, typer.Option(help="activity, recency, value, discounts or weekend; at most two.")
    ] = None,
    what_if: Annotated[
        str | None, typer.Option(help="campaign:A (its type), basket:25 (money), silence:14 (days).")
    ] = None,
    purpose: Annotated[str, typer.Option(help="A purpose of compliance/intended_use.yaml.")] = "twin_scoring",
    picture: Annotated[Path | None, typer.Option(help="Draw it into this PNG.", dir_okay=False)] = None,
    as_json: Json = False,
) -> None:
    """Aggregate insight and what-ifs per segment, for market research. Fewer than ten are never shown."""
    project = home(ctx)
    found = project.run("twin.segments", by=tuple(by or ("activity",)), what_if=what_if, purpose=purpose)
    if picture is not None and not found.refused:
        from twinops.evaluation.canvas import save
        from twinops.evaluation.segments.picture import segments_picture

        drawn = segments_picture(found.segments, what=_what(found), horizon_days=found.horizon_days)
        save(drawn, picture, project.words.wording)
    text = "\n".join(found.refused) if found.refused else project.told(_text(found))
    answer(found, as_json=as_json, text=text)
    raise typer.Exit(REFUSED if found.refused else 0)


def _what(found: Segmented) -> str:
    if found.action is None:
        return ""
    action = found.action
    return {
        "campaign": f"a campaign of type {action.campaign}",
        "basket": f"one more basket of {action.amount:,.0f} {MONEY}",
        "silence": f"{action.amount:.0f} days of silence",
    }[action.kind]


def _text(found: Segmented) -> str:
    head = (
        f"{_about(found.asked)} {MANY} that allow {found.purpose}, as of {found.date}, the newest day that the panel "
        f"has; expected in the {found.horizon_days} days after it, means with 95 % intervals"
    )
    condition = f"with {_what(found)}" if found.action else ""
    lines = [head, *(_line(s, condition) for s in found.segments)]
    if any(s.households is None for s in found.segments):
        lines.append("suppressed: about ten or fewer, nobody, or enough others that these cannot be had by subtraction")
    lines.append(f"Numbers of {MANY} and means are near the true ones, not equal to them, so that two tables do not")
    lines.append("tell of one person when subtracted; what that keeps back and what not: docs/erasure.md")
    return "\n".join([*lines, *([found.caveat] if found.caveat else [])])


def _line(s: Segment, condition: str) -> str:
    name = ", ".join(s.name)
    if s.households is None or s.active is None:
        return f"  {name}: suppressed"
    told = (
        f"  {name}: about {s.households:,} {MANY}; shop at all {_shown(s.active, 100)} %, "
        f"baskets {_shown(s.baskets)}, spend {_shown(s.spend)} {MONEY}"
    )
    if s.what_if is None:
        return told
    w = s.what_if
    if w.households is None:
        return f"{told}; {condition}: outside the support of the data"
    what = (
        f"redeem {_shown(w.redeemed, 100)} %"
        if w.redeemed
        else f"spend {_shown(w.spend)} {MONEY}, change {_shown(w.difference)}"
    )
    return f"{told}; {condition} (about {w.households:,} of them): {what}"


def _about(households: int | None) -> str:
    return "fewer than ten" if households is None else f"about {households:,}"


def _shown(m: Mean | None, times: float = 1) -> str:
    return "" if m is None else "{} [{}, {}]".format(*(_three(times * x) for x in (m.value, m.low, m.high)))


def _three(x: float) -> str:
    """Three digits, and large sums whole."""
    return f"{x:,.0f}" if abs(x) >= 100 else f"{x:.3g}"
