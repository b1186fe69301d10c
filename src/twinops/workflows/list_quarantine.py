"""Which rows are in quarantine and why: counts, never values."""

from __future__ import annotations

from twinops.ports import KeyStore
from twinops.workflows.expire import Batch, quarantined
from twinops.workflows.places import Places


def list_quarantine(*, places: Places, keys: KeyStore) -> tuple[Batch, ...]:
    """Every batch with quarantined rows."""
    return tuple(quarantined(places, keys))
