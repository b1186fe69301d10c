"""Something known that is not one number: measured by the pipeline, declared in a file, or said by a human."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from twinops.entities.canonical import digest


class Kind(StrEnum):
    """Who may write a field. A generator never writes a human's judgement."""

    MEASURED = "measured"
    DECLARED = "declared"
    HUMAN = "human"


@dataclass(frozen=True)
class Fact:
    """A named JSON value and where it came from. `value` None says: asked for, and not known."""

    name: str
    value: Any
    kind: Kind
    source: str

    @cached_property
    def id(self) -> str:
        """What documents cite."""
        return f"ev-{digest(self._fields())[:12]}"

    def _fields(self) -> dict[str, Any]:
        return {"name": self.name, "value": self.value, "kind": self.kind, "source": self.source}

    def to_dict(self) -> dict[str, Any]:
        """All fields and the id."""
        return {**self._fields(), "id": self.id}

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Fact:
        """Read what `to_dict` wrote; the id must still fit the content."""
        fact = cls(name=raw["name"], value=raw["value"], kind=Kind(raw["kind"]), source=raw["source"])
        if "id" in raw and raw["id"] != fact.id:
            raise ValueError(f"{fact.name}: id {raw['id']} does not fit its content ({fact.id})")
        return fact
