"""Hold what the service answered against what came, by model version: from its log, once the horizon is over.

A consumer counts once for each version, with the first answer, however often they were asked about. Only those who may
be scored today are joined to their lines, and groups are made of those alone who allow the assessment of bias.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pyarrow as pa

from twinops.evaluation.monitoring.foretold import FEWEST, Foretold
from twinops.workflows.decision_lines import KEY, folder_of, pseudonym, read
from twinops.workflows.receipts import Receipts
from twinops.workflows.update.forecasts import Forecasts

FIGURES = ("active_probability", "baskets", "spend", "spend_median", "baskets_range", "spend_range")
"""Of an answer, what is held against what came."""


@dataclass(frozen=True)
class Answered:
    """What one version foretold: one row for each consumer, the earliest answer."""

    version: int
    digest: str
    seen: Foretold


def answered(forecasts: Forecasts, sids: frozenset[str], *, known_until: int) -> tuple[Answered, ...]:
    """By version, of consumers of `sids` whose horizon is over; versions with fewer than 50 of them are left out."""
    found = sorted(_lines(forecasts.receipts, sids, forecasts.grid.horizon_days, known_until), key=_of)
    out = []
    for (version, digest), lines in groupby(found, key=lambda line: _of(line)[:2]):
        first = [next(same) for _, same in groupby(lines, key=lambda line: line["sid"])]
        if len(first) >= FEWEST:
            out.append(Answered(version, digest, forecasts.beside(_table(first))))
    return tuple(out)


def _lines(receipts: Receipts, sids: frozenset[str], horizon: int, known_until: int) -> Iterator[dict[str, Any]]:
    folder = folder_of(receipts.plane.places)
    if not any(folder.glob("*.jsonl")):
        return
    key = receipts.plane.keys.batch_key(*KEY)
    names = {pseudonym(key, sid): sid for sid in sids}
    for line in read(folder):
        sid = names.get(str(line.get("who")))
        whole = (
            sid is not None and line.get("horizon_days") == horizon and all(line.get(f) is not None for f in FIGURES)
        )
        if whole and line["day"] + horizon <= known_until:
            yield {**line, "sid": sid}


def _of(line: Mapping[str, Any]) -> tuple[int, str, str, int, str]:
    return line["version"], line["digest"], line["sid"], line["day"], line["at"]


def _table(lines: Sequence[Mapping[str, Any]]) -> pa.Table:
    """The lines as a forecast, one row for each consumer."""
    columns = {"sid": [n["sid"] for n in lines], "cutoff": [n["day"] for n in lines],
               "active_probability": [n["active_probability"] for n in lines],
               "expected_baskets": [n["baskets"] for n in lines], "expected_spend": [n["spend"] for n in lines],
               "expected_spend_median": [n["spend_median"] for n in lines]}  # fmt: skip
    ends = {f"{q}_{end}": [float(n[f"{q}_range"][i]) for n in lines]
            for q in ("baskets", "spend") for i, end in enumerate(("low", "high"))}  # fmt: skip
    return pa.table(columns | ends)
