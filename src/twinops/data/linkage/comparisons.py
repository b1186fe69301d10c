"""What is compared, and which degrees of agreement are told apart; the list is `comparisons.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from twinops.plugins import text_beside

UNKNOWN = "not known"
DIFFERENT = "different"


@dataclass(frozen=True)
class Level:
    """One degree of agreement: in words, as SQL on a pair, and the column whose frequent values count for less."""

    words: str
    sql: str
    common: str | None = None


@dataclass(frozen=True)
class FieldComparison:
    """One field: when nothing can be said of it (SQL), and its levels, best first; what fits none of them differs."""

    name: str
    unknown: str
    levels: tuple[Level, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """All levels in words, best first, with the last."""
        return (*(level.words for level in self.levels), DIFFERENT)

    def splink(self) -> dict[str, Any]:
        """As Splink's settings want it."""
        levels: list[dict[str, Any]] = [
            {"sql_condition": self.unknown, "label_for_charts": UNKNOWN, "is_null_level": True}
        ]
        for level in self.levels:
            rare = {"tf_adjustment_column": level.common} if level.common else {}
            levels.append({"sql_condition": level.sql, "label_for_charts": level.words, **rare})
        levels.append({"sql_condition": "ELSE", "label_for_charts": DIFFERENT})
        return {"output_column_name": self.name, "comparison_levels": levels}


def _both_ways(sql: str) -> str:
    """A condition on `{a}` and `{b}` read from either side; any other as it is."""
    return f"({sql.format(a='l', b='r')}) OR ({sql.format(a='r', b='l')})" if "{a}" in sql else sql


def _comparison(name: str, levels: list[dict[str, str]]) -> FieldComparison:
    unknown = levels[0].get("unknown", f"{name}_l IS NULL OR {name}_r IS NULL")
    return FieldComparison(
        name, unknown, tuple(Level(x["words"], _both_ways(x["sql"]), x.get("common")) for x in levels)
    )


def _read() -> tuple[FieldComparison, ...]:
    read = yaml.safe_load(text_beside(__package__, "comparisons.yaml"))
    return tuple(_comparison(name, levels) for name, levels in read.items())


COMPARISONS = _read()
BY_NAME = {c.name: c for c in COMPARISONS}

SESSIONS = (
    (("email", "root"), ("surname", "phone", "card", "born", "place", "year")),
    (("phone", "root"), ("surname", "email", "card", "born", "place", "year")),
    (("surname", "root", "postcode"), ("email", "phone", "card", "year")),
    (("email", "phone"), ("given",)),
    (("born", "postcode"), ("given",)),
    (("email",), ("handle",)),
)
"""EM runs over the pairs that share these columns, and the comparisons whose m it is asked for. Given names are part
of most blocks, because relatives share all else: without them EM takes families for one person. Splink trains no
comparison whose conditions use a column of the block."""

IDENTIFYING = {
    "email": "email",
    "phone": "phone",
    "card": "card",
    "born": "born",
    "place": "street || '|' || door || '|' || postcode",
}
"""Comparisons whose best level strangers share so seldom that random pairs cannot show it; the value that is shared."""

TOLD_BY_KIN = ("email", "phone", "card", "born", "year")
"""Comparisons in which relatives can be seen to agree less often than one person does."""

SAME_NAME = {"given": (1, 2), "surname": (1, 2, 3)}
"""Levels (1 the best) at which two names are taken for one name."""
