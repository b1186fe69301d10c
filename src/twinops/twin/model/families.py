"""Whose mean each head says: families of heads, told apart by name, every one of which reads the state alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from twinops.twin.model.glm import Head
from twinops.twin.model.predictions import exponential
from twinops.twin.own_heads._shelf import FAMILY
from twinops.twin.strict_json import declared

HEADS = ("activity", "baskets", "spend")
FAMILIES = ("regression", "hurdle", "classic", "trees")
"""What twinops brings; a project's own are called `own_NAME`, as their files (`own_family.py`)."""

REGRESSION, HURDLE, CLASSIC, TREES = FAMILIES
Family = Annotated[str, Field(pattern=rf"^({'|'.join(FAMILIES)}|{FAMILY}[a-z][a-z0-9_]{{0,40}})$")]
_Said = Annotated[tuple[Family, ...], Field(min_length=1, max_length=20)]


@declared
@dataclass(frozen=True)
class Speakers:
    """Per head the families whose plain mean it says; of one family, that family alone."""

    activity: _Said = ("regression",)
    baskets: _Said = ("regression",)
    spend: _Said = ("regression",)

    def __post_init__(self) -> None:
        for head in HEADS:
            said = self.of(head)
            if not said or list(said) != sorted(set(said), key=in_order):
                raise ValueError(f"the families of {head} are doubled or out of order")
        if HURDLE in self.activity:
            raise ValueError("a hurdle has no chance of its own")

    def of(self, head: str) -> tuple[Family, ...]:
        """Whose mean this head says."""
        said: tuple[Family, ...] = getattr(self, head)
        return said

    @property
    def own(self) -> tuple[str, ...]:
        """Families of the project's own that have a say."""
        return tuple(sorted({f for head in HEADS for f in self.of(head) if f.startswith(FAMILY)}))

    def where(self, family: str) -> tuple[str, ...]:
        """The heads in which it has a say."""
        return tuple(head for head in HEADS if family in self.of(head))

    def without(self, family: str) -> Speakers:
        """The same, but where it had a say the others speak alone, or the regressions where nobody else did."""
        left = {h: tuple(f for f in self.of(h) if f != family) or (REGRESSION,) for h in HEADS}
        return Speakers(**left)


def in_order(family: str) -> tuple[int, str]:
    """What is shipped comes first, then the project's own by their names."""
    return (FAMILIES.index(family), "") if family in FAMILIES else (len(FAMILIES), family)


REGRESSIONS = Speakers()
"""What ships unless something else was shown better."""


@dataclass(frozen=True)
class Hurdle:
    """Regressions among those who come: baskets beyond the first, and spend. Times the chance they are means."""

    baskets: Head
    spend: Head

    def given(self, head: str, z: np.ndarray) -> np.ndarray:
        """What is expected of who comes."""
        rate = exponential(getattr(self, head).predictor(z))
        return 1 + rate if head == "baskets" else rate
