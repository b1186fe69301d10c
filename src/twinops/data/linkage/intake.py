"""What of each source is compared: its columns under the names of `normalise.RAW`."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from twinops.data.linkage.normalise import RAW

HOME = "registrations"
"""The source whose records are the households of the twins; everything else is linked to it."""
LONE = (HOME, "social_accounts")
"""Sources that hold nobody twice."""
COMPARED = {
    "crm": {c: c for c in ("given", "surname", "email", "phone", "born", "street", "postcode", "city", "card")},
    HOME: {c: c for c in ("name", "email", "phone", "street", "postcode", "city", "card")},
    "social_accounts": {"name": "display_name", "card": "card", **{c: c for c in ("email", "city", "handle")}},
}
"""Per source: name in `RAW` to name in the source."""


def raw_records(opened: Mapping[str, pa.Table]) -> pa.Table:
    """All records of all sources as `RAW`, their `record` being the `sid` they were sealed under."""
    nobody = pa.schema([(c, pa.string()) for c in RAW]).empty_table()
    return pa.concat_tables([nobody, *(_raw(source, table) for source, table in opened.items())])


def _raw(source: str, table: pa.Table) -> pa.Table:
    names = {"record": "sid", **COMPARED[source]}
    columns = {
        c: _text(table[names[c]]) if names.get(c) in table.column_names else pa.nulls(table.num_rows, pa.string())
        for c in RAW
        if c != "source"
    }
    return pa.table({"source": pa.repeat(source, table.num_rows), **columns})


def _text(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    return (whole.dictionary_decode() if pa.types.is_dictionary(whole.type) else whole).cast(pa.string())
