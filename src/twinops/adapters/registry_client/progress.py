"""How far a forced run is, told while it runs: by what its stages left on the disk, so it trusts no line they print."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from time import monotonic, time

from twinops.whole_files import write

EVERY = 10.0
"""Seconds between two looks."""
LAST = Path(".twinops", "forced-run.json")
"""After how many seconds each stage was done the last time, here."""


@dataclass(frozen=True)
class Pace:
    """Seconds after which the first, second, ... stage was done in the last run; empty: there was none."""

    seconds: tuple[float, ...] = ()

    def left(self, done: int, stages: int, elapsed: float) -> float | None:
        """Seconds that remain: as the last run went on from here, else as this one went so far; None: nothing is known.

        >>> Pace((10.0, 20.0, 80.0)).left(2, 3, 30.0), Pace().left(1, 3, 30.0), Pace().left(0, 3, 30.0)
        (90.0, 60.0, None)
        """
        if len(self.seconds) == stages and done:
            return (self.seconds[-1] - self.seconds[done - 1]) * elapsed / self.seconds[done - 1]
        if len(self.seconds) == stages:
            return max(0.0, self.seconds[-1] - elapsed)
        return elapsed / done * (stages - done) if done else None


@contextmanager
def told(root: Path, outs: Mapping[str, Sequence[str]], say: Callable[[str], None]) -> Iterator[None]:
    """While the block runs, say how many of these stages are done; `outs` are the paths that each one makes."""
    run = _Run(root, outs, say)
    over = Event()
    watch = Thread(target=run.watch, args=(over,), daemon=True)
    watch.start()
    try:
        yield
    finally:
        over.set()
        watch.join()
    run.keep()


class _Run:
    def __init__(self, root: Path, outs: Mapping[str, Sequence[str]], say: Callable[[str], None]) -> None:
        self.root, self.outs, self.say = root, outs, say
        self.began, self.clock = time(), monotonic()
        self.done: dict[str, float] = {}
        self.pace = _last(root)

    def watch(self, over: Event) -> None:
        while not over.wait(EVERY):
            if self._looked():
                self.say(self.sentence)

    def _looked(self) -> bool:
        elapsed = monotonic() - self.clock
        new = {name: elapsed for name in self.outs.keys() - self.done.keys() if self._made(name)}
        self.done |= new
        return bool(new)

    def _made(self, name: str) -> bool:
        """Every output of the stage is there and newer than the run."""
        try:
            return all((self.root / path).stat().st_mtime >= self.began for path in self.outs[name])
        except OSError:
            return False

    @property
    def sentence(self) -> str:
        """Stages, time and what is left."""
        elapsed, stages = monotonic() - self.clock, len(self.outs)
        left = self.pace.left(len(self.done), stages, elapsed)
        about = "" if left is None else f", about {left:.0f} s left"
        return f"forced run: {len(self.done)} of {stages} stages, {elapsed:.0f} s{about}"

    def keep(self) -> None:
        """Only a run that came to its end is a measure for the next."""
        self._looked()
        if len(self.done) == len(self.outs):
            write(self.root / LAST, json.dumps(sorted(self.done.values())))


def _last(root: Path) -> Pace:
    try:
        return Pace(tuple(float(one) for one in json.loads((root / LAST).read_text(encoding="utf-8"))))
    except (OSError, ValueError, TypeError):
        return Pace()
