"""Synthetic choices beside CRM profiles and social accounts: who allowed what, who refused, withdrew or never said."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

from twinops.entities.consent import Event, LegalBasis, Purpose

HEADER = ("record", "purpose", "event", "basis", "notice_version", "on", "seq", "remark")
SILENT, REFUSING, WITHDRAWING, OBJECTING = 0.02, 0.02, 0.02, 0.01
"""Shares of records that never said anything, refused, withdrew in the end, or objected."""
AGREES_TOO = {Purpose.SCORING: 0.98, Purpose.OFFERS: 0.92, Purpose.BIAS_ASSESSMENT: 0.98}
"""How often a record that allows training allows another purpose; else it objects to it later on."""
FIRST = date(2016, 7, 1)


class ConsentChoice(NamedTuple):
    """What was said beside a record on a day: that a purpose is allowed or not."""

    record: str
    purpose: Purpose
    event: Event
    day: date


def choices(records: Sequence[str], seed: int) -> list[ConsentChoice]:
    """Events of every record, in order; made up."""
    rng = np.random.default_rng([seed, 60])
    return [said for record in records for said in _one(record, rng)]


def to_csv(said: Sequence[ConsentChoice]) -> bytes:
    """The file's bytes: comma-separated UTF-8. Every remark says synthetic."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\r\n")
    write.writerow(HEADER)
    for seq, (record, purpose, event, day) in enumerate(said):
        write.writerow((record, purpose, event, LegalBasis.CONSENT, "2016-06 (synthetic)", day, seq, "synthetic"))
    return out.getvalue().encode()


def _one(record: str, rng: np.random.Generator) -> list[ConsentChoice]:
    lot, start = rng.random(), FIRST + timedelta(days=int(rng.integers(0, 180)))
    later = start + timedelta(days=int(rng.integers(30, 365)))
    if lot < SILENT:
        return []
    if lot < SILENT + REFUSING:
        return [ConsentChoice(record, p, Event.REFUSED, start) for p in Purpose]
    said = [ConsentChoice(record, p, Event.GRANTED, start) for p in Purpose]
    if lot < SILENT + REFUSING + WITHDRAWING + OBJECTING:
        event = Event.WITHDRAWN if lot < SILENT + REFUSING + WITHDRAWING else Event.OBJECTED
        return [*said, *(ConsentChoice(record, p, event, later) for p in Purpose)]
    changed = [p for p, share in AGREES_TOO.items() if rng.random() >= share]
    return [*said, *(ConsentChoice(record, p, Event.OBJECTED, later) for p in changed)]
