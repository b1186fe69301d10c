"""What the command and its stages both load, and what they do without."""

from __future__ import annotations

import subprocess
import sys

TOLD = """
import sys
from twinops.adapters.dvc import shared
shared.load()
assert not {*shared.UNUSED} & {*sys.modules}, "nobody finds it kept away afterwards"
from twinops.adapters.dvc import libraries
assert not {*shared.UNUSED} & {*sys.modules}
import hypothesis.strategies, jupytext, pandera.pandas
shared.load()
assert sys.modules["hypothesis"] is hypothesis, "what is there already stays"
print("well")
"""


def test_what_nobody_uses_is_not_loaded_by_the_way_and_can_be_loaded_afterwards() -> None:
    done = subprocess.run([sys.executable, "-c", TOLD], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "well\n", "")
