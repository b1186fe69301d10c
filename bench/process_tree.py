"""What a command and all it starts use together, looked at some times a second: memory, and CPU, of the killed too."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

EVERY_SECONDS = 0.4
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Tree:
    """Of all that this process starts meanwhile: MB held at one time at most, and CPU seconds, user and system."""

    mem: float = 0.0
    each: dict[tuple[int, str], float] = field(default_factory=dict)

    @property
    def cpu(self) -> float:
        """Of every process by itself, as it was last seen."""
        return sum(self.each.values())

    def look(self) -> None:
        """At every process that is there now."""
        now = _below(os.getpid())
        self.each |= {(pid, began): cpu for pid, (began, cpu) in now.items()}
        self.mem = max(self.mem, _held(list(now)))


@contextlib.contextmanager
def watched(every: float = EVERY_SECONDS) -> Iterator[Tree]:
    """The tree, looked at again and again; a look at processes of gigabytes takes a while itself."""
    tree, over = Tree(), threading.Event()

    def again() -> None:
        while not over.wait(every):
            tree.look()

    watching = threading.Thread(target=again, daemon=True)
    watching.start()
    try:
        yield tree
    finally:
        over.set()
        watching.join()


def _below(parent: int) -> dict[int, tuple[str, float]]:
    """Every process that this one started, and those that they did: when it began, its CPU seconds."""
    children: dict[int, list[int]] = defaultdict(list)
    told: dict[int, tuple[str, float]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            # after the name, which may hold anything, comes the state, the parent and so on
            said = (entry / "stat").read_text().rpartition(")")[2].split()
            children[int(said[1])].append(pid := int(entry.name))
            told[pid] = (said[19], (int(said[11]) + int(said[12])) / TICKS)
    found, ask = [], [parent]
    while ask:
        found += (own := children[ask.pop()])
        ask += own
    return {pid: told[pid] for pid in found}


def _held(processes: list[int]) -> float:
    """MB; a page that several share counts once."""
    return sum(map(_resident if len(processes) == 1 else _proportional, processes))


def _resident(process: int) -> float:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE_MB
    return 0.0


def _proportional(process: int) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0
