"""Tastes in pictures: the heads beside their baselines, what is newly tried, and which tastes go together."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twinops.entities.measure import Measure
from twinops.entities.wording import MANY, ONE
from twinops.evaluation.canvas import BLUE, GREEN, GREY, INK, ORANGE, canvas, dots, nothing, panel_title, tell
from twinops.evaluation.tastes.categories import Tried
from twinops.twin.tastes.categories import Tastes

PANELS = {"category_ndcg_at_10": "What it will buy of: NDCG of ten", "new_category_auc": "What it newly tries: AUC"}
MODELS = {
    "popularity": (GREY, "popularity"),
    "naive": (GREY, "last horizon again"),
    "own_counts": (ORANGE, "own counts"),
    "lightgbm": (GREEN, "boosted trees"),
    "": (BLUE, "twin"),
}
SHOWN = 20
TOO_LITTLE = "There was too little to measure it on; the measures say why."
DIRECTIONS, ENDS = 3, 6


def tastes_picture(measures: Mapping[str, Measure]) -> Figure:
    """Top: every model with its interval. Bottom: the twin's paired gains."""
    figure, axes = canvas(rows=2, columns=len(PANELS), size=(10, 5.2), height_ratios=(4, 3))
    if not set(PANELS) <= set(measures):
        return nothing(figure, finding=f"Which categories {MANY} buy of was not measured", rests_on=TOO_LITTLE)
    for column, (quantity, title) in enumerate(PANELS.items()):
        found = {m: measures.get(f"{quantity}.{m}" if m else quantity) for m in MODELS}
        dots(axes[0][column], found, MODELS, digits=".3f", margin=0.15)
        panel_title(axes[0][column], f"{title} (higher is better)")
        gains = {m: measures.get(f"{quantity}.gain_over_{m}") for m in MODELS if m}
        dots(axes[1][column], gains, MODELS, digits=".3f", margin=0.15)
        axes[1][column].axvline(0, color=INK, linewidth=0.9)
        panel_title(axes[1][column], "twin's gain over it, paired")
        for ax in axes[:, column]:
            ax.tick_params(labelleft=not column)
    m = measures["category_ndcg_at_10"]
    return tell(
        figure, finding=_ahead(measures), rests_on=f"n = {m.n:,} {MANY}; {m.source}.\n95 % intervals: {m.method}."
    )


def tried_picture(tried: tuple[Tried, ...], measures: Mapping[str, Measure], *, after_days: int) -> Figure:
    """Per category: who newly tries it, of everybody and of the tenth the twin thought likeliest."""
    figure, ax = canvas(size=(9, 0.9 + 0.29 * max(min(len(tried), SHOWN), 8)))
    if not tried:
        return nothing(figure, finding=f"What {MANY} newly try was not measured", rests_on=TOO_LITTLE)
    shown = sorted(tried, key=lambda t: (-(t.likely.value - t.everyone.value), t.category))[:SHOWN][::-1]
    for place, t in enumerate(shown):
        ax.plot([t.everyone.value, t.likely.value], [place, place], color="#cccccc", linewidth=1.5, zorder=1)
        for (value, low, high), colour in ((t.everyone, GREY), (t.likely, BLUE)):
            ax.plot([low, high], [place, place], color=colour, linewidth=3, alpha=0.35, solid_capstyle="butt")
            ax.plot([value], [place], "o", color=colour, markersize=5)
    ax.set_yticks(range(len(shown)), [t.category.capitalize() for t in shown])
    ax.xaxis.set_major_formatter(lambda v, _: f"{v:.0%}")
    ax.set_ylim(-0.6, len(shown) - 0.4)
    lift = float(np.median([t.likely.value / t.everyone.value for t in tried]))
    ax.plot([], [], "o", color=GREY, label="everybody who has not bought it lately")
    ax.plot([], [], "o", color=BLUE, label="the tenth the twin thought likeliest")
    ax.legend(fontsize=8, frameon=False, loc="lower right")
    found = measures.get("new_category_auc")
    n = f"n = {found.n:,} {MANY}; {found.source}" if found else "held-out as-of days"
    return tell(
        figure,
        finding=f"The tenth the twin names tries a category {lift:.1f} times as often as everybody (median)",
        rests_on=f"Share that buys a category within the horizon, not having bought it for {after_days} days; the "
        f"{len(shown)} of {len(tried)} categories it tells best.\n{n}.\nWilson's intervals, as if {ONE}-days were "
        "independent. Special categories of data are left out.",
    )


def factors_picture(tastes: Tastes | None) -> Figure:
    """The categories at both ends of the first directions in which households' tastes differ."""
    figure, axes = canvas(columns=DIRECTIONS, size=(12, 4.8), sharex=True)
    if tastes is None or tastes.factors < DIRECTIONS:
        return nothing(figure, finding="No tastes were learned", rests_on=TOO_LITTLE)
    axes_of = np.array([c.loadings for c in tastes.categories])
    for number, ax in enumerate(axes):
        _ends(ax, axes_of[:, number], tastes.names)
        panel_title(ax, f"direction {number + 1}")
    first = axes_of[:, 0]
    one, other = (_join(tastes.names, np.argsort(sign * first, kind="stable")[:2]) for sign in (1, -1))
    seen = tastes.trained_on
    return tell(
        figure,
        finding=f"Who buys more of {one} buys less of {other}",
        rests_on=f"Principal directions of relative tastes, how much a {ONE} buys at all taken out: the categories "
        f"at both ends of each. Learned from {seen.rows:,} {ONE}-days of {seen.households:,} {MANY}.\n"
        "The most frequent categories, special categories of data left out. Correlation between goods, not kinds "
        "of people.",
    )


def _ends(ax: Axes, loading: np.ndarray, names: tuple[str, ...]) -> None:
    """The categories at both ends of one direction."""
    order = np.argsort(loading, kind="stable")
    ends = np.unique(np.concatenate([order[:ENDS], order[-ENDS:]]))
    ends = ends[np.argsort(loading[ends], kind="stable")]
    ax.barh(range(len(ends)), loading[ends], color=[ORANGE if loading[i] < 0 else BLUE for i in ends], height=0.7)
    ax.set_yticks(range(len(ends)), [names[i].capitalize() for i in ends], fontsize=8)
    ax.axvline(0, color=INK, linewidth=0.8)


def _join(names: tuple[str, ...], places: np.ndarray) -> str:
    *early, last = [names[i].lower() for i in places]
    return f"{', '.join(early)} and {last}" if early else last


def _ahead(measures: Mapping[str, Measure]) -> str:
    """Better by the whole interval, on what it buys of and on what it newly tries."""
    plain = {"popularity": "popularity", "own_counts": "own counts", "naive": "the last horizon again"}
    both = [
        words
        for baseline, words in plain.items()
        if all(g.excludes_zero and g.value > 0 for q in PANELS if (g := measures.get(f"{q}.gain_over_{baseline}")))
    ]
    if len(both) < len(plain):
        return "The twin's tastes are not shown to be better than every plain baseline"
    return f"The twin knows tastes, old and new, better than {', '.join(both)}"
