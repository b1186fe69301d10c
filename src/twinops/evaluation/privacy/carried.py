"""Does the model's file carry people? Nearest-neighbour, kernel and in-context models are their training table.

Two questions that need no knowledge of the kind of model. Canaries: rows with digits that nobody else has are planted
before the fit; who finds their digits in the file has found people (after Carlini et al. 2019, arXiv:1802.08232). Size:
a file that grows with the rows it was made of holds rows, a file of parameters does not.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from twinops.entities.findings import Findings
from twinops.evaluation.statistics.estimate import Estimate
from twinops.evaluation.statistics.wilson import share

Maker = Callable[[pa.Table], bytes]
"""From rows to the bytes of the file of the model made of them."""

CANARIES = 200
DIGITS = 6
"""So many leading digits of a number mark it: by chance one number in a million has them."""
ENOUGH = 2
"""So many marked numbers of one row in the file are the row: a lone one may be a threshold between people."""
HALVES = 4
_NUMBER = re.compile(rb"\d[\d.]*(?:[eE][+-]?\d+)?")


@dataclass(frozen=True)
class Carried:
    """How many planted rows were found in the file, and by how many bytes a row made it longer, in each half."""

    found: int
    planted: int
    growth: np.ndarray


def carried(make: Maker, rows: pa.Table, *, seed: int) -> Carried:
    """Plant, make, search; then make it of halves and compare sizes."""
    rng = np.random.default_rng(seed)
    planted, marked = _planted(rows, rng)
    file = make(planted)
    marks = marks_in(file)
    found = sum(len(own & marks) >= min(ENOUGH, len(own)) for own in marked)
    sizes = []
    for _ in range(HALVES):
        half = rng.permutation(len(rows))[: len(rows) // 2]
        sizes.append((len(file) - len(make(rows.take(np.sort(half))))) / (len(rows) - len(half)))
    return Carried(found, len(marked), np.array(sizes))


def carried_findings(found: Carried, *, source: str, seed: int) -> Findings:
    """Measures `carried_canaries` and `carried_growth`."""
    spread = 3.182 * float(found.growth.std(ddof=1)) / np.sqrt(len(found.growth))  # Student's t, 3 degrees of freedom
    mean = float(found.growth.mean())
    searched = "planted rows whose digits stand in the file; Wilson interval"
    growth = Estimate.around(mean, mean - spread, mean + spread)
    sizes = "bytes a row, whole against halves; Student's t"
    grown = growth.measure("carried_growth", len(found.growth), source, sizes, seed=seed, unit_of_n="halves")
    if not found.planted:
        return Findings((grown,))  # no row had digits of its own to plant
    canaries = share(found.found, found.planted)
    named = canaries.measure("carried_canaries", found.planted, source, searched, seed=seed, unit_of_n="rows")
    return Findings((named, grown))


def marks_in(file: bytes) -> frozenset[str]:
    """Leading digits of every number in a file: as text, and as binary floats at every place where one may begin."""
    texts = {_mark(float(n)) for n in _NUMBER.findall(file) if len(n) >= DIGITS and _is_number(n)}
    binary = set()
    for kind in ("<f4", "<f8", ">f4", ">f8"):
        for start in range(np.dtype(kind).itemsize):
            part = file[start:]
            with np.errstate(invalid="ignore", over="ignore"):
                values = np.frombuffer(part[: len(part) // np.dtype(kind).itemsize * np.dtype(kind).itemsize], kind)
                values = values[np.isfinite(values) & (np.abs(values) > 1e-6) & (np.abs(values) < 1e12)]
            binary |= {_mark(float(v)) for v in values}
    return frozenset(texts | binary)


def _planted(rows: pa.Table, rng: np.random.Generator) -> tuple[pa.Table, list[frozenset[str]]]:
    """Some rows with every fraction and large sum changed by less than a thousandth, to digits of their own."""
    chosen = rng.permutation(len(rows))[: min(CANARIES, len(rows))]
    marks: list[set[str]] = [set() for _ in chosen]
    for place, field in enumerate(rows.schema):
        if not pa.types.is_floating(field.type):
            continue
        values = rows.column(place).to_numpy(zero_copy_only=False).copy()
        new = values[chosen] * (1 - rng.uniform(0.0001, 0.001, len(chosen)))
        values[chosen] = new
        rows = rows.set_column(place, field, pa.array(values, type=field.type))
        for own, value in zip(marks, new, strict=True):
            if np.isfinite(value) and value != 0:
                own.add(_mark(float(value)))
    return rows, [frozenset(own) for own in marks if own]


def _mark(value: float) -> str:
    """The leading digits of a number, whatever its sign and scale.

    >>> _mark(-0.001234567), _mark(12345.67)
    ('123456', '123456')
    """
    return f"{abs(value):.12e}".replace(".", "")[:DIGITS]


def _is_number(text: bytes) -> bool:
    try:
        return float(text) != 0
    except ValueError:
        return False
