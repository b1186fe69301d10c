"""What the measures allow us to say, in words: decided by the intervals and by nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinops.entities.baselines import best_baseline
from twinops.entities.findings import Findings
from twinops.entities.measure import Measure
from twinops.entities.wording import ONE
from twinops.evaluation.accuracy.choice import Choice
from twinops.evaluation.accuracy.coefficients import Weight
from twinops.evaluation.statistics.rendering import against, with_unit
from twinops.twin.model.families import HEADS
from twinops.twin.own_heads._shelf import FAMILY
from twinops.twin.state.terms import MEANINGS

if TYPE_CHECKING:
    from twinops.twin.model.recipe import Recipe

CLAIMS = {
    "active_auc": "telling who will come back",
    "active_brier": f"the chance that a {ONE} comes back",
    "baskets_poisson_deviance": "how many baskets it will bring",
    "spend_mae": "what half of its like spend less than (the median)",
    "spend_deviance": "how much it will spend on average (the mean)",
}
BASELINES = {
    "rfm": "the RFM regression",
    "bgnbd": "BG/NBD with gamma-gamma",
    "naive": "the last horizon again",
    "zero": "nobody comes",
    "lightgbm": "LightGBM",
}
SPEAKS = {
    "regression": "the regression",
    "hurdle": "the hurdle",
    "classic": "BG/NBD with gamma-gamma",
    "trees": "LightGBM's trees",
}
"""Each family of heads, by its name in the model file."""

FORETOLD = {"activity": "who comes back", "baskets": "how many baskets", "spend": "the mean of spend"}


def accuracy_conclusion(findings: Findings) -> str:
    """One sentence a quantity, and one about the chances themselves."""
    measures = {m.name: m for m in findings.measures}
    lines = [_against_all(claim, quantity, measures) for quantity, claim in CLAIMS.items()]
    slope = _slope(measures.get("active_calibration_slope"))
    return "\n".join(f"- {line}" for line in [*lines, slope + _error(measures)])


def choice_conclusion(choice: Choice) -> str:
    """Who speaks for each head of the twin, and why."""
    straight = "" if choice.recalibrate else " not"
    lines = [f"- {FORETOLD[head]}: **{_mean_of(choice.speakers.of(head))}** ({choice.why[head]})" for head in HEADS]
    return "\n".join(
        [
            "Chosen on earlier as-of days, before anything was measured here, each head by its own score:",
            "",
            *lines,
            "",
            f"Chances are{straight} recalibrated on the last closed window. Medians and ranges follow from the heads.",
        ]
    )


def turned_conclusion(chosen: Recipe, made: Recipe) -> str:
    """What was made otherwise than chosen; nothing where all is as chosen."""
    said = [
        f"- {FORETOLD[head]}: **{_mean_of(made.speakers.of(head))}** instead of {_mean_of(chosen.speakers.of(head))}"
        for head in HEADS
        if made.speakers.of(head) != chosen.speakers.of(head)
    ]
    for head in HEADS:
        out = [term for term in chosen.terms.of(head) if term not in made.terms.of(head)]
        new = [term for term in made.terms.of(head) if term not in chosen.terms.of(head)]
        parts = [f"without {', '.join(out)}"] * bool(out) + [f"with {', '.join(new)}"] * bool(new)
        said += [f"- the regression for {FORETOLD[head]}: {' and '.join(parts)}"] * bool(parts)
    before, now = chosen.penalties.model_dump(), made.penalties.model_dump()
    said += [f"- {name}: {now[name]:g} instead of {before[name]:g}" for name in now if now[name] != before[name]]
    head = "**Made otherwise than chosen**, by the notebook `train`; what is measured is what is made:"
    return "\n".join([head, "", *said]) if said else ""


def _mean_of(families: tuple[str, ...]) -> str:
    named = [SPEAKS.get(family, f"the project's own `{family.removeprefix(FAMILY)}`") for family in families]
    return named[0] if len(named) == 1 else f"the mean of {', '.join(named[:-1])} and {named[-1]}"


def weights_conclusion(weights: dict[str, tuple[Weight, ...]]) -> str:
    """The two strongest terms of each head, and how many terms cannot be told from nothing."""
    lines = []
    for head, terms in weights.items():
        used = [w for w in terms if w.used]
        strongest = sorted(used, key=lambda w: -abs(w.value))[:2]
        said = " and ".join(
            f"{MEANINGS[w.term].removesuffix(' (log)')} ({w.value:+.2f} [{w.low:+.2f}, {w.high:+.2f}])"
            for w in strongest
        )
        unsure = sum(w.low <= 0 <= w.high for w in used)
        lines.append(f"- **{head}**: most weight on {said}; {unsure} of {len(used)} weights cannot be told from zero.")
    return "\n".join(lines)


def _against_all(claim: str, quantity: str, measures: dict[str, Measure]) -> str:
    """In full against the best of the plain baselines, in short against the others."""
    gains = {name: g for name in BASELINES if (g := measures.get(f"{quantity}.gain_over_{name}"))}
    best = best_baseline(quantity, measures.values())
    if best is None:
        return f"In {claim} there is no baseline to compare the twin with."
    over = measures[f"{quantity}.gain_over_{best}"]
    first = against(f"{BASELINES.get(best, best)} (the best baseline)", claim, over)
    others = "; ".join(_shortly(BASELINES[name], gain) for name, gain in gains.items() if name != best)
    return f"{first[:-1]}; {others}." if others else first


def _shortly(baseline: str, gain: Measure) -> str:
    word = ("ahead of" if gain.value > 0 else "behind") if gain.excludes_zero else "not told apart from"
    return f"{word} {baseline}, {with_unit(gain)}"


def _slope(slope: Measure | None) -> str:
    if slope is None or slope.low is None or slope.high is None:
        return "Whether its chances are too bold or too timid cannot be said on these days."
    interval = f"slope {slope.value:.2f} [{slope.low:.2f}, {slope.high:.2f}]"
    if slope.low <= 1 <= slope.high:
        return f"Its chances are neither shown to be too bold nor too timid: {interval}, 1 is right."
    return f"Its chances are too {'timid' if slope.value > 1 else 'bold'}: {interval}, 1 is right."


def _error(measures: dict[str, Measure]) -> str:
    """The calibration error beside what luck alone makes of right chances, and whether too many were expected."""
    error, floor = measures.get("active_ece"), measures.get("active_ece_noise_floor")
    large = measures.get("active_calibration_in_the_large")
    if error is None or floor is None or floor.high is None:
        return ""
    # the calibration error of finitely many rows is never 0, however right the chances are
    reach = "within" if error.value <= floor.high else "above"
    said = (
        f" Predicted and observed shares differ by {error.value:.3f} on average over ten bins, {reach} the "
        f"{floor.value:.3f} (up to {floor.high:.3f}) that luck alone makes of right chances."
    )
    if large is None or not (large.excludes_zero or reach == "above"):
        return said
    more = "Fewer" if large.value < 0 else "More"
    if not large.excludes_zero:
        return f"{said} {more} came back on these days than it says, by {with_unit(large)}: on others it may not be so."
    return f"{said} {more} come back than it says, by {with_unit(large)}."
