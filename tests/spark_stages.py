"""Do stages of a project one after the other on one Spark session, and tell when its Workers are at work.

usage: python spark_stages.py PROJECT "collect --source transactions --batch 2017-01" features ...
It says `busy STAGE` once both executors of a cluster have tasks of a stage, `lost STAGE` when one of them is gone.
"""

from __future__ import annotations

import sys
import threading

from twinops.cli.run import pairs
from twinops.wiring import Project, open_project


def say(line: str) -> None:
    """To whoever started this, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def at_work(project: Project) -> list[int]:
    """Tasks that run on each executor now; the driver's own entry is none."""
    told = project.engine._spark.sparkContext._jsc.sc().statusTracker().getExecutorInfos()
    return [info.numRunningTasks() for info in told][1:]


def watch(project: Project, stage: list[str]) -> None:
    """Tell once when two executors are at work, and once when only one is left."""
    two_at_work, told = False, False
    while not told and not over.wait(0.02):
        tasks = at_work(project)
        if not two_at_work and len(tasks) == 2 and all(tasks):
            two_at_work = True
            say(f"busy {stage[-1]}")
        elif two_at_work and len(tasks) < 2:
            told = True
            say(f"lost {stage[-1]}")


over = threading.Event()

if __name__ == "__main__":
    project, doing = open_project(sys.argv[1]), ["nothing"]
    watching = threading.Thread(target=watch, args=(project, doing))
    watching.start()
    try:
        for command in sys.argv[2:]:
            stage, *words = command.split()
            doing.append(stage)
            project.run(stage, **pairs(words))
            say(f"done {command}")
    finally:
        over.set()
        watching.join()
        project.engine.close()
