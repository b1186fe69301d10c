"""Commit a few files of the project and nothing else, whatever else lies changed or staged in it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from twinops.errors import ServiceError

UNDER_WAY = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply")


@dataclass(frozen=True)
class GitCommits:
    """The history of the repository a project lies in; outside one nothing is committed."""

    root: Path

    def against_unready(self) -> None:
        """Refuse before anything is done.

        Raises:
            ServiceError: a merge or rebase is under way, or git does not know whose commit it would be.
        """
        if not self._inside:
            return
        folder = Path(self._said("rev-parse", "--absolute-git-dir"))
        if any((folder / name).exists() for name in UNDER_WAY):
            raise ServiceError("A merge or rebase is under way here.", hint="End it first: epoch.json is committed.")
        if not all(self._git("config", what).stdout.strip() for what in ("user.name", "user.email")):
            raise ServiceError(
                "git does not know whose commit this is.", hint="git config user.name NAME; git config user.email MAIL"
            )

    def commit(self, paths: Sequence[Path], *, message: str) -> str | None:
        """Commit these files; the commit that has them.

        Hooks are not run: they may look at everything else that lies here, and this must be committed all the same.

        Raises:
            ServiceError: git did not commit.
        """
        if not self._inside:
            return None
        names = [str(path.relative_to(self.root)) for path in paths]
        self._done("add", "--force", "--intent-to-add", "--", *names)
        if self._said("status", "--porcelain", "--", *names):
            self._done("commit", "--quiet", "--no-verify", "--only", "--message", message, "--", *names)
        return self._said("rev-parse", "HEAD")

    @property
    def _inside(self) -> bool:
        return self._git("rev-parse", "--is-inside-work-tree").stdout.strip() == "true"

    def _done(self, *words: str) -> None:
        made = self._git(*words)
        if made.returncode != 0:
            told = " ".join((made.stderr or made.stdout).split())[:200]
            raise ServiceError(f"git {words[0]} failed: {told}", hint="Do what it says, then run the command again.")

    def _said(self, *words: str) -> str:
        return self._git(*words).stdout.strip()

    def _git(self, *words: str) -> subprocess.CompletedProcess[str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_DIR")}
        try:
            return subprocess.run(
                ["git", "-C", str(self.root), *words], capture_output=True, text=True, errors="replace", env=clean,
                check=False,
            )  # fmt: skip
        except FileNotFoundError:
            return subprocess.CompletedProcess(words, 127, "", "git is not there")
