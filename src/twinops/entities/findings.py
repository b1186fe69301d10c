"""What one stage found: its measures and facts, as the small JSON file it leaves in `reports/measures/`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twinops.entities.canonical import from_json, to_json
from twinops.entities.fact import Fact
from twinops.entities.measure import Measure
from twinops.entities.shown import Presentation


@dataclass(frozen=True)
class Findings:
    """Measures and facts of one stage, without personal data, and how they and its pictures are shown."""

    measures: tuple[Measure, ...] = ()
    facts: tuple[Fact, ...] = ()
    shown: tuple[Presentation, ...] = ()

    def __add__(self, other: Findings) -> Findings:
        """Both together."""
        return Findings(self.measures + other.measures, self.facts + other.facts, self.shown + other.shown)

    def to_json(self) -> str:
        """Keyed by name, so that `dvc metrics diff` can compare two runs."""
        body: dict[str, Any] = {
            "measures": {m.name: m.to_dict() for m in self.measures},
            "facts": {f.name: f.to_dict() for f in self.facts},
        }
        if self.shown:
            body["shown"] = [s.to_dict() for s in self.shown]
        return to_json(body, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Findings:
        """Read what `to_json` wrote."""
        raw = from_json(text)
        return cls(
            measures=tuple(Measure.from_dict(m) for m in raw["measures"].values()),
            facts=tuple(Fact.from_dict(f) for f in raw["facts"].values()),
            shown=tuple(Presentation.from_dict(s) for s in raw.get("shown", ())),
        )
