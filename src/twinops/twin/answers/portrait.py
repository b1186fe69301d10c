"""One twin in words: what is known, what it may be used for, what is expected and why. For its owner, by right.

GDPR arts. 12(1), 15(1)(a)-(h): plain, about the asker alone, with the logic of the profile. The only things said of
anyone else are averages over all households.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from twinops.entities.day_count import DayCount
from twinops.entities.wording import ONE
from twinops.twin.answers.explain import explain_heads, title
from twinops.twin.answers.forecast import Forecast
from twinops.twin.answers.opening import Opening
from twinops.twin.answers.theme_facts import ThemeReason, in_digits, moves
from twinops.twin.answers.told_themes import WHOLE
from twinops.twin.model.model import TwinModel
from twinops.twin.state.features import SPEEDS, STATE
from twinops.twin.state.streaming import rows

LOGIC = (
    "The twin keeps running sums of your baskets at three speeds of forgetting. A fixed formula, one for everyone, "
    f"turns them into what is expected. Each theme multiplies what is expected of the average {ONE}; together they "
    "give your figure exactly. How often, how lately and since when you shop only mean something together, so they are "
    "told as one; where themes cannot be told apart, all of your shopping is. No other person's data and no attribute "
    "such as age or income is used."
)


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


NO_HABITS = Habits(None, None, None, 0, 0, 0.0, 0.0, {})


@dataclass(frozen=True)
class Taste:
    """A category of products, and the chance to buy of it in the horizon."""

    category: str
    chance: float


@dataclass(frozen=True)
class Occasion:
    """What a portrait is made for: what it calls the consumer, the purpose it is opened for, the day and the count."""

    name: str
    purpose: str
    as_of: date
    days: DayCount


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

    @property
    def multiplied(self) -> tuple[str, tuple[str, ...]]:
        """What is expected of the average, and each reason's factor, in digits that multiply to what is expected."""
        answer = 0.0 if self.expected is None else self.expected.spend
        return in_digits(self.average_usd, [r.factor for r in self.reasons], answer)

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
        whole = title(WHOLE)
        reasons = tuple(
            replace(r, factor=f, sentence=moves(f, whole=r.theme == whole))
            for r in self.reasons
            for f in (_coarse(r.factor),)
        )
        tastes = tuple(
            # by name: their order would say which of two equal bands is the larger
            Taste(t.category, round(5 * t.chance) / 5)
            for t in sorted(self.tastes[:3], key=lambda t: t.category)
        )
        # sentences of fact and of change hold figures to the cent, so moves alone are left
        return replace(self, held=held, habits=habits, expected=expected, reasons=reasons, tastes=tastes, changes=())


def habits(twin: Opening, days: DayCount) -> Habits:
    """The state in a person's units."""
    state = twin.state
    if state.empty:
        return NO_HABITS
    row = twin.state_row
    pace = {
        f"{tau} days": round(7 * row[f"baskets_{s}"] / max(row[f"exposure_{s}"], 1), 2)
        for s, tau in zip(SPEEDS, state.decay_days, strict=True)
    }
    usd = row["cents_total"] / 100
    first, last = (days.date_of(end(state.days)).isoformat() for end in (min, max))
    return Habits(
        first, last, row["recency_days"], state.baskets, row["shopping_days"],
        round(usd, 2), round(usd / state.baskets, 2), pace,
    )  # fmt: skip


def average_spend(model: TwinModel) -> float:
    """What is expected of the household that every reason starts from, in USD."""
    anybody = rows([dict.fromkeys(STATE, 1)])
    return math.exp(explain_heads(model, anybody, "spend").base)


def permissions(answers: Mapping[str, str | None]) -> tuple[PurposeAnswer, ...]:
    """The ledger's answers, by purpose."""
    return tuple(PurposeAnswer(purpose, reason is None, reason) for purpose, reason in sorted(answers.items()))


def _rounded(e: Forecast) -> Forecast:
    """A forecast in bands."""
    chance = e.active_probability
    return replace(
        e,
        # to the nearest tenth, but never as if it were certain
        active_probability=None if chance is None else min(max(round(chance, 1), 0.05), 0.95),
        baskets=float(round(e.baskets)),
        spend=float(_near(e.spend, 10)),
        spend_range=(float(_near(e.spend_range[0], 10)), float(_near(e.spend_range[1], 10))),
    )


def _coarse(factor: float) -> float:
    """To a tenth; a small one to its first digit, which is never nothing."""
    return round(factor, 1) if factor >= 1 else float(f"{factor:.1g}")


def _near(value: float, step: int) -> int:
    return int(step * round(value / step))
