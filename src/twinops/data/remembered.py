"""Figures by the digest of all that they were made from, for the next run: what did not change is not made again.

A figure is believed only under the same code, the same libraries and the key of this project: what another hand wrote,
or another twinops made, is made anew. Aggregates alone are kept; whose rows they came from stands in no file.
"""

from __future__ import annotations

import hmac
import json
import math
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pyarrow as pa

from twinops.entities.canonical import to_json
from twinops.plugins import code_state
from twinops.whole_files import write

Figures = list[list[float]]
Remember = Callable[[Sequence[object], Callable[[], Figures]], Figures]
"""Gives the figures that follow from these things: as they are remembered, or made and remembered from here on."""
LIBRARIES = ("duckdb", "evidently", "numpy", "pandas", "pyarrow", "scipy", "scikit-learn")
"""Whose versions may change a figure."""


def afresh(_about: Sequence[object], make: Callable[[], Figures]) -> Figures:
    """Nothing is remembered."""
    return make()


@dataclass(frozen=True)
class Remembered:
    """What lies in a file, as far as this project's `key` wrote it; `keep` writes what was asked for since, no more."""

    path: Path
    key: bytes = field(repr=False)
    asked: dict[str, Figures] = field(default_factory=dict)

    def __call__(self, about: Sequence[object], make: Callable[[], Figures]) -> Figures:
        """See `Remember`. Figures that are no numbers are not remembered."""
        name = sha256(to_json([self._under, [str(one) for one in about]]).encode()).hexdigest()
        found = self._known.get(name)
        if found is None:
            found = make()
            if not all(math.isfinite(value) for row in found for value in row):
                return found
        self.asked[name] = found
        return found

    def keep(self) -> None:
        """Write it down."""
        told = to_json(self.asked)
        write(self.path, json.dumps({"seal": self._seal(told), "figures": told}) + "\n")

    @cached_property
    def _known(self) -> dict[str, Figures]:
        try:
            told: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
            if not hmac.compare_digest(str(told["seal"]), self._seal(str(told["figures"]))):
                return {}
            return dict(json.loads(told["figures"]))
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def _seal(self, text: str) -> str:
        return hmac.digest(self.key, f"{self.path.name}\n{text}".encode(), sha256).hex()

    @cached_property
    def _under(self) -> list[str]:
        """By which code a figure is made."""
        return [code_state(), platform.machine(), *map(_version, LIBRARIES)]


def _version(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return name


def by_day(rows: pa.Table, columns: Sequence[str], *, day: str) -> dict[int, pa.Table]:
    """These columns of the rows of each day, in the order in which they stand."""
    some = rows.select([day, *(c for c in columns if c != day)])
    # a stable order: rows of one day keep theirs
    placed = some.append_column("place", pa.array(range(some.num_rows), pa.int64()))
    placed = placed.sort_by([(day, "ascending"), ("place", "ascending")]).drop_columns(["place"])
    counts = {c["values"]: c["counts"] for c in placed[day].value_counts().to_pylist()}
    found, first = {}, 0
    for one in sorted(counts):
        found[one] = placed.slice(first, counts[one])
        first += counts[one]
    return found


def digest_of(rows: pa.Table) -> str:
    """Of every value, with names and types of the columns."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema.remove_metadata()) as stream:
        stream.write_table(rows.replace_schema_metadata(None).combine_chunks())
    return sha256(sink.getvalue()).hexdigest()
