"""Do stages of a project one after the other on one Spark session, and tell when its Workers are at work.

usage: python spark_stages.py PROJECT [--holding] "collect --source transactions --batch 2017-01" features ...
It says `busy STAGE` once both executors of a cluster have tasks of a stage (with `--holding`: and hold opened rows of
it), `lost STAGE` when one of them is gone, `done COMMAND`, and `at STAGE SECONDS` while a stage takes long.
"""

from __future__ import annotations

import sys
import threading
import time

from twinops.cli.run import pairs
from twinops.wiring import Project, open_project
from twinops.workflows.scoring.scored import Wanted

HOLDING = "--holding"
TOLD_SECONDS = 20


def say(line: str) -> None:
    """To whoever started this, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def at_work(project: Project) -> list[int]:
    """Tasks that run on each executor now; the driver's own entry is none."""
    told = _spark(project).statusTracker().getExecutorInfos()
    return [info.numRunningTasks() for info in told][1:]


def holding(project: Project) -> bool:
    """Whether executors hold two parts of a table that is not whole yet: they are in the middle of it."""
    told = _spark(project).getRDDStorageInfo()
    return any(1 < info.numCachedPartitions() < info.numPartitions() for info in told)


def watch(project: Project, stage: list[str], *, held: bool) -> None:
    """Tell once when two executors are at work, and once when only one is left."""
    two_at_work, told, began, last = False, False, time.monotonic(), ""
    while not over.wait(0.02):
        if last != stage[-1]:
            began, last, said = time.monotonic(), stage[-1], 1
        if time.monotonic() - began > TOLD_SECONDS * said:
            say(f"at {last} {TOLD_SECONDS * said}")
            said += 1
        if told:
            continue
        tasks = at_work(project)
        if not two_at_work and len(tasks) == 2 and all(tasks) and (not held or holding(project)):
            two_at_work = True
            say(f"busy {last}")
        elif two_at_work and len(tasks) < 2:
            told = True
            say(f"lost {last}")


def do(project: Project, stage: str, words: list[str]) -> None:
    """A stage, or scores."""
    if stage == "score":
        project.run("scoring.score", wanted=Wanted(**pairs(words)))
    else:
        project.run(stage, **pairs(words))


def _spark(project: Project):
    return project.engine._spark.sparkContext._jsc.sc()


over = threading.Event()

if __name__ == "__main__":
    asked = [word for word in sys.argv[2:] if word != HOLDING]
    project, doing = open_project(sys.argv[1]), ["nothing"]
    watching = threading.Thread(target=watch, args=(project, doing), kwargs={"held": HOLDING in sys.argv})
    watching.start()
    try:
        for command in asked:
            stage, *words = command.split()
            doing.append(stage)
            do(project, stage, words)
            say(f"done {command}")
    finally:
        over.set()
        watching.join()
        project.engine.close()
