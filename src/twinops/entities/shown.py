"""How a measure or picture is shown to readers: whoever measures says it, and Evidence carries it to every document."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Section(StrEnum):
    """Parts of the model card (after Mitchell et al. 2019, doi:10.1145/3287560.3287596), in the order of pictures."""

    DATA = "data"
    MODEL = "model"
    ACCURACY = "accuracy"
    DOUBT = "doubt"
    NEED = "need"
    REACH = "reach"
    PRESSURE = "pressure"
    MONITORING = "monitoring"
    LINKAGE = "linkage"
    FUSION = "fusion"
    TEXTS = "texts"


@dataclass(frozen=True)
class Presentation:
    """One measure or picture by name, and what it says. A headline also stands in the bill of materials and in what a
    pull request is told; without a section it stands in no other part of the card than the appendix.
    """

    name: str
    says: str
    section: Section | None = None
    headline: bool = False
    picture: bool = False

    def to_dict(self) -> dict[str, Any]:
        """All fields; `from_dict` reads it back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Presentation:
        """Read what `to_dict` wrote."""
        return cls(**{**raw, "section": None if raw["section"] is None else Section(raw["section"])})


def measures(
    says: Mapping[str, str], *, section: Section | None = None, headlines: Collection[str] = ()
) -> tuple[Presentation, ...]:
    """Measures of one section, in the order in which they are read."""
    return tuple(Presentation(name, text, section, headline=name in headlines) for name, text in says.items())


def pictures(says: Mapping[str, str], *, section: Section) -> tuple[Presentation, ...]:
    """Pictures of one section by the names of their files, each with its caption."""
    return tuple(Presentation(name, text, section, picture=True) for name, text in says.items())
