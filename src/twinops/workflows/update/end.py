"""Say that everything that came was taken in: the next update compares with this."""

from __future__ import annotations

from twinops.data.own_sources.receipts import kept_nets
from twinops.entities.canonical import to_json
from twinops.whole_files import write
from twinops.workflows.places import Places
from twinops.workflows.update.doubts import PENDING
from twinops.workflows.update.look import Seen


def end(seen: Seen, *, places: Places) -> None:
    """Keep the digests of all parts; what waits or is refused is looked at again."""
    left = {(a.source, a.period) for a in seen.arrivals if a not in seen.taken}
    kept = {name: {p: d for p, d in of.items() if (name, p) not in left} for name, of in seen.digests.items()}
    write(places.arrivals, to_json(kept, indent=1) + "\n")
    places.live(PENDING).unlink(missing_ok=True)
    kept_nets.forget(places.scratch)
