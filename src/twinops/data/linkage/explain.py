"""Why two records were joined, in words and bits: which fields agreed, how much it counts; never what they hold."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twinops.data.linkage.comparisons import BY_NAME, COMPARISONS, SAME_NAME, UNKNOWN
from twinops.data.linkage.model import Model

FIELDS = {
    "given": "given name",
    "surname": "surname",
    "email": "e-mail",
    "phone": "telephone",
    "card": "loyalty card",
    "born": "date of birth",
    "year": "year at the end of e-mail or handle",
    "place": "address",
    "handle": "handle beside the other's name",
}
RARITY, REGION, START = "how rare the values are", "names that go together", "before any field is compared"


@dataclass(frozen=True)
class Part:
    """One field's say: its degree of agreement in words, and its weight in bits (positive: for one person)."""

    field: str
    words: str
    bits: float

    def __str__(self) -> str:
        return f"{self.field} {self.words} ({self.bits:+.1f})".replace("  ", " ")


@dataclass(frozen=True)
class TieExplanation:
    """All parts of one tie; their bits add up to `match_weight`, the log2 odds before other candidates are seen."""

    sources: tuple[str, str]
    parts: tuple[Part, ...]
    match_weight: float
    probability: float

    def __str__(self) -> str:
        """For a person to read."""
        spoke = sorted((p for p in self.parts if p.field != START), key=lambda p: -abs(p.bits))
        pro = [str(p) for p in spoke if p.bits > 0]
        con = [str(p) for p in spoke if p.bits < 0]
        start = next(p.bits for p in self.parts if p.field == START)
        return (
            f"A record of {self.sources[0]} and one of {self.sources[1]}, "
            f"one person with probability {self.probability:.4f}. "
            f"For it: {', '.join(pro) or 'nothing'}. Against it: {', '.join(con) or 'nothing'}. "
            f"Any two such records start at {start:+.1f}; the sum is {self.match_weight:+.1f} bits "
            "(+10 is about 1,000 to 1)."
        )


def explained(tie: Mapping[str, Any], model: Model) -> TieExplanation:
    """Take the match weight of one row of `links` or `review` apart."""
    one, _, other = tie["tie"].partition("/")
    parts = [_part(name, int(tie[f"{name}_level"]), model) for name in FIELDS]
    named = all(tie[f"{name}_level"] in levels for name, levels in SAME_NAME.items())
    if named and model.lift > 1:
        parts.append(Part(REGION, "", -math.log2(model.lift)))
    rest = float(tie["match_weight"]) - sum(p.bits for p in parts)
    return TieExplanation(
        (one, other),
        (*_rest(rest, model.start_bits(one, other)), *(p for p in parts if p.words != UNKNOWN)),
        float(tie["match_weight"]),
        float(tie["probability"]),
    )


def _part(name: str, level: int, model: Model) -> Part:
    words = (UNKNOWN, *BY_NAME[name].words)[level]
    return Part(FIELDS[name], words, 0.0 if level == 0 else model.weights(name)[level - 1])


def _rest(rest: float, start: float) -> tuple[Part, ...]:
    """What no field says: where two such records start, and how rare their values are."""
    rarity = rest - start
    return (Part(START, "", start), *((Part(RARITY, "", rarity),) if abs(rarity) > 0.05 else ()))


assert set(FIELDS) == {c.name for c in COMPARISONS}  # noqa: S101  (two lists that must not part ways)
