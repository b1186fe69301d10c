"""Show one consumer's portrait, for a declared purpose that the consumer allows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.seal import read_sealed
from twinops.own_params import NOTHING_OWN, OwnParams
from twinops.params import AgesParams, FeaturesParams
from twinops.ports import Engine, KeyStore
from twinops.twin.opening import Opening
from twinops.twin.outlook import forecast
from twinops.twin.portrait import HeldRecords, Occasion, Portrait, average_spend, habits, permissions, said
from twinops.twin.portrait_words import portrait_text
from twinops.twin.so_it_is import reasons
from twinops.twin.what_would_change import Wish, counterfactual
from twinops.workflows.one_taste import tastes_of
from twinops.workflows.one_twin import Consumer, Opened, Opener
from twinops.workflows.places import Places

OWN = {"transactions": "day", "campaigns": "start_day", "redemptions": "day", "demographics": None, "consent": "day"}
"""Sources filed by the household, and the day of each record."""

STEP = 0.2
"""How much more or less is wished for, when it is told what would change a figure."""


@dataclass(frozen=True)
class ShownPortrait:
    """The portrait, or why it is refused."""

    portrait: Portrait | None
    refused: str | None

    def text(self) -> str:
        """In words."""
        return self.refused or "" if self.portrait is None else portrait_text(self.portrait)


def twin_show(  # noqa: PLR0913  the injected ports and sections
    who: str,
    purpose: str,
    name: str = "this consumer",
    *,
    places: Places,
    engine: Engine,
    keys: KeyStore,
    grid: FeaturesParams,
    rule: AgesParams,
    as_of: date,
    own: OwnParams = NOTHING_OWN,
) -> ShownPortrait:
    """Open one twin and describe it; `name` is what the portrait calls it. Refused: the ledger does not allow it.

    Raises:
        DataError: nobody is known by this id, or there is no model yet.
    """
    opened = Opener(places, engine, keys, grid, rule, as_of, own).open(who)
    refused = opened.consumer.refusal(purpose)
    if refused is not None:
        return ShownPortrait(None, refused)
    return ShownPortrait(portrait_of(opened, places, Occasion(name, purpose, as_of)), None)


def portrait_of(opened: Opened, places: Places, occasion: Occasion) -> Portrait:
    """The portrait of an opened twin."""
    consumer, twin = opened.consumer, opened.twin
    expected = forecast(twin)
    return Portrait(
        occasion.name,
        occasion.as_of,
        occasion.purpose,
        held_of(consumer, places),
        permissions(consumer.answers),
        habits(twin),
        expected,
        average_spend(twin.model),
        reasons(twin, expected),
        tastes_of(consumer, places),
        changes_of(twin),
    )


def changes_of(twin: Opening) -> tuple[str, ...]:
    """The smallest steps to a fifth more spend, and to a fifth less, where like households were seen to take them."""
    if twin.state.empty:
        return ()
    now = float(twin.expected.spend[0])
    wishes = Wish("spend", at_least=now * (1 + STEP)), Wish("spend", at_most=now * (1 - STEP))
    found = [counterfactual(twin, wish) for wish in wishes]
    return tuple(change.sentence for change in found if change is not None)


def held_of(consumer: Consumer, places: Places) -> tuple[HeldRecords, ...]:
    """How many records each source holds of the consumer, own ones and those linked to them."""
    found = []
    for source, day in OWN.items():
        batches = places.raw_batches(source)
        records = read_sealed(batches, dataset=source, keys=consumer.keys) if batches else None
        if records is not None and records.num_rows:
            found.append(_held(source, records, day))
    linked = pc.value_counts(consumer.links["source"]).to_pylist() if consumer.links.num_rows else []
    return (
        *found,
        *(HeldRecords(f"{x['values']} (linked)", x["counts"]) for x in sorted(linked, key=lambda x: x["values"])),
    )


def _held(source: str, records: pa.Table, day: str | None) -> HeldRecords:
    if day is None:
        return HeldRecords(source, records.num_rows)
    span = pc.min_max(records[day]).as_py()
    return HeldRecords(source, records.num_rows, said(span["min"]), said(span["max"]))
