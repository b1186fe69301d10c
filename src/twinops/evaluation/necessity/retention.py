"""What the evidence of necessity proposes to hold, and for how long. A proposal: a person accepts it, or does not."""

import math
from collections.abc import Sequence
from typing import Any

from twinops.entities.canonical import rounded
from twinops.entities.fact import Fact, Kind
from twinops.entities.measure import Measure
from twinops.entities.wording import MANY, MONEY, ONE
from twinops.evaluation.necessity.measures import ESTABLISHED, Gain, Necessity, TestedUnit
from twinops.evaluation.statistics.rendering import written
from twinops.evaluation.statistics.setting import Setting
from twinops.params import MinimisationParams

DECIDED_IN = "compliance/retention.yaml"
TOGETHER = "all_attributes"
ATTRIBUTE, SOURCE = "attribute", "source"
SMALLEST_STEP = 0.01
"""USD: a gain this near to the margin is as good as on it."""

MOST_TO_ASK = 100_000
"""Beyond so many households the number says only that this cannot be told."""


def necessity_measures(found: Sequence[TestedUnit], rule: MinimisationParams, *, source: str) -> list[Measure]:
    """`necessity.income` (established), `necessity.income.new_7` (7 days known): USD of spend error saved."""
    out = []
    for t in found:
        setting = Setting(t.households, rule.draws, rule.seed, source)
        known = "all history" if t.history_days == ESTABLISHED else f"{t.history_days} days of history"
        how = f"mean absolute spend error without {_spoken(t.unit)} less with it, {known}, folds grouped by {ONE}"
        out.append(setting.measure(name(t), t.spend.over_without, f"{how}, paired", unit=MONEY))
        if t.activity:
            told = f"AUC of who comes back with {_spoken(t.unit)} less without it, {known}, folds grouped by {ONE}"
            out.append(setting.measure(f"{name(t)}.auc", t.activity.over_without, f"{told}, paired"))
    return out


def name(t: TestedUnit) -> str:
    """What the measure of a test is called."""
    return f"necessity.{t.unit}" + ("" if t.history_days == ESTABLISHED else f".new_{t.history_days}")


def necessity_fact(found: Sequence[TestedUnit], rule: MinimisationParams) -> Fact:
    """Every test with its control and its outcome."""
    value = {
        "margin_spend": rule.margin_spend,
        "margin_auc": rule.margin_auc,
        "shuffles": rule.shuffles,
        "tests": [
            {
                "unit": t.unit,
                "kind": t.kind,
                "history_days": None if t.history_days == ESTABLISHED else t.history_days,
                "households": t.households,
                "outcome": t.outcome(rule).value,
                "without_usd": rounded(t.spend.without, 4),
                **_gains(t.spend, "usd"),
                **(_gains(t.activity, "auc") if t.activity else {}),
            }
            for t in found
        ],
        "intervals": "each at 95 % by itself: of forty that help by nothing, one is above 0",
    }
    return Fact("necessity", value, Kind.MEASURED, "minimise: refits with, without and with shuffled values")


def proposal_fact(found: Sequence[TestedUnit], rule: MinimisationParams) -> Fact:
    """One proposal a unit, in words, with what it rests on. Never accepted by anything but a person."""
    units = dict.fromkeys(t.unit for t in found if t.unit != TOGETHER)
    value = {
        "status": "proposed",
        "decided_in": DECIDED_IN,
        "items": [proposal([t for t in found if t.unit == unit], rule) for unit in units],
        "all_attributes_together": _together([t for t in found if t.unit == TOGETHER], rule),
    }
    return Fact("retention_proposal", value, Kind.MEASURED, "minimise: written from the outcomes of necessity")


def proposal(tests: Sequence[TestedUnit], rule: MinimisationParams) -> dict[str, Any]:
    """What to hold of one unit: outcomes by days of history, and the sentence they make."""
    outcomes = {t.history_days: t.outcome(rule) for t in tests}
    first = tests[0]
    newly = {d: o for d, o in sorted(outcomes.items()) if d != ESTABLISHED}
    proposed = _proposed(first, outcomes.get(ESTABLISHED), newly)
    return {
        "unit": first.unit,
        "kind": first.kind,
        "established": outcomes[ESTABLISHED].value if ESTABLISHED in outcomes else None,
        "newly_met": {f"{days} days": o.value for days, o in newly.items()},
        "rests_on": [name(t) for t in tests],
        "would_be_told_by": {_days(t): n for t in tests if (n := households_to_tell(t, rule)) is not None},
        "text": f"Proposed: {proposed}{_would_settle(tests, rule)}{_caveat(first)}",
    }


def households_to_tell(t: TestedUnit, rule: MinimisationParams) -> int | None:
    """How many households would settle an open question of spend, were the gain what it looks; None: it is not open.

    Both intervals narrow with the root of the number of households. An estimate, rounded up to hundreds.
    """
    if t.outcome(rule) is not Necessity.INCONCLUSIVE:
        return None
    gain = t.spend.over_without
    low, high = gain.interval("A gain")
    apart = gain.value - rule.margin_spend
    needed = [((gain.value - low) if apart > 0 else (high - gain.value)) / max(abs(apart), SMALLEST_STEP)]
    if apart > 0:  # then it must beat its shuffled values too
        over = t.spend.over_shuffled
        needed.append((over.value - over.interval("A gain")[0]) / max(over.value, SMALLEST_STEP))
    return max(math.ceil(t.households * max(needed) ** 2 / 100) * 100, t.households)


def necessity_conclusion(found: Sequence[TestedUnit], rule: MinimisationParams) -> str:
    """A line for each outcome, established and newly met."""
    lines = []
    for kind, said in ((ATTRIBUTE, "personal attributes"), (SOURCE, "sources")):
        for days in sorted({t.history_days for t in found if t.kind == kind}):
            tests = [t for t in found if t.kind == kind and t.history_days == days]
            by = {o: [t for t in tests if t.outcome(rule) is o] for o in Necessity}
            parts = [f"{o.value}: {', '.join(_with_gain(t) for t in ts)}" for o, ts in by.items() if ts]
            known = "With all history" if days == ESTABLISHED else f"With {days} days of history"
            lines.append(f"- {known}, of {said}: {'; '.join(parts)}.")
    return "\n".join(lines)


def _together(tests: Sequence[TestedUnit], rule: MinimisationParams) -> str:
    """What is said of all attributes at once. To hold all of them is never proposed: a person may weigh it."""
    needed = [t.history_days for t in tests if t.outcome(rule) is Necessity.NECESSARY]
    if not tests:
        return "No personal attribute could be tested."
    if not needed:
        return "All attributes together are not shown to be necessary, whatever the history."
    when = ", ".join("all history" if d == ESTABLISHED else f"{d} days of history" for d in needed)
    return (
        f"All attributes together save more than the margin with {when}. To hold all of them for that is not proposed; "
        "a person may weigh it."
    )


def _proposed(test: TestedUnit, established: Necessity | None, newly: dict[int, Necessity]) -> str:
    """What to do with one unit: data are kept only where a need is shown (GDPR art. 5(1)(c))."""
    needed = [days for days, o in newly.items() if o is Necessity.NECESSARY]
    unsure = [days for days, o in newly.items() if o is Necessity.INCONCLUSIVE]
    what = _spoken(test.unit)
    if established is Necessity.NECESSARY:
        return f"hold {what} as long as the {ONE} is in a twin: without it forecasts lose more than the margin."
    if needed:
        # measured with income: of use at seven days, of none at 56, so a fixed end instead of "while useful"
        longest = max(needed)
        until = min((d for d in newly if d > longest), default=longest)
        return f"use {what} for newcomers only, until {until} days are known of them, then erase it."
    # doubt goes against holding: the controller shows necessity, not the consumer its absence (art. 5(2))
    if established is Necessity.INCONCLUSIVE:
        return f"do not use {what}: whether the twin needs it cannot be told, and doubt is no ground to hold it."
    if unsure:
        known = ", ".join(map(str, unsure))
        return (
            f"do not use {what}: not necessary with all history; for newcomers ({known} days known) it cannot be told, "
            "and doubt is no ground to hold it."
        )
    return f"do not use {what}: the twin loses less than the margin without it."


def _would_settle(tests: Sequence[TestedUnit], rule: MinimisationParams) -> str:
    """What would settle what cannot be told."""
    open_yet = [(t, n) for t in tests if (n := households_to_tell(t, rule)) is not None]
    if not open_yet:
        return ""
    said = "; ".join(
        f"{_days(t)}: " + (f"about {n:,} (now {t.households:,})" if n <= MOST_TO_ASK else "more than anyone could ask")
        for t, n in open_yet
    )
    return f" What would tell: {MANY} that allow assessment, if the gain is what it looks: {said}."


def _days(t: TestedUnit) -> str:
    return "all history" if t.history_days == ESTABLISHED else f"{t.history_days} days"


def _caveat(test: TestedUnit) -> str:
    """What the proposal does not touch, or what its measure cannot say."""
    if test.kind == ATTRIBUTE:
        return (
            " For bias assessment, its one declared purpose, it may still be held; any other use needs a purpose of "
            "its own and a notice first."
        )
    if test.unit in {"campaigns", "redemptions"}:
        return " Judged for activity and spend; the coupon head learns from campaigns and is judged by itself."
    if test.unit in {"crm", "social", "care"}:
        return " Measured on synthetic records: it tells of our generator."
    return ""


def _with_gain(t: TestedUnit) -> str:
    return f"{_spoken(t.unit)} ({written(t.spend.over_without.estimate('A gain'))} {MONEY})"


def _gains(gain: Gain, unit: str) -> dict[str, list[float]]:
    return {
        f"gain_{unit}": gain.over_without.estimate("A gain").listed(),
        f"gain_over_shuffled_{unit}": gain.over_shuffled.estimate("A gain").listed(),
    }


def _spoken(unit: str) -> str:
    return unit.replace("_", " ").replace("crm", "CRM records").replace("social", "social accounts and posts")
