"""What was observed in the first days after each as-of day over what was expected, with the limits."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twinops.entities.wording import MANY, MANY_FIRST
from twinops.evaluation.canvas import BLUE, GREEN, GREY, INK, ORANGE, canvas, panel_title, tell
from twinops.evaluation.drift.early_warning import QUANTITIES, DayAnswer
from twinops.evaluation.drift.early_warning_findings import ALARM, WARNING, Early
from twinops.evaluation.statistics.estimate import Estimate
from twinops.evaluation.statistics.rendering import written

TITLES = {"baskets": "Baskets", "active": f"{MANY_FIRST} that came", "spend": "Spend (not judged)"}
YELLOW = "#e69f00"
COLOURS = {ALARM: ORANGE, WARNING: YELLOW}
LOOKS = ((ALARM, "an alarm"), (WARNING, "a warning"))


def early_warning_picture(early: Early | None) -> Figure:
    """One panel a quantity, one mark an as-of day with its interval; dashed: warning, solid: alarm."""
    figure, axes = canvas(columns=len(QUANTITIES), size=(12, 4.2), sharey=True)
    if early is None:
        return tell(figure, finding="The first days were not watched", rests_on="The policy leaves the gate out.")
    days = [*early.before, *((early.today,) if early.today else ())]
    for i, (ax, quantity) in enumerate(zip(axes, QUANTITIES, strict=True)):
        _marks(ax, days, i, early.day)
        ax.axhline(1, color=INK, linewidth=0.9)
        for limit, line in ((early.used("warn"), "--"), (early.used("alarm"), "-")):
            for end in (1 - limit, 1 + limit):
                ax.axhline(end, color=GREY, linewidth=0.9, linestyle=line)
        panel_title(ax, TITLES[quantity])
        ax.set_xlabel("as-of day", fontsize=9)
    axes[0].set_ylabel(f"actual over expected, first {early.how.days} days", fontsize=9)
    return tell(figure, finding=_finding(early), rests_on=_rests_on(early))


def _marks(ax: Axes, days: list[DayAnswer], quantity: int, today: int) -> None:
    for day in days:
        value, low, high = Estimate.of(day.ratios[quantity])
        calm = GREEN if day.cutoff == today else BLUE
        colour = COLOURS.get(day.answer, calm)
        ax.plot([day.cutoff, day.cutoff], [low, high], color=colour, linewidth=0.8)
        ax.plot([day.cutoff, day.cutoff], Estimate.of(day.weeks[quantity])[1:], color=colour, linewidth=2.2)
        ax.plot([day.cutoff], [value], "D" if day.cutoff == today else "o", color=colour, markersize=5)


def _finding(early: Early) -> str:
    if early.today is None:
        return f"The first days after day {early.day} could not be measured"
    said = dict(LOOKS).get(early.today.answer, "not told apart from what was expected")
    came = written(early.today.ratios[QUANTITIES.index("baskets")])
    return f"The first {early.how.days} days after day {early.day}: {said}; {came} times the baskets expected"


def _rests_on(early: Early) -> str:
    n = early.today.ratios[0].n if early.today else 0
    count = ", ".join(f"{sum(t.answer == a for t in early.before)} {word.split()[-1]}(s)" for a, word in LOOKS)
    return (
        f"n = {n:,} {MANY} on the day judged (diamond). 95 % intervals: thick of {early.how.draws} draws of "
        f"{MANY}, thin with how far the other weeks lay from one. The {len(early.before)} days before: "
        f"{count} (orange, yellow).\n"
        f"Dashed: warning at {early.used('warn'):.0%}; solid: alarm at {early.used('alarm'):.0%}. Colour: the "
        f"day's answer for baskets and {MANY} together."
    )
