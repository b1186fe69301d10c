"""How often the scorer is right, beside always saying the same, and what the gates before it let through."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twinops.data.texts.signals import LABELS
from twinops.entities.findings import Findings
from twinops.entities.measure import Measure
from twinops.evaluation.canvas import BLUE, GREY, INK, ORANGE, Mark, canvas, dot, panel_title, tell
from twinops.evaluation.statistics.estimate import Estimate

_QUALITY = (
    ("ordinary posts", "sentiment_accuracy"),
    ("hard posts", "sentiment_accuracy.hard"),
    ("synthetic world", "sentiment_accuracy_synthetic"),
)
_GATES = (
    ("other languages let in", "sentiment_gate_false_accept"),
    ("English turned away", "sentiment_gate_false_refuse"),
    ("special category not noticed", "sentiment_special_missed"),
    ("special category scored after all", "sentiment_special_scored"),
)


def sentiment_picture(findings: Findings) -> Figure:
    """Accuracy with its interval beside the majority class; the confusion of ordinary posts; the gates' mistakes."""
    known = {m.name: m for m in findings.measures}
    figure, axes = canvas(columns=3, size=(11.5, 3.6), width_ratios=[1.2, 0.9, 1.2])
    _accuracy(axes[0], known)
    _confusion(axes[1], findings)
    _gates(axes[2], known)
    return tell(figure, finding=_finding(known), rests_on=_rests_on(known))


def _interval(ax: Axes, measure: Measure, place: float, colour: str) -> None:
    dot(ax, place, Estimate.of(measure), Mark(colour, width=2.5))


def _accuracy(ax: Axes, known: dict[str, Measure]) -> None:
    panel_title(ax, "posts labelled rightly")
    there = [(text, name) for text, name in _QUALITY if name in known]
    for place, (_, name) in enumerate(there):
        _interval(ax, known[name], place - 0.12, BLUE)
        _interval(ax, known[f"{name}.majority"], place + 0.12, GREY)
    ax.plot([], [], color=BLUE, label="scorer")
    ax.plot([], [], color=GREY, label="always the most frequent class")
    ax.legend(fontsize=8, frameon=False, loc="lower right")
    ax.set_yticks(range(len(there)), [f"{text}\n(n={known[name].n:,})" for text, name in there])
    ax.set_ylim(len(there) - 0.2, -0.6)
    ax.set_xlim(0, 1)


def _confusion(ax: Axes, findings: Findings) -> None:
    panel_title(ax, "ordinary posts: true by row")
    fact = next((f for f in findings.facts if f.name == "sentiment_confusion"), None)
    table = fact.value["true_by_row"]["ordinary"] if fact else [[0] * 3] * 3
    ax.imshow(table, cmap="Blues", vmin=0, vmax=max(max(row) for row in table) * 1.6 or 1)
    for row, counts in enumerate(table):
        for column, count in enumerate(counts):
            ax.text(column, row, str(count), ha="center", va="center", fontsize=10, color=INK)
    ax.grid(visible=False)
    ax.set_xticks(range(3), LABELS)
    ax.set_yticks(range(3), LABELS)


def _gates(ax: Axes, known: dict[str, Measure]) -> None:
    panel_title(ax, "mistakes of the gates")
    there = [(text, name) for text, name in _GATES if name in known]
    for place, (_, name) in enumerate(there):
        _interval(ax, known[name], place, ORANGE)
    ax.set_yticks(range(len(there)), [f"{text}\n(n={known[name].n:,})" for text, name in there])
    ax.set_ylim(len(there) - 0.4, -0.6)
    ax.set_xlim(0, 1)


def _finding(known: dict[str, Measure]) -> str:
    names = ("sentiment_accuracy", "sentiment_accuracy.hard")
    ordinary, hard = (known[name] for name in names)
    majority = [known[f"{name}.majority"] for name in names]
    pairs = zip((ordinary, hard), majority, strict=True)
    beats = [m.low is not None and (b.high or 0) < m.low for m, b in pairs]
    if all(beats):
        return "Sentiment beats guessing on ordinary posts and on hard ones"
    if beats[0]:
        right = f"{ordinary.value:.0%} of ordinary posts, {hard.value:.0%} of hard ones"
        return f"Sentiment is a weak signal: right in {right}"
    return "Sentiment is not shown to beat always saying the same"


def _rests_on(known: dict[str, Measure]) -> str:
    source = known["sentiment_accuracy"].source
    return f"95 % intervals (bootstrap, Wilson). {source}. English only; others get no score."
