"""Hand in evidence for a registered version: from a forced run without cache, with every author since production."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from twinops.adapters.dvc.settings import empty_cache
from twinops.adapters.mlflow.digests import sha256
from twinops.adapters.registry_client import progress
from twinops.adapters.registry_client.client import Door, RefusedError
from twinops.adapters.registry_client.contributors import Bases, against_cut, worked
from twinops.errors import DataError, ServiceError
from twinops.governance.people import offices
from twinops.governance.people.offices import GATE_RUNNER
from twinops.governance.policy.own_files import Known
from twinops.ports import Lineage


def hand_in(root: Path, lineage: Lineage, name: str, version: int) -> dict[str, Any]:
    """Run everything anew, look up lineage and authors, and send. There is no other way to send evidence.

    Raises:
        RefusedError: this login is no gate runner's; asked before anything runs.
        ServiceError: the run failed, or gave other bytes than are committed.
    """
    door = Door.from_environment()
    if GATE_RUNNER not in door.get("whoami")["roles"]:
        raise RefusedError("Only a gate runner records evidence; the offices file lists which accounts are.")
    against_cut(root)
    forced_run(root)
    found = worked(root, bases_of(door, name), known=known_to(door))
    return door.post(
        "evidence",
        name=name,
        version=version,
        files={path: base64.b64encode(content).decode() for path, content in files(root, name).items()},
        commit=lineage.git_revision(),
        dirty=lineage.git_dirty(),
        lock_matches=lineage.lock_matches(),
        base=found.base,
        authors=found.authors,
        upstream=found.upstream,
        model_sha256=sha256(root / "models" / "twin.json"),
        forced=True,
    )


def bases_of(door: Door, name: str) -> Bases:
    """What the registry knows that authors may be counted from."""
    told = door.get("alias", name=name, alias="production")
    adopted = told["adopted"]
    return Bases(tuple(told["commits"]), adopted["commit"] if adopted else None)


def known_to(door: Door) -> Known:
    """Whom the registry knows: its active offices file, never the candidate's."""
    told = door.get("known")
    text = told["offices"]
    return Known(
        offices.read(text, name="the active offices file") if text else offices.NOBODY,
        frozenset((one["sha256"], one["account"]) for one in told["activated"]),
    )


def forced_run(root: Path) -> None:
    """Every stage again with an empty cache; what git holds of the results must come out as it is committed."""
    against_frozen(root)
    with empty_cache(root), progress.told(root, _outs(root), _say):
        _done(root, ["dvc", "repro", "--force", "--no-run-cache"], "the forced run failed")
    told = ["git", "diff", "--exit-code", "--stat", "HEAD", "--", "dvc.lock", "reports", "model_cards"]
    _done(root, told, "the forced run gave other bytes than are committed")


def _outs(root: Path) -> dict[str, list[str]]:
    """What each stage of the committed lock file makes."""
    told = yaml.safe_load((root / "dvc.lock").read_bytes()) if (root / "dvc.lock").is_file() else {}
    return {name: [out["path"] for out in stage.get("outs", ())] for name, stage in told.get("stages", {}).items()}


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def against_frozen(root: Path) -> None:
    """DVC does not look at what a frozen stage depends on, however hard it is forced."""
    try:
        told = yaml.safe_load((root / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        raise DataError("dvc.yaml tells no stages.", hint="Restore it from git.") from None
    frozen = sorted(name for name, stage in told.items() if _frozen(stage))
    if frozen:
        raise ServiceError(
            f"No evidence was handed in: {', '.join(frozen)} is frozen.", hint="`dvc unfreeze` it, run, commit."
        )


def _frozen(stage: Any) -> bool:
    if not isinstance(stage, dict):
        return False
    return bool(stage.get("frozen")) or any(_frozen(inner) for inner in stage.values())


def _done(root: Path, command: list[str], what: str) -> None:
    if subprocess.run(command, cwd=root, env=dict(os.environ), check=False).returncode != 0:
        raise ServiceError(f"No evidence was handed in: {what}.", hint="Read the lines above.")


def files(root: Path, name: str) -> dict[str, bytes]:
    """Evidence, documents and pictures, by path in the project."""
    found = [root / "reports" / "evidence.json", *sorted((root / "model_cards" / name).glob("*"))]
    found += sorted((root / "reports" / "figures").glob("*.png"))
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found if path.is_file()}
