"""What is so of one household, a sentence for each theme of an explanation: counted from its state, never guessed.

Whether a theme raises or lowers a forecast is no fact about the household: terms that move together share their effect,
so a visit of yesterday may lower it a little. The sentence says what is so, and the factor beside it what it does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import pyarrow as pa

from twinops.twin.explain import words
from twinops.twin.features import BILLION
from twinops.twin.model import TwinModel
from twinops.twin.state import FAMILIAR_DAYS, TERMS

ALIKE = 0.05
"""Ratios nearer to one than this are told as the same."""


def theme_facts(model: TwinModel, row: pa.Table) -> Mapping[str, str]:
    """The sentence of each theme, of a table of one state; themes without one are told by nothing.

    Averages are of the household whose every term is average: the one an explanation starts from.
    """
    state = {name: row[name][0].as_py() for name in row.column_names}
    usual = dict(zip(TERMS, model.scaling.centres, strict=True))
    pace = {s: state[f"baskets_{s}"] / max(state[f"exposure_{s}"], 1) for s in ("steady", "slow")}
    usd = {s: state[f"cents_{s}"] / max(state[f"baskets_{s}"], 1) / 100 for s in ("steady", "slow")}
    days = state["recency_days"]
    filled: dict[str, dict[str, object]] = {
        "how_often": {"own": _times(pace["slow"]), "average": _times(math.exp(usual["pace"]))},
        "lately": {"ago": "today" if days < 1 else "1 day ago" if days == 1 else f"{days} days ago",
                   "gap": _gap(pace["slow"])},
        "trend": {"visits": _beside(_ratio(pace), "more visits", "fewer visits", "about as many visits"),
                  "baskets": _beside(_ratio(usd), "larger", "smaller", "about as large")},
        "basket": {"own": f"{usd['slow']:,.0f}", "average": f"{math.exp(usual['value']) - 1:,.0f}"},
        "known": {"days": f"{state['tenure_days']:,}", "familiar": FAMILIAR_DAYS},
    }  # fmt: skip
    return {name: str(said.get("fact", "")).format(**filled.get(name, {})) for name, said in words()["groups"].items()}


def _times(a_day: float) -> str:
    return f"{a_day * 365 / 12:.1f} times a month"


def _gap(a_day: float) -> str:
    days = round(1 / a_day) if a_day > 1 / 365 else 0
    return "hardly at all" if not days else "every day" if days == 1 else f"every {days} days"


def _ratio(of: Mapping[str, float]) -> float:
    return of["steady"] / of["slow"] if of["slow"] > 1 / BILLION else 1.0


def _beside(ratio: float, more: str, less: str, alike: str) -> str:
    if abs(ratio - 1) < ALIKE:
        return alike
    return f"{abs(ratio - 1):.0%} {more if ratio > 1 else less}"
