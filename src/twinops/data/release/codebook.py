"""The public code-book: which columns a released table has, and in which bands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
import yaml

from twinops.errors import DataError
from twinops.plugins import text_beside

UNKNOWN = "not known"


@dataclass(frozen=True)
class CodeBand:
    """One column: where it comes from, where its bands begin, and whether it is what an attacker is after.

    `says` names quantity and unit. The last code of a column with `known_if` means *not known*. What a band
    that `hangs_on_others` says of a subject can change when another subject comes or goes (linkage learns from all).
    """

    name: str
    source: str
    says: str
    edges: tuple[float, ...]
    divide: float = 1.0
    known_if: str | None = None
    sensitive: bool = False
    hangs_on_others: bool = False

    @property
    def size(self) -> int:
        """How many codes there are."""
        return len(self.edges) + 1 + (self.known_if is not None)

    @property
    def known(self) -> int:
        """How many of them are bands, in order."""
        return len(self.edges) + 1

    def codes(self, table: pa.Table) -> np.ndarray:
        """The band of each row, 0 .. size - 1."""
        absent = [c for c in (self.source, self.known_if) if c is not None and c not in table.column_names]
        if absent:
            raise DataError(f"The blended data have no column {', '.join(absent)}.", hint="Run `dvc repro blend`.")
        values = table[self.source].to_numpy(zero_copy_only=False).astype(float) / self.divide
        out = np.searchsorted(np.array(self.edges), np.nan_to_num(values), side="right")
        if self.known_if is None:
            return np.asarray(out)
        told = table[self.known_if].to_numpy(zero_copy_only=False).astype(bool) & np.isfinite(values)
        return np.where(told, out, self.size - 1)

    def label(self, low: int, high: int) -> str:
        """A range of codes in words that no spreadsheet takes for a formula.

        >>> CodeBand("baskets", "baskets_h1", "baskets", (1, 3, 6)).label(1, 2)
        'from 1 to under 6'
        """
        if self.known_if is not None and high == self.size - 1:
            return UNKNOWN if low == high else "any or not known"
        start = None if low == 0 else self.edges[low - 1]
        end = None if high == self.known - 1 else self.edges[high]
        if start is None and end is None:
            return "any"
        if start is None:
            return f"under {end:g}"
        return f"from {start:g}" if end is None else f"from {start:g} to under {end:g}"


@cache
def shipped() -> tuple[CodeBand, ...]:
    """The code-book of this package."""
    raw: Mapping[str, Mapping[str, object]] = yaml.safe_load(text_beside(__package__, "codebook.yaml"))
    return tuple(_band(name, entry) for name, entry in raw.items())


def coded(table: pa.Table, bands: tuple[CodeBand, ...]) -> np.ndarray:
    """Rows x bands of codes."""
    return np.column_stack([band.codes(table) for band in bands]).astype(np.int64)


def _band(name: str, entry: Mapping[str, object]) -> CodeBand:
    edges = entry["edges"]
    if not isinstance(edges, list):
        raise TypeError(f"the edges of {name} are no list")
    return CodeBand(
        name,
        str(entry["from"]),
        str(entry["says"]),
        tuple(float(e) for e in edges),
        divide=float(str(entry.get("divide", 1))),
        known_if=str(entry["known_if"]) if "known_if" in entry else None,
        sensitive=bool(entry.get("sensitive", False)),
        hangs_on_others=bool(entry.get("hangs_on_others", False)),
    )
