"""Attack, control and guess beside one another: only what the attack has over the control is a leak."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from twinops.entities.wording import MANY
from twinops.evaluation.canvas import BLUE, GREY, ORANGE, canvas, tell
from twinops.evaluation.privacy.reidentification import AttackRisk
from twinops.evaluation.statistics import wilson

ATTACKS = {"singling_out_risk": "singling out", "linkability_risk": "linking", "inference_risk": "inferring spend"}


def reidentification_picture(risks: Mapping[str, tuple[AttackRisk, ...]], *, n: int) -> Figure:
    """Three bars for each attack on each table."""
    rows = [(table, risk) for table, found in risks.items() for risk in found]
    figure, ax = canvas(size=(8.5, 0.75 * len(rows) + 1.8))
    for place, (_, risk) in enumerate(rows):
        for hits, of, colour, shift in (
            (risk.attack, risk.tries, ORANGE, -0.27),
            (risk.control, risk.control_tries, BLUE, 0.0),
            (risk.guess, risk.tries, GREY, 0.27),
        ):
            value, low, high = wilson.share(hits, of)
            ax.barh(place + shift, value, height=0.25, color=colour)
            ax.plot([low, high], [place + shift] * 2, color="black", linewidth=0.9)
    ax.set_yticks(range(len(rows)), [f"{ATTACKS[risk.name]}\n{table} table" for table, risk in rows], fontsize=8)
    ax.invert_yaxis()
    ax.set_xlim(0, 1.02)
    ax.set_xlabel("share of attacks that succeed, with 95 % interval", fontsize=9)
    keys = ((f"against {MANY} in it", ORANGE), (f"against {MANY} kept out", BLUE), ("by guessing", GREY))
    for label, colour in keys:
        ax.barh([-9], [0], color=colour, label=label)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.legend(frameon=False, fontsize=8, loc="upper right")
    return tell(
        figure,
        finding=_finding(*next(iter(risks.items()))),
        rests_on=f"n = {n:,} {MANY} in the table. Risk: what the attack has over the control. The blended rows "
        "never leave; they show what the attack can do.",
    )


def _finding(first: str, risks: Sequence[AttackRisk]) -> str:
    if not risks:
        return f"No {first} table could be made or attacked: too few {MANY}, or too alike"
    worst = max(risks, key=lambda r: r.value[0])
    value, low, high = worst.value
    return f"The {first} table gives away most by {ATTACKS[worst.name]}: risk {value:.2f} [{low:.2f}, {high:.2f}]"
