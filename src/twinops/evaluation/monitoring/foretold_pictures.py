"""What came against what was foretold: update by update, and in each group of the last one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twinops.entities.measure import Measure
from twinops.entities.wording import MANY, MANY_FIRST, MONEY
from twinops.evaluation.canvas import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    Mark,
    canvas,
    dot,
    no_panel,
    panel_title,
    tell,
)
from twinops.evaluation.statistics.estimate import Estimate

Round = tuple[str, Mapping[str, Measure]]
"""The day a forecast was sealed, and what was measured of it."""
RATIOS = {"foretold_active_ratio": (f"{MANY} that came", BLUE), "foretold_baskets_ratio": ("baskets", GREEN),
          "foretold_spend_ratio": (MONEY, ORANGE)}  # fmt: skip
COVERED = {"foretold_coverage_80.baskets": ("baskets", GREEN), "foretold_coverage_80.spend": (MONEY, ORANGE)}
GAIN = {"foretold_active_auc.gain_of_fresh_states": ("area under the curve", BLUE)}
EVEN = {"foretold_fairness_ratio": ("lower over higher rate, worst judged group", BLUE)}


NONE_CLOSED = "No forecast has closed yet: what was foretold is sealed, and is compared once its horizon is over."
NO_GROUP = f"No group is large enough to be told: one is from 50 {MANY} on."


def foretold_over_time(rounds: Sequence[Round]) -> Figure | None:
    """Four panels, a mark and its interval each update: ratios, coverage, what fresh states gain, reach of groups.

    None: no forecast has closed yet.
    """
    if not rounds:
        return None
    figure, axes = canvas(rows=2, columns=2, size=(11, 7))
    of = axes.flat
    _panel(of[0], rounds, RATIOS, "What came over what was foretold", line=1.0)
    _panel(of[1], rounds, COVERED, "Share of outcomes inside their 80 % range", line=0.8)
    _panel(of[2], rounds, GAIN, "What fresh states add to states one update old", line=0.0)
    _panel(of[3], rounds, EVEN, "How evenly the judged decision would have reached groups", line=0.8)
    last, found = rounds[-1]
    n = max((m.n for m in found.values()), default=0)
    return tell(
        figure,
        finding=f"{len(rounds)} forecast{'s' * (len(rounds) > 1)} against what came",
        rests_on=f"Each was sealed on its day, before anything of its window was known. Last: {last}, n = {n:,} {MANY}."
        f" 95 % intervals of drawn {MANY}.",
    )


def foretold_groups(groups: Mapping[str, Mapping[str, Sequence[Measure]]]) -> Figure | None:
    """One line a group: how many came over how many were foretold to come. None: no group is large enough."""
    rows = [
        (f"{attribute}: {label}", m)
        for attribute, of in groups.items()
        for label, measures in of.items()
        for m in measures
        if m.name == "foretold_active_ratio"
    ]
    if not rows:
        return None
    figure, ax = canvas(size=(8, max(2.5, 0.32 * len(rows) + 1.4)))
    for place, (_, m) in enumerate(reversed(rows)):
        dot(ax, place, Estimate.of(m), Mark(BLUE))
    ax.axvline(1, color=INK, linewidth=0.9)
    ax.set_yticks(range(len(rows)), [f"{name} (n = {m.n:,})" for name, m in reversed(rows)])
    off = [name for name, m in rows if m.low is not None and m.high is not None and (m.low > 1 or m.high < 1)]
    said = f"Beyond chance otherwise than foretold: {', '.join(off)}" if off else "No group did otherwise beyond chance"
    return tell(
        figure,
        finding=said if len(said) < 80 else f"{len(off)} of {len(rows)} groups did otherwise than foretold",
        rests_on=f"{MANY_FIRST} of the group that came, over those foretold to come; 95 % intervals, each by itself.",
    )


def _panel(ax: Axes, rounds: Sequence[Round], names: Mapping[str, tuple[str, str]], title: str, *, line: float) -> None:
    panel_title(ax, title)
    if not any(name in found for _, found in rounds for name in names):
        no_panel(ax, "Not measured yet.")
        return
    for shift, (name, (label, colour)) in enumerate(names.items()):
        there = [(i + 0.12 * (shift - (len(names) - 1) / 2), f[name]) for i, (_, f) in enumerate(rounds) if name in f]
        for at, m in there:
            value, low, high = Estimate.of(m)
            ax.plot([at, at], [low, high], color=colour, linewidth=2)
            ax.plot([at], [value], "o", color=colour, markersize=5)
        ax.plot([at for at, _ in there], [m.value for _, m in there], color=colour, linewidth=0.8, label=label)
    ax.axhline(line, color=GREY, linewidth=0.9, linestyle="--")
    ax.set_xticks(range(len(rounds)), [day for day, _ in rounds], rotation=30, ha="right", fontsize=8)
    if len(names) > 1:
        ax.legend(fontsize=8, frameon=False)
