"""Figures that do not hang on how many cores there are: each computed on one thread, whole tasks two at a time."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

AT_A_TIME = 2

_Made = TypeVar("_Made")
_lock = threading.Lock()
_held: list[Any] = []
_known: dict[int, Any] = {}
_inside = threading.local()


@contextmanager
def one_thread() -> Iterator[None]:
    """BLAS and OpenMP on one thread, for the whole process, until the last that asked for it is done.

    Looking for the libraries takes longer than a small regression: it is done again only after more modules came.
    """
    with _lock:
        _held.append(None if _held else _limit())
    try:
        yield
    finally:
        with _lock:
            last = len(_held) == 1
            # the first entry holds the limit, whoever leaves last gives it back
            limit = _held.pop() if last else _held.pop(1)
            if last:
                limit.__exit__(None, None, None)


def side_by_side(tasks: Sequence[Callable[[], _Made]]) -> list[_Made]:
    """What each task gives, in order; two at a time in threads of this process, one after the other within a task.

    For tasks that share nothing and spend their time where Python's lock is free: LightGBM, BLAS, large arrays.

    >>> side_by_side([lambda: 1, lambda: 2, lambda: 3])
    [1, 2, 3]
    """
    if len(tasks) < AT_A_TIME or getattr(_inside, "task", False):
        return [task() for task in tasks]
    with one_thread(), ThreadPoolExecutor(AT_A_TIME) as pool:
        return list(pool.map(_run, tasks))


def _run(task: Callable[[], _Made]) -> _Made:
    _inside.task = True
    return task()


def _limit() -> Any:
    from threadpoolctl import ThreadpoolController

    if len(sys.modules) not in _known:
        _known.clear()
        _known[len(sys.modules)] = ThreadpoolController()
    limit = _known[len(sys.modules)].limit(limits=1)
    limit.__enter__()
    return limit
