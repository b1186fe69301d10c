"""What goes stale: the state of the households, or the heads that read it? Each is held back alone, paired.

A state that is some days old does not know the latest baskets; heads that are frozen have not learned from the latest
months, but read a fresh state. Everything is predicted for the same households and the same horizons.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twinops.entities import shown
from twinops.entities.measure import Measure
from twinops.entities.shown import Presentation, Section
from twinops.entities.wording import MANY
from twinops.evaluation.scorecard.origins import QUANTITIES, UNITS, WITHIN, Origins, quantities, worse
from twinops.evaluation.statistics.bootstrap import Resampled, mean_of
from twinops.evaluation.statistics.bounds import AMOUNT, ANY_NUMBER
from twinops.evaluation.statistics.setting import Setting
from twinops.twin.state.examples import Examples

STATE, HEADS = "state", "heads"


@dataclass(frozen=True)
class Aged:
    """One kind of age in days: each quantity, and what is lost against both fresh; mean over days, draw by draw."""

    what: str
    days: int
    value: dict[str, Resampled]
    loss: dict[str, Resampled]


@dataclass(frozen=True)
class Ages:
    """At which ages, in days, the state and the heads are tried."""

    state: Sequence[int]
    heads: Sequence[int]


def measure_freshness(origins: Origins, days: Sequence[int], draws: np.ndarray, *, ages: Ages) -> tuple[Aged, ...]:
    """Fresh first, then every age. `draws` is by household number of `origins.known`."""
    seen: dict[tuple[str, int], list[dict[str, np.ndarray]]] = {}
    for day in days:
        rows, stale = _with_history(origins, day, ages.state)
        weights = draws[:, rows.household].astype(float)
        # the heads alone: trees in the champion would blur what is the age of the state
        fresh = origins.model(origins.heads, day)
        seen.setdefault((STATE, 0), []).append(quantities(rows, fresh.predict(rows.table), weights))
        for age, then in stale.items():
            seen.setdefault((STATE, age), []).append(quantities(rows, fresh.predict(then.table), weights))
        for age in ages.heads:
            old = origins.model(origins.heads, day - age)
            seen.setdefault((HEADS, age), []).append(quantities(rows, old.predict(rows.table), weights))
    reference = seen[STATE, 0]
    return tuple(_aged(what, age, found, reference) for (what, age), found in seen.items())


def presented(ages: Ages) -> tuple[Presentation, ...]:
    """The second age of the state, which is a horizon unless said otherwise, and the last of the heads."""
    told = [(STATE, days, "is") for days in ages.state[:2][-1:]] + [(HEADS, days, "are") for days in ages.heads[-1:]]
    words = {
        f"freshness.{quantity}.{what}_{days}.loss": f"Lost when the {what} {verb} {days} days old, {of}"
        for what, days, verb in told
        for quantity, of in (("active_auc", "of the AUC"), ("spend_mae", "in spend error"))
    }
    picture = {"freshness": f"What is lost when the state of {MANY} is old, and when the heads are"}
    return (*shown.measures(words, section=Section.DOUBT), *shown.pictures(picture, section=Section.DOUBT))


def freshness_measures(aged: Sequence[Aged], setting: Setting) -> list[Measure]:
    """`freshness.spend_mae.state_28` and `freshness.spend_mae.state_28.loss`, and so on."""
    out = []
    for a in aged:
        held = f"the {a.what} {a.days} days old, the rest fresh" if a.days else "state and heads fresh"
        for q in QUANTITIES:
            name = f"freshness.{q}.{a.what}_{a.days}" if a.days else f"freshness.{q}.fresh"
            out.append(setting.measure(name, a.value[q], f"{q} with {held}, mean over as-of days", unit=UNITS.get(q)))
            if a.days:
                method = f"what {q} loses with {held}, positive: worse; paired, mean over as-of days"
                out.append(setting.measure(f"{name}.loss", a.loss[q], method, unit=UNITS.get(q)))
    return out


def _with_history(origins: Origins, day: int, ages: Sequence[int]) -> tuple[Examples, dict[int, Examples]]:
    """The day's rows of households that were known at every age, and the same households' rows as of then."""
    rows, everyone = origins.rows(day), origins.known
    then = {age: everyone.where(everyone.cutoff == day - age) for age in ages}
    common = rows.household
    for old in then.values():
        common = np.intersect1d(common, old.household)
    # rows are in order of household, and each household has one row a day: the same places are the same households
    same = {age: old.where(np.isin(old.household, common)) for age, old in then.items()}
    return rows.where(np.isin(rows.household, common)), same


def _aged(what: str, days: int, found: list[dict[str, np.ndarray]], reference: list[dict[str, np.ndarray]]) -> Aged:
    """One age over all days, draw by draw, beside both fresh."""
    value = {q: mean_of([f[q] for f in found], within=WITHIN.get(q, AMOUNT)) for q in QUANTITIES}
    lost = {q: [worse(q, f[q], fresh[q]) for f, fresh in zip(found, reference, strict=True)] for q in QUANTITIES}
    return Aged(what, days, value, {q: mean_of(by_day, within=ANY_NUMBER) for q, by_day in lost.items()})
