"""Tell readers of a gate what the tests behind it find, and how often they cry wolf."""

from __future__ import annotations

from collections.abc import Sequence

import moves
import power
from moves import AS_IT_WAS, Pair
from power import OUTCOMES, Alarms, Row, Share

MOST = 0.05
"""False alarms that are accepted."""


def page(alarms: Sequence[Alarms], rows: Sequence[Row], pairs: Sequence[Pair]) -> str:
    """The whole page; a part that was not measured is left out."""
    head = ["# What the tests behind two gates find, and how often they cry wolf", ""]
    head += ["Written by `make power` from `bench/gates.json`. The code that is tried is the one the pipeline runs."]
    return "\n".join([*head, *(_fairness(alarms, rows) if rows else []), *(_drift(pairs) if pairs else []), ""])


def _fairness(alarms: Sequence[Alarms], rows: Sequence[Row]) -> list[str]:
    each = "; ".join(f"{_told(a.share)} of {a.runs:,} populations of {a.n:,} households" for a in alarms)
    highest = max((a.share[2] for a in alarms), default=1.0)
    verdict = "at most" if highest <= MOST else "NOT shown to be at most"
    return [
        *("", "## Fairness", "", *(power.__doc__ or "").splitlines()[2:], ""),
        f"**False alarms.** Without any gap the test says *failed* in {each} (share, 95 % interval). The highest end "
        f"is {highest:.1%}: {verdict} {MOST:.0%}.",
        "",
        *_stated([r for r in rows if r.stated]),
        "",
        "![Share of populations called uneven, against the true ratio, by number of households](images/power.png)",
        "",
        "Share of the populations with each outcome, with its 95 % interval:",
        "",
        "| households | true ratio | failed | inconclusive | passed | populations |",
        "|---|---|---|---|---|---|",
        *(_row(r) for r in rows),
        "",
        "At a true ratio of 1 *failed* is a false alarm. A true ratio of 0.8 is the limit itself. Below it, a gap that",
        "is not *failed* was missed; *inconclusive* still blocks until somebody answers in writing. *passed* asks more",
        "than most panels have: every merged group, down to the smallest, must be shown to be above the limit.",
    ]


def _row(r: Row) -> str:
    cells = " | ".join(_told(r.share(outcome)) for outcome in OUTCOMES)
    mark = " (stated as detectable)" if r.stated else ""
    return f"| {r.n:,} | {r.ratio:g}{mark} | {cells} | {r.runs:,} |"


def _told(found: Share) -> str:
    share, low, high = found
    return f"{share:.3f} [{low:.3f}, {high:.3f}]"


def _stated(rows: Sequence[Row]) -> list[str]:
    each = "; ".join(f"{r.ratio:g} with {r.n:,} households, found in {_told(r.share('failed'))}" for r in rows)
    return [f"**Detectable effect.** The gate states the ratio it would find with a chance of 0.8: {each}."]


def _drift(pairs: Sequence[Pair]) -> list[str]:
    calm, planted = [p for p in pairs if p.what == AS_IT_WAS], [p for p in pairs if p.what != AS_IT_WAS]
    alarms = sum(bool(p.flagged) for p in calm)
    caught = [p for p in planted if p.flagged]
    missed = ", ".join(p.what for p in planted if not p.flagged)
    return [
        *("", "## Drift", "", *(moves.__doc__ or "").splitlines(), ""),
        f"A feature was flagged in {alarms} of {len(calm)} pairs of months as they were, and in {len(caught)} of "
        f"{len(planted)} with a change planted{f' (not: {missed})' if missed else ''}. The gate judges the share of "
        "flagged features, with its interval: above a fifth is refused, and a single one is for a person to look at.",
        "",
        "| what | as-of days | households | flagged features | share | gate |",
        "|---|---|---|---|---|---|",
        *(_pair(p) for p in pairs),
    ]


def _pair(p: Pair) -> str:
    share = f"{p.share:.3f} [{p.low:.3f}, {p.high:.3f}]"
    days = f"{p.days[0]} to {p.days[1]}"
    return f"| {p.what} | {days} | {p.households:,} | {', '.join(p.flagged) or 'none'} | {share} | {p.gate} |"
