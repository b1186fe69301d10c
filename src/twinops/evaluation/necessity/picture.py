"""What a personal attribute or source saves, beside the same with shuffled values and the margin it must reach."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twinops.entities.findings import Findings
from twinops.entities.measure import Measure
from twinops.entities.wording import MANY, MONEY, ONE
from twinops.evaluation.canvas import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    Mark,
    above,
    canvas,
    dot,
    no_panel,
    panel_title,
    tell,
)
from twinops.evaluation.necessity.retention import ATTRIBUTE, SOURCE, TOGETHER
from twinops.evaluation.necessity.revealed import TRAITS
from twinops.evaluation.statistics.estimate import Estimate

COLOURS = {"necessary": GREEN, "not necessary": GREY, "inconclusive": ORANGE}
_FROM = {
    "": (BLUE, "from purchases by category"),
    ".by_state": (ORANGE, "from the state alone"),
    ".by_score": (GREY, "from the expected spend itself"),
}


SPELLED = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def attributes_picture(findings: Findings) -> Figure:
    """One panel an attribute: USD saved by days of history, dots coloured by outcome, dashes for shuffled values."""
    necessity = _fact(findings)
    tests = [t for t in necessity["tests"] if t["kind"] == ATTRIBUTE]
    units = list(dict.fromkeys(t["unit"] for t in tests))
    rows = max(2, -(-len(units) // 4))
    figure, axes = canvas(rows=rows, columns=4, size=(13, 3 * rows), sharex=True, sharey=True)
    many = len(units) - 1
    for ax, unit in zip(axes.flat, units, strict=False):
        _attribute(ax, [t for t in tests if t["unit"] == unit], necessity["margin_spend"])
        panel_title(
            ax,
            f"all {SPELLED[many] if many < len(SPELLED) else many} together"
            if unit == TOGETHER
            else unit.replace("_", " "),
        )
    for ax in list(axes.flat)[len(units) :]:
        ax.set_visible(False)
    for ax in list(axes.flat)[max(len(units) - 4, 0) : len(units)]:
        # the lowest that is seen of its column tells its days
        ax.tick_params(labelbottom=True)
    if tests:
        _legend(figure, axes.flat[0])
    return tell(figure, finding=_finding(tests), rests_on=_rests_on(tests, necessity))


def sources_picture(findings: Findings) -> Figure:
    """Left: what each source besides purchases saves with all history. Right: what behaviour gives away."""
    necessity = _fact(findings)
    sources = [t for t in necessity["tests"] if t["kind"] == SOURCE and t["history_days"] is None]
    figure, (left, right) = canvas(columns=2, size=(12.5, 4.6), width_ratios=(1, 1.2))
    _sources(left, [t for t in sources if t["unit"] != "purchases"], necessity["margin_spend"])
    panel_title(left, f"{MONEY} of spend error saved by a source, beside purchases")
    _given_away(right, {m.name: m for m in findings.measures})
    panel_title(right, "AUC of telling a trait from purchases (.5: nothing is given away)")
    return tell(figure, finding=_sources_finding(sources, findings), rests_on=_rests_on(sources, necessity))


def _attribute(ax: Axes, tests: list[dict[str, Any]], margin: float) -> None:
    """Left someone newly met, right all history; dashes for shuffled values."""
    tests = sorted(tests, key=lambda t: (t["history_days"] is None, t["history_days"] or 0))
    for place, t in enumerate(tests):
        value, low, high = t["gain_usd"]
        ax.plot([place, place], [low, high], color=COLOURS[t["outcome"]], linewidth=2.4, solid_capstyle="round")
        ax.plot([place], [value], "o", color=COLOURS[t["outcome"]], markersize=5.5)
    chance = [t["gain_usd"][0] - t["gain_over_shuffled_usd"][0] for t in tests]
    ax.plot(range(len(tests)), chance, "--", color=INK, linewidth=1, alpha=0.7)
    ax.axhline(0, color=INK, linewidth=0.8)
    ax.axhline(margin, color=BLUE, linewidth=1, linestyle=":")
    ax.set_xticks(range(len(tests)), ["all" if t["history_days"] is None else str(t["history_days"]) for t in tests])
    ax.set_xlabel("days of history", fontsize=9)


def _legend(figure: Figure, ax: Axes) -> None:
    marks = [ax.plot([], [], "o", color=c, label=o)[0] for o, c in COLOURS.items()]
    marks.append(ax.plot([], [], "--", color=INK, label="shuffled values")[0])
    marks.append(ax.plot([], [], ":", color=BLUE, label="margin")[0])
    figure.legend(handles=marks, loc="lower right", ncols=5, fontsize=8, frameon=False, columnspacing=1.0)
    ax.set_ylabel(f"{MONEY} of spend error saved", fontsize=9)


def _sources(ax: Axes, tests: list[dict[str, Any]], margin: float) -> None:
    if not tests:
        no_panel(ax, "There is no source beside purchases.")
        return
    for place, t in enumerate(tests):
        gain = Estimate(*t["gain_usd"])
        dot(ax, place, gain, Mark(COLOURS[t["outcome"]], width=2.4))
        above(ax, place, gain.value, t["outcome"], points=8, fontsize=8)
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.axvline(margin, color=BLUE, linewidth=1.2, linestyle=":")
    ax.annotate("margin", (margin, -0.6), (-3, 0), textcoords="offset points", color=BLUE, fontsize=8, ha="right")
    ax.set_yticks(range(len(tests)), [t["unit"] for t in tests])
    ax.set_ylim(len(tests) - 0.4, -0.8)


def _given_away(ax: Axes, measures: dict[str, Measure]) -> None:
    """AUC of each trait from purchases, from the state, from the score."""
    told = [
        name.removeprefix("revealed.") for name in measures if name.startswith("revealed.") and name.count(".") == 1
    ]
    known = [*(t for t in TRAITS if t in told), *(t for t in told if t not in TRAITS)]
    if not known:
        no_panel(ax, "Nobody's trait is held who may be assessed, or too few have one.")
        return
    for place, trait in enumerate(known):
        for offset, (suffix, (colour, _)) in zip((-0.2, 0.0, 0.2), _FROM.items(), strict=True):
            found = Estimate.of(measures[f"revealed.{trait}{suffix}"])
            dot(ax, place + offset, found, Mark(colour, width=2.4, size=5.5))
    ax.axvline(0.5, color=INK, linewidth=0.8)
    ax.set_yticks(range(len(known)), [f"{_words(t)} (n={measures[f'revealed.{t}'].n})" for t in known])
    ax.set_ylim(len(known) - 0.4, -2.0)
    for colour, label in _FROM.values():
        ax.plot([], [], "o-", color=colour, label=label)
    ax.legend(fontsize=8.5, frameon=False, loc="upper left")


def _words(trait: str) -> str:
    return TRAITS[trait][1] if trait in TRAITS else trait.replace("_", " ")


def _fact(findings: Findings) -> dict[str, Any]:
    return next(f.value for f in findings.facts if f.name == "necessity")


def _finding(tests: list[dict[str, Any]]) -> str:
    if not tests:
        return f"No personal attribute could be tested: too few {MANY} declared any and allow it"
    settled = [t for t in tests if t["history_days"] is None and t["unit"] != TOGETHER]
    idle = sum(t["outcome"] == "not necessary" for t in settled)
    newly = [t for t in tests if t["outcome"] == "necessary" and t["history_days"] is not None]
    said = f"With all history {idle} of {len(settled)} attributes are shown not to be necessary"
    if not newly:
        return f"{said}; for newcomers none is shown to be"
    units = ["all together" if t["unit"] == TOGETHER else t["unit"].replace("_", " ") for t in newly]
    names = [f"{unit} ({t['history_days']} days known)" for unit, t in zip(units, newly, strict=True)]
    return f"{said}; for newcomers these are: {', '.join(names)}"


def _sources_finding(sources: list[dict[str, Any]], findings: Findings) -> str:
    others = [t for t in sources if t["unit"] != "purchases"]
    idle = sum(t["outcome"] == "not necessary" for t in others)
    told = [m for m in findings.measures if m.name.startswith("revealed.") and m.name.count(".") == 1]
    sure = sum(m.low is not None and m.low > 0.5 for m in told)
    return (
        f"Beside purchases {idle} of {len(others)} sources are not necessary; "
        f"purchases give away {sure} of {len(told)} traits all the same"
    )


def _rests_on(tests: list[dict[str, Any]], necessity: dict[str, Any]) -> str:
    n = max((t["households"] for t in tests), default=0)
    return (
        f"n = {n:,} {MANY} on held-out days; folds grouped by {ONE}; margin {necessity['margin_spend']:g} {MONEY} a "
        f"horizon; values shuffled {necessity['shuffles']} times.\n"
        f"95 % percentile intervals of bootstrap draws of whole {MANY}, each by itself."
    )
