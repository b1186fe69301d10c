"""Show one consumer's portrait, for a declared purpose that the consumer allows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.days import day_of
from twinops.data.seal import read_sealed
from twinops.own_params import NOTHING_OWN, OwnParams
from twinops.params import AgesParams, FeaturesParams
from twinops.ports import Engine, KeyStore
from twinops.twin.living import rows
from twinops.twin.outlook import forecast
from twinops.twin.portrait import HeldRecords, Portrait, average_spend, habits, permissions, reasons, said
from twinops.twin.what_would_change import Wish, counterfactual
from twinops.workflows.features import standing
from twinops.workflows.one_taste import tastes_of
from twinops.workflows.one_twin import Known, Opened, known, open_twin
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
    given = known(places)
    opened = open_twin(
        who,
        places=places,
        engine=engine,
        keys=keys,
        rule=rule,
        day=day_of(as_of),
        decay_days=grid.decay_days,
        law=standing(places, own, as_of),
    )
    refused = opened.refusal(purpose)
    if refused is not None:
        return ShownPortrait(None, refused)
    return ShownPortrait(portrait_of(opened, given, places, (name, purpose, as_of)), None)


def portrait_of(opened: Opened, given: Known, places: Places, told: tuple[str, str, date]) -> Portrait:
    """The portrait of an opened twin; `told` is the name it is given, the purpose, and the day."""
    name, purpose, as_of = told
    expected = forecast(given.model, given.support, opened.state, day=opened.day)
    return Portrait(
        name,
        as_of,
        purpose,
        held_of(opened, places),
        permissions(opened.answers),
        habits(opened.state, day=opened.day),
        expected,
        average_spend(given.model),
        reasons(given.model, opened.state, day=opened.day, expected=expected),
        tastes_of(opened, places),
        changes_of(opened, given),
    )


def changes_of(opened: Opened, given: Known) -> tuple[str, ...]:
    """The smallest steps to a fifth more spend, and to a fifth less, where like households were seen to take them."""
    if opened.state.empty:
        return ()
    now = float(given.model.by_heads(rows([opened.state.at(opened.day)])).spend[0])
    wishes = Wish(opened.day, "spend", at_least=now * (1 + STEP)), Wish(opened.day, "spend", at_most=now * (1 - STEP))
    found = [counterfactual(given.model, opened.state, wish, given.support) for wish in wishes]
    return tuple(change.sentence for change in found if change is not None)


def held_of(opened: Opened, places: Places) -> tuple[HeldRecords, ...]:
    """How many records each source holds of the consumer, own ones and those linked to them."""
    found = []
    for source, day in OWN.items():
        batches = places.raw_batches(source)
        records = read_sealed(batches, dataset=source, keys=opened.keys) if batches else None
        if records is not None and records.num_rows:
            found.append(_held(source, records, day))
    linked = pc.value_counts(opened.links["source"]).to_pylist() if opened.links.num_rows else []
    return (
        *found,
        *(HeldRecords(f"{x['values']} (linked)", x["counts"]) for x in sorted(linked, key=lambda x: x["values"])),
    )


def _held(source: str, records: pa.Table, day: str | None) -> HeldRecords:
    if day is None:
        return HeldRecords(source, records.num_rows)
    span = pc.min_max(records[day]).as_py()
    return HeldRecords(source, records.num_rows, said(span["min"]), said(span["max"]))
