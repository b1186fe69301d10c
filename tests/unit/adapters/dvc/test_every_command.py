"""A stage that is forked runs the code that lies there when it begins."""

from __future__ import annotations

import subprocess
import sys

STORY = """
import sys
from twinops.adapters.dvc import every_command as loaded

def ours():
    return [n for n in sys.modules if n.partition(".")[0] == "twinops"]

loaded._loaded.update({path: loaded._state(path) for path in loaded._loaded})
loaded.as_it_lies()
assert "twinops.wiring" in ours(), "what is still the same is not loaded again"
loaded._loaded[next(path for path in loaded._loaded if path.name == "wiring.py")] = WAS
loaded.as_it_lies()
assert ours() == [], "what is another file now is forgotten, with all that was loaded beside it"
import twinops.wiring
"""


def test_what_was_loaded_before_the_fork_is_forgotten_where_a_file_is_another_now() -> None:
    for was in ("(0, 0, 0, 0)", "None"):
        subprocess.run([sys.executable, "-c", STORY.replace("WAS", was)], check=True)
