"""Why a forecast is what it is, theme by theme: what the theme does to it, and a fact of the household beside it.

Whether a theme raises or lowers a forecast is no fact about the household: terms that move together share their effect,
so a visit of yesterday may lower it a little. The sentence says what is so, counted from the state and never guessed;
the factor beside it says what it does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from twinops.twin.answers.explain import explain_heads, words
from twinops.twin.answers.forecast import NEWCOMER, Forecast
from twinops.twin.answers.opening import Opening
from twinops.twin.model.model import TwinModel
from twinops.twin.state.features import BILLION
from twinops.twin.state.terms import FAMILIAR, TERMS

ALIKE = 0.05
"""Ratios nearer to one than this are told as the same."""

HARDLY = 0.02
"""A theme that multiplies by less than this from one is not worth a direction."""


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
    told, facts = explain_heads(twin.model, twin.table, "spend").grouped, theme_facts(twin.model, twin.table)
    themes = words()["groups"]
    found = [
        _reason(themes[name]["title"], factor, facts[name])
        for name, factor in zip(told.names, map(math.exp, told.parts[0].tolist()), strict=True)
    ]
    if expected is not None and expected.basis == NEWCOMER:
        ratio, said = expected.spend / max(float(twin.expected.spend[0]), 1e-9), words()["newcomer"]
        fact = str(said["fact"]).format(days=2 * twin.model.horizon_days)
        found.append(_reason(said["title"], ratio, fact))
    return tuple(sorted(found, key=lambda r: -abs(math.log(max(r.factor, 1e-3)))))


def moves(factor: float) -> str:
    """Which way a theme moves what is expected."""
    return str(words()["moves"]["hardly" if abs(factor - 1) < HARDLY else "up" if factor > 1 else "down"])


def _reason(theme: str, factor: float, fact: str) -> ThemeReason:
    return ThemeReason(theme, round(factor, 3), f"{fact} {moves(factor)}".strip())


def theme_facts(model: TwinModel, row: pa.Table) -> Mapping[str, str]:
    """A sentence of fact for each theme, of a table of one state; a theme that has none gets an empty one.

    Averages are of the household whose every term is average: the one an explanation starts from.
    """
    state = {name: row[name][0].as_py() for name in row.column_names}
    usual = dict(zip(TERMS, model.scaling.centres, strict=True))
    pace = {s: state[f"baskets_{s}"] / max(state[f"exposure_{s}"], 1) for s in ("steady", "slow")}
    usd = {s: state[f"cents_{s}"] / max(state[f"baskets_{s}"], 1) / 100 for s in ("steady", "slow")}
    filled: dict[str, dict[str, object]] = {
        "how_often": {"own": _times(pace["slow"]), "average": _times(math.exp(usual["pace"]))},
        "lately": {"ago": days_ago(state["recency_days"]), "gap": _gap(pace["slow"])},
        "trend": {"visits": _beside(_ratio(pace), "more visits", "fewer visits", "about as many visits"),
                  "baskets": _beside(_ratio(usd), "larger", "smaller", "about as large")},
        "basket": {"own": f"{usd['slow']:,.0f}", "average": f"{math.exp(usual['value']) - 1:,.0f}"},
        "known": {"days": f"{state['tenure_days']:,}", "familiar": FAMILIAR * model.priors.lapse_days},
    }  # fmt: skip
    return {name: str(said.get("fact", "")).format(**filled.get(name, {})) for name, said in words()["groups"].items()}


def days_ago(days: int) -> str:
    """How long ago, in words."""
    return "today" if days < 1 else "1 day ago" if days == 1 else f"{days} days ago"


def _times(a_day: float) -> str:
    return f"{a_day * 365 / 12:.1f} times a month"


def _gap(a_day: float) -> str:
    # rarer than once a year: a number of days would pretend to know
    days = round(1 / a_day) if a_day > 1 / 365 else 0
    return "hardly at all" if not days else "every day" if days == 1 else f"every {days} days"


def _ratio(of: Mapping[str, float]) -> float:
    return of["steady"] / of["slow"] if of["slow"] > 1 / BILLION else 1.0


def _beside(ratio: float, more: str, less: str, alike: str) -> str:
    if abs(ratio - 1) < ALIKE:
        return alike
    return f"{abs(ratio - 1):.0%} {more if ratio > 1 else less}"
