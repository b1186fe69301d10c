"""One process at a time in a project's folder."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from twinops.errors import ServiceError


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Hold a lock that the system releases when the process ends, however it ends.

    Raises:
        ServiceError: somebody holds it.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ServiceError("Another update works in this folder.", hint="Wait until it ends, or end it.") from None
        yield
