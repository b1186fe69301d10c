"""A portrait as plain words: each part is a few lines, and a part of which nothing is known is left out."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from twinops.entities.wording import MONEY, ONE, Wording, share
from twinops.twin.answers.forecast import Forecast
from twinops.twin.answers.portrait import HeldRecords, Portrait, PurposeAnswer
from twinops.twin.answers.theme_facts import days_ago

WIDTH = 110


def portrait_text(portrait: Portrait, words: Wording) -> str:
    """The portrait, part by part, in the declared words."""
    p = words.told(portrait)  # before lines are broken
    parts = (_known, _made, _permitted, _habits, _forecast, _why, _changes, _tastes, _rights)
    heading = f"Portrait of {p.name} as of {p.as_of.isoformat()}, opened for {p.purpose}"
    return words.told("\n".join([heading, *(line for part in parts for line in part(p))]))


def _known(p: Portrait) -> Sequence[str]:
    # art. 15(1)(b), (d) and (g): categories of data, how long they are kept, from where they are
    return ("", "What is held, by source", *(line for h in p.held for line in _record(h)))


def _made(p: Portrait) -> Sequence[str]:
    return ("", "What was made of it", *(line for h in p.made for line in _record(h))) if p.made else ()


def _record(h: HeldRecords) -> Sequence[str]:
    span = f" ({h.first} to {h.last})" if h.first else ""
    kept = "" if h.kept_days is None else f"kept for {h.kept_days:,} days"
    # banded portraits and linked records have none of the rest
    more = (
        f"from {h.collected_from}" if h.collected_from else "",
        _said("for", h.used_for),
        kept,
        _said("fields:", h.fields),
    )
    told = "; ".join(m for m in more if m)
    return (f"  {h.source.replace('_', ' ')}: {_many(h)}{span}", *(_wrapped(told, "      ") if told else ()))


def _said(what: str, names: Sequence[str]) -> str:
    return f"{what} {', '.join(n.replace('_', ' ') for n in names)}" if names else ""


def _many(h: HeldRecords) -> str:
    if not h.records:
        return "a few records"
    return _number(h.records, "record")


def _number(n: int, of: str) -> str:
    return f"{n:,} {of}{'' if n == 1 else 's'}"


def _wrapped(told: str, indent: str = "  ") -> Sequence[str]:
    return textwrap.wrap(told, WIDTH, initial_indent=indent, subsequent_indent=indent)


def _permitted(p: Portrait) -> Sequence[str]:
    # art. 15(1)(a): the purposes
    return (
        "",
        "What it may be used for today",
        *(f"  {a.purpose.replace('_', ' ')}: {_answer(a)}" for a in p.permissions),
    )


def _answer(a: PurposeAnswer) -> str:
    return "allowed" if a.allowed else f"not allowed ({(a.reason or '').replace('_', ' ')})"


def _habits(p: Portrait) -> Sequence[str]:
    h = p.habits
    if not h.baskets:
        return ("", "What is known of your shopping", "  No twin is kept." if p.expected is None else "  Nothing yet.")
    pace = ", ".join(f"{v:g} over about {k}" for k, v in h.baskets_a_week.items())
    span = f", from {h.first} to {h.last}" if h.first else ""
    return (
        "", "What is known of your shopping",
        f"  {_number(h.baskets, 'basket')} on {_number(h.shopping_days, 'day')}{span}",
        f"  {h.usd:,.0f} {MONEY} in all, {h.usd_a_basket:,.0f} {MONEY} a basket over all of them alike",
        f"  last seen {days_ago(h.days_since or 0)}",
        f"  baskets a week: {pace}",
    )  # fmt: skip


BASIS = {
    "established": "from your own history",
    "newcomer": "from your first weeks and what other newcomers did; the range is wide on purpose",
    "nothing known": "from what newcomers do; nothing is known of you, so the range is as wide as they differ",
}


def _forecast(p: Portrait) -> Sequence[str]:
    e = p.expected
    if e is None:
        return (
            "",
            "What is expected",
            "  No forecast is made of you: twin scoring is not allowed, or too little is known.",
        )
    chance = () if e.active_probability is None else (f"  to shop at all: {share(e.active_probability)}",)
    low, high = e.baskets_range
    return (
        "", f"What is expected in the next {e.horizon_days} days ({BASIS[e.basis]})", *chance,
        f"  baskets: {e.baskets:.1f}, in 80 of 100 like cases {low:.0f} to {high:.0f}",
        f"  spend: {e.spend:,.0f} {MONEY} on average, in 80 of 100 like cases {e.spend_range[0]:,.0f} to "
        f"{e.spend_range[1]:,.0f}.{carried(e)}",
    )  # fmt: skip


def carried(e: Forecast) -> str:
    """Why a mean lies at the upper end of its range, which is never told to lie below it."""
    if e.spend <= 0 or round(e.spend, 2) < round(e.spend_range[1], 2):
        return ""
    return " The average lies at the upper end: a few who spend much carry it."


def _why(p: Portrait) -> Sequence[str]:
    if not p.reasons:
        return ()
    # art. 15(1)(h): the logic involved, beside what it made of this person
    average, factors = p.multiplied
    told = zip(factors, p.reasons, strict=True)
    lines = (line for factor, r in told for line in _wrapped(f"x {factor} {r.theme}. {r.sentence}"))
    head = f"Why: {average} {MONEY} are expected of the average {ONE}; yours multiplies that by"
    return ("", head, *lines, *_wrapped(p.logic))


def _changes(p: Portrait) -> Sequence[str]:
    lines = (line for sentence in p.changes for line in _wrapped(sentence))
    return ("", "What would change it", *lines) if p.changes else ()


def _rights(p: Portrait) -> Sequence[str]:
    # art. 15(1)(e)-(f)
    return ("", "What you may ask for", *(line for r in p.rights for line in _wrapped(r))) if p.rights else ()


def _tastes(p: Portrait) -> Sequence[str]:
    if not p.tastes:
        return ()
    return ("", "What you are most likely to buy of", *(f"  {t.category.lower()}: {share(t.chance)}" for t in p.tastes))
