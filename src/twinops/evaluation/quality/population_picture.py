"""Who may be used for what, and why the others are left out."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twinops.entities.findings import Findings
from twinops.entities.measure import Measure
from twinops.entities.wording import MANY, MANY_FIRST
from twinops.evaluation.canvas import BLUE, ORANGE, Mark, above, canvas, dot, panel_title, tell
from twinops.evaluation.statistics.estimate import Estimate

IN_LINE = "no row of the panel goes against the consent ledger"
"""What is checked: the rows that were written, against the ledger that was read; not whom the ledger failed to name."""


def population_picture(findings: Findings) -> Figure:
    """Left: share of households per purpose. Right: households left out of training, by reason."""
    figure, (left, right) = canvas(columns=2, size=(10, 3.4))
    coverage = [m for m in findings.measures if m.name.startswith("consent_coverage.")]
    _shares(left, coverage)
    excluded = next(f.value for f in findings.facts if f.name == "excluded")
    _reasons(right, excluded)
    plain = next(m for m in findings.measures if m.name == "consent_coverage")
    rows = next(f.value for f in findings.facts if f.name == "rows_without_valid_basis")
    unlawful = f"{rows:,} rows of the panel lack leave in the consent ledger" if rows else IN_LINE
    return tell(
        figure,
        finding=f"{plain.value:.0%} of the {MANY} may be used for training; {unlawful}",
        rests_on=f"n = {plain.n:,} {MANY}; {plain.source}. 95 % intervals: Wilson. Reasons that hold for fewer "
        f"than ten {MANY} are not counted.",
    )


def _shares(ax: Axes, coverage: list[Measure]) -> None:
    for place, m in enumerate(reversed(coverage)):
        dot(ax, place, Estimate.of(m), Mark(BLUE))
        above(ax, place, m.value, f"{m.value:.1%}", points=7)
    ax.set_yticks(range(len(coverage)), [m.name.split(".")[1].replace("_", " ") for m in reversed(coverage)])
    ax.set_ylim(-0.5, len(coverage) - 0.35)
    ax.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    panel_title(ax, f"{MANY_FIRST} that may be used for it today")


def _reasons(ax: Axes, excluded: dict[str, int]) -> None:
    ordered = sorted(excluded.items(), key=lambda item: (item[1], item[0]))
    bars = ax.barh(range(len(ordered)), [n for _, n in ordered], color=ORANGE, height=0.6)
    ax.bar_label(bars, [f"{n:,}" if n else "fewer than 10" for _, n in ordered], padding=3, fontsize=8.5)
    ax.set_yticks(range(len(ordered)), [reason.replace("_", " ") for reason, _ in ordered])
    ax.set_ylim(-0.6, max(len(ordered), 1) - 0.4)
    ax.margins(x=0.22)
    panel_title(ax, "Left out of training, by reason")
