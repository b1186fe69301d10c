"""Which pairs of records are worth comparing: those that share one of several keys. All others are taken for
strangers.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

import pyarrow as pa

from twinops.ports import Engine


def candidates(engine: Engine, records: pa.Table, *, lone: Sequence[str], most: int) -> pa.Table:
    """Candidate pairs in order: `left_id < right_id`, both places in `records`, and the number of `rules` that found
    them.

    `lone` names sources that hold nobody twice: no pair inside them. A key shared by more than `most` records is left
    out.
    """
    engine.register("records", records)
    engine.register("lone", pa.table({"source": pa.array(list(lone), pa.string())}))
    engine.register("cap", pa.table({"most": pa.array([most], pa.int64())}))
    engine.execute(f"CREATE OR REPLACE TABLE keys AS {sql('keys')}")
    found = engine.query(sql("pairs"))
    engine.execute("DROP TABLE keys")
    return found


def sql(name: str) -> str:
    """One of this package's queries."""
    return resources.files(__package__).joinpath(f"{name}.sql").read_text(encoding="utf-8")
