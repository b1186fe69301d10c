"""A number between 0 and 1 per subject, by a keyed hash of its sid alone: nobody who comes or goes moves another."""

import hashlib
import hmac
from collections.abc import Sequence

import numpy as np


def drawn(sids: Sequence[str], *, key: bytes) -> np.ndarray:
    """One number per sid, in their order; whoever has no key can neither foresee nor choose it."""
    hashed = b"".join(hmac.digest(key, sid.encode(), hashlib.sha256)[:8] for sid in sids)
    return np.frombuffer(hashed, dtype=">u8").astype(float) / 2.0**64
