"""What is judged and by which rule: the declared decision, its groups, and what makes it even enough."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

NONE, LOTTERY, RANK_BLEND, GROUP_RANK_BLEND = "none", "lottery", "rank_blend", "group_rank_blend"
SCORES = ("expected_spend", "expected_baskets", "active_probability")
"""Columns of the held-out predictions by which a decision may rank: every head that ships."""


@dataclass(frozen=True)
class Mitigation:
    """How the plain order by score is changed, and how strongly (0: not at all, 1: wholly).

    *lottery*: that part of the places is drawn by lot. *rank_blend*: the rank by score is mixed with the rank `toward`
    another score. *group_rank_blend*: with the rank within the household's group of an `attribute`, which must be known
    when the decision is made.
    """

    kind: str = NONE
    strength: float = 0.0
    toward: str | None = None
    attribute: str | None = None


@dataclass(frozen=True)
class Decision:
    """Of the population, the top `share` by `score`, mitigated, are selected; the rest is for the cards."""

    name: str
    score: str
    share: float
    population: str = ""
    effect: str = ""
    mitigation: Mitigation = Mitigation()

    def with_mitigation(self, kind: str, strength: float, **more: str) -> "Decision":
        """The same decision, mitigated otherwise."""
        return replace(self, mitigation=Mitigation(kind, strength, **more))

    @property
    def parts(self) -> dict[str, Any]:
        """What makes it another decision, as facts hold it."""
        return {"score": self.score, "share": self.share, "mitigation": vars(self.mitigation).copy()}


@dataclass(frozen=True)
class Assessed:
    """For whom the decision is assessed: attributes with their levels in order, or None where they have none.

    `deciding` are the attributes that the policy names: they are judged by `ratio` and `alpha`; the others are shown.
    """

    attributes: Mapping[str, tuple[str, ...] | None]
    deciding: tuple[str, ...]
    ratio: float
    alpha: float

    @property
    def rule(self) -> dict[str, Any]:
        """As facts hold it; a gate with other limits was not measured."""
        return {"attributes": sorted(self.deciding), "ratio": self.ratio, "alpha": self.alpha}


def spoken(decision: Decision) -> str:
    """By what the decision ranks, in words.

    >>> spoken(Decision("offer", "expected_spend", 0.2, mitigation=Mitigation(LOTTERY, 0.5)))
    'expected spend, lottery 0.5'
    """
    how = decision.mitigation
    mitigated = "" if how.kind == NONE else f", {how.kind} {how.strength:g}"
    return f"{decision.score}{mitigated}".replace("_", " ")
