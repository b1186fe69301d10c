"""Say what the first days showed: ratios of the day, false alarms, and which planted changes were found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from twinops.data.remembered import Figures, Remember, afresh, by_day, digest_of
from twinops.data.threads import side_by_side
from twinops.entities import shown
from twinops.entities.canonical import rounded
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.entities.measure import Measure
from twinops.entities.shown import Section
from twinops.entities.wording import MANY
from twinops.evaluation.drift.early_warning import (
    ALARM_RATE,
    QUANTITIES,
    WARN_RATE,
    Answer,
    DayAnswer,
    Watched,
    Watching,
    Week,
    calm_limits,
    day_answer,
    measurable,
    watch,
    week_of,
)
from twinops.evaluation.statistics import wilson
from twinops.evaluation.statistics.estimate import Estimate
from twinops.twin.state.examples import Examples

SHOWN = (
    *shown.measures(
        {
            "early_baskets_ratio": "In the first days after the as-of day, baskets over those expected",
            "early_active_ratio": f"The same, of {MANY} that came",
            "early_baskets_ratio.week": f"The first, with the doubt of this week's {MANY} alone",
            "early_active_ratio.week": f"The second, with the doubt of this week's {MANY} alone",
            "early_spend_ratio": "The same, of spend; told and not judged, it moves by more than the limits in calm "
            "weeks",
            "early_false_alarms": "Share of calm days on which this would have been an alarm",
            "early_false_warnings": "Share of calm days on which this would have been a warning or an alarm",
        },
        section=Section.MONITORING,
        headlines=("early_baskets_ratio", "early_active_ratio"),
    ),
    *shown.pictures(
        {"early_warning": "What came in the first days after each as-of day, over what was expected"},
        section=Section.MONITORING,
    ),
)

ALARM, WARNING = "failed", "inconclusive"
UNUSED = ("household", "may_offer", "may_assess_bias")
"""A running number that hangs on who else is there, and what nobody's first days follow from."""


@dataclass(frozen=True)
class Early:
    """What was found: the day asked about (None: it could not be measured), the days before it, and what was planted.

    `limits` are the policy's, `calm` what the weeks before the day set (`calm_limits`).

    `horizon_days` apart, counted back from the day, lie the month pairs.
    """

    day: int
    today: DayAnswer | None
    before: tuple[DayAnswer, ...]
    planted: dict[str, tuple[DayAnswer, ...]]
    limits: dict[str, float]
    calm: dict[str, float]
    how: Watching

    def used(self, name: str) -> float:
        """The limit that was used: the policy's, or that of calm weeks where they lay farther off."""
        own = max(self.limits[name], self.calm.get(name, 0.0))
        return max(own, self.used("warn")) if name == "alarm" else own

    @property
    def month_apart(self) -> tuple[DayAnswer, ...]:
        """The days before that lie whole horizons before the day."""
        return tuple(t for t in self.before if (self.day - t.cutoff) % self.how.grid.horizon_days == 0)


@dataclass(frozen=True)
class DayWeeks:
    """The first days after one as-of day: as they were, and with each planted change, by its name."""

    as_it_was: Week
    planted: Mapping[str, Week]

    @classmethod
    def of(cls, seen: Watched, how: Watching) -> DayWeeks:
        """Of what was observed and expected."""
        changed = {name: week_of(one, how) for name, one in planted(seen, seed=how.seed).items()}
        return cls(week_of(seen, how), changed)

    def figures(self) -> Figures:
        """As numbers alone, for whoever remembers them."""
        weeks = (self.as_it_was, *self.planted.values())
        rows = [[*found, variance] for w in weeks for found, variance in zip(w.found, w.variance, strict=True)]
        return [[self.as_it_was.cutoff, self.as_it_was.households], *rows]

    @classmethod
    def from_figures(cls, figures: Figures) -> DayWeeks:
        """As it was."""
        (cutoff, households), *rows = figures
        parts = [rows[n : n + len(QUANTITIES)] for n in range(0, len(rows), len(QUANTITIES))]
        weeks = [
            Week(int(cutoff), int(households), tuple(Estimate(*r[:3]) for r in part), tuple(r[3] for r in part))
            for part in parts
        ]
        return cls(weeks[0], dict(zip(PLANTED, weeks[1:], strict=True)))


def weeks_of_days(
    early: Examples, how: Watching, *, cutoffs: Sequence[int], remember: Remember = afresh
) -> list[DayWeeks]:
    """Every as-of day asked for on which enough households may be scored.

    A day follows from its own rows and from those whose horizon was over by then, whatever came later.
    """
    rows = by_day(early.table, [c for c in early.table.column_names if c not in UNUSED], day="cutoff")
    digests = {day: digest_of(of) for day, of in rows.items()}

    def one(day: int) -> DayWeeks:
        past = [(d, digest) for d, digest in digests.items() if d <= day - how.grid.horizon_days]
        about = ("first days", day, digests[day], past, *how.about)
        made = remember(about, lambda: DayWeeks.of(watch(early, how, day), how).figures())
        return DayWeeks.from_figures(made)

    return side_by_side([partial(one, day) for day in measurable(early, cutoffs)])


def measure_early(
    seen: Sequence[Watched], how: Watching, answer: Answer, *, day: int, limits: dict[str, float]
) -> Early:
    """See `judge_early`; of what was observed and expected."""
    return judge_early([DayWeeks.of(s, how) for s in seen], how, answer, day=day, limits=limits)


def judge_early(
    seen: Sequence[DayWeeks], how: Watching, answer: Answer, *, day: int, limits: dict[str, float]
) -> Early:
    """Judge every day as the gate would; days before `day` are taken as calm, so an alarm on them is a false one.

    How far weeks move by themselves is told by the calm ones but the one that is judged.
    """
    weeks = {s.as_it_was.cutoff: s.as_it_was for s in seen}
    calm = {cutoff: [w for c, w in weeks.items() if c < day and c != cutoff] for cutoff in weeks}
    judged = (day_answer(weeks[c], calm[c], how, answer) for c in weeks)
    found = [answered for answered in judged if answered]
    tried: dict[str, tuple[DayAnswer, ...]] = {}
    for s in seen:
        for name, changed in s.planted.items():
            answered = day_answer(changed, calm[changed.cutoff], how, answer)
            tried[name] = (*tried.get(name, ()), *((answered,) if answered else ()))
    today = next((t for t in found if t.cutoff == day), None)
    before = tuple(t for t in found if t.cutoff < day)
    own = calm_limits([w for c, w in weeks.items() if c < day])
    return Early(day, today, before, tried, limits, own, how)


def early_findings(early: Early) -> Findings:
    """Ratios are absent when the day could not be measured: a missing measure is missing, not one."""
    days = early.before
    measures = [*early.today.ratios, *early.today.weeks] if early.today else []
    # a rate of false alarms over no day at all is no evidence of calm
    if days:
        source = f"as-of days {days[0].cutoff} to {days[-1].cutoff}, all taken as calm; their first days do not overlap"
        measures += [
            _share("early_false_alarms", _alarms(days), days, source),
            _share("early_false_warnings", _alarms(days) + _warnings(days), days, source),
        ]
    source = f"receipts of the first {early.how.days} days after each as-of day"
    value = {
        "day": early.day,
        "first_days": early.how.days,
        "limits": early.limits,
        "not_measured": None
        if early.today
        else f"too few {MANY} that may be scored, too few weeks before, or the data end too early",
        "days": [_day_row(t) for t in (*days, *((early.today,) if early.today else ()))],
        "month_pairs": _counts(early.month_apart),
    }
    tried = [{"what": what, **_counts(found)} for what, found in early.planted.items()]
    return Findings(
        tuple(measures),
        (
            Fact("early_warning_days", value, Kind.MEASURED, source),
            Fact("early_warning_limits", _limits(early), Kind.MEASURED, source),
            Fact("early_warning_planted", tried, Kind.MEASURED, f"{source}, with a change planted into each"),
        ),
        SHOWN,
    )


def _limits(early: Early) -> dict[str, Any]:
    """Which limits were used: each the farther one, of what the policy says and of what calm weeks did."""
    own = {name: rounded(limit) for name, limit in early.calm.items()}
    return {
        "policy": early.limits,
        "calm_weeks": own,
        "weeks": len(early.before),
        "rates": {"warn": WARN_RATE, "alarm": ALARM_RATE},
        "used": {name: rounded(early.used(name)) for name in early.limits},
    }


def early_sentence(early: Early) -> str:
    """The conclusion, in words."""
    alarms, warnings, n = _alarms(early.before), _warnings(early.before), len(early.before)
    false_alarms = f"On the {n} days before, taken as calm, it raised {alarms} alarm(s) and {warnings} warning(s)."
    if early.today is None:
        return f"The first days after day {early.day} could not be measured. {false_alarms}"
    word = {ALARM: "an alarm", WARNING: "a warning"}.get(early.today.answer, "neither a warning nor an alarm")
    baskets, active, spend = (_with_interval(r) for r in early.today.ratios)
    return (
        f"In the first {early.how.days} days after day {early.day} there were {baskets} times the baskets expected, "
        f"{active} times the {MANY}, and {spend} times the spend (shown, not judged): {word}. {false_alarms}"
    )


def planted_rows(early: Early) -> list[tuple[str, ...]]:
    """What was planted, and on how many days it was an alarm, a warning or nothing."""
    return [
        (what, *(f"{n} of {len(found)}" for n in (_alarms(found), _warnings(found), _calm(found))))
        for what, found in early.planted.items()
    ]


def _with_interval(m: Measure) -> str:
    return f"{m.value:.3f} [{m.low:.3f}, {m.high:.3f}]"


def _alarms(days: Sequence[DayAnswer]) -> int:
    return sum(t.answer == ALARM for t in days)


def _warnings(days: Sequence[DayAnswer]) -> int:
    return sum(t.answer == WARNING for t in days)


def _calm(days: Sequence[DayAnswer]) -> int:
    return len(days) - _alarms(days) - _warnings(days)


def _counts(days: Sequence[DayAnswer]) -> dict[str, Any]:
    """How many of these days raised what, and the share that raised anything, with Wilson's interval."""
    raised = _alarms(days) + _warnings(days)
    share = [rounded(v) for v in wilson.share(raised, len(days))] if days else None
    return {"days": len(days), "alarms": _alarms(days), "warnings": _warnings(days), "raised": share}


def _share(name: str, hits: int, days: Sequence[DayAnswer], source: str) -> Measure:
    """A rate over calm days; households of a day are one trial, not many."""
    method = "share of calm days on which the gate's rule raised it; Wilson's interval"
    return wilson.share(hits, len(days)).measure(name, len(days), source, method, unit_of_n="as-of days")


def _day_row(t: DayAnswer) -> dict[str, Any]:
    ratios = {q: [r.value, r.low, r.high] for q, r in zip(QUANTITIES, t.ratios, strict=True)}
    return {"cutoff": t.cutoff, "households": t.ratios[0].n, **ratios, "answer": t.answer}


SHARES_GONE = (0.05, 0.1, 0.2)
FALL = 0.9
GONE = {share: f"{100 * share:.0f} % of {MANY} gone" for share in SHARES_GONE}
CHEAPER, SILENT = "spend 10 % lower", "the feed silent for all of the days"
PLANTED = (*GONE.values(), CHEAPER, SILENT)
"""What is planted, by name, in order."""


def planted(seen: Watched, *, seed: int) -> dict[str, Watched]:
    """The same day with a change of known size from its first hour on, by its name."""
    made = {name: _gone(seen, share, seed=seed) for share, name in GONE.items()}
    cheaper = replace(seen, actual={**seen.actual, "spend": FALL * seen.actual["spend"]})
    silent = replace(seen, actual={q: np.zeros(seen.households) for q in QUANTITIES})
    return {**made, CHEAPER: cheaper, SILENT: silent}


def _gone(seen: Watched, share: float, *, seed: int) -> Watched:
    """The same households are gone from baskets, visits and spend."""
    rng = np.random.default_rng([seed, seen.cutoff, round(1000 * share)])
    gone = rng.permutation(seen.households) < round(share * seen.households)
    return replace(seen, actual={q: np.where(gone, 0.0, seen.actual[q]) for q in QUANTITIES})
