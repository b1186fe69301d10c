"""Texts are scored while they are sealed; unless a purpose allows keeping them, the words themselves go no further."""

from __future__ import annotations

import json
from collections import Counter

import pyarrow as pa

from twinops.data.reading.reading import UNSCORED
from twinops.data.texts import signals
from twinops.entities.canonical import to_json
from twinops.entities.consent import Purpose


def scored(rows: pa.Table, keep_text: tuple[Purpose, ...]) -> pa.Table:
    """The same rows with signals (`signals.FIELDS`) in place of texts."""
    found = signals.read_texts(rows["text"].to_pylist())
    out = rows if keep_text else rows.drop_columns(["text"])
    for field in signals.FIELDS:
        out = out.append_column(field, found.columns[field.name])
    before = Counter(json.loads((rows.schema.metadata or {}).get(UNSCORED, b"{}")))
    return out.replace_schema_metadata({UNSCORED: to_json(dict(before + Counter(found.unscored))).encode()})
