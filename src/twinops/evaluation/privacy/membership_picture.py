"""How many of those trained on an attacker finds, for every rate of false alarms he accepts."""

from collections.abc import Mapping
from itertools import cycle, product

import numpy as np
from matplotlib.figure import Figure

from twinops.entities.findings import Findings
from twinops.entities.wording import MANY
from twinops.evaluation.canvas import BLUE, GREEN, GREY, INK, ORANGE, canvas, nothing, tell
from twinops.evaluation.privacy.membership import FALSE_POSITIVES, Membership
from twinops.evaluation.statistics.rendering import written


def membership_picture(heads: Mapping[str, Membership], findings: Findings) -> Figure:
    """Both axes logarithmic: what matters is at the left, where an attacker is nearly sure."""
    figure, ax = canvas(size=(8.6, 5.4))
    if not heads:
        why = f"There are too few {MANY} to attack it."
        return nothing(figure, finding="The model was not attacked", rests_on=why)
    grid = np.logspace(-3, 0, 61)
    measures = {m.name: m for m in findings.measures}
    looks = cycle(product(("-", "--", "-."), (BLUE, ORANGE, GREEN)))
    for (head, found), (line, colour) in zip(heads.items(), looks, strict=False):
        label = f"{head}: {written(measures[f'membership_rate.{head}'])}, n = {found.score.shape[1]:,}"
        ax.plot(grid, _curve(found, grid), line, color=colour, linewidth=2, label=label)
    ax.plot(grid, grid, color=GREY, linestyle=":", linewidth=1, label="chance")
    ax.axvline(FALSE_POSITIVES, color=INK, linewidth=0.8, linestyle=":")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(1e-3, 1)
    ax.set_ylim(1e-3, 1)
    ax.set_xlabel("strangers taken for members (false alarms)", fontsize=9)
    ax.set_ylabel("members found", fontsize=9)
    ax.legend(frameon=False, fontsize=8, loc="lower right", title="members found at 1 % false alarms", title_fontsize=8)
    models = len(next(iter(heads.values())).score)
    rate = measures["membership_rate"]
    return tell(
        figure,
        finding=f"With 1 % false alarms the attack finds {written(rate)} of those trained on",
        rests_on=f"n = {rate.n:,} {MANY}, each in half of {models} models; each is attacked with the others as "
        f"shadows (online LiRA).\nIntervals: bootstrap of whole {MANY}. Title: of the head that leaks most.",
    )


def _curve(found: Membership, grid: np.ndarray) -> np.ndarray:
    """True positives at each rate of false positives, over all attacked models."""
    score, inside = found.score.ravel(), found.inside.ravel()
    # the attacker sets his threshold on strangers, of whom he has as many as he likes
    limits = np.quantile(score[~inside], 1 - grid)
    return np.array([max(float((score[inside] > limit).mean()), 1e-4) for limit in limits])
