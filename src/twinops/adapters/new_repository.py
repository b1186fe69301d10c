"""Make a folder a git repository with a first commit, if git knows whose it is."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from twinops.errors import ServiceError

WHO = "git config --global user.name NAME && git config --global user.email MAIL"
COMMIT = "git add --all && git commit -m start"


def begin(root: Path, *, message: str) -> str:
    """What became of it, in a sentence.

    Raises:
        ServiceError: git is not there, or did not make the repository.
    """
    if not (root / ".git").exists():
        _done(root, "init", "--quiet", "--initial-branch=main")
    if not all(_git(root, "config", what).stdout.strip() for what in ("user.name", "user.email")):
        return f"Nothing is committed yet: git does not know who you are. In {root.name}: {WHO} && {COMMIT}"
    _done(root, "add", "--all")
    made = _git(root, "commit", "--quiet", "--message", message)
    if made.returncode != 0:
        return f"Nothing is committed yet: {_said(made)} In {root.name}: {COMMIT}"
    return "The first commit is made."


def _done(root: Path, *words: str) -> None:
    made = _git(root, *words)
    if made.returncode != 0:
        raise ServiceError(f"git {words[0]} failed in {root}. It said: {_said(made)}", hint="Do what it says.")


def _said(made: subprocess.CompletedProcess[str]) -> str:
    return " ".join((made.stderr or made.stdout).split())[:300]


def _git(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    told = {name: value for name, value in os.environ.items() if not name.startswith("GIT_DIR")}
    try:
        return subprocess.run(
            ["git", "-C", str(root), *words], capture_output=True, text=True, errors="replace", env=told, check=False
        )
    except FileNotFoundError:
        raise ServiceError("git is needed and was not found.", hint="Install git, then run this again.") from None
