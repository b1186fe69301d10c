"""The chapter on a release (docs/release.md), typed as it stands in a fresh clone, ends with a version in production.

Only the port is another, and the set-up's environment is put there rather than downloaded.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import candidate
import live as living
import pytest

pytestmark = [pytest.mark.pipeline, pytest.mark.timeout(3600)]
HERE = Path(__file__).parent
CHAPTER = (candidate.ROOT / "docs" / "release.md").read_text(encoding="utf-8").partition("\n## ")[0]
BLOCKS = re.findall(r"```bash\n(.*?)```", CHAPTER, re.DOTALL)
FURNISH = (
    "{python} -c 'import sys; sys.path.insert(0, sys.argv[1]); import scratch_clone; from pathlib import Path;"
    ' scratch_clone.furnish(Path.cwd(), cache=Path(sys.argv[2]))\' "{here}" "{cache}"'
)


def upstream(root: Path) -> None:
    """This repository as a stranger's clone has it, with a history of one commit."""
    listed = candidate.git(candidate.ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        source, target = candidate.ROOT / name, root / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    candidate.git(root, "init", "-q", "-b", "main")
    candidate.git(root, "add", "-A")
    candidate.git(root, "-c", "user.name=u", "-c", "user.email=up@stream.example", "commit", "-qm", "upstream")


def script(port: int) -> str:
    """The blocks, one after the other in one shell."""
    clone, _, rest = BLOCKS[0].partition("\n")
    assert clone.startswith("git clone")
    furnish = FURNISH.format(python=sys.executable, here=HERE, cache=candidate.ROOT / ".dvc" / "cache")
    typed = "\n".join([clone, furnish, rest, *BLOCKS[1:]])
    for spelled in ("127.0.0.1:{}", "127.0.0.1/{}"):
        typed = typed.replace(spelled.format(5000), spelled.format(port))
    return f"set -euo pipefail\n{typed}\nkill %1\n"


def test_the_chapter_ends_in_production(tmp_path: Path) -> None:
    upstream(tmp_path / "twinops")
    port = living.free_port()
    kept = {
        n: v for n, v in os.environ.items() if not n.startswith(("MLFLOW_", "TWINOPS_", "PYTEST", "GIT_", "PYTHON"))
    }
    with (tmp_path / "said").open("w") as said:
        typing = subprocess.Popen(
            ["bash", "-c", script(port)],
            cwd=tmp_path / "twinops",
            env={**kept, "PORT": str(port), "HOME": str(tmp_path)},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = typing.wait(3000)
        finally:
            with suppress(ProcessLookupError):  # all that was typed has ended
                os.killpg(typing.pid, signal.SIGKILL)
    told = (tmp_path / "said").read_text()
    assert code == 0, told[-6000:]
    for sentence in (
        "Refused by policy",  # the demonstration itself
        "registry: twin version 2, made",
        "a gate runner makes everything anew in a clone of this commit: twinops model evidence twin 2",
        "the base was accepted by risk-officer",
        "twin@production is version 2",
        "twin version 2: signed, unchanged, approved",
        "Nothing was changed",
        "twin@production: version 2",
    ):
        assert sentence in told, (sentence, told[-6000:])


def test_the_chapter_is_short_and_every_command_of_it_is_typed() -> None:
    assert 4 <= len(BLOCKS) <= 7
    assert CHAPTER.count("```") == 2 * len(BLOCKS), "nothing stands in a block that is not typed"
    assert sum(len(block.strip().splitlines()) for block in BLOCKS) <= 26
