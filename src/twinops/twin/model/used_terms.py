"""Which terms each head's regression uses; the others weigh nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from twinops.twin.model.families import HEADS
from twinops.twin.state.terms import TERMS, USED_BY
from twinops.twin.strict_json import Name, declared

_Terms = Annotated[tuple[Name, ...], Field(min_length=1, max_length=len(TERMS))]


@declared
@dataclass(frozen=True)
class UsedTerms:
    """Which terms each head uses."""

    activity: _Terms
    baskets: _Terms
    spend: _Terms

    def __post_init__(self) -> None:
        for head in HEADS:
            said = getattr(self, head)
            if list(said) != [t for t in TERMS if t in said]:
                raise ValueError(f"the terms of {head} are unknown, doubled or out of order")

    def of(self, head: str) -> tuple[str, ...]:
        """Those of one head."""
        said: tuple[str, ...] = getattr(self, head)
        return said


AS_SHIPPED = UsedTerms(**USED_BY)
