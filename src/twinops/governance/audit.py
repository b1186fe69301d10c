"""An append-only Merkle log after RFC 6962 section 2.1: roots, inclusion and consistency proofs. Pure; SHA-256 only."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
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


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Root over leaf hashes."""
    size = 0
    peaks: list[bytes] = []
    for leaf in leaves:
        size = grow(peaks, size, leaf)
    return _fold(peaks)


def grow(peaks: list[bytes], size: int, leaf: bytes) -> int:
    """Append in place and return the new size: the same as `Frontier.appended`, for a million entries in a second."""
    carry = size
    while carry & 1:
        leaf = hashlib.sha256(b"\x01" + peaks.pop() + leaf).digest()
        carry >>= 1
    peaks.append(leaf)
    return size + 1


def inclusion(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """The audit path of one entry (RFC 6962 2.1.1): its siblings on the way to the root."""
    if not 0 <= index < len(leaves):
        raise ValueError(f"no entry {index} in a log of {len(leaves)}")
    if len(leaves) == 1:
        return []
    k = _split(len(leaves))
    if index < k:
        return [*inclusion(index, leaves[:k]), root_of(leaves[k:])]
    return [*inclusion(index - k, leaves[k:]), root_of(leaves[:k])]


def included(leaf: bytes, index: int, size: int, *, path: Sequence[bytes], root: bytes) -> bool:
    """Does the path lead from this leaf to the root (RFC 9162 2.1.3.2)?"""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_hash(sibling, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root


def consistency(old: int, leaves: Sequence[bytes]) -> list[bytes]:
    """Proof that the log of `old` entries is the beginning of this one (RFC 6962 2.1.2)."""
    if not 0 < old <= len(leaves):
        raise ValueError(f"no earlier log of {old} entries in one of {len(leaves)}")
    return _subproof(old, leaves, whole=True)


def consistent(old: int, old_root: bytes, size: int, root: bytes, *, proof: Sequence[bytes]) -> bool:
    """Does the proof show that the old log was only appended to (RFC 9162 2.1.4.2)?"""
    if old == size:
        return not proof and old_root == root
    if not 0 < old < size or not proof:
        return False
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    at, last = old - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    then = now = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            then, now = node_hash(sibling, then), node_hash(sibling, now)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            now = node_hash(now, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and then == old_root and now == root


def _subproof(old: int, leaves: Sequence[bytes], *, whole: bool) -> list[bytes]:
    if old == len(leaves):
        return [] if whole else [root_of(leaves)]
    k = _split(len(leaves))
    if old <= k:
        return [*_subproof(old, leaves[:k], whole=whole), root_of(leaves[k:])]
    return [*_subproof(old - k, leaves[k:], whole=False), root_of(leaves[:k])]


def _split(size: int) -> int:
    """The largest power of two below the size."""
    return 1 << (size - 1).bit_length() - 1


def _fold(peaks: Sequence[bytes]) -> bytes:
    if not peaks:
        return EMPTY
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root
