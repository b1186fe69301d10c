"""What the measures allow us to say, in words: decided by the intervals and by nothing else."""

from __future__ import annotations

import math

from twinops.entities.findings import Findings
from twinops.entities.measure import Measure
from twinops.evaluation.coefficients import Weight
from twinops.twin.state import MEANINGS

CLAIMS = {
    "active_auc": "telling who will come back",
    "active_brier": "the chance that a household comes back",
    "baskets_poisson_deviance": "how many baskets it will bring",
    "spend_mae": "how much it will spend",
}


def written(m: Measure) -> str:
    """Value and interval with as many decimals as the interval deserves: two significant digits of its width.

    >>> written(Measure("auc", 0.87791, n=9, source="s", method="m", low=0.86762, high=0.88861))
    '0.878 [0.868, 0.889]'
    """
    if m.low is None or m.high is None:
        return f"{m.value:.4g}"
    width = m.high - m.low
    decimals = max(0, 1 - math.floor(math.log10(width))) if width > 0 else 3
    return f"{m.value:.{decimals}f} [{m.low:.{decimals}f}, {m.high:.{decimals}f}]"


def accuracy_conclusion(findings: Findings) -> str:
    """One sentence a quantity, and one about the chances themselves."""
    measures = {m.name: m for m in findings.measures}
    lines = [_against_rfm(claim, measures[f"{q}.gain_over_rfm"]) for q, claim in CLAIMS.items()]
    return "\n".join(f"- {line}" for line in [*lines, _slope(measures.get("active_calibration_slope"))])


def weights_conclusion(weights: dict[str, tuple[Weight, ...]]) -> str:
    """The two strongest terms of each head, and how many terms cannot be told from nothing."""
    lines = []
    for head, terms in weights.items():
        strongest = sorted(terms, key=lambda w: -abs(w.value))[:2]
        said = " and ".join(
            f"{MEANINGS[w.term].removesuffix(' (log)')} ({w.value:+.2f} [{w.low:+.2f}, {w.high:+.2f}])"
            for w in strongest
        )
        unsure = sum(w.low <= 0 <= w.high for w in terms)
        lines.append(f"- **{head}**: most weight on {said}; {unsure} of {len(terms)} weights cannot be told from zero.")
    return "\n".join(lines)


def _against_rfm(claim: str, gain: Measure) -> str:
    interval = written(gain) + (f" {gain.unit}" if gain.unit else "")
    if not gain.excludes_zero:
        return f"In {claim} the twin and the RFM regression **cannot be told apart**: gain {interval}."
    better = "better" if gain.value > 0 else "worse"
    return f"In {claim} the twin is **{better}** than the RFM regression: gain {interval}."


def _slope(slope: Measure | None) -> str:
    if slope is None or slope.low is None or slope.high is None:
        return "Whether its chances are too bold or too timid cannot be said on these days."
    interval = f"slope {slope.value:.2f} [{slope.low:.2f}, {slope.high:.2f}]"
    if slope.low <= 1 <= slope.high:
        return f"Its chances are neither shown to be too bold nor too timid: {interval}, 1 is right."
    return f"Its chances are too {'timid' if slope.value > 1 else 'bold'}: {interval}, 1 is right."
