"""A consent ledger of your own. `seq` orders a day's events; where it is not mapped, time and place in the file do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.days import CREDIBLE, local_day
from twinops.data.own_sources.consents.undated import NOES
from twinops.data.own_sources.reading_result import OwnReading, numbered_apart
from twinops.data.reading.reading import in_total_order
from twinops.data.schema import Column, Schema
from twinops.entities.consent import SAID, Event, LegalBasis, Purpose
from twinops.own_kinds import CHANNEL, Form
from twinops.own_params import OwnSource

DAY = "day"
FORM = Form(
    staged_as="consent",
    columns={
        "household_id": "identity",
        "purpose": "word",
        "event": "said",
        "basis": "word",
        "notice_version": "word",
        "time": "moment",
        "seq": "count",
    },
    needed=("household_id", "purpose", "event", "time"),
    fields=frozenset({"answers", "times", "undated_from", "offers_by", "confirmed", "confirmed_of", "yes_only"}),
    settled_by={CHANNEL: "answer"},
)
SCHEMA = Schema(
    (
        Column("household_id", "text"),
        Column("purpose", "text", allowed=tuple(Purpose)),
        Column("event", "text", allowed=SAID),
        Column("basis", "text", allowed=tuple(b for b in LegalBasis if b is not LegalBasis.OPEN)),
        Column("notice_version", "text"),
        Column("time", "time", *CREDIBLE),
        Column("seq", "whole", 0, 10**16),
    ),
    key=("household_id", "purpose", "time", "seq"),
)


def schema(_said: OwnSource) -> Schema:
    """The same whatever is declared."""
    return SCHEMA


def sealed(rows: pa.Table) -> pa.Table:
    """The shipped ledger's columns."""
    text = {c: rows[c] for c in ("purpose", "event", "basis", "notice_version")}
    return in_total_order(
        pa.table({"household_id": rows["household_id"], **text, "day": local_day(rows["time"]), "seq": rows["seq"]})
    )


OVERRULED = "yes_beside_an_objection"


def joined(readings: Mapping[str, OwnReading]) -> OwnReading:
    """A ledger of consent and a list of objections.

    An objection without a day holds whatever was said when (GDPR art. 21(3)): no yes is kept beside it. A no of a day
    without an hour holds after all that another file tells of that day, since nobody knows which came first.
    """
    parts = list(readings.values())
    if len(parts) == 1:
        return parts[0]
    rows = pa.concat_tables([r.rows.replace_schema_metadata(None) for r in parts])
    files = np.repeat(range(len(parts)), [r.rows.num_rows for r in parts])
    who = pc.binary_join_element_wise(rows["household_id"], rows["purpose"], "\0")
    undated = pc.equal(rows["time"], pa.scalar(CREDIBLE[0], rows["time"].type))
    always = pc.and_(pc.equal(rows["event"], str(Event.OBJECTED)), undated)
    beside_one = pc.or_(pc.is_in(who, pc.unique(who.filter(always))), _on_the_day_of_a_no(rows, who, files))
    overruled = pc.and_(beside_one, pc.equal(rows["event"], str(Event.GRANTED)))
    beside = {OVERRULED: n} if (n := pc.sum(overruled).as_py()) else {}
    return OwnReading(
        rows.filter(pc.invert(overruled)),
        sum(r.in_file for r in parts),
        tuple(dict.fromkeys(c for r in parts for c in r.dropped)),
        numbered_apart(parts),
        dict(sum((Counter(r.left_out) for r in parts), Counter(beside))),
    )


def _on_the_day_of_a_no(rows: pa.Table, who: pa.ChunkedArray, files: np.ndarray) -> pa.Array:
    """Rows about a subject, purpose and day of which another file has a no that tells no hour."""
    days = pc.floor_temporal(rows["time"], unit="day")
    told = pa.table({"who": who, "day": days, "file": pa.array(files, pa.int64()), "row": np.arange(rows.num_rows)})
    hourless = pc.and_(pc.is_in(rows["event"], NOES), pc.equal(days, rows["time"]))
    noes = told.filter(hourless).select(["who", "day", "file"]).rename_columns(["who", "day", "other"])
    met = told.join(noes, ["who", "day"], join_type="inner", use_threads=False)
    found = np.zeros(rows.num_rows, bool)
    found[met.filter(pc.not_equal(met["file"], met["other"]))["row"].to_numpy()] = True
    return pa.array(found)
