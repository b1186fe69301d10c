"""Tell one consumer everything that is held and made of them, whatever they allow: the right of access (GDPR art. 15).

Who asks has shown who they are before this is run (art. 12(6)). No forecast is made for the answer where the consumer
does not allow forecasts; forecasts that were made before are counted among what was made.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pyarrow as pa
import pyarrow.compute as pc

from twinops import plugins
from twinops.data.own_sources.law import law_of
from twinops.data.vault.sealed_tables import SealedTables
from twinops.entities.consent import Purpose
from twinops.entities.day_count import DayCount
from twinops.errors import DataError
from twinops.governance.law import intended_use
from twinops.governance.open_fields import MARK
from twinops.own_params import OwnParams
from twinops.twin.answers.portrait import NO_HABITS, HeldRecords, Occasion, Portrait, permissions
from twinops.workflows.places import Places
from twinops.workflows.receipts import Receipts
from twinops.workflows.twin.open import Consumer, Opened, Opener, shipped
from twinops.workflows.twin.show import NOTHING, ShownPortrait, portrait_of

ACCESS = "access_request"
SOURCES = "twinops.data.sources"
SID = "sid"
QUARANTINED = (
    "Rows that could not be read are kept apart for 30 days under a key of their batch, and are not filed by person: "
    "they cannot be looked up here."
)


def access(who: str, *, opener: Opener) -> ShownPortrait:
    """Answer the request of the consumer of this id.

    Raises:
        DataError: nobody is known by this id.
    """
    consumer = opener.consumer(who)
    records = consumer.links["record"].to_pylist() if consumer.links.num_rows else []
    return told_to(consumer, [consumer.sid, *records], opener=opener)


def told_to(consumer: Consumer, sids: Iterable[str], *, opener: Opener) -> ShownPortrait:
    """What is held under these ids, all one person's, and what was made of it."""
    places, theirs = opener.places, opener.receipts.plane.tables.of(sids)
    occasion = Occasion("this consumer", ACCESS, opener.receipts.as_of, opener.receipts.days)
    # art. 15 asks for what is held, and is answered with or without a twin
    portrait = _twin(consumer, opener.receipts, occasion) or _without_twin(consumer, occasion)
    held = tuple(held_by_sources(theirs, opener.receipts.own, opener.receipts.days))
    made = tuple(made_of_it(places, consumer))
    words, whole = opener.words.wording, replace(portrait, held=held, made=made, rights=rights(places))
    return ShownPortrait(words.told(whole), None, words)


def held_by_sources(tables: SealedTables, own: OwnParams, days: DayCount) -> Iterator[HeldRecords]:
    """What each source holds, own records and linked ones, with its legal facts."""
    law = law_of(own)
    for name in plugins.names(SOURCES):
        records = tables.source(name, otherwise=NOTHING)
        if records.num_rows:
            facts, source = law[name], plugins.load(SOURCES, name)
            fields = tuple(c for c in records.column_names if c != SID and records[c].null_count < records.num_rows)
            purposes = tuple(p.value for p in facts.bases)
            yield HeldRecords(name, records.num_rows, *_span(records, source, days), facts.collected_from, purposes,
                       facts.retention_days, fields)  # fmt: skip


def made_of_it(places: Places, consumer: Consumer) -> Iterator[HeldRecords]:
    """What was made of the records: tables filed by the consumer, in words."""
    for words, path, dataset in derived(places):
        rows = _rows(path, dataset, consumer)
        if rows:
            yield HeldRecords(words, rows)
    if _rows(places.trained_subjects, "trained", consumer):
        yield HeldRecords("place in the list of whom the shipped model learned from", 1)


def derived(places: Places) -> tuple[tuple[str, Path, str], ...]:
    """Every table that is made of consumers and filed by them: in words, where it lies, and what it holds."""
    return (
        ("day of birth, from linked records", places.births, "births"),
        ("records of other sources taken for theirs", places.links, "links"),
        ("the person each record is taken for", places.persons, "persons"),
        *(("states, by as-of day", path, "panel") for path in places.both(places.panel)),
        *(("what came after each state", path, "labels") for path in places.both(places.labels)),
        *(("what all sources told, by as-of day", path, "blend") for path in places.both(places.blend)),
        *(("taste by category and as-of day", path, "categories") for path in places.both(places.taste("categories"))),
        ("forecasts made to measure the twin", places.predictions, "predictions"),
        ("the living state, as updates keep it", places.states, "states"),
        *(("forecasts sealed for a later look", path, "expected") for path in places.expectations),
    )


def rights(places: Places) -> tuple[str, ...]:
    """What may be asked for, and of whom."""
    path = places.compliance / "intended_use.yaml"
    text = path.read_text(encoding="utf-8") if path.is_file() else None
    controller = None if text is None else intended_use.read(text).controller
    open_yet = controller is None or any(t.startswith(MARK) for t in (controller.name, controller.contact))
    whom = "the controller" if controller is None or open_yet else f"{controller.name}, {controller.contact}"
    return (
        f"Of {whom}: a copy of the records, correction, erasure, restriction, and data in a portable form (GDPR arts. "
        "15 to 20); withdrawal of any consent and objection to any use, at any time (arts. 7(3), 21).",
        "You may complain to the data protection authority where you live (art. 77).",
        QUARANTINED,
    )


def _twin(consumer: Consumer, receipts: Receipts, occasion: Occasion) -> Portrait | None:
    """The twin of whoever allows one; None: no answer may wait for a forecast that cannot be made."""
    places = receipts.plane.places
    if consumer.refusal(Purpose.SCORING.value) is not None or not places.model.is_file():
        return None
    try:
        return portrait_of(Opened(consumer, shipped(places).twin(consumer)), receipts, occasion)
    except DataError:
        return None


def _without_twin(consumer: Consumer, occasion: Occasion) -> Portrait:
    """What is held and allowed, and no figure of a twin."""
    name, allowed = occasion.name, permissions(consumer.answers)
    return Portrait(name, occasion.as_of, occasion.purpose, (), allowed, NO_HABITS, None, 0.0, ())


def _span(records: pa.Table, source: ModuleType, days: DayCount) -> tuple[str | None, str | None]:
    day = source.DAY
    if day is None or day not in records.column_names:
        return None, None
    span = pc.min_max(records[day]).as_py()
    first, last = (None if span[end] is None else days.date_of(span[end]).isoformat() for end in ("min", "max"))
    return first, last


def _rows(path: Path, dataset: str, consumer: Consumer) -> int:
    return int(consumer.tables.table(path, dataset=dataset, otherwise=NOTHING).num_rows)
