"""Which pairs of records are worth comparing: those that share one of several keys. All others are strangers."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

import numpy as np
import pyarrow as pa

from twinops.plugins import text_beside
from twinops.ports import Engine


def candidates(engine: Engine, records: pa.Table, *, lone: Sequence[str], most: int) -> pa.Table:
    """Candidate pairs in order: `left_id < right_id`, both places in `records`, each pair once.

    `lone` names sources that hold nobody twice: no pair inside them. A key shared by more than `most` records is left
    out. One rule after the other, so that a million records fit into memory.
    """
    engine.register("records", records)
    engine.register("lone", pa.table({"source": pa.array(list(lone), pa.string())}))
    engine.register("cap", pa.table({"most": pa.array([most], pa.int64())}))
    size = max(records.num_rows, 1)
    found = np.zeros(0, dtype=np.int64)
    for rule in rules().values():
        engine.register("keys", engine.query(rule))
        more = engine.query(text_beside(__package__, "pairs.sql"))
        found = np.union1d(found, more["left_id"].to_numpy() * size + more["right_id"].to_numpy())
    return pa.table({"left_id": found // size, "right_id": found % size})


def rules() -> dict[str, str]:
    """The query of every blocking rule; a file in `keys/` is a rule.

    A rule reads `records` (see normalise.py) and gives `id, source, value`. A record may have several keys under one
    rule; it has none where a part of the key is not known.
    """
    shelf = resources.files(__package__).joinpath("keys")
    files = [f for f in shelf.iterdir() if f.name.endswith(".sql")]
    return {f.name.removesuffix(".sql"): f.read_text(encoding="utf-8") for f in sorted(files, key=lambda f: f.name)}
