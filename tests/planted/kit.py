"""All faults that a project's own state gives, in one order, and what came of each."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import chain

from planted import contradictions, declared, measured, papers, people
from planted.desk import Desk
from planted.trial import Fault, Found, tried

SEED = 20_261_128


def every(desk: Desk) -> Iterator[Fault]:
    rng = random.Random(SEED)
    desk.state, desk.papers, desk.pristine  # noqa: B018  # asked before anything is planted
    return chain(
        people.faults(desk, rng), declared.faults(desk, rng), contradictions.faults(desk), papers.faults(desk, rng),
        measured.faults(desk, rng),
    )  # fmt: skip


def run(desk: Desk, faults: Sequence[Fault]) -> list[Found]:
    found, began = [], time.monotonic()
    for number, fault in enumerate(faults, start=1):
        found.append(tried(desk, fault))
        if number % 200 == 0:
            sys.stderr.write(f"{number} of {len(faults)}, {time.monotonic() - began:.0f} s\n")
        if found[-1].word == "promotable":
            sys.stderr.write(f"PROMOTABLE {fault.kind}: {fault.where}: {fault.what}\n")
    return found
