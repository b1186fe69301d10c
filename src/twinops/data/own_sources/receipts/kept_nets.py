"""What returns did in the months of a folder, as the look found it, for the stages that collect these months after it.

Else each would read every month that it is bound with once more. Nothing is believed that is not, for the lines of the
month's own file, what the lock says of them. Places and amounts alone, nobody's id; gone when the update has ended.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import pyarrow as pa

from twinops.data.own_sources.receipts.netting import Bought, MonthNet, Settlement, kept_net
from twinops.entities.canonical import to_json
from twinops.whole_files import write

FILE = "netted.json"


def keep(folder: Path, sources: Mapping[str, Mapping[str, MonthNet]]) -> None:
    """Write what was found, by source and month."""
    told = {name: {m: _told(net.settlement) for m, net in of.items()} for name, of in sources.items()}
    write(folder / FILE, to_json(told) + "\n")


def forget(folder: Path) -> None:
    """Take it away; twice is once."""
    (folder / FILE).unlink(missing_ok=True)


def kept(folder: Path, name: str, month: str) -> Settlement | None:
    """What was kept of a month; None: nothing, or something that cannot be read."""
    try:
        told = json.loads((folder / FILE).read_text(encoding="utf-8"))[name][month]
        touched = {int(p): Bought(int(p), None, int(q), int(a), touched=True) for p, (q, a) in told["touched"].items()}
        return Settlement(touched, {int(p): str(why) for p, why in told["left_out"].items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def confirmed(
    settled: Settlement | None, rows: Iterable[pa.Table], *, net: str, beside: Iterable[str]
) -> MonthNet | None:
    """The month with what was kept of it, where that is what the lock says by `net`; None: it is not."""
    if settled is None:
        return None
    found = kept_net(rows, settled, tuple(beside))
    return found if found.digest == net else None


def _told(settled: Settlement) -> dict[str, dict[str, object]]:
    return {
        "touched": {str(p): [b.quantity, b.amount] for p, b in settled.touched.items()},
        "left_out": {str(p): why for p, why in settled.left_out.items()},
    }
