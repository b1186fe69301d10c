"""Offers go by a channel, and so does the yes to them: a yes to messages on the telephone opens no letter box.

Of a ledger whose answers name a channel, offers stand open to whoever's last word on each channel they are sent by is a
yes. Nobody said which those are: every channel of the file counts, the strictest reading.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.own_sources.cell_values import LISTED
from twinops.data.reading.plain_letters import plain
from twinops.entities.consent import Event, Purpose
from twinops.own_kinds import CHANNEL

WORDS = frozenset(plain(word) for word in str(LISTED["channels"]).split())
"""What channels are called, in one word and many languages."""
OTHER, PART, NONE = "answer_for_another_channel", "yes_to_some_of_the_channels", "yes_without_a_channel"


def channel_of(text: str) -> str:
    """A channel's name however it is written.

    >>> channel_of("E-Mail "), channel_of("e-mail"), channel_of("Курьер")
    ('email', 'email', 'курьер')
    """
    return "".join(c for c in plain(text) if c.isalnum())


def of_answers(rows: pa.Table) -> bool:
    """They are a ledger's answers with channels; cases of customer service have a channel of another meaning."""
    return {CHANNEL, "purpose", "event"} <= set(rows.column_names)


def settled(rows: pa.Table, sent_by: Iterable[str]) -> tuple[pa.Table, dict[str, int]]:
    """The ledger without answers on offers that open nothing; how many those are, by reason.

    A no to one channel that offers are sent by closes them; a no that names no channel closes all.
    """
    if not of_answers(rows):
        return rows, {}
    told = rows.select(["household_id", "purpose", "event", "time", "seq", CHANNEL]).to_pylist()
    mine = [(n, row) for n, row in enumerate(told) if row["purpose"] == Purpose.OFFERS]
    asked = set(map(channel_of, sent_by)) or {channel_of(row[CHANNEL]) for _, row in mine if row[CHANNEL]}
    stands: dict[str, dict[str, bool]] = {}
    why: dict[int, str] = {}
    for n, row in sorted(mine, key=lambda one: (one[1]["time"], one[1]["seq"])):
        said = stands.setdefault(row["household_id"], {})
        granted, channel = row["event"] == Event.GRANTED, channel_of(row[CHANNEL] or "")
        if not channel:
            said.update({} if granted else dict.fromkeys(asked, False))
            why |= {n: NONE} if granted else {}
        elif channel not in asked:
            why[n] = OTHER
        else:
            said[channel] = granted
            why |= {n: PART} if granted and not all(said.get(c) for c in asked) else {}
    return rows.filter(pa.array([n not in why for n in range(len(told))], pa.bool_())), dict(Counter(why.values()))


def refusals(rows: pa.Table) -> pa.Table:
    """Some rows of such a ledger without the rest of it: a yes to offers among them waits until all of it is read."""
    if not of_answers(rows):
        return rows
    yes = pc.and_(pc.equal(rows["purpose"], str(Purpose.OFFERS)), pc.equal(rows["event"], str(Event.GRANTED)))
    return rows.filter(pc.invert(yes))
