"""Which step of a plan may start next when several run at once: the one with the longest way still before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property


@dataclass
class Lanes:
    """A plan in hand. `needs` tells which steps each one waits for, in an order that is right one at a time.

    The plan's last step may sum up all others, so it waits for every one of them.

    >>> lanes = Lanes({"a": frozenset(), "b": frozenset(), "c": frozenset("b"), "d": frozenset("ac")}, width=2)
    >>> lanes.startable()  # from b it is three steps to the end
    ['b', 'a']
    >>> lanes.start("b"), lanes.startable()
    (None, ['a'])
    >>> lanes.finish("b"), lanes.startable()
    (None, ['a', 'c'])
    """

    needs: Mapping[str, frozenset[str]]
    width: int
    running: set[str] = field(default_factory=set)
    done: set[str] = field(default_factory=set)

    def startable(self) -> list[str]:
        """Steps that may start now, no more than there are free lanes; the longest way first, then the plan's order."""
        if len(self.running) >= self.width:
            return []
        ready = [step for step in self.needs if self._is_ready(step)]
        return sorted(ready, key=lambda step: -self._way[step])[: self.width - len(self.running)]

    def _is_ready(self, step: str) -> bool:
        if step in self.done or step in self.running:
            return False
        waits_for = self.needs.keys() - {step} if step == self.last else self.needs[step] & self.needs.keys()
        return waits_for <= self.done

    @cached_property
    def last(self) -> str:
        """The step that sums up."""
        return next(reversed(list(self.needs)), "")

    @cached_property
    def _way(self) -> dict[str, int]:
        """How many steps the longest chain has that begins with each one."""
        way = dict.fromkeys(self.needs, 1)
        for step in reversed(list(self.needs)):
            for needed in self.needs[step] & self.needs.keys():
                way[needed] = max(way[needed], way[step] + 1)
        return way

    def start(self, step: str) -> None:
        """It runs."""
        self.running.add(step)

    def finish(self, step: str) -> None:
        """It ran, or needed not to."""
        self.running.discard(step)
        self.done.add(step)

    @property
    def over(self) -> bool:
        """Whether every step is done."""
        return self.done >= self.needs.keys()
