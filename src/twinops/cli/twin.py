"""One consumer's twin. Refused (exit code 10) unless the purpose is declared and the consumer allows it today."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from twinops.cli._answer import Json, answer, home
from twinops.entities.wording import MANY, MONEY, amount
from twinops.errors import REFUSED

if TYPE_CHECKING:
    from twinops.twin.answers.forecast import Forecast
    from twinops.twin.answers.what_if import Simulated

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
Id = Annotated[
    str, typer.Argument(help="The consumer's id: their number in the source, or a subject id.", show_default=False)
]
ACCESS = "access_request"
Purpose = Annotated[str, typer.Option(help="What for: twin_scoring or offers, as the consumer allows.")]
Why = Annotated[
    str, typer.Option(help=f"What for: twin_scoring or offers, as the consumer allows; {ACCESS}: they ask themselves.")
]


@app.command()
def show(ctx: typer.Context, who: Id, purpose: Why, as_json: Json = False) -> None:
    """What is known of one consumer, what it may be used for, what is expected, and why.

    With access_request everything held and made of them, whatever they allow; make sure first who is asking.
    """
    asked = {"who": who} if purpose == ACCESS else {"who": who, "purpose": purpose}
    found = home(ctx).run("twin.access" if purpose == ACCESS else "twin.show", **asked)
    answer(found, as_json=as_json, text=found.text())
    raise typer.Exit(REFUSED if found.refused else 0)


@app.command()
def predict(ctx: typer.Context, who: Id, purpose: Purpose, as_json: Json = False) -> None:
    """Chance to shop, baskets and spend in the next weeks, with their ranges."""
    found = home(ctx).run("twin.predict", who=who, purpose=purpose)
    answer(found, as_json=as_json, text=found.text())
    raise typer.Exit(REFUSED if found.refused else 0)


@app.command()
def simulate(
    ctx: typer.Context,
    who: Id,
    purpose: Purpose,
    action: Annotated[str, typer.Option(help="campaign:A (its type), basket:25 (money), silence:14 (days).")],
    as_json: Json = False,
) -> None:
    """What would come if: a distribution, or why the data, the consumer or the policy do not allow an answer."""
    project = home(ctx)
    found = project.run("twin.simulate", who=who, purpose=purpose, action=action)
    answer(found, as_json=as_json, text="\n".join(found.refused) if found.refused else project.told(_told(found)))
    raise typer.Exit(REFUSED if found.refused else 0)


def _told(found: Simulated) -> str:
    basket = f"{amount(found.action.amount)} {MONEY}"
    names = {
        "campaign": ("as it is, from today", f"with campaign {found.action.campaign}, from today"),
        "basket": (
            "without it, from tomorrow",
            f"with a basket of {basket}, from tomorrow",
        ),
        "silence": ("as it is, from today", f"after {found.action.amount:.0f} days of silence, from then"),
    }[found.action.kind]
    longest = max(map(len, names))
    lines = [f"{n:<{longest}}  {_row(d)}" for n, d in zip(names, (found.without, found.with_action), strict=True)]
    if found.redemption is not None:
        r = found.redemption
        own = "" if r.own is None else f"; this one's own chance: {r.own:.1%}"
        lines.append(
            f"redeemed: {r.share:.1%} [{r.low:.1%}, {r.high:.1%}] of {r.contacts:,} such mailings to like {MANY}{own}"
        )
    return "\n".join([*lines, found.caveat])


def _row(d: Forecast | None) -> str:
    if d is None:
        return "not told"
    (few, many), (least, most) = d.baskets_range, d.spend_range
    return (
        f"{d.baskets:.1f} baskets [{few:.0f}, {many:.0f}], {d.spend:,.0f} {MONEY} [{least:,.0f}, {most:,.0f}], "
        f"80 of 100 of {d.households:,} like {MANY}"
    )
