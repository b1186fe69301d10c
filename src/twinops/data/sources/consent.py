"""The consent ledger: who allowed or refused which purpose, when. Shipped data have none; theirs is synthetic."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from twinops.data import journey
from twinops.data.door import BatchRead, BatchRequest, enter
from twinops.data.schema import Column, Schema
from twinops.entities.consent import Event, LegalBasis, Purpose
from twinops.entities.legal import LegalFacts
from twinops.errors import DataError
from twinops.ports import Engine

DAY = "day"

SCHEMA = Schema(
    (
        Column("household_id", "whole", 1, 10**15),
        Column("purpose", "text", allowed=tuple(Purpose)),
        Column("event", "text", allowed=tuple(Event)),
        Column("basis", "text", allowed=tuple(LegalBasis)),
        Column("notice_version", "text"),
        Column("day", "whole", -36_500, 36_500),
        Column("seq", "whole", 0, 10**9),
    ),
    key=("household_id", "purpose", "day", "seq"),
)

LEGAL = LegalFacts(
    controller=journey.CONTROLLER,
    provenance="Synthetic: made from a seed around the households' ids by twinops.demo.consent; nobody said any of it.",
    collected_from="the household itself (synthetic)",
    bases=dict.fromkeys(Purpose, LegalBasis.CONSENT),
    columns=dict.fromkeys(SCHEMA.names, tuple(Purpose)),
    retention_days=1_095,  # GDPR arts. 5(2), 7(1): the controller must be able to show the consent it relied on
    notice=journey.NOTICE,
    synthetic=True,
    personal_data="https://w3id.org/dpv#ConsentRecord",
)


def read(engine: Engine, asked: BatchRequest) -> BatchRead:
    """Your own ledger, from `consent.parquet` in your folder.

    `day` counts from `features.first_day`, `seq` orders the events of a day.

    Raises:
        DataError: see `door.enter`; or the shipped files are asked for, which hold no ledger.
    """
    if asked.folder is None:
        raise DataError(
            "The shipped files hold no consent ledger.",
            hint="Run `twinops run collect_consent`: it makes a synthetic one.",
        )
    entered = enter(engine, asked, "consent", SCHEMA.columns)
    return replace(entered, rows=_closed(engine.query(_SQL)))


def _closed(rows: pa.Table) -> pa.Table:
    """A no that cannot be read whole counts as what it would at worst: for every purpose, on consent, a refusal."""
    known = {c.name: pa.array([str(a) for a in c.allowed]) for c in SCHEMA.columns if c.allowed}
    no = pc.fill_null(pc.not_equal(rows["event"], Event.GRANTED.value), False)
    odd = {name: pc.and_(no, pc.invert(pc.is_in(rows[name], among))) for name, among in known.items()}
    if not any(pc.any(cells).as_py() for cells in odd.values()):
        return rows
    for name, worst in (("event", Event.REFUSED), ("basis", LegalBasis.CONSENT)):
        rows = rows.set_column(rows.column_names.index(name), name, pc.if_else(odd[name], worst.value, rows[name]))
    unread, at = rows.filter(odd["purpose"]), rows.column_names.index("purpose")
    each = [unread.set_column(at, "purpose", pa.array([p.value] * unread.num_rows, pa.string())) for p in Purpose]
    return pa.concat_tables([*each, rows.filter(pc.invert(odd["purpose"]))])


def sealed(rows: pa.Table) -> pa.Table:
    """Good rows as they are sealed: the same columns."""
    text = {c: rows[c].cast(pa.string()) for c in ("purpose", "event", "basis", "notice_version")}
    whole = {c: rows[c].cast(pa.int64()) for c in ("day", "seq")}
    return pa.table({"household_id": rows["household_id"], **text, **whole})


_SQL = """
SELECT household_id, purpose, event, basis, notice_version, day, seq FROM consent_file
ORDER BY household_id, day, seq, purpose, event, basis, notice_version
"""
