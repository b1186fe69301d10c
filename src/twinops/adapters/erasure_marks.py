"""What the project says of erasures: in `epoch.json` as it lies here, and at the tip of every branch git knows.

An old tag that is checked out has an old `epoch.json`; a branch's tip has the newest.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from twinops.entities.erasure import ErasureMarks
from twinops.errors import DataError, IntegrityError


def here(file: Path) -> ErasureMarks:
    """As the file says.

    Raises:
        DataError: there is none.
        IntegrityError: it cannot be read.
    """
    try:
        return ErasureMarks.from_text(file.read_bytes())
    except FileNotFoundError:
        raise DataError("There is no epoch.json.", hint="Restore it from git.") from None
    except ValueError:
        raise IntegrityError("epoch.json cannot be read.", hint="Restore it from git.") from None


def anywhere(file: Path) -> ErasureMarks:
    """The same, joined with what stands at the tips of all branches; outside git with nothing."""
    found = here(file)
    tips = _git(file.parent, "for-each-ref", "--format=%(objectname)", "refs/heads", "refs/remotes").split()
    asked = "".join(f"{tip}:./{file.name}\n" for tip in dict.fromkeys(tips))
    for text in _git(file.parent, "cat-file", "--batch", given=asked).splitlines() if asked else ():
        # the file has one line; what git says of an object it has or has not is none
        if text.startswith("{"):
            found = found.joined(_read(text))
    return found


def _read(text: str) -> ErasureMarks:
    try:
        return ErasureMarks.from_text(text)
    except ValueError:
        return ErasureMarks()


def _git(folder: Path, *words: str, given: str = "") -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], input=given, capture_output=True, text=True, errors="replace",
            env=clean, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        return ""
    return done.stdout if done.returncode == 0 else ""
