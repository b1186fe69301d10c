"""The bounds of a request, all in one place."""

from __future__ import annotations

import os
from dataclasses import dataclass

MIB = 1024**2
MAX_UPLOAD = "TWINOPS_MAX_UPLOAD_BYTES"


@dataclass(frozen=True)
class Limits:
    """In bytes, seconds and numbers; the ones in force unless a test has others."""

    anonymous: int = 8 * 1024
    body: int = 16 * MIB
    evidence: int = 64 * MIB
    upload: int = 5 * 1024 * MIB
    held: int = 256 * MIB
    """All bodies that are in memory at a time."""
    headers: int = 100
    grace: float = 10.0
    """Seconds that a body may let us wait in all, and one more for each `rate` bytes that came."""
    rate: int = 16 * 1024
    at_once: int = 64
    """Requests of one address that run at a time."""
    linger_bytes: int = 8 * MIB
    linger: float = 2.0
    """What is still read of a body that was refused, so that the client sees the answer before the connection ends."""

    @classmethod
    def here(cls) -> Limits:
        """As the environment has them."""
        return cls(upload=int(os.environ.get(MAX_UPLOAD, cls.upload)))
