"""Show one consumer's portrait, for a declared purpose that the consumer allows."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from twinops.entities.day_count import DayCount
from twinops.entities.wording import NEUTRAL, Wording
from twinops.twin.answers.counterfactual import Wish, counterfactual
from twinops.twin.answers.forecast import forecast
from twinops.twin.answers.opening import Opening
from twinops.twin.answers.portrait import HeldRecords, Occasion, Portrait, average_spend, habits, permissions
from twinops.twin.answers.portrait_text import portrait_text
from twinops.twin.answers.theme_facts import reasons
from twinops.workflows.receipts import Receipts
from twinops.workflows.twin.open import Consumer, Opened, Opener
from twinops.workflows.twin.tastes import tastes_of

OWN = {"transactions": "day", "campaigns": "start_day", "redemptions": "day", "demographics": None, "consent": "day"}
"""Sources filed by the household, and the day of each record."""

NOTHING = pa.table({})
"""What stands where a source was not collected."""

STEP = 0.2
"""How much more or less is wished for, when it is told what would change a figure."""


@dataclass(frozen=True)
class ShownPortrait:
    """The portrait, or why it is refused."""

    portrait: Portrait | None
    refused: str | None
    wording: Wording = NEUTRAL

    def text(self) -> str:
        """In words."""
        return self.refused or "" if self.portrait is None else portrait_text(self.portrait, self.wording)


def show(who: str, purpose: str, name: str = "this consumer", *, opener: Opener) -> ShownPortrait:
    """Open one twin and describe it; `name` is what the portrait calls it. Refused: the ledger does not allow it.

    Raises:
        DataError: nobody is known by this id, or there is no model yet.
    """
    opened, words = opener.open(who), opener.words.wording
    refused = opened.consumer.refusal(purpose)
    if refused is not None:
        return ShownPortrait(None, refused, words)
    occasion = Occasion(name, purpose, opener.receipts.as_of, opener.receipts.days)
    return ShownPortrait(words.told(portrait_of(opened, opener.receipts, occasion)), None, words)


def portrait_of(opened: Opened, receipts: Receipts, occasion: Occasion) -> Portrait:
    """The portrait of an opened twin."""
    consumer, twin = opened.consumer, opened.twin
    expected = forecast(twin)
    return Portrait(
        occasion.name,
        occasion.as_of,
        occasion.purpose,
        held_of(consumer, occasion.days),
        permissions(consumer.answers),
        habits(twin, occasion.days),
        expected,
        average_spend(twin.model),
        reasons(twin, expected),
        tastes_of(consumer, receipts),
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


def held_of(consumer: Consumer, days: DayCount) -> tuple[HeldRecords, ...]:
    """How many records each source holds of the consumer, own ones and those linked to them."""
    found = []
    for source, day in OWN.items():
        records = consumer.tables.source(source, otherwise=NOTHING)
        if records.num_rows:
            found.append(_held(source, records, day, days))
    linked = pc.value_counts(consumer.links["source"]).to_pylist() if consumer.links.num_rows else []
    linked.sort(key=lambda x: x["values"])
    return (*found, *(HeldRecords(f"{x['values']} (linked)", x["counts"]) for x in linked))


def _held(source: str, records: pa.Table, day: str | None, days: DayCount) -> HeldRecords:
    if day is None:
        return HeldRecords(source, records.num_rows)
    span = pc.min_max(records[day]).as_py()
    first, last = (days.date_of(span[end]).isoformat() for end in ("min", "max"))
    return HeldRecords(source, records.num_rows, first, last)
