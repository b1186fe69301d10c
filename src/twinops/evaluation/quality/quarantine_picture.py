"""How much of each source was kept out, and why."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from twinops.entities.small_cells import SMALLEST_CELL
from twinops.evaluation.canvas import GREY, INK, ORANGE, canvas, tell


def quarantine_picture(counts: Mapping[str, Mapping[str, Any]], *, planted: bool) -> Figure:
    """Share of each source's rows in quarantine; `counts` has rows `read` and `quarantined` by reason, and `off`.

    `planted`: shipped sources are among them, into which such rows were put.
    """
    names = list(counts)
    figure, ax = canvas(size=(9, 0.36 * max(len(names), 3) + 1.6))
    for place, name in enumerate(names):
        one = counts[name]
        bad = sum(one["quarantined"].values())
        share = 100 * bad / one["read"] if one["read"] else 0.0
        ax.barh([place], [share], color=ORANGE, height=0.6)
        ax.text(share + 0.03, place, _words(one, bad), va="center", fontsize=8, color=GREY if one["off"] else INK)
    ax.set_yticks(range(len(names)), [n.replace("_", " ") for n in names])
    ax.set_ylim(len(names) - 0.4, -0.6)
    most = max((100 * sum(c["quarantined"].values()) / c["read"] for c in counts.values() if c["read"]), default=1.0)
    ax.set_xlim(0, max(most, 0.5) * 1.9)
    ax.set_xlabel("per cent of rows read", fontsize=9)
    total = sum(sum(c["quarantined"].values()) for c in counts.values())
    rows = sum(c["read"] for c in counts.values())
    return tell(
        figure,
        finding=f"{total:,} of {rows:,} rows are in quarantine, each with its reason",
        rests_on=f"All batches. Reasons of {SMALLEST_CELL} rows or more are named."
        + " Made-up sources have them planted." * planted,
    )


def _words(one: Mapping[str, Any], bad: int) -> str:
    if one["off"]:
        return "switched off"
    named = [f"{r.replace('_', ' ')} {n:,}" for r, n in one["quarantined"].most_common(2) if n >= SMALLEST_CELL]
    return f"{bad:,}" + (f" ({', '.join(named)})" if named else "")
