"""What is fused, on what, and for which segments, never for persons; special categories cannot even be named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from twinops.data.fusion.predictive_mean_matching import Shared
from twinops.entities.consent import Purpose
from twinops.entities.demographics import is_special
from twinops.errors import ParamsError

HIGH = 65
"""Points from which an answer counts as high."""


@dataclass(frozen=True)
class SegmentColumn:
    """A column of the recipients that parts them, and the shared variables it follows from.

    Where those are not all matched on, what is said of its segments rests on conditional independence, which no data
    here can show.
    """

    column: str
    follows_from: tuple[str, ...] = ()

    def seen_through(self, shared: Sequence[Shared]) -> bool:
        """It follows from these shared variables, so nothing beyond them is assumed."""
        return bool(self.follows_from) and set(self.follows_from) <= {v.name for v in shared}


@dataclass(frozen=True)
class Plan:
    """What is matched on, what is borrowed, which segments are told apart, and the donor panel's name."""

    shared: tuple[Shared, ...]
    scales: tuple[str, ...]
    segments: tuple[SegmentColumn, ...]
    panel: str

    def __post_init__(self) -> None:
        wrong = [
            n
            for n in (*self.scales, *(s.column for s in self.segments), *(v.name for v in self.shared))
            if is_special(n)
        ]
        if wrong:
            raise ParamsError(
                f"Special categories are never fused: {', '.join(wrong)} (GDPR art. 9(1); C-184/20).",
                hint="Take them out of the plan.",
            )
        if not self.shared or not self.scales:
            raise ParamsError(
                "Fusion needs shared variables and scales.", hint="See the fusion section of params.yaml."
            )


def permitted(
    shared: Sequence[Shared], columns: Mapping[str, Sequence[Purpose]], purpose: Purpose
) -> tuple[tuple[Shared, ...], tuple[str, ...]]:
    """The shared variables our own sources declare for this purpose, and the names of those they do not.

    >>> permitted([Shared("age")], {"age": (Purpose.BIAS_ASSESSMENT,)}, Purpose.TRAINING)
    ((), ('age',))
    """
    kept = tuple(v for v in shared if purpose in columns.get(v.name, ()))
    return kept, tuple(v.name for v in shared if v not in kept)
