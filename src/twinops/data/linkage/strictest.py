"""When records turn out to be one person, the most restrictive of what was said counts for all of them.

A consent is given for what was told (GDPR arts. 4(11), 7(1)): linking a record must never widen what may be done with
it.
"""

from __future__ import annotations

import pyarrow as pa

from twinops.entities.consent import Reason
from twinops.plugins import text_beside
from twinops.ports import Engine

SEVERITY = (
    Reason.ERASED, Reason.RESTRICTED, Reason.UNDER_AGE, Reason.OPEN_REQUEST, Reason.OBJECTED, Reason.WITHDRAWN,
    Reason.REFUSED, Reason.UNKNOWN, Reason.AGE_UNKNOWN, Reason.NO_ASSESSMENT,
)  # fmt: skip
"""Severest first. A reason that is not here is severer than all: what is new must not slip through."""


def severity(reason: Reason | str) -> tuple[int, str]:
    """Place in the order of severity, smaller is severer; unknown reasons by name among themselves."""
    known = [str(r) for r in SEVERITY]
    return (known.index(str(reason)) + 1, "") if str(reason) in known else (0, str(reason))


def strictest_of_merged(engine: Engine, merged: pa.Table, answers: pa.Table) -> pa.Table:
    """Per person, by the strictest of all records: `sid, day, purpose, allowed, reason`, in order.

    `merged` has `sid, record`: every record of a person, the person's own sid among them. `answers` are
    `data.consent.allowed` of all those records; a record without an answer refuses (consent unknown).
    """
    reasons = sorted({r for r in answers["reason"].to_pylist() if r is not None} | {str(Reason.UNKNOWN)}, key=severity)
    engine.register("merged", merged.select(["sid", "record"]))
    engine.register("answers", answers.select(["sid", "day", "purpose", "reason"]))
    engine.register(
        "severity",
        pa.table({"reason": pa.array(reasons, pa.string()), "rank": pa.array(range(len(reasons)), pa.int64())}),
    )
    engine.register("unknown", pa.table({"reason": pa.array([str(Reason.UNKNOWN)], pa.string())}))
    return engine.query(text_beside(__package__, "strictest.sql"))
