"""An append-only Merkle log after RFC 6962 section 2.1: the root after every entry. Pure; SHA-256 only."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

EMPTY = hashlib.sha256(b"").digest()
"""The root of an empty log (RFC 6962 2.1)."""


def leaf_hash(body: bytes) -> bytes:
    """Hash of one entry; the leading zero keeps entries and inner nodes apart."""
    return hashlib.sha256(b"\x00" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True)
class Frontier:
    """How far a log has grown: its size and the roots of its full subtrees, largest first. At most 64 hashes."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def appended(self, leaf: bytes) -> Frontier:
        """The frontier with one more leaf hash: equal subtrees merge, as a counter carries."""
        peaks, carry = list(self.peaks), self.size
        while carry & 1:
            leaf = node_hash(peaks.pop(), leaf)
            carry >>= 1
        return Frontier(self.size + 1, (*peaks, leaf))

    @property
    def root(self) -> bytes:
        """The log's root hash."""
        return _fold(self.peaks)

    def to_text(self) -> str:
        """Hexadecimal peaks, joined by a comma."""
        return ",".join(peak.hex() for peak in self.peaks)

    @classmethod
    def from_text(cls, size: int, text: str) -> Frontier:
        """Read what `to_text` wrote.

        Raises:
            ValueError: the number of peaks does not fit the size.
        """
        peaks = tuple(bytes.fromhex(part) for part in text.split(",") if part)
        if len(peaks) != size.bit_count():
            raise ValueError(f"a log of {size} entries has {size.bit_count()} full subtrees, not {len(peaks)}")
        return cls(size, peaks)


def grow(peaks: list[bytes], size: int, leaf: bytes) -> int:
    """Append in place and return the new size: the same as `Frontier.appended`, for a million entries in a second."""
    carry = size
    while carry & 1:
        leaf = hashlib.sha256(b"\x01" + peaks.pop() + leaf).digest()
        carry >>= 1
    peaks.append(leaf)
    return size + 1


def _fold(peaks: Sequence[bytes]) -> bytes:
    if not peaks:
        return EMPTY
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root
