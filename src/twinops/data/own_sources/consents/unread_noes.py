"""A no of which something cannot be read still is a no: whose it is and that it is one must be known, nothing else.

A basis that nobody knows, a note that is too long or a number out of bounds must not leave an earlier yes standing
(GDPR art. 7(3)); until somebody says what the word means, it counts as what it would at worst.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.own_sources.consents.undated import AFTER_ALL, NOES
from twinops.data.own_sources.customer_number import NumberForm, form_of
from twinops.data.own_sources.files.cells import TextCells
from twinops.entities.consent import LegalBasis
from twinops.own_params import OwnSource

UNREAD = "no_that_cannot_be_read_whole"
BASES = pa.array([str(b) for b in LegalBasis if b is not LegalBasis.OPEN])
MOST_SEQ = 10**16
NEEDED = ("household_id", "time", "purpose")
"""Without these nobody knows whose no it is, and what came of its day and purpose was settled before."""


def keep(columns: dict[str, Any], bad: dict[str, np.ndarray], cells: TextCells, said: OwnSource) -> dict[str, int]:
    """Let each such no in, with stand-ins for what is not read; how many is told."""
    if said.form.staged_as != "consent" or "event" not in columns:
        return {}
    n = cells.table.num_rows
    known = np.ones(n, bool)
    for name in NEEDED:
        known &= ~bad.get(f"{name}_unreadable", np.zeros(n, bool))
    noes = known & np.asarray(pc.fill_null(pc.is_in(_text(columns["event"]), NOES), False))
    if said.digits and not said.form.lists:
        columns["household_id"] = _whose_no(_text(columns["household_id"]), noes, form_of(said))
    odd = np.zeros(n, bool)
    for name, wrong in bad.items():
        if name.removesuffix("_unreadable") not in NEEDED:
            odd |= wrong & noes
            bad[name] = wrong & ~noes
    basis, notice = _text(columns["basis"]), _text(columns["notice_version"])
    unknown = noes & ~np.asarray(pc.fill_null(pc.is_in(basis, BASES), False))
    columns["basis"] = pc.if_else(pa.array(unknown), str(LegalBasis.CONSENT), basis)
    silent = noes & np.asarray(pc.is_null(notice))
    columns["notice_version"] = pc.if_else(pa.array(silent), said.legal.notice, notice)
    odd |= unknown | silent
    order = _whole(columns["seq"])
    beyond = np.asarray(pc.fill_null(pc.or_(pc.less(order, 0), pc.greater(order, MOST_SEQ)), True))
    again = (beyond | _shared(columns, order, said)) & noes & ~np.asarray(pc.is_null(_moments(columns["time"])))
    last = pc.add(pa.scalar(AFTER_ALL), cells.table["place"].combine_chunks())
    columns["seq"] = pc.if_else(pa.array(again), last, order)
    odd |= beyond & again
    return {UNREAD: int(odd.sum())} if odd.any() else {}


def _whose_no(who: pa.Array, noes: np.ndarray, form: NumberForm) -> pa.Array:
    """A no is somebody's however the number is written, as long as it is one customer's."""
    written = who.to_pylist()
    every = [form.every(w) if no and w else (w,) for w, no in zip(written, noes.tolist(), strict=True)]
    return pa.array([of[0] if len(of) == 1 else w for of, w in zip(every, written, strict=True)], who.type)


def _shared(columns: dict[str, Any], order: pa.Array, said: OwnSource) -> np.ndarray:
    """Rows with the very place in a ledger that another has: of two, one would be taken for a copy of the other."""
    if "seq" not in said.entering:
        return np.zeros(len(order), bool)
    who, what = _text(columns["household_id"]), _text(columns["purpose"])
    keys = list(
        zip(who.to_pylist(), what.to_pylist(), _moments(columns["time"]).to_pylist(), order.to_pylist(), strict=True)
    )
    seen: dict[tuple[Any, ...], int] = {}
    for key in keys:
        seen[key] = seen.get(key, 0) + 1
    return np.array([seen[key] > 1 for key in keys], bool)


def _text(values: Any) -> pa.Array:
    return _flat(values, pa.string())


def _whole(values: Any) -> pa.Array:
    return _flat(values, pa.int64())


def _moments(values: Any) -> pa.Array:
    return _flat(values, pa.timestamp("s"))


def _flat(values: Any, kind: pa.DataType) -> pa.Array:
    if isinstance(values, pa.ChunkedArray):
        return values.combine_chunks()
    return values if isinstance(values, pa.Array) else pa.array(values, kind)
