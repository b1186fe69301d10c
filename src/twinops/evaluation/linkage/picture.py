"""What linkage decided, for a person to read: one tie taken apart, and all probabilities by the band they fall in."""

import numpy as np
from matplotlib.figure import Figure

from twinops.data.linkage.explain import TieExplanation
from twinops.data.linkage.resolve import JoiningRules
from twinops.entities.wording import ONE
from twinops.evaluation.canvas import BLUE, GREEN, GREY, INK, ORANGE, beside, canvas, nothing, tell


def tie_picture(tie: TieExplanation) -> Figure:
    """A waterfall: where two such records start, what every field adds or takes away, where they end. No values."""
    parts = [tie.parts[0], *sorted(tie.parts[1:], key=lambda p: -p.bits)]
    ends = np.cumsum([p.bits for p in parts])
    figure, ax = canvas(size=(9, 1.6 + 0.34 * len(parts)))
    for row, (part, end) in enumerate(zip(parts, ends.tolist(), strict=True)):
        colour = GREY if row == 0 else BLUE if part.bits >= 0 else ORANGE
        ax.barh(row, part.bits, left=end - part.bits, color=colour, height=0.62)
        beside(ax, row, max(end, end - part.bits), f"{part.bits:+.1f}")
        if row + 1 < len(parts):
            ax.plot([end, end], [row - 0.31, row + 1.31], color=INK, linewidth=0.7)
    ax.set_yticks(range(len(parts)), [f"{p.field}: {p.words}" if p.words else p.field for p in parts])
    ax.invert_yaxis()
    ax.axvline(0, color=INK, linewidth=0.9)
    ax.use_sticky_edges = False
    ax.margins(x=0.1)
    ax.set_xlabel("bits of evidence (log2 odds); 0 is even odds, +10 is about 1,000 to 1", fontsize=9)
    return tell(
        figure,
        finding=f"Why a record of {tie.sources[0]} and one of {tie.sources[1]} are one person: "
        f"{tie.match_weight:+.1f} bits",
        rests_on=f"The weakest tie that was joined; probability {tie.probability:.4f} after all other candidates. "
        "Fields that one side does not know are not drawn.",
    )


def no_tie_picture() -> Figure:
    """What is shown when nothing was linked."""
    figure, _ = canvas(size=(8, 1.6))
    return nothing(figure, finding="No record was linked", rests_on=f"Every twin stays with its {ONE}'s purchases.")


def bands_picture(probability: np.ndarray, *, rules: JoiningRules, contradicted: int) -> Figure:
    """How many candidate pairs (not contradicted ones) have which probability; the scale shows the few in between."""
    figure, ax = canvas(size=(8, 3.8))
    if not len(probability):
        why = "There were no records of two sources to compare, or too few to learn from."
        return nothing(figure, finding="No pair of records was compared", rests_on=why)
    edges = np.unique(np.r_[np.linspace(0, 1, 21), rules.review_from, rules.merge_at])
    counts, _ = np.histogram(probability, edges)
    left = edges[:-1]
    colours = [GREEN if e >= rules.merge_at else ORANGE if e >= rules.review_from else GREY for e in left]
    ax.bar(left, counts, width=np.diff(edges), align="edge", color=colours, edgecolor="white", linewidth=0.4)
    ax.set_yscale("symlog", linthresh=10)
    ax.set_ylabel("pairs of records", fontsize=9)
    ax.set_xlabel("probability of one person, given all other candidates", fontsize=9)
    merged = int((probability >= rules.merge_at).sum())
    looked_at = int((probability >= rules.review_from).sum()) - merged
    words = {"transform": ax.get_xaxis_transform(), "fontsize": 9}
    ax.text(0.02, 0.93, "taken for two persons", color=GREY, **words)
    ax.text(rules.review_from + 0.02, 0.93, "a person looks", color=ORANGE, **words)
    ax.text(0.985, 0.83, f"sure from {rules.merge_at:g}", color=GREEN, ha="right", **words)
    return tell(
        figure,
        finding=f"{merged:,} pairs of records are sure, {looked_at:,} only probable",
        rests_on=f"n = {len(probability):,} candidate pairs nothing speaks against; {contradicted:,} more have another "
        "given name or birthday and are never joined unseen.",
    )
