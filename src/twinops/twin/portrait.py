"""One twin in words: what is known, what it may be used for, what is expected and why. For its owner, by right.

GDPR arts. 12(1), 15(1)(a)-(h): plain, about the asker alone, with the logic of the profile. The only things said of
anyone else are averages over all households.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any

from twinops.data.days import FIRST_DAY
from twinops.twin.explain import explain_heads, words
from twinops.twin.features import SPEEDS
from twinops.twin.living import StreamingState, rows
from twinops.twin.model import TwinModel
from twinops.twin.outlook import NEWCOMER, Forecast
from twinops.twin.so_it_is import theme_facts

LOGIC = (
    "The twin keeps running sums of your baskets at three speeds of forgetting. A fixed formula, one for everyone, "
    "turns them into what is expected. Each theme multiplies what is expected of the average household; together they "
    "give your figure exactly. Themes that belong together, such as how often and how lately, share their effect, so "
    "one of them may look the wrong way round. No other person's data and no attribute such as age or income is used."
)


HARDLY = 0.02
"""A theme that multiplies by less than this from one is not worth a direction."""

WIDTH = 110


@dataclass(frozen=True)
class HeldRecords:
    """What one source holds about the consumer: how many records, from when to when (None: it tells no day).

    The rest is told to the consumer alone: from whom, what for, for how many days after each record, in which fields.
    """

    source: str
    records: int
    first: str | None = None
    last: str | None = None
    collected_from: str = ""
    used_for: tuple[str, ...] = ()
    kept_days: int | None = None
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class PurposeAnswer:
    """One purpose; `reason` says why not."""

    purpose: str
    allowed: bool
    reason: str | None


@dataclass(frozen=True)
class Habits:
    """The state, in a person's units."""

    first: str | None
    last: str | None
    days_since: int | None
    baskets: int
    shopping_days: int
    usd: float
    usd_a_basket: float
    baskets_a_week: Mapping[str, float]
    """At each speed of forgetting, in days."""


@dataclass(frozen=True)
class ThemeReason:
    """How much a theme multiplies the spend expected of the average household."""

    theme: str
    factor: float
    sentence: str = ""


@dataclass(frozen=True)
class Taste:
    """A category of products, and the chance to buy of it in the horizon."""

    category: str
    chance: float


@dataclass(frozen=True)
class Portrait:
    """One twin on one day. `name` is what the reader calls it; no id is in it."""

    name: str
    as_of: date
    purpose: str
    held: tuple[HeldRecords, ...]
    permissions: tuple[PurposeAnswer, ...]
    habits: Habits
    expected: Forecast | None
    """None: no forecast may be made of this consumer."""
    average_usd: float
    """What is expected of the household whose every term is average."""
    reasons: tuple[ThemeReason, ...]
    tastes: tuple[Taste, ...] = ()
    changes: tuple[str, ...] = ()
    """What the consumer could do for a higher or a lower figure, as sentences."""
    logic: str = LOGIC
    made: tuple[HeldRecords, ...] = ()
    """What was made of the records, where the consumer asks."""
    rights: tuple[str, ...] = ()
    """What the consumer may ask for, and of whom."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "as_of": self.as_of.isoformat()}

    def text(self) -> str:
        """The portrait as plain words."""
        return "\n".join(
            line
            for part in (
                _heading(self), _known(self), _made(self), _permitted(self), _habits(self), _expected(self.expected),
                _why(self), _changes(self), _tastes(self), _rights(self),
            )
            for line in part
        )  # fmt: skip

    def banded(self) -> Portrait:
        """The same in rounded figures, to be shown to others: nothing in it singles one household out by its value."""
        h, e = self.habits, self.expected
        habits = Habits(
            None, None, None if h.days_since is None else _near(h.days_since, 7), _near(h.baskets, 10),
            _near(h.shopping_days, 10), float(_near(h.usd, 500)), float(_near(h.usd_a_basket, 5)),
            {k: round(2 * v) / 2 for k, v in h.baskets_a_week.items()},
        )  # fmt: skip
        expected = None if e is None else _rounded(e)
        held = tuple(HeldRecords(x.source, _near(x.records, 100)) for x in self.held)
        reasons = tuple(replace(r, factor=f, sentence=moves(f)) for r in self.reasons for f in (round(r.factor, 1),))
        tastes = tuple(
            Taste(t.category, round(5 * t.chance) / 5) for t in sorted(self.tastes[:3], key=lambda t: t.category)
        )
        # sentences of fact and of change hold figures to the cent
        return replace(self, held=held, habits=habits, expected=expected, reasons=reasons, tastes=tastes, changes=())


def habits(state: StreamingState, *, day: int) -> Habits:
    """The state in a person's units."""
    if state.empty:
        return Habits(None, None, None, 0, 0, 0.0, 0.0, {})
    row, last = state.at(day), state.last_day or 0
    pace = {
        f"{tau} days": round(7 * row[f"baskets_{s}"] / max(row[f"exposure_{s}"], 1), 2)
        for s, tau in zip(SPEEDS, state.decay_days, strict=True)
    }
    usd = row["cents_total"] / 100
    return Habits(
        said(min(state.days)), said(last), row["recency_days"], state.baskets, row["shopping_days"], round(usd, 2),
        round(usd / state.baskets, 2), pace,
    )  # fmt: skip


def reasons(
    model: TwinModel, state: StreamingState, *, day: int, expected: Forecast | None = None
) -> tuple[ThemeReason, ...]:
    """What multiplies the expected spend, strongest first: exact, because the head is a sum of terms.

    A newcomer's forecast is corrected by what the heads missed of earlier newcomers: that is a reason too.
    """
    if state.empty:
        return ()
    row, themes = rows([state.at(day)]), words()["groups"]
    told, facts = explain_heads(model, row, "spend").grouped, theme_facts(model, row)
    found = [
        ThemeReason(themes[name]["title"], round(factor, 3), f"{facts[name]} {moves(factor)}".strip())
        for name, factor in zip(told.names, map(math.exp, told.parts[0].tolist()), strict=True)
    ]
    if expected is not None and expected.basis == NEWCOMER:
        ratio = expected.spend / max(float(model.by_heads(row).spend[0]), 1e-9)
        found.append(
            ThemeReason(words()["newcomer"]["title"], round(ratio, 3), f"{words()['newcomer']['fact']} {moves(ratio)}")
        )
    return tuple(sorted(found, key=lambda r: -abs(math.log(max(r.factor, 1e-3)))))


def moves(factor: float) -> str:
    """Which way a theme moves what is expected."""
    return str(words()["moves"]["hardly" if abs(factor - 1) < HARDLY else "up" if factor > 1 else "down"])


def average_spend(model: TwinModel) -> float:
    """What the spend head expects of a household whose every term is average, in USD."""
    return math.exp(model.spend.intercept)


def permissions(answers: Mapping[str, str | None]) -> tuple[PurposeAnswer, ...]:
    """The ledger's answers, by purpose."""
    return tuple(PurposeAnswer(purpose, reason is None, reason) for purpose, reason in sorted(answers.items()))


def said(day: int) -> str:
    """A day number as a date."""
    return (FIRST_DAY + timedelta(days=day)).isoformat()


def _rounded(e: Forecast) -> Forecast:
    """A forecast in bands."""
    return replace(
        e,
        active_probability=None if e.active_probability is None else _unsure(e.active_probability),
        baskets=float(round(e.baskets)),
        spend=float(_near(e.spend, 10)),
        spend_range=(float(_near(e.spend_range[0], 10)), float(_near(e.spend_range[1], 10))),
    )


def _unsure(chance: float) -> float:
    """To the nearest tenth, but never as if it were certain."""
    return min(max(round(chance, 1), 0.05), 0.95)


def _near(value: float, step: int) -> int:
    return int(step * round(value / step))


def _heading(p: Portrait) -> Sequence[str]:
    return (f"Portrait of {p.name} as of {p.as_of.isoformat()}, opened for {p.purpose}",)


def _known(p: Portrait) -> Sequence[str]:
    return ("", "What is held, by source", *(line for h in p.held for line in _record(h)))


def _made(p: Portrait) -> Sequence[str]:
    return ("", "What was made of it", *(line for h in p.made for line in _record(h))) if p.made else ()


def _record(h: HeldRecords) -> Sequence[str]:
    span = f" ({h.first} to {h.last})" if h.first else ""
    kept = "" if h.kept_days is None else f"kept for {h.kept_days:,} days"
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
        f"  {h.usd:,.0f} USD in all, {h.usd_a_basket:,.0f} USD a basket",
        f"  last seen {_days_ago(h.days_since)}",
        f"  baskets a week: {pace}",
    )  # fmt: skip


def _days_ago(days: int | None) -> str:
    return "today" if not days else "1 day ago" if days == 1 else f"{days} days ago"


BASIS = {
    "established": "from your own history",
    "newcomer": "from your first weeks and what other newcomers did; the range is wide on purpose",
    "nothing known": "from what newcomers do; nothing is known of you, so the range is as wide as they differ",
}


def _expected(e: Forecast | None) -> Sequence[str]:
    if e is None:
        return (
            "",
            "What is expected",
            "  No forecast is made of you: twin scoring is not allowed, or too little is known.",
        )
    chance = () if e.active_probability is None else (f"  to shop at all: {e.active_probability:.0%}",)
    low, high = e.baskets_range
    return (
        "", f"What is expected in the next {e.horizon_days} days ({BASIS[e.basis]})", *chance,
        f"  baskets: {e.baskets:.1f}, in 80 of 100 like cases {low:.0f} to {high:.0f}",
        f"  spend: {e.spend:,.0f} USD, in 80 of 100 like cases {e.spend_range[0]:,.0f} to {e.spend_range[1]:,.0f}",
    )  # fmt: skip


def _why(p: Portrait) -> Sequence[str]:
    if not p.reasons:
        return ()
    lines = (line for r in p.reasons for line in _wrapped(f"x {r.factor:.2f} {r.theme}. {r.sentence}"))
    head = f"Why: {p.average_usd:,.0f} USD are expected of the average household; yours multiplies that by"
    return ("", head, *lines, *_wrapped(p.logic))


def _changes(p: Portrait) -> Sequence[str]:
    lines = (line for sentence in p.changes for line in _wrapped(sentence))
    return ("", "What would change it", *lines) if p.changes else ()


def _rights(p: Portrait) -> Sequence[str]:
    return ("", "What you may ask for", *(line for r in p.rights for line in _wrapped(r))) if p.rights else ()


def _tastes(p: Portrait) -> Sequence[str]:
    if not p.tastes:
        return ()
    return ("", "What you are most likely to buy of", *(f"  {t.category.lower()}: {t.chance:.0%}" for t in p.tastes))
