"""Who was contacted lately, and who is left alone because of a complaint: what limits of contact ask about people."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.vault.sealed_tables import SealedTables
from twinops.workflows.places import Places


def lately(tables: SealedTables, *, day: int, window_days: int) -> Mapping[str, int]:
    """How many campaigns began in the window before the day, of those of whom any did, as far as the tables open."""
    if not tables.collected("campaigns"):
        return {}
    sent = tables.source("campaigns")
    recent = sent.filter(
        pc.and_(pc.greater_equal(sent["start_day"], day - window_days), pc.less(sent["start_day"], day))
    )
    return {x["values"]: x["counts"] for x in pc.value_counts(recent["sid"]).to_pylist()}


def complaining(tables: SealedTables, places: Places) -> frozenset[str]:
    """Who has an open complaint by the newest day that is told of them."""
    if not places.blend.is_file():
        return frozenset()
    rows = newest(tables.parted(places.both(places.blend)))
    return frozenset(rows.filter(rows["care_open_cases"].cast(pa.bool_()).fill_null(False))["sid"].to_pylist())


def newest(rows: pa.Table) -> pa.Table:
    """Of each `sid` the row of the last `cutoff`, by sid."""
    ordered = rows.sort_by([("sid", "ascending"), ("cutoff", "ascending")])
    who = ordered["sid"].combine_chunks().dictionary_encode().indices.to_numpy()
    return ordered.filter(pa.array(np.append(who[1:] != who[:-1], [True] * bool(len(who)))))
