"""Which rows are in quarantine and why: counts, never values."""

from twinops.workflows.quarantine.expire import Quarantine, QuarantinedBatch


def list_batches(quarantine: Quarantine) -> tuple[QuarantinedBatch, ...]:
    """Every batch with quarantined rows."""
    return tuple(quarantine.batches())
