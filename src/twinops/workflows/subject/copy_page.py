"""The copy of a person's data in sentences and tables: what stands on its page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from twinops.entities.wording import MONEY, ONE, share
from twinops.governance.copy_cells import in_words, shown
from twinops.governance.copy_cells import told as in_days
from twinops.governance.copy_words import BASES, PURPOSES, REASONS, SEGMENTS, of_table
from twinops.governance.open_fields import MARK
from twinops.own_sections import OPEN
from twinops.twin.answers.portrait import Portrait
from twinops.twin.answers.portrait_text import BASIS
from twinops.workflows.subject.copy_facts import CopyFacts
from twinops.workflows.subject.held_rows import HeldRows
from twinops.workflows.twin.access import QUARANTINED

INDEX_NOTE = "Versions that were registered before this index was kept are not in it."
SAID_ONCE = ("logic", "decisions", "recipients", "rights")
"""What the page and the file for machines say alike."""


def paged(whole: Mapping[str, Any], told: CopyFacts) -> dict[str, Any]:
    """For people: the names of `subject_copy.html.j2`."""
    allowed = [PURPOSES.get(a["purpose"], a["purpose"]) for a in whole["permissions"] if a["allowed"]]
    total = sum(len(h.rows) for h in told.held)
    return {
        **{k: whole[k] for k in SAID_ONCE},
        "title": f"Your data at {whole['controller']}" if is_said(whole["controller"]) else "Your data",
        "contact": whole["contact"] if is_said(whole["contact"]) else "nobody is named yet; ask in the shop",
        "made_on": _day(whole["made_on"]),
        "as_of": _day(whole["as_of"]),
        "dpo": "",
        "total": f"{total:,} record{'' if total == 1 else 's'}",
        "sources": [_shown(h, told, _about(h)) for h in told.held],
        "made": [_shown(h, told, "") for h in told.made],
        "tastes": [f"{_cased(t['category'])}: a chance of {share(t['chance'])}" for t in whole["tastes"]],
        "forecast": list(_forecast(told.portrait)),
        "reasons": [{**r, "factor": f} for r, f in zip(whole["reasons"], _factors(told.portrait), strict=True)],
        "changes": whole["changes"],
        "segments_day": _day(whole["segments_day"]) if whole["segments_day"] else "",
        "segments": [(SEGMENTS.get(by, f"by {by}"), name) for by, name in whole["segments"].items()],
        "allowed": allowed,
        "permissions": [
            {"purpose": PURPOSES.get(a["purpose"], a["purpose"]),
             "answer": "allowed" if a["allowed"] else f"not allowed: {_why_not(str(a['reason']))}"}
            for a in whole["permissions"]
        ],
        "events": [
            {**e, "at": f"{_day(e['at'][:10])}, {e['at'][11:]}", "told": _in_words({**e["about"], **e["told"]})}
            for e in whole["events"]
        ],
        "learned": [f"{v['model']} version {v['version']}." for v in whole["learned"]],
        "index_note": INDEX_NOTE,
        "withheld": list(_withheld(told)),
    }  # fmt: skip


def _in_words(told: Mapping[str, Any]) -> str:
    return "; ".join(f"{k}: {v}" for k, v in told.items())


def _day(text: str) -> str:
    return in_words(date.fromisoformat(text))


def _why_not(reason: str) -> str:
    return REASONS.get(reason, reason.replace("_", " "))


def _cased(category: str) -> str:
    """As the shop writes it; what it writes in capitals alone is read more easily without."""
    return category.capitalize() if category.isupper() else category


def is_said(text: str) -> bool:
    """Whether a person has said it."""
    return text != OPEN and not text.startswith(MARK)


def _shown(held: HeldRows, told: CopyFacts, about: str) -> dict[str, Any]:
    words, n = of_table(held.name), len(held.rows)
    prefix, unread = "" if held in told.held else "made_", told.unread.get(held.name)
    names = told.names if unread is None else replace(told.names, unread="not read: language")
    return {
        "title": in_days(words.title, told.names),
        "says": words.says if unread is None else _not_taken_in(unread),
        "count": f"{n:,} record{'' if n == 1 else 's'}",
        "about": about,
        "table": shown(held.rows, names=names, invented=told.invented.get(held.name, frozenset())),
        "file": f"{prefix}{held.name}.csv",
    }


def _not_taken_in(unread: str) -> str:
    return (
        f"What you wrote was not taken in: the shop declares that it is in {unread}, and only English is read here. "
        "Neither the words are kept, nor what they are about, nor their mood."
    )


def _about(held: HeldRows) -> str:
    law = held.of_law
    facts = {
        "from whom it has this": f"From {law.collected_from}." if is_said(law.collected_from) else "",
        "for how long it is kept": "" if law.retention_days is None else f"Kept for {law.retention_days:,} days.",
        "where you were told of it": f"You were told of it in: {law.notice}." if is_said(law.notice) else "",
    }
    uses = ", ".join(f"{PURPOSES.get(p.value, p.value)} ({BASES[b.value]})" for p, b in law.bases.items())
    used = f"Used {uses}." if uses else "Used for nothing: nobody has said what for, and on which legal ground."
    owed = [what for what, said in facts.items() if not said]
    owes = f"The shop has not said yet {' and '.join([', '.join(owed[:-1]), owed[-1]] if owed[1:] else owed)}."
    made_up = "Made up for a demonstration." if law.synthetic else ""
    return " ".join(said for said in (*facts.values(), used, owes if owed else "", made_up) if said)


def _forecast(p: Portrait | None) -> Iterator[str]:
    if p is None or p.expected is None:
        return
    e = p.expected
    yield f"For the next {e.horizon_days} days, {BASIS[e.basis]}:"
    if e.active_probability is not None:
        yield f"The chance that you shop at all is {share(e.active_probability)}."
    yield f"Baskets: {e.baskets:.1f}; in 80 of 100 like cases {e.baskets_range[0]:.0f} to {e.baskets_range[1]:.0f}."
    low, high = e.spend_range
    yield f"Spend: {e.spend:,.0f} {MONEY} on average; in 80 of 100 like cases {low:,.0f} to {high:,.0f} {MONEY}."
    yield (
        f"{p.multiplied[0]} {MONEY} are expected of the average {ONE}. Yours is that, multiplied by what stands below."
    )


def _factors(p: Portrait | None) -> tuple[str, ...]:
    """In digits that multiply to what is expected."""
    return () if p is None else p.multiplied[1]


def _withheld(told: CopyFacts) -> Iterator[str]:
    count = sum(h.withheld for h in (*told.held, *told.made))
    if count:
        yield (
            f"{count:,} cell{'' if count == 1 else 's'} may tell of another person: held back until somebody "
            "has looked (art. 15(4)). Ask the contact above."
        )
    if told.tastes_kept:
        yield (
            "Which kinds of goods you are expected to buy next: some may tell of health or belief, and nobody who "
            "knows the goods has looked through them yet (art. 9)."
        )
    yield QUARANTINED
    yield "The keys that your data are locked with, and all that is about others."
