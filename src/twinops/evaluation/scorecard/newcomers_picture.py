"""Newcomers: does the 80 % range hold, and how wide is it, the less is known."""

from matplotlib.figure import Figure

from twinops.entities.findings import Findings
from twinops.entities.measure import Measure
from twinops.entities.wording import MANY_FIRST, ONE
from twinops.evaluation.canvas import BLUE, GREY, INK, ORANGE, canvas, panel_title, tell
from twinops.evaluation.statistics.estimate import Estimate

NAMES = {"0_days": "before the\nfirst basket", "established": "established"}


def newcomers_picture(findings: Findings) -> Figure:
    """Coverage of the 80 % spend range by how long a household is known, and its width in terms of what is expected."""
    figure, (left, right) = canvas(columns=2, size=(10, 3.9))
    coverage, width = (_by_stage(findings, name) for name in ("newcomer_coverage_80", "newcomer_relative_width"))
    left.axhline(0.8, color=INK, linestyle="--", linewidth=1)
    for place, measure in enumerate(coverage.values()):
        value, low, high = Estimate.of(measure)
        ends = [[value - low], [high - value]]
        left.errorbar([place], [measure.value], yerr=ends, fmt="o", color=BLUE, capsize=3)
    # who holds least is seen too
    left.set_ylim(min([0.6, *(Estimate.of(m).low - 0.05 for m in coverage.values())]), 1)
    left.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    panel_title(left, "Share of 80 % spend ranges that held")
    bars = right.bar(range(len(width)), [m.value for m in width.values()], width=0.6,
                     color=[GREY if s == "established" else ORANGE for s in width])  # fmt: skip
    right.bar_label(bars, fmt="x %.1f", fontsize=9)
    right.margins(y=0.15)
    panel_title(right, "Width of the range over expected spend (median)")
    for ax, stages in ((left, coverage), (right, width)):
        ax.set_xticks(range(len(stages)), [f"{_stage(s)}\nn = {m.n:,}" for s, m in stages.items()], fontsize=8)
    return tell(
        figure,
        finding=_finding(coverage, width),
        rests_on=f"{MANY_FIRST} first seen a horizon or more after the data begin; heads, corrections and ranges were "
        f"learned without them (two folds by {ONE}).\nBars: Wilson's 95 % intervals.",
    )


def _by_stage(findings: Findings, name: str) -> dict[str, Measure]:
    found = {m.name.rsplit(".", 1)[1]: m for m in findings.measures if m.name.startswith(f"{name}.")}
    return {stage: found[stage] for stage in sorted(found, key=_age)}


def _age(stage: str) -> float:
    """In days; who is established is older than any band."""
    days = stage.removesuffix("_days")
    return int(days) if days.isdigit() else float("inf")


def _stage(stage: str) -> str:
    return NAMES.get(stage) or f"first\n{_age(stage):.0f} days"


def _finding(coverage: dict[str, Measure], width: dict[str, Measure]) -> str:
    known = [m.value for s, m in coverage.items() if s != "established"]
    if not known or "established" not in width:
        return "Too few newcomers, or too few who are long known, to tell how honest ranges are"
    widest = max((m.value for s, m in width.items() if s != "established"), default=0.0)
    settled = (
        f", those of who is long known in {coverage['established'].value:.0%}" if "established" in coverage else ""
    )
    return (
        f"80 % ranges of newcomers hold in {min(known):.0%} to {max(known):.0%} of cases{settled}; "
        f"width: up to {widest:.1f} times what is expected, theirs {width['established'].value:.1f}"
    )
