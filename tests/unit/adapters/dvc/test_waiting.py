"""A command forks what its stages are forked from; a stage finds what it would have found otherwise."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="commands are forked there alone")

TELL = """
import json, os, sys
from pathlib import Path
ours = sorted(n for n in sys.modules if n.partition(".")[0] == "twinops")
called = Path("/proc/self/comm").read_text().strip()
told = {"ours": ours, "parent": os.getppid(), "called": called, "open": len(list(Path("/proc/self/fd").iterdir()))}
Path(PATH).write_text(json.dumps(told))
"""

STORY = """
import json, sys
from pathlib import Path
from twinops.adapters.dvc import warm
from twinops.adapters.dvc.waiting import waiting

def asked(root, path, forks):
    made = warm.Warm(root, many=True, learning=False, waiting=forks)
    made.get_ready()
    process = made._context.Process(target=exec, args=(TELL.replace("PATH", repr(str(path))),))
    process.start()
    process.join()
    made.stop()
    return json.loads(path.read_text())

root = Path(sys.argv[1])
usual = asked(root, root / "usual.json", None)
import twinops.cli.update, twinops.workflows.update.look
held = open(root / "held", "w")
with waiting(root) as forks:
    forked = asked(root, root / "forked.json", forks)
assert not Path("/proc", str(forked["parent"])).exists(), "it ended with the command, and was waited for"
with waiting(root):
    pass
print(json.dumps([usual, forked]))
"""


def test_a_stage_that_is_forked_off_the_command_has_loaded_what_it_would_have_loaded(tmp_path: Path) -> None:
    command = [sys.executable, "-c", f"TELL = {TELL!r}\n{STORY}", str(tmp_path)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (0, "")
    usual, forked = json.loads(told.stdout)
    by_the_way = {f"twinops.adapters.dvc.{name}" for name in ("libraries", "shared", "every_command")}
    assert {*forked["ours"]} | by_the_way == {*usual["ours"]} | by_the_way
    assert forked["called"] == "twinops-stages"
    assert forked["open"] <= usual["open"], "nothing that the command had opened is open in a stage"
    assert not any(p.name() == "twinops-stages" for p in psutil.Process().children(recursive=True))
