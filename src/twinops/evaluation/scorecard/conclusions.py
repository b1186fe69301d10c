"""What the scorecard allows us to say, in words: decided by the intervals and by nothing else."""

from typing import Any

from twinops.entities.findings import Findings
from twinops.entities.measure import Measure
from twinops.entities.wording import MONEY
from twinops.evaluation.scorecard.coverage import BOTH, NAME
from twinops.evaluation.statistics.estimate import Estimate
from twinops.evaluation.statistics.rendering import against, written
from twinops.twin.model.intervals import COVERAGE, TIERS


def scorecard_conclusion(findings: Findings) -> str:
    """A line each on ranges, freshness, spread, segments and groups."""
    measures = {m.name: m for m in findings.measures}
    lines = [
        _ranges(measures),
        _tiers(measures),
        *_freshness(measures),
        *[against("its segment's mean", said, measures[f"{q}.gain_over_segment"]) for q, said in _CLAIMS.items()],
        *[_spread(measures, q) for q in BOTH],
        *_groups(findings),
    ]
    return "\n".join(f"- {line}" for line in lines)


def oldest(measures: dict[str, Measure], what: str) -> int | None:
    """The greatest age of `state` or `heads` that was measured."""
    start = f"freshness.spend_mae.{what}_"
    ages = [int(n.removeprefix(start)) for n in measures if n.startswith(start) and not n.endswith(".loss")]
    return max(ages, default=None)


_CLAIMS = {
    "active_auc": "telling who will come back",
    "baskets_poisson_deviance": "how many baskets it will bring",
    "spend_mae": "what half of its like spend less than (the median)",
    "spend_deviance": "how much it will spend on average (the mean)",
}


def _ranges(measures: dict[str, Measure]) -> str:
    said = " and ".join(f"{q} {_share(measures[f'{NAME}.{q}'])}" for q in BOTH)
    gains = [measures[f"interval_winkler_80.{q}.gain_over_naive"] for q in BOTH]
    sharper = all(g.low is not None and g.low > 0 for g in gains)
    beside = "**sharper** than" if sharper else "**not shown to be sharper** than"
    return f"Of 100 outcomes the 80 % ranges held, for {said}; they are {beside} one range for everybody."


def _tiers(measures: dict[str, Measure]) -> str:
    off = [
        f"{q}, {tier} activity {_share(m)}"
        for q in BOTH
        for tier in TIERS
        if not _holds(m := measures[f"{NAME}.{q}.tier_{tier}"])
    ]
    if not off:
        return "In every tier of activity the promise of 80 is inside the interval."
    return f"The promise of 80 lies outside the interval in: {'; '.join(off)}."


def _freshness(measures: dict[str, Measure]) -> list[str]:
    out = []
    for what, said in (("state", "A state"), ("heads", "Heads")):
        age = oldest(measures, what)
        if age is None:
            continue
        auc, usd = (measures[f"freshness.{q}.{what}_{age}.loss"] for q in ("active_auc", "spend_mae"))
        verb = "costs" if what == "state" else "cost"
        doubt = "" if usd.excludes_zero else ", which cannot be told from nothing"
        out.append(f"{said} {age} days old {verb} AUC {written(auc)} and {written(usd)} {MONEY} of spend error{doubt}.")
    return out


def _spread(measures: dict[str, Measure], quantity: str) -> str:
    ratio, explained = measures[f"variance_ratio.{quantity}"], measures[f"explained_share.{quantity}"]
    return (
        f"Forecasts of {quantity} spread {written(ratio)} times as wide as what was observed; they explain "
        f"{written(explained)} of its variance, for which a ratio of {max(explained.value, 0) ** 0.5:.2f} is right."
    )


def _groups(findings: Findings) -> list[str]:
    groups: list[dict[str, Any]] = next((f.value for f in findings.facts if f.name == "scorecard_groups"), [])
    off = [
        f"{g['attribute'].replace('_', ' ')} ‘{g['group']}’ ({100 * held[0]:.0f} of 100, n = {g['households']})"
        for g in groups
        if (held := g.get("coverage_spend")) and not held[1] <= COVERAGE <= held[2]
    ]
    if not groups:
        return ["No group was large enough to be looked at by itself."]
    said = f"off in {len(off)}: {'; '.join(off)}" if off else "off in none"
    each = f"Looked at one by one, the ranges of spend of {len(groups)} groups are"
    return [f"{each} {said}; one in twenty is by chance."]


def _holds(m: Measure) -> bool:
    """The promise of the ranges lies inside the interval of what they held."""
    return m.low is not None and m.high is not None and m.low <= COVERAGE <= m.high


def _share(m: Measure) -> str:
    value, low, high = (100 * v for v in Estimate.of(m))
    return f"{value:.1f} [{low:.1f}, {high:.1f}]"
