"""A number that never travels alone: value, interval, how many, in what unit, measured how and on what."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from twinops.entities.canonical import digest, rounded
from twinops.entities.wording import MANY

NORMAL_95 = 1.959964
"""Half of a normal's 95 % interval, in standard deviations."""


@dataclass(frozen=True)
class Measure:
    """One measured quantity.

    `low` and `high` bound the value at `level` (0.95: a 95 % interval) and may be absent only where a quantity is
    counted in full, such as a number of excluded subjects. `n` counts the units the value rests on (subjects unless
    `unit_of_n` says otherwise). `source` says which data, `method` how it and its interval came about.
    """

    name: str
    value: float
    n: int
    source: str
    method: str
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    unit: str | None = None
    unit_of_n: str = MANY
    seed: int | None = None

    def __post_init__(self) -> None:
        for field in ("value", "low", "high"):
            number = getattr(self, field)
            if number is None:
                continue
            if not math.isfinite(number):
                raise ValueError(f"{self.name}.{field} is {number}; a quantity that could not be measured is missing")
            object.__setattr__(self, field, rounded(float(number)))
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"{self.name}: low {self.low} > high {self.high}")

    @cached_property
    def id(self) -> str:
        """What documents cite; it changes when anything about the measure changes."""
        return f"ev-{digest(asdict(self))[:12]}"

    @property
    def excludes_zero(self) -> bool:
        """The whole interval lies on one side of zero."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        interval = "" if self.low is None or self.high is None else f" [{self.low:.4g}, {self.high:.4g}]"
        return f"{self.value:.4g}{interval}{unit} (n={self.n:,} {self.unit_of_n})"

    def to_dict(self) -> dict[str, Any]:
        """All fields and the id; `from_dict` reads it back."""
        return {**asdict(self), "id": self.id}

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Measure:
        """Read what `to_dict` wrote; the id must still fit the content."""
        fields = {k: v for k, v in raw.items() if k != "id"}
        measure = cls(**fields)
        if "id" in raw and raw["id"] != measure.id:
            raise ValueError(f"{measure.name}: id {raw['id']} does not fit its content ({measure.id})")
        return measure
