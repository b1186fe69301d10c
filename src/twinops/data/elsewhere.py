"""Where heavy work on rows is done: here, or by the workers of an engine while a command runs on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from twinops.ports import Workers

_asked: list[Callable[[], Workers]] = []


@contextmanager
def working_on(engine: Callable[[], Workers]) -> Iterator[None]:
    """While it lasts, in the whole process, the workers of this engine seal rows and sum over them.

    It is made when it is first needed.
    """
    _asked.append(engine)
    try:
        yield
    finally:
        _asked.remove(engine)


def workers() -> Workers | None:
    """Who works elsewhere; None: all is done here."""
    return _asked[-1]() if _asked else None
