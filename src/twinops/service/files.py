"""Whether the project's sealed files stand as they were read: read as a whole, never while they are made anew."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from twinops.adapters.one_at_a_time import working
from twinops.workflows.places import Places
from twinops.workflows.receipts import TRANSACTIONS

READ = (TRANSACTIONS, "consent", "choices")
WAIT_S = 0.5
Stamp = Mapping[str, tuple[int, int, int]]
_log = logging.getLogger(__name__)


@dataclass
class Files:
    """What twins and permissions are read from; `read` is how it stood then."""

    places: Places
    read: Stamp

    def now(self) -> Stamp | None:
        """How they stand; None: a command makes them anew, or one that was read is gone, as while a stage runs."""
        if working(self.places.root):
            return None
        found = stamp(self.places)
        return None if self.read.keys() - found.keys() else found

    def stand(self) -> bool:
        """Whether what is read from them now goes with what was read."""
        return self.now() == self.read


def stamp(places: Places) -> Stamp:
    """Time, size and number of each file that is there."""
    paths = [path for source in READ for path in places.raw_batches(source)]
    found = {}
    for path in (*paths, places.births, places.links, places.root / "params.yaml"):
        if (seen := stamp_of(path)) is not None:
            found[path.as_posix()] = seen
    return found


def stamp_of(path: Path) -> tuple[int, int, int] | None:
    """Time, size and number of one file; None: it is not there."""
    try:
        seen = path.stat()
    except OSError:
        return None
    return seen.st_mtime_ns, seen.st_size, seen.st_ino


def wait(root: Path) -> None:
    """Until no command makes them."""
    said = ""
    while doing := working(root):
        if doing != said:
            _log.warning("%s works in this folder; the service begins when it ends.", doing)
        said = doing
        time.sleep(WAIT_S)
