"""Verify an exported log against checkpoints kept elsewhere: edits, deletion, reordering, truncation."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from twinops.entities.event import Kind
from twinops.governance.log import checkpoint
from twinops.governance.log.merkle import Frontier, grow


@dataclass(frozen=True)
class Report:
    """What was read and every fault that was found. No fault and no checkpoint is not proof: see `witnessed`."""

    size: int
    root: str
    checkpoints: int
    witnessed: int
    """Entries covered by the newest outside checkpoint that fits."""
    faults: tuple[str, ...] = field(default=())
    left: int = 0
    """Checkpoints of a log that was left behind: an older one was put back and accepted, as an entry of it says."""
    unfitting: tuple[int, ...] = ()
    """Sizes of checkpoints that do not fit and were not left behind."""

    @property
    def sound(self) -> bool:
        """Nothing was found."""
        return not self.faults


def check(
    bodies: Iterable[bytes], notes: Sequence[str], keys: Sequence[bytes], *, head: tuple[int, str] | None = None
) -> Report:
    """Read the log once, entry by entry, and hold it against every note and against its own head, if it has one.

    `bodies` are the entries as they were hashed; `head` is the size and root (hexadecimal) the database claims.
    """
    known, faults = _opened(notes, keys)
    reached: list[tuple[int, bytes]] = []
    accepted: list[tuple[int, int]] = []
    peaks: list[bytes] = []
    size = 0
    wanted = iter(sorted(known))
    following = next(wanted, None)
    sha256 = hashlib.sha256
    for body in bodies:
        if not body.endswith(b'"seq":%d}' % size) and len(faults) < _ENOUGH:
            faults.append(f"entry {size} does not carry its own number: something was removed, added or moved")
        if _RESTORED in body:
            accepted += _accepted(body)
        size = grow(peaks, size, sha256(b"\x00" + body).digest())
        if size == following:
            reached.append((size, _root(size, peaks)))
            following = next(wanted, None)
    root = _root(size, peaks)
    there = dict(reached)
    left = {s for s, roots in known.items() if roots - {there.get(s)} and _was_left(s, accepted)}
    held = {s: roots & {there.get(s)} if s in left else roots for s, roots in known.items()}
    held = {s: roots for s, roots in held.items() if roots}
    faults += _against_notes(there, held, size)
    faults += _against_head(head, size, root)
    witnessed = max((s for s, found in reached if held.get(s) == {found}), default=0)
    unfitting = tuple(sorted(s for s, roots in held.items() if roots != {there.get(s)}))
    return Report(size, root.hex(), len(known), witnessed, tuple(faults), len(left), unfitting)


_ENOUGH = 20
_RESTORED = f'"kind":"{Kind.RESTORED.value}"'.encode()


def _accepted(body: bytes) -> list[tuple[int, int]]:
    """Sizes of the smallest and the largest checkpoint that were left behind when an older log was accepted."""
    try:
        entry = json.loads(body)
        return [(entry["about"]["since"], entry["about"]["left"])] if entry["kind"] == Kind.RESTORED else []
    except (ValueError, KeyError, TypeError):  # written by somebody else; the root tells
        return []


def _was_left(size: int, accepted: Sequence[tuple[int, int]]) -> bool:
    return any(since <= size <= until for since, until in accepted)


def _opened(notes: Sequence[str], keys: Sequence[bytes]) -> tuple[dict[int, set[bytes]], list[str]]:
    known: dict[int, set[bytes]] = {}
    faults = []
    for number, note in enumerate(notes):
        try:
            found = checkpoint.opened(note, keys)
        except ValueError as problem:
            faults.append(f"outside checkpoint {number}: {problem}")
        else:
            known.setdefault(found.size, set()).add(found.root)
    known.pop(0, None)
    return known, faults


def _against_notes(reached: Mapping[int, bytes], known: Mapping[int, set[bytes]], size: int) -> list[str]:
    faults = []
    for wanted, roots in sorted(known.items()):
        if len(roots) > 1:
            faults.append(f"two different logs of {wanted} entries were signed: the log was forked")
        if wanted > size:
            faults.append(f"a checkpoint tells of {wanted} entries, only {size} are here: the end is missing")
        elif roots != {reached[wanted]}:
            faults.append(f"the first {wanted} entries are not those that were signed: the past was changed")
    return faults


def _against_head(head: tuple[int, str] | None, size: int, root: bytes) -> list[str]:
    if head is None or head == (size, root.hex()):
        return []
    return [f"the database says {head[0]} entries and root {head[1][:12]}, the entries give {size}, {root.hex()[:12]}"]


def _root(size: int, peaks: Sequence[bytes]) -> bytes:
    return Frontier(size, tuple(peaks)).root
