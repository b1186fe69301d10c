"""Tell readers of a gate what the tests behind it find, how often they cry wolf, and what its intervals hold."""

from __future__ import annotations

from collections.abc import Sequence

import calm
import moves
import power
from calm import Held
from moves import AS_IT_WAS, Pair
from power import OUTCOMES, PLANTED, Row, Share

from twinops.evaluation.fairness.disparity import KEPT

MOST, POWER = 0.05, 0.8
"""Errors that are accepted, and how often what is so should be told."""
SHOWN = 300
"""With so many populations an interval tells; a hundred without an error reach to 4 %."""


ANSWERS = """
## The five answers

*Passed*: the stated condition is met. *Failed*: it is not. *Inconclusive*: the evidence is there and cannot tell; a
person whom the policy names may resolve it. *Missing*: something should be there and is not; nobody lets it through.
*Not applicable*: there is nothing of it, as a fact in the evidence says (a source is off or not declared, a purpose
is declared for nobody); never by silence. Whether that blocks says `not_applicable` of the gate in `policy.yaml`;
unsaid it blocks for consent, lineage, documents, the impact assessment, use and accuracy
([ADR 18](adr/0018-not-applicable.md)).
""".rstrip("\n").split("\n")


def page(before: Sequence[Row], rows: Sequence[Row], pairs: Sequence[Pair], held: Sequence[Held]) -> str:
    """The whole page; a part that was not measured is left out."""
    head = ["# What the tests behind gates find, how often they cry wolf, and what intervals hold", ""]
    head += ["Written by `make power` from `bench/gates.json`. The code that is tried is the one the pipeline runs."]
    fairness = _fairness(before, rows) if rows else []
    return "\n".join(
        [*head, *ANSWERS, *fairness, *(_drift(pairs) if pairs else []), *(_calm(held) if held else []), ""]
    )


def _fairness(before: Sequence[Row], rows: Sequence[Row]) -> list[str]:
    return [
        *("", "## Fairness", "", *(power.__doc__ or "").splitlines()[2:], ""),
        *_stale(rows),
        _errors("False *failed*", "failed", [r for r in rows if r.ratio >= power.LIMIT]),
        "",
        _errors("False *passed*", "passed", [r for r in rows if r.ratio <= power.LIMIT]),
        "",
        _from(rows),
        "",
        "![Share of populations with each outcome, against the true ratio, by number of households](images/power.png)",
        "",
        "Share of the populations with each outcome, with its 95 % interval:",
        "",
        *_table(rows),
        "",
        "At a true ratio of 0.8, the limit itself, or more *failed* is an error; at 0.8 or less *passed* is. Below it",
        "a gap that is not *failed* was missed; *inconclusive* blocks until somebody answers in writing. The test",
        "of *failed* pays for the number of groups, because one suffices; that of *passed* does not, because all that",
        "are large enough to tell must be shown. Those that are not are published as such, and are a fifth at most.",
        f"It is made at {KEPT:g} of the policy's level: at the level itself it errs up to 4 % more often than it says.",
        "",
        "**Before.** The rule until November 2026, in towns made the same way, one level reached less: *failed* by a",
        "ratio below 0.8 and a permutation test against an even decision, *passed* by bounds that hold for all groups",
        "together. It failed what lay at the limit, and passed nothing:",
        "",
        *_table(before),
    ]


def _stale(rows: Sequence[Row]) -> list[str]:
    """Figures of another test than the one that runs are called so."""
    levels = sorted({r.level for r in rows} - {KEPT})
    told = (
        f"**Stale.** Measured with *passed* tested at {', '.join(f'{x:g}' for x in levels)} of the policy's level, and"
    )
    return (
        [f"{told} it is now tested at {KEPT:g}: fewer pass, rightly or wrongly. `make power` measures anew.", ""]
        if levels
        else []
    )


def _errors(what: str, outcome: str, rows: Sequence[Row]) -> str:
    """The largest share of errors, and whether it is shown to be too large."""
    worst = max(rows, key=lambda r: r.share(outcome)[0])
    low, high = (max(r.share(outcome)[end] for r in rows if r.runs >= SHOWN) for end in (1, 2))
    kept = f"shown to be at most {MOST:.0%}" if high <= MOST else f"no share is shown to be above {MOST:.0%}"
    verdict = kept if low <= MOST else f"SHOWN to be above {MOST:.0%}"
    return (
        f"**{what}.** At most {_told(worst.share(outcome))} of {worst.runs:,} populations, with {worst.n:,} households "
        f"and a true ratio of {worst.ratio:g} ({_planted(worst)}); {verdict}."
    )


def _from(rows: Sequence[Row]) -> str:
    """From which number of households on an exactly even decision is told so."""
    even = sorted((r for r in rows if r.ratio == 1), key=lambda r: r.n)
    shown = [r.n for r in even if all(x.share("passed")[1] >= POWER for x in even if x.n >= r.n)]
    each = "; ".join(f"{_told(r.share('passed'))} with {r.n:,}" for r in even)
    start = f"From {min(shown):,} households on" if shown else "Never here"
    return f"**An exactly even decision.** {start} it passes in at least {POWER:.0%} (shown): {each} households."


def _table(rows: Sequence[Row]) -> list[str]:
    head = [
        "| households | true ratio | of | failed | inconclusive | passed | populations |",
        "|---|---|---|---|---|---|---|",
    ]
    return [*head, *(_row(r) for r in rows)]


def _row(r: Row) -> str:
    cells = " | ".join(_told(r.share(outcome)) for outcome in OUTCOMES)
    return f"| {r.n:,} | {r.ratio:g} | {_planted(r)} | {cells} | {r.runs:,} |"


def _planted(r: Row) -> str:
    return "nobody" if r.ratio == 1 else ", ".join(f"‘{level}’" for level in PLANTED[r.planted].values())


def _told(found: Share) -> str:
    share, low, high = found
    return f"{share:.3f} [{low:.3f}, {high:.3f}]"


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


def _calm(held: Sequence[Held]) -> list[str]:
    shipped = [h for h in held if h.moves is None]
    hits, many = ([sum(getattr(h, k) for h in shipped) for k in keys] for keys in (("before", "now"), ("intervals",)))
    before, now = (f"{hit} of {many[0]}" for hit in hits)
    worst = min((h for h in held if h.moves is not None), key=lambda h: h.now / h.intervals)
    return [
        *("", "## Calm weeks and months", "", *(calm.__doc__ or "").splitlines(), ""),
        f"On the shipped weeks intervals of 95 % held one {before} times before, and hold it {now} times now. Of what "
        f"is made up, the least is {_told(worst.share(worst.now))} ({worst.what}, moving by {worst.moves:g}).",
        "",
        "| what | moves by | intervals | held before | held now | width before | width now |",
        "|---|---|---|---|---|---|---|",
        *(_held(h) for h in held),
    ]


def _held(h: Held) -> str:
    moves = "as they do" if h.moves is None else f"{h.moves:g}"
    shares = " | ".join(_told(h.share(hits)) for hits in (h.before, h.now))
    return f"| {h.what} | {moves} | {h.intervals:,} | {shares} | {h.width_before:.3f} | {h.width_now:.3f} |"
