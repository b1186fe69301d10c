"""Why a forecast is what it is, theme by theme: what the theme does to it, and a fact of the household beside it.

The sentence says what is so, counted from the state and never guessed; the factor beside it says what it does, and its
last words which way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from twinops.twin.answers.explain import digits, title, words
from twinops.twin.answers.forecast import NEWCOMER as A_NEWCOMER
from twinops.twin.answers.forecast import Forecast
from twinops.twin.answers.opening import Opening
from twinops.twin.answers.told_themes import (
    BASKET,
    HARDLY,
    HARDLY_ANY,
    NEWCOMER,
    RHYTHM,
    WHOLE,
    Answered,
    counts_all,
    figures_of,
    told_themes,
    usual_figures,
)
from twinops.twin.model.model import TwinModel

ALIKE = 0.05
"""Ratios nearer to one than this are told as the same."""

SMALL = 1e-3
"""A factor below this, where nothing is expected, is told without digits."""

KEPT_DIGITS, FEWEST_DIGITS = 9, 3
"""Significant digits of a factor for machines, and the fewest that people are shown."""


@dataclass(frozen=True)
class ThemeReason:
    """How much a theme multiplies the spend expected of the average household."""

    theme: str
    factor: float
    sentence: str = ""


def reasons(twin: Opening, expected: Forecast | None = None) -> tuple[ThemeReason, ...]:
    """What multiplies the expected spend, strongest first: they multiply to it exactly.

    A newcomer's forecast is corrected by what the heads missed of earlier newcomers: that is a reason too.
    """
    if twin.state.empty:
        return ()
    said = twin.expected.spend
    newcomer = expected is not None and expected.basis == A_NEWCOMER
    answer = said if expected is None else np.array([expected.spend])
    told = told_themes(twin.model, twin.table, Answered(answer, said, np.array([newcomer])))
    facts, pointing = theme_facts(twin.model, twin.table), pointed(twin.model, twin.table)
    facts |= {NEWCOMER: str(words()[NEWCOMER]["fact"]).format(days=2 * twin.model.horizon_days)}
    facts[WHOLE] = " ".join(fact for name, fact in facts.items() if fact and (newcomer or name != NEWCOMER))
    found = [
        ThemeReason(title(name), kept, f"{facts.get(name, '')} {way(name, kept, pointing)}".strip())
        for name, factor in zip(told.names, told.factors[0].tolist(), strict=True)
        if not math.isnan(factor)
        for kept in (float(f"{factor:.{KEPT_DIGITS}g}"),)
    ]
    return tuple(sorted(found, key=lambda r: -abs(math.log(r.factor))))


def moves(factor: float, *, whole: bool = False) -> str:
    """Which way a theme moves what is expected; of the whole, which side of the average's the answer is."""
    said = words()["moves_of_the_whole" if whole else "moves"]
    return str(said["hardly" if abs(factor - 1) < HARDLY else "up" if factor > 1 else "down"])


def in_digits(average: float, factors: Sequence[float], answer: float) -> tuple[str, tuple[str, ...]]:
    """The average and the factors in the fewest digits whose product is the answer in whole money.

    >>> in_digits(1887.63, [11.1873, 1.18802], 25087.82)
    ('1,887.63', ('11.1873', '1.18802'))
    """
    if round(answer) == 0:
        return _whole_or(average, FEWEST_DIGITS), tuple(_next_to_nothing(f) for f in factors)
    shown: tuple[str, tuple[str, ...]] = ("", ())
    for many in range(FEWEST_DIGITS, KEPT_DIGITS + 1):
        shown = (_whole_or(average, many), tuple(digits(f, many) for f in factors))
        product = math.prod(float(s.replace(",", "")) for s in (shown[0], *shown[1]))
        if f"{product:.0f}" == f"{answer:.0f}":
            break
    return shown


def _next_to_nothing(factor: float) -> str:
    return "almost 0" if factor < SMALL else digits(factor, FEWEST_DIGITS)


def _whole_or(average: float, significant: int) -> str:
    after = significant - 1 - math.floor(math.log10(average)) if average > 0 else 0
    return f"{average:,.{0 if after <= 0 else max(after, 2)}f}"


def way(name: str, factor: float, pointing: Mapping[str, tuple[int, ...]]) -> str:
    """Which way a theme moves what is expected, said so that it does not deny the figures told before it.

    `pointing`: as `pointed` has it. Of the whole one figure that points its way is enough.
    """
    whole = name == WHOLE
    own = tuple(s for signs in pointing.values() for s in signs) if whole else pointing.get(name, ())
    up = 1 if factor > 1 else -1
    said = up in own and (whole or -up not in own)
    if abs(factor - 1) < HARDLY or said or not (whole or name in pointing):
        return moves(factor, whole=whole)
    also = words()["groups"].get(name, {}).get("also", "")
    told = words()["moves_of_the_whole_together" if whole else "moves_together"]
    return str(told["up" if up == 1 else "down"]).format(also=also)


def pointed(model: TwinModel, row: pa.Table) -> dict[str, tuple[int, ...]]:
    """Which way each figure points that `theme_facts` tells, as a reader sees it: 1 up, -1 down, 0 neither."""
    usual, own = usual_figures(model), figures_of(row, model)
    silence = float(row["recency_days"][0].as_py())
    oftener, larger = float(own.oftener[0]), float(own.larger[0])
    rhythm = (
        _sign(float(own.a_day[0]), float(usual.a_day), told=lambda v: _times(v, usual=float(usual.a_day))),
        _sign(float(round(float(usual.silence))), silence, told=str),
        _beside_sign(oftener),
    )
    money = _sign(float(own.money[0]), float(usual.money), told=lambda v: f"{v:,.0f}")
    return {RHYTHM: rhythm, BASKET: (money, 0 if oftener < HARDLY_ANY else _beside_sign(larger))}


def _sign(own: float, usual: float, *, told: Callable[[float], str]) -> int:
    return 0 if told(own) == told(usual) else 1 if own > usual else -1


def _beside_sign(ratio: float) -> int:
    return 0 if abs(ratio - 1) < ALIKE else 1 if ratio > 1 else -1


def theme_facts(model: TwinModel, row: pa.Table) -> dict[str, str]:
    """A sentence of fact for each theme, of a table of one state; a theme that has none gets an empty one.

    Averages are of the household whose every term is average: the one an explanation starts from.
    """
    usual, own = usual_figures(model), figures_of(row, model)
    silence, tenure = (int(row[name][0].as_py()) for name in ("recency_days", "tenure_days"))
    _, steady, slow = model.decay_days
    filled: dict[str, dict[str, object]] = {
        RHYTHM: {
            "own": _times(float(own.a_day[0]), usual=float(usual.a_day)), "slow": f"{slow:,}",
            "average": _times(float(usual.a_day), usual=float(usual.a_day)),
            "ago": days_ago(silence), "usual_ago": days_ago(round(float(usual.silence))),
            "visits": _visits(float(own.oftener[0]), steady, slow),
            "days": _days(tenure),
        },
        BASKET: {
            "own": f"{float(own.money[0]):,.0f}", "average": f"{float(usual.money):,.0f}",
            "over": "all of them alike" if counts_all(model) else f"about {slow:,} days",
            "baskets": "" if own.oftener[0] < HARDLY_ANY else _baskets(float(own.larger[0]), steady, slow),
        },
    }  # fmt: skip
    made = words()["groups"].items()
    return {name: str(said.get("fact", "")).format(**filled.get(name, {})).strip() for name, said in made}


def days_ago(days: int) -> str:
    """How long ago, in words."""
    return "today" if days < 1 else f"{_days(days)} ago"


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days:,} days"


def _times(a_day: float, *, usual: float) -> str:
    """How often, by the month, or by the year where the usual pace is below one a month."""
    unit, often = ("month", a_day * 365 / 12) if usual * 365 / 12 >= 1 else ("year", a_day * 365)
    # a figure would be told as nothing; the pace is of a fading memory, so it says nothing of visits long ago
    return f"{often:.1f} times a {unit}" if often >= 0.05 else "hardly at all of late"


def _visits(ratio: float, steady: int, slow: int) -> str:
    if ratio < HARDLY_ANY:
        return f"Over about {steady:,} days you hardly came at all."
    said = _beside(ratio, "more often", "less often", "about as often")
    return f"Over about {steady:,} days you come {said} {_than(ratio)} over about {slow:,}."


def _baskets(ratio: float, steady: int, slow: int) -> str:
    said = _beside(ratio, "larger", "smaller", "about as large")
    return f"Over about {steady:,} days they are {said} {_than(ratio)} over about {slow:,}."


def _than(ratio: float) -> str:
    return "as" if abs(ratio - 1) < ALIKE else "than"


def _beside(ratio: float, more: str, less: str, alike: str) -> str:
    if abs(ratio - 1) < ALIKE:
        return alike
    return f"{abs(ratio - 1):.0%} {more if ratio > 1 else less}"
