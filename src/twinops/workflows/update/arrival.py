"""One period of one source that is not as it was, and what becomes of it, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twinops.data.arrivals import DOUBTED, Arrived

NOTES = {
    Arrived.LATE: "taken in with its own month",
    Arrived.CORRECTED: "what was held is replaced; states lose the old rows by subtraction",
    Arrived.DOUBLED: "not taken in: sales would count twice. Take one copy away, or declare `repeated: across_files` "
    "where files of a folder overlap (`repeated: drop` takes each line once)",
    Arrived.GONE: "nothing is taken in: put it back, or take it out of `months` in params.yaml",
    Arrived.MISSING: "nothing behind it is taken in: put it there, an empty one with its header if nothing was sold",
    Arrived.WAITS: "taken in once the missing month is there",
}
"""What becomes of a period that needs a word."""


@dataclass(frozen=True)
class Arrival:
    """One period of one source. Counts of rows below ten are null; `rows` is null where nothing had to be read."""

    source: str
    period: str
    what: Arrived
    rows: int | None = None
    added: int | None = None
    again: int | None = None
    gone: int | None = None
    why: str = ""
    """Why it is doubted, or was."""
    accepted_by: str = ""
    """Who said that it is right."""
    follows: str = ""
    """The newer period whose rows alone changed it, by what they take back."""

    @property
    def note(self) -> str:
        """What becomes of it."""
        if self.what in DOUBTED:
            cause = f" (as a consequence of {self.follows})" if self.follows else ""
            return f"not taken in: {self.why}{cause}. If that is right: --accept {self.period} --by WHO"
        if self.follows:
            return f"as a consequence of {self.follows}, whose rows take back what was bought then"
        right = [f"{self.accepted_by} says it is right that {self.why}"] if self.accepted_by else []
        return "; ".join([n for n in [NOTES.get(self.what, "")] if n] + right)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; of doubts only where there are any."""
        told = {k: v for k, v in vars(self).items() if k not in ("why", "accepted_by", "follows") or v}
        return {**told, "what": self.what.value, "note": self.note}
