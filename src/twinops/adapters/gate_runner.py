"""Hand in evidence for a registered version: from a forced run without cache, with every author since production."""

from __future__ import annotations

import base64
import os
import subprocess
from pathlib import Path
from typing import Any

from twinops.adapters.model_bytes import sha256
from twinops.adapters.registry_door import Door
from twinops.errors import ServiceError
from twinops.ports import Lineage


def hand_in(root: Path, lineage: Lineage, name: str, version: int, *, rerun: bool) -> dict[str, Any]:
    """Run everything anew, look up lineage and authors, and send.

    Raises:
        ServiceError: the run failed, or gave other bytes than are committed.

    """
    door = Door.from_environment()
    if rerun:
        forced_run(root)
    commits = door.get("alias", name=name, alias="production")["commits"]
    base = next((c for c in commits if _is_ancestor(root, c)), None)
    return door.post(
        "evidence",
        name=name,
        version=version,
        files={path: base64.b64encode(content).decode() for path, content in files(root, name).items()},
        commit=lineage.git_revision(),
        dirty=lineage.git_dirty(),
        lock_matches=lineage.lock_matches(),
        base=base,
        authors=authors(root, since=base),
        model_sha256=sha256(root / "models" / "twin.json"),
        forced=rerun,
    )


def forced_run(root: Path) -> None:
    """Every stage again, nothing from any cache; the lock file must come out as it is committed."""
    for command, what in (
        (["dvc", "repro", "--force", "--no-run-cache"], "the forced run failed"),
        (
            ["git", "diff", "--exit-code", "--stat", "--", "dvc.lock", "reports"],
            "the forced run gave other bytes than are committed",
        ),
    ):
        if subprocess.run(command, cwd=root, env=dict(os.environ), check=False).returncode != 0:
            raise ServiceError(f"No evidence was handed in: {what}.", hint="Read the lines above.")


def files(root: Path, name: str) -> dict[str, bytes]:
    """Evidence, documents and pictures, by path in the project."""
    found = [root / "reports" / "evidence.json", *sorted((root / "model_cards" / name).glob("*"))]
    found += sorted((root / "reports" / "figures").glob("*.png"))
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found if path.is_file()}


def authors(root: Path, *, since: str | None) -> list[str]:
    """E-mails of everybody who wrote or committed something since that commit; since ever without one."""
    span = f"{since}..HEAD" if since else "HEAD"
    said = _git(root, "log", "--format=%ae%n%ce%n%(trailers:key=Co-authored-by,valueonly)", span)
    lines = (line.strip() for line in said.splitlines())
    return sorted({line.rpartition("<")[2].rstrip(">") if "<" in line else line for line in lines if line})


def _is_ancestor(root: Path, commit: str) -> bool:
    command = ["git", "-C", str(root), "merge-base", "--is-ancestor", commit, "HEAD"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ServiceError("Git could not tell who worked on this candidate.", hint=done.stderr.strip()[:200])
    return done.stdout
