"""All faults that a project's own state gives, in one order, and what came of each."""

from __future__ import annotations

import multiprocessing
import random
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain
from typing import Any

from planted import contradictions, declared, measured, papers, people
from planted.desk import Desk
from planted.trial import OPEN, Fault, Found, tried
from twinops.workflows.candidate.judge import judge

SEED = 20_261_128
WHOLE = {
    "a declaration changed after approval": 10_000,
    "facts that contradict each other, approved and signed": 10_000,
}
"""Kinds of which every fault is tried, each leaf and each pair."""


MOST = 50
"""Faults of one kind that are tried; a kind that could give more is drawn from."""


def every(desk: Desk) -> list[Fault]:
    """All faults of this state, each kind drawn down to so many.

    Raises:
        ValueError: the state is not promotable, so that nothing could be shown by it.
    """
    decision = judge(desk.places, desk.lineage).decision
    if not decision.promotable:
        raise ValueError(f"the state is refused without a fault: {', '.join(decision.blocking)}")
    rng = random.Random(SEED)
    desk.remember()
    made = chain(
        people.faults(desk, rng), declared.faults(desk, rng), contradictions.faults(desk), papers.faults(desk, rng),
        measured.faults(desk, rng),
    )  # fmt: skip
    kinds: dict[str, list[Fault]] = {}
    for fault in made:
        kinds.setdefault(fault.kind, []).append(fault)
    return [f for faults in kinds.values() for f in _drawn(faults, rng)]


def _drawn(faults: list[Fault], rng: random.Random) -> list[Fault]:
    most = WHOLE.get(faults[0].kind, MOST)
    return [faults[i] for i in sorted(rng.sample(range(len(faults)), most))] if len(faults) > most else faults


def run(desks: Sequence[Desk], faults: Sequence[Fault]) -> list[Found]:
    """What came of each; one process for each copy of the state."""
    if len(desks) == 1:
        return [_one(desks[0], fault) for fault in faults]
    fork = multiprocessing.get_context("fork")
    with ExitStack() as stack:
        ends = [stack.enter_context(_worker(fork, desk, faults[i :: len(desks)])) for i, desk in enumerate(desks)]
        told = [end.recv() for end in ends]
    found: list[Found] = []
    for i, fault in enumerate(faults):
        found.append(Found(fault, *told[i % len(desks)][i // len(desks)]))
    return found


@contextmanager
def _worker(fork: Any, desk: Desk, faults: Sequence[Fault]) -> Iterator[Any]:
    """Faults are closures, so the process is forked with them and sends back what it found."""
    mine, its = fork.Pipe(duplex=False)
    process = fork.Process(target=_all, args=(its, desk, faults))
    process.start()
    its.close()
    yield mine
    process.join()


def _all(end: Any, desk: Desk, faults: Sequence[Fault]) -> None:
    desk.remember()
    found = [_one(desk, fault) for fault in faults]
    end.send([(f.by, f.why) for f in found])


def _one(desk: Desk, fault: Fault) -> Found:
    found = tried(desk, fault)
    if found.word == OPEN:
        sys.stderr.write(f"PROMOTABLE {fault.kind}: {fault.where}: {fault.what}\n")
    return found
