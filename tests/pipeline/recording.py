"""What every stage of a run really loaded and opened, as its own processes heard it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from workshop import Workshop

RECORDER = """
import atexit, json, os, pathlib, sys
def _hear_all():
    top, opened = os.path.realpath(os.environ["RECORD_ROOT"]) + os.sep, set()
    def hear(event, arguments):
        named = event == "open" and isinstance(arguments[0], (str, bytes, os.PathLike))
        # a place that is only named, to be allowed or denied, is not read
        if named and not (arguments[2] or 0) & getattr(os, "O_PATH", 0):
            path = os.path.realpath(os.fsdecode(arguments[0]))
            if path.startswith(top) and os.path.isfile(path):
                opened.add(path.removeprefix(top))
    sys.addaudithook(hear)
    def write():
        seen = sorted(n for n in list(sys.modules) if n == "twinops" or n.startswith("twinops."))
        record = json.dumps({"modules": seen, "files": sorted(opened)})
        pathlib.Path(os.environ["RECORD_TO"], f"{os.environ['DVC_STAGE']}.{os.getpid()}.json").write_text(record)
    leave = os._exit
    def last(code):
        write()
        leave(code)
    os._exit = last
    atexit.register(write)
if "DVC_STAGE" in os.environ:
    _hear_all()
"""
"""Loaded by every Python process of a stage: which of our modules it imported and which project files it opened.

DVC tells the processes it starts which stage they work for. A notebook's cells run in a fork, which ends by `_exit`.
"""


@dataclass(frozen=True)
class Recording:
    """A project, and where its stages' processes wrote down what they heard: a folder that cells may write to."""

    workshop: Workshop
    seen: Path

    def repro(self) -> str:
        """`dvc repro`, watched."""
        self.seen.mkdir(parents=True)
        (self.seen / "sitecustomize.py").write_text(RECORDER)
        return self.workshop.repro(
            RECORD_TO=str(self.seen),
            RECORD_ROOT=str(self.workshop.root),
            PYTHONPATH=f"{self.seen}:{self.workshop.root / 'src'}",
        )

    def of(self, stage: str, what: str) -> set[str]:
        """The `modules` a stage loaded, or the `files` it opened, in all its processes."""
        name = re.compile(re.escape(stage) + r"\.\d+\.json")
        records = [json.loads(file.read_text()) for file in self.seen.iterdir() if name.fullmatch(file.name)]
        return {entry for record in records for entry in record[what]}
