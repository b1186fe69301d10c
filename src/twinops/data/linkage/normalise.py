"""Every record in one shape for comparing: names with their roots, e-mail, telephone, birthday, address, handle."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.linkage.fields import bare_email, iso_day, last_digits, year_at_end
from twinops.data.linkage.letters import latin, sounds, spoken
from twinops.data.linkage.naming import Usage, root, split_name, words
from twinops.data.reading.plain_text import mended

RAW = (
    "source", "record", "name", "given", "surname", "email", "phone", "born", "street", "postcode", "city", "card",
    "handle",
)  # fmt: skip
"""Columns of text that come in; what a source does not have is null. `name` is a whole name in one field."""

COMPARED = (
    "given", "root", "surname", "given_sounds", "surname_sounds", "email", "local", "phone", "born", "street", "door",
    "postcode", "city", "card", "handle", "letters", "year",
)  # fmt: skip
"""Columns of text that are compared; "not known" is null."""

FREQUENT = ("root", "surname", "city")
"""Columns whose frequent values count for less; `tf_root` and so on say how frequent."""

_STREET_KINDS = re.compile(
    r"\b(?:strasse|street|str|st|road|rd|lane|ln|ulica|ul|via|rue|weg|g)\b|(?:strasse|str|gatan|allee|al|weg|g)\b"
)


def normalised(raw: pa.Table) -> pa.Table:
    """One row per record by source and record: `id` (its place), both, `COMPARED`, and frequencies of `FREQUENT`."""
    raw = raw.sort_by([("source", "ascending"), ("record", "ascending")])
    email, born = _each(raw["email"], bare_email), _each(raw["born"], iso_day)
    given, surname = _names(raw, email)
    street, handle = _each(raw["street"], lambda v: latin(mended(v))), _each(raw["handle"], _tight)
    columns = {
        "id": np.arange(raw.num_rows),
        "source": raw["source"],
        "record": raw["record"],
        "given": given,
        "root": _each(given, root),
        "surname": surname,
        "given_sounds": _each(given, lambda v: sounds(root(v))),
        "surname_sounds": _each(surname, sounds),
        "email": email,
        "local": _each(email, lambda v: re.sub("[^a-z]", "", v.partition("@")[0])),
        "phone": _each(raw["phone"], last_digits),
        "born": born,
        "street": _each(street, lambda v: _STREET_KINDS.sub("", re.sub(r"\d+\w*", "", v)).replace(" ", "")),
        "door": _each(street, lambda v: next(iter(re.findall(r"\d+", v)), "")),
        "postcode": _each(raw["postcode"], _tight),
        "city": _each(raw["city"], lambda v: _tight(mended(v))),
        "card": _each(raw["card"], str.strip),
        "handle": handle,
        "letters": _each(handle, lambda v: v.rstrip("0123456789")),
        "year": pc.coalesce(
            _each(born, lambda v: v[2:4]),
            _each(handle, year_at_end),
            _each(email, lambda v: year_at_end(v.partition("@")[0])),
        ),
    }
    return _with_frequencies(pa.table(columns))


def _names(raw: pa.Table, email: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Given names and surnames, in order and completed by what e-mails and handles say."""
    whole = _distinct(raw["name"], split_name, otherwise=(None, None))
    first, last = (_distinct(raw[c], lambda v: words(spoken(v)) or None, otherwise=None) for c in ("given", "surname"))
    names = [(g or w[0], s or w[1]) for g, s, w in zip(first, last, whole, strict=True)]
    usage = Usage.of(names)
    full = [
        usage.completed(usage.ordered(n), e, h)
        for n, e, h in zip(names, email.to_pylist(), raw["handle"].to_pylist(), strict=True)
    ]
    return tuple(pa.chunked_array([pa.array([n[i] for n in full], pa.string())]) for i in (0, 1))


def _with_frequencies(table: pa.Table) -> pa.Table:
    """Add for each frequent value the share of *other* persons who have it.

    A person has about as many records as all sources together have per record of the fullest source; those are not
    others.
    """
    each = table.num_rows / max(np.unique(table["source"].to_numpy(zero_copy_only=False), return_counts=True)[1])
    for name in FREQUENT:
        coded = table[name].combine_chunks().dictionary_encode()
        counts = np.bincount(coded.indices.drop_null().to_numpy(), minlength=len(coded.dictionary))
        share = (np.maximum(counts / each - 1, 0) + 0.5) / max((len(coded) - coded.null_count) / each, 1)
        table = table.append_column(f"tf_{name}", pa.array(share).take(coded.indices))
    return table


def _tight(text: str) -> str:
    return latin(text).replace(" ", "")


def _each(column: pa.ChunkedArray, change: Callable[[str], str]) -> pa.ChunkedArray:
    """`change` applied once per distinct value; empty results and nulls are null."""
    return pa.chunked_array([pa.array(_distinct(column, lambda v: change(v) or None, otherwise=None), pa.string())])


def _distinct(column: pa.ChunkedArray, change: Callable[[str], Any], *, otherwise: Any) -> list[Any]:
    """`change` applied once per distinct value; nulls become `otherwise`."""
    known = {None: otherwise}
    for value in pc.unique(column).to_pylist():
        known.setdefault(value, change(value) if value is not None else otherwise)
    return [known[v] for v in column.to_pylist()]
