"""Hand a service what its twins stand on; it opens them itself, and keeps them up to date."""

from twinops.workflows.serving.live import LiveGround


def live_ground(*, ground: LiveGround) -> LiveGround:
    """The project's data and ledger of rights, as they are wired."""
    return ground
