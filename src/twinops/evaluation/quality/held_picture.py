"""Of whom we know what: shares of consumers that each source tells anything of."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from twinops.entities.findings import Findings
from twinops.evaluation.canvas import BLUE, GREY, INK, canvas, tell


def held_picture(findings: Findings, words: Mapping[str, str], *, made_up: str) -> Figure:
    """One bar per kind of knowledge with its interval; `words` maps a column of the blend to how it is called.

    `made_up` says what of it is declared as synthetic.
    """
    known = {m.name.removeprefix("held."): m for m in findings.measures}
    figure, ax = canvas(size=(8, 0.5 * len(words) + 1.6))
    for place, column in enumerate(words):
        measure = known.get(column)
        if measure is None:
            ax.text(0.01, place, "nobody, or too few to show", va="center", fontsize=9, color=GREY)
            continue
        ax.barh([place], [measure.value], color=BLUE, height=0.55)
        if measure.low is not None:
            ax.plot([measure.low, measure.high], [place, place], color=INK, linewidth=1.5)
        ax.text(min(measure.value + 0.03, 0.93), place - 0.36, f"{measure.value:.0%}", fontsize=9, color=INK)
    ax.set_yticks(range(len(words)), list(words.values()))
    ax.set_ylim(len(words) - 0.5, -0.6)
    ax.set_xlim(0, 1)
    n = max((m.n for m in known.values()), default=0)
    lost: list[str] = next((f.value for f in findings.facts if f.name == "blend_lost"), [])
    finding = f"Nothing is known from: {', '.join(lost)}" if lost else "Every kind of source tells of some consumers"
    rests_on = f"{n:,} consumers on the last as-of day; 95 % intervals. {made_up}".rstrip()
    return tell(figure, finding=finding, rests_on=rests_on)
