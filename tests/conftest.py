"""What all tests share: which files begin, so that two processes end together, each with one thread; rarer garbage."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two processes with two threads each wait for one another

FIRST = (
    "server/test_readme_release.py",
    "pipeline/test_repeating.py",
    "pipeline/test_shops.py",
    "pipeline/test_update.py",
    "pipeline/test_forced.py",
    "pipeline/test_erasure.py",
    "server/test_bypass.py",
    "pipeline/test_own_ideas.py",
    "server/test_state.py",
    "pipeline/test_doors.py",
    "server/test_bounds.py",
    "server/test_verdict.py",
    "pipeline/test_promotable.py",
    "pipeline/test_kills.py",
    "pipeline/test_canary.py",
    "pipeline/test_lab.py",
    "pipeline/test_switches.py",
    "pipeline/test_dependencies.py",
    "server/test_store.py",
    "pipeline/test_changes.py",
    "serve/test_issuers.py",
    "server/test_judged.py",
    "server/test_wiring.py",
    "pipeline/test_project.py",
    "server/test_browser_day.py",
    "server/test_rulings.py",
    "pipeline/test_code_that_ran.py",
    "serve/test_workers.py",
    "server/test_crashes.py",
)
"""Minutes each: a file stays in one process, so the long ones begin and the short ones fill what is left.

Only with `--no-loadscope-reorder`: by itself xdist begins with the files of most tests, which are the shortest.
"""


def _place(item: pytest.Item) -> int:
    """Long files, then all that start processes, then the unit tests."""
    name = "/".join(item.path.parts[-2:])
    if name in FIRST:
        return FIRST.index(name)
    return len(FIRST) + ("unit" in item.path.parts)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Stable: the order within a file stays."""
    items.sort(key=_place)


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop() -> Iterator[None]:
    """What collecting has made lives to the end: the garbage collector need not look at it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    try:
        return (yield)
    finally:
        gc.unfreeze()
