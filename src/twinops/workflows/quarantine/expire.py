"""Let quarantined rows go after 30 days: their key is destroyed, in every copy of the file at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import pyarrow as pa

from twinops.data.vault.seal import read_quarantine
from twinops.entities.small_cells import hidden
from twinops.errors import DataError, ParamsError
from twinops.params import VaultParams
from twinops.ports import KeyStore
from twinops.whole_files import told_in
from twinops.workflows.places import Places

DEMO = VaultParams()
KEPT = timedelta(days=30)


@dataclass(frozen=True)
class QuarantinedBatch:
    """One quarantined batch: rows per reason (null where few), since when its key exists, and what is gone.

    `rows` = `held` + `expired`.
    """

    source: str
    batch: str
    rows: int
    reasons: dict[str, int | None]
    since: date | None
    held: int
    expired: int


@dataclass(frozen=True)
class Quarantine:
    """The quarantined batches of a project, and the keys that open them."""

    places: Places
    keys: KeyStore
    vault: VaultParams = DEMO

    def batches(self) -> Iterator[QuarantinedBatch]:
        """Every batch with quarantined rows, in order."""
        for path in self.places.all_counts:
            with told_in(path) as counts:
                rows = sum(counts["quarantined"].values())
                source, batch = str(counts["source"]), str(counts["batch"])
            if not rows:
                continue
            since = self.keys.batch_since(source, batch)
            reasons = hidden(counts["quarantined"])
            held = rows if since is not None else 0
            named = None if since == date.max else since
            yield QuarantinedBatch(source, batch, rows, reasons, named, held, rows - held)

    def open(self, source: str, batch: str, *, today: str) -> pa.Table:
        """The rows of a batch, if they can still be opened; too old ones go first.

        Raises:
            DataError: nothing of it is in quarantine, or not any more.
        """
        expire(today, self)
        found = next((b for b in self.batches() if (b.source, b.batch) == (source, batch)), None)
        if found is None:
            raise DataError(f"No row of {source} {batch} is in quarantine.", hint="See `twinops quarantine list`.")
        if not found.held:
            raise DataError(
                f"The quarantined rows of {source} {batch} are gone: they are kept for {KEPT.days} days.",
                hint="Collect the batch again, if its file is still there.",
            )
        return read_quarantine(self.places.quarantine(source, batch), dataset=source, keys=self.keys)


def expire(today: str, quarantine: Quarantine) -> tuple[QuarantinedBatch, ...]:
    """Destroy the keys of all batches that were quarantined more than 30 days before `today` (2018-01-31)."""
    day = day_of(today)
    gone = [b for b in quarantine.batches() if b.held and b.since is not None and day - b.since > KEPT]
    for batch in gone:
        quarantine.keys.forget_batch(batch.source, batch.batch)
    names = {(b.source, b.batch) for b in gone}
    return tuple(b for b in quarantine.batches() if (b.source, b.batch) in names)


def day_of(today: str) -> date:
    """The day as it was said."""
    try:
        return date.fromisoformat(today)
    except ValueError:
        raise ParamsError(f"{today!r} is not a day.", hint="Say it as 2018-01-31.") from None
