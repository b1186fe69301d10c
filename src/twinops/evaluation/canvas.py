"""One look for all pictures: a finding as title, what it rests on below, the same bytes from the same numbers."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator

from twinops import whole_files
from twinops.entities.measure import Measure
from twinops.entities.wording import Wording
from twinops.evaluation.statistics.estimate import Estimate

BLUE, ORANGE, GREEN, GREY, INK = "#0072b2", "#d55e00", "#009e73", "#8c8c8c", "#222222"
"""Okabe and Ito's palette: told apart by colour-blind readers too."""

DPI = 130
STRIP = 0.8
"""Inches of height that a sentence in place of a picture has."""
AS_OF = "as-of day"
"""An axis of the project's day numbers is called so."""
EDGE = 0.99
"""Share of the width behind which no title and no caption goes on."""


def canvas(*, rows: int = 1, columns: int = 1, size: tuple[float, float] = (8, 4), **grid: Any) -> tuple[Figure, Any]:
    """A figure and its axes, without pyplot's global state; `grid` goes to `Figure.subplots`."""
    # without pyplot: it keeps every figure it ever made, and stages draw in threads
    figure = Figure(figsize=size, dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, **grid)
    for ax in figure.axes:
        ax.spines[["top", "right"]].set_visible(False)
        ax.tick_params(labelsize=9, colors=INK)
        ax.grid(alpha=0.25, linewidth=0.6)
        ax.set_axisbelow(True)
    return figure, axes


def tell(figure: Figure, *, finding: str, rests_on: str) -> Figure:
    """Title the figure with what it shows, and write below it what that rests on."""
    figure.suptitle(finding, x=0.01, ha="left", fontsize=12, fontweight="bold", color=INK)
    figure.supxlabel(rests_on, x=0.01, ha="left", fontsize=8, color="#555555")
    return figure


@dataclass(frozen=True)
class Mark:
    """How a dot with its interval looks: colour, width of the line, size of the dot."""

    colour: str
    width: float = 2.2
    size: float = 6


def dot(ax: Axes, place: float, found: Estimate, mark: Mark) -> None:
    """A value with its interval, lying along the horizontal axis."""
    ax.plot([found.low, found.high], [place, place], color=mark.colour, linewidth=mark.width, solid_capstyle="round")
    ax.plot([found.value], [place], "o", color=mark.colour, markersize=mark.size)


def dots(
    ax: Axes, found: Mapping[str, Measure | None], looks: Mapping[str, tuple[str, str]], *, digits: str, margin: float
) -> None:
    """A line a model, with its colour and name as in `looks`: dot, interval, and the value above, where measured."""
    for place, (model, m) in enumerate(found.items()):
        if m is not None:
            dot(ax, place, Estimate.of(m), Mark(looks[model][0]))
            above(ax, place, m.value, f"{m.value:{digits}}")
    ax.set_yticks(range(len(found)), [looks[model][1] for model in found])
    ax.set_ylim(-0.5, len(found) - 0.3)
    ax.margins(x=margin)


def above(ax: Axes, place: float, value: float, text: str, points: float = 6, **look: Any) -> None:
    """Write the value over its dot."""
    look = {"textcoords": "offset points", "ha": "center", "fontsize": 8.5, **look}
    ax.annotate(text, (value, place), (0, points), **look)


def beside(ax: Axes, place: float, value: float, text: str, *, size: float = 8.5) -> None:
    """Write the value right of its bar."""
    ax.annotate(text, (value, place), (4, 0), textcoords="offset points", va="center", fontsize=size)


def nothing(figure: Figure, *, finding: str, rests_on: str) -> Figure:
    """A strip that says why there is no picture."""
    # an empty picture as large as a full one looks like a fault
    figure.set_layout_engine("none")
    for ax in list(figure.axes):
        ax.remove()
    figure.set_size_inches(figure.get_figwidth(), STRIP)
    return tell(figure, finding=finding, rests_on=rests_on)


def no_panel(ax: Axes, why: str) -> None:
    """A sentence in place of a panel that would be empty."""
    ax.set_axis_off()
    ax.text(0, 0.9, why, transform=ax.transAxes, fontsize=9, color=INK, va="top", wrap=True)


def panel_title(ax: Axes, text: str) -> None:
    """A panel's own title."""
    ax.set_title(text, fontsize=10, loc="left", color=INK)


def _say(figure: Figure, words: Wording) -> None:
    """Put every text of the figure into the declared words."""
    for axis in (axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)):
        labels = [label.get_text() for label in axis.get_ticklabels()]
        if (told := words.told(labels)) != labels:  # an axis writes its ticks anew when it is drawn
            axis.set_ticks(axis.get_ticklocs(), told)
    for text in figure.findobj(Text):
        text.set_text(words.dated(words.told(text.get_text())))
    for ax in figure.axes:
        if ax.get_xlabel() == AS_OF and words.first_day is not None:
            _dates(ax, words)


def _dates(ax: Axes, words: Wording) -> None:
    """Months below an axis of day numbers, a few that do not overlap."""
    ax.set_xlabel("as-of date", fontsize=9)
    ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    ax.xaxis.set_major_formatter(lambda day, _: words.day(round(day))[:7])


def _wrap(figure: Figure) -> None:
    """Break the lines of title and caption that reach beyond the edge; what fits stays as it is."""
    for text in figure.texts:
        lines = [part for line in text.get_text().split("\n") for part in _broken(text, line, EDGE * figure.bbox.width)]
        text.set_text("\n".join(lines))


def _broken(text: Text, line: str, width: float) -> Iterator[str]:
    """The line in parts that fit, broken between words; a word that is too long stays whole."""
    words = line.lstrip(" ").split(" ")
    while words:
        taken = _taken(text, words, width)
        yield " ".join(words[:taken])
        words = words[taken:]
        while len(words) > 1 and not words[0]:
            words = words[1:]


def _taken(text: Text, words: Sequence[str], width: float) -> int:
    """How many of the words fit, or one. To measure takes longest, and more are never shorter: so doubt is halved."""
    return 1 + bisect_left(range(2, len(words) + 1), True, key=lambda n: not _fits(text, " ".join(words[:n]), width))


def _fits(text: Text, line: str, width: float) -> bool:
    text.set_text(line)
    return bool(text.get_window_extent().x1 <= width)


def save(figure: Figure, path: Path, words: Wording) -> None:
    """Write a PNG in the declared words; it names neither program nor time."""
    _say(figure, words)
    _wrap(figure)
    # Matplotlib writes its own name and version otherwise, and the same numbers would give other bytes
    with whole_files.beside(path) as half:
        figure.savefig(half, format="png", metadata={"Software": None})
