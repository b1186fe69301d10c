"""Take the last steps of an erasure that was killed: the keys are gone, the certificate is not there yet."""

from twinops.workflows.subject.erase import Eraser, ErasureAsked, ErasureDone
from twinops.workflows.subject.erase import resume as taken_up


def resume(asked: ErasureAsked, *, eraser: Eraser) -> ErasureDone:
    """Nothing is destroyed that was not before.

    Raises:
        IntegrityError: the key is not the officer's.
    """
    return taken_up(asked, eraser=eraser)
