"""Write down what an update is about to take in, so that one that broke off is told by the next as it began."""

from __future__ import annotations

from dataclasses import replace

from twinops.data.arrivals import Arrived
from twinops.entities.canonical import to_json
from twinops.params import FeaturesParams
from twinops.whole_files import LIVING, told_in, write
from twinops.workflows.places import Places
from twinops.workflows.receipts import Receipts
from twinops.workflows.update.arrival import Arrival
from twinops.workflows.update.doubts import PENDING
from twinops.workflows.update.look import Seen
from twinops.workflows.update.states import StateStore


def begin(seen: Seen, *, receipts: Receipts, grid: FeaturesParams) -> Seen:
    """Keep what will be replaced, and what came; of an update that broke off, what it said came stays said."""
    places = receipts.plane.places
    # a stage that was killed had lost what it held, so a second look would tell a correction for a late batch
    told_before = _broken_off(places, seen)
    whole = seen if told_before is None else replace(seen, arrivals=told_before)
    store = StateStore(receipts, grid.decay_days)
    store.keep_before(path.stem for path in places.raw_batches("transactions"))
    told = {"digests": seen.digests, "arrivals": [a.to_dict() for a in whole.arrivals]}
    write(places.live(PENDING), to_json(told, indent=1) + "\n")
    return whole


def _broken_off(places: Places, seen: Seen) -> tuple[Arrival, ...] | None:
    """What an update of the same parts had seen come before it broke off; None: none did."""
    path = places.live(PENDING)
    if not path.is_file():
        return None
    with told_in(path, hint=LIVING) as told:
        if told["digests"] != seen.digests:
            return None
        rows = ({k: v for k, v in raw.items() if k != "note"} for raw in told["arrivals"])
        return tuple(Arrival(**{**raw, "what": Arrived(raw["what"])}) for raw in rows)
