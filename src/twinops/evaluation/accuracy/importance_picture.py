"""What moves forecasts: the twin's exact terms beside the Shapley values of the challenger's trees, by heading."""

from typing import Any

import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twinops.entities.canonical import rounded
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.entities.wording import MANY, MONEY
from twinops.evaluation.canvas import BLUE, ORANGE, canvas, panel_title, tell
from twinops.twin.answers.explain import HeadExplanation, explain_heads, explain_trees, title, words
from twinops.twin.model.boosted_trees import Challenger
from twinops.twin.model.families import HEADS
from twinops.twin.model.model import TwinModel


def importance_fact(model: TwinModel, challenger: Challenger, table: pa.Table) -> Fact:
    """Head -> `twin` and `challenger` -> heading -> mean size of its part of a row's log-odds or log-rate."""
    value = {
        head: {
            "twin": _by_heading(explain_heads(model, table, head)),
            "challenger": _by_heading(explain_trees(challenger, table, head)),
        }
        for head in HEADS
    }
    source = "scorecard: exact additive terms of the heads; Shapley values of the challenger's trees"
    return Fact("importance", {"rows": table.num_rows, "heads": value}, Kind.MEASURED, source)


def _by_heading(explained: HeadExplanation) -> dict[str, float]:
    return {heading: rounded(size, 4) for heading, size in explained.grouped.importance.items()}


SCALES = {"activity": "log rate", "baskets": "log baskets", "spend": f"log {MONEY}"}


def importance_picture(findings: Findings) -> Figure:
    """One panel a head, one pair of bars a heading."""
    told = next(f.value for f in findings.facts if f.name == "importance")
    own = {group for found in told["heads"].values() for parts in found.values() for group in parts}
    known = words()["groups"]
    headings = {**known, **{group: {"title": title(group)} for group in sorted(own - known.keys())}}
    figure, axes = canvas(columns=len(SCALES), size=(12, 4.4), sharey=True)
    for ax, (head, scale) in zip(axes, SCALES.items(), strict=True):
        _bars(ax, told["heads"][head], list(headings))
        panel_title(ax, f"{head.capitalize()}: mean size of a part, {scale}")
    axes[0].set_yticks(range(len(headings)), [g["title"] for g in headings.values()], fontsize=9)
    axes[0].invert_yaxis()
    axes[-1].legend(fontsize=8.5, frameon=False, loc="lower right")
    return tell(
        figure,
        finding=_finding(told["heads"], headings),
        rests_on=f"{told['rows']:,} {MANY} on the last held-out day. Parts of a forecast add up to it exactly; the "
        "challenger's of activity are log-odds.\n"
        "The twin's own regressions know only the first two headings; the challenger's trees may use all.",
    )


def _bars(ax: Axes, found: dict[str, dict[str, float]], headings: list[str]) -> None:
    for offset, who, colour in ((-0.2, "twin", BLUE), (0.2, "challenger", ORANGE)):
        sizes = [found[who].get(h, 0.0) for h in headings]
        ax.barh([i + offset for i in range(len(headings))], sizes, height=0.36, color=colour, label=who)


def _finding(heads: dict[str, Any], headings: dict[str, Any]) -> str:
    first = {head: max(found["twin"], key=found["twin"].__getitem__) for head, found in heads.items()}
    if len(set(first.values())) == 1:
        return f"What moves forecasts most, on average: {headings[next(iter(first.values()))]['title']}"
    return "What moves forecasts most, on average: " + "; ".join(
        f"{headings[g]['title']} ({head})" for head, g in first.items()
    )
