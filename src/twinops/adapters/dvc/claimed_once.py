"""Take DVC's lock on a stage's files once; each step of DVC's with a stage would write the file of locks twice more."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

Held = Callable[[str], tuple[Collection[str], Collection[str]] | None]
"""What a holder, as DVC calls it, has claimed for reading and for writing; None: nothing."""


@contextmanager
def claimed_once(held: Held) -> Iterator[None]:
    """Whoever asks for what it holds has it; anything else, and anybody else, is DVC's to decide."""
    from dvc import rwlock as dvcs

    usual: Callable[..., Any] = dvcs.rwlock

    def claim(*asked: Any) -> Any:
        _, _, holder, read, write, _ = asked
        mine = held(holder)
        if mine is not None and {*write} <= {*mine[1]} and {*read} <= {*mine[0], *mine[1]}:
            return nullcontext()
        return usual(*asked)

    dvcs.rwlock = claim
    try:
        yield
    finally:
        dvcs.rwlock = usual
