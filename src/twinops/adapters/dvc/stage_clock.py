"""How long stages took last time in this folder, and so how long it may still take."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from twinops.whole_files import write

EVERY = 5.0
"""Seconds between two times that it is said."""


@dataclass
class StageClock:
    """Seconds of each stage when it last ran, kept where DVC keeps what is of no run's result."""

    path: Path
    took: dict[str, float]
    told: float = float("-inf")

    @classmethod
    def of(cls, folder: Path) -> StageClock:
        """As it was kept; of a folder without one, or with something else, nothing is known."""
        path = folder / "twinops-took.json"
        try:
            return cls(path, {str(name): float(seconds) for name, seconds in json.loads(path.read_bytes()).items()})
        except (OSError, ValueError, TypeError, AttributeError):
            return cls(path, {})

    def said(self, plan: Collection[str], done: Collection[str], *, lanes: int) -> str | None:
        """How far it is and how long it takes at most, if every stage that is left must run; None: said just now."""
        if (now := monotonic()) - self.told < EVERY:
            return None
        self.told = now
        left = [self.took[name] for name in plan if name not in done and name in self.took]
        # what none can do side by side is as long as its longest stage
        seconds = max(sum(left) / lanes, max(left, default=0.0))
        far = f"{len(done)} of {len(plan)} stages are up to date"
        return f"{far}; {seconds:.0f} s more at most, as they took last time" if left else far

    def keep(self) -> None:
        """Write it down."""
        write(self.path, json.dumps({name: round(s, 1) for name, s in sorted(self.took.items())}))
