"""A small project to run for real: this repository's files, fewer households and months, a git history of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent

SMALL: dict[str, Any] = {
    "months": ["2017-01", "2017-02", "2017-03", "2017-04", "2017-05"],
    "as_of": "2017-06-01",
    "sources.sample": 250,
    "features.first_cutoff": 57,
    "features.last_cutoff": 113,
    "choose.cutoffs": [85],
    "choose.draws": 50,
    "evaluate.cutoffs": [113],
    "evaluate.draws": 50,
    "fairness.cutoff": 113,
    "fairness.draws": 200,
    "drift.reference_cutoff": 85,
    "drift.current_cutoff": 113,
    "drift.draws": 20,
    "proxies.cutoff": 113,
    "proxies.draws": 50,
    "proxies.shuffles": 5,
    "privacy.cutoff": 113,
    "privacy.models": 4,
    "privacy.draws": 50,
    "privacy.tries": 100,
    "synthetic.panelists": 300,
    "link.u_pairs": 100000,
    "link.em_pairs": 50000,
    "link.draws": 50,
    "signals.draws": 50,
    "fusion.draws": 5,
    "fusion.halvings": 10,
    "tastes.draws": 50,
    "coupons.draws": 50,
    "scorecard.draws": 50,
    "minimisation.draws": 50,
    "minimisation.shuffles": 2,
    "minimisation.histories": [7],
}


@dataclass(frozen=True)
class Workshop:
    """One project folder and the commands of this environment."""

    root: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a user's shell has after `source .venv/bin/activate`, plus this folder's own code."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "TWINOPS_", "PYTEST_", "PYTHON"))}
        return {
            **clean,
            "PATH": f"{BIN}{os.pathsep}{clean['PATH']}",
            "PYTHONPATH": str(self.root / "src"),
            "OMP_NUM_THREADS": "1",
            "PYTHONHASHSEED": "random",
        }

    def start(self, *command: str, **extra: str) -> subprocess.Popen[str]:
        """Start a command in a process group of its own."""
        return subprocess.Popen(
            command,
            cwd=self.root,
            env={**self.environment, **extra},
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def do(self, *command: str, expect: int | None = 0, **extra: str) -> str:
        """Run a command to its end and return what it said; fail when it ends otherwise than expected."""
        process = self.start(*command, **extra)
        said, _ = process.communicate(timeout=900)
        if expect is not None and process.returncode != expect:
            where = self.root / ".twinops" / "last-error.txt"
            frames = where.read_text(encoding="utf-8") if "did not expect" in said and where.is_file() else ""
            told = f"{said[-6000:]}\n{frames}"
            raise AssertionError(f"{' '.join(command)} ended with {process.returncode}, not {expect}:\n{told}")
        return said

    def repro(self, *options: str, **extra: str) -> str:
        """`dvc repro`."""
        return self.do("dvc", "repro", *options, **extra)

    def set(self, **changes: Any) -> None:
        """Change `params.yaml`; `section__key=value`."""
        change_params(self.root, {name.replace("__", "."): value for name, value in changes.items()})

    def commit(self, message: str = "change") -> None:
        """Commit everything git does not ignore."""
        self.do("git", "add", "-A")
        self.do("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", message, "--allow-empty")

    def lock(self) -> dict[str, Any]:
        """What `dvc.lock` says of each stage."""
        return yaml.safe_load((self.root / "dvc.lock").read_text(encoding="utf-8"))["stages"]

    def outs(self) -> dict[str, str]:
        """MD5 of every output of every stage."""
        return {out["path"]: out["md5"] for stage in self.lock().values() for out in stage.get("outs", [])}


def change_params(root: Path, changes: dict[str, Any]) -> None:
    """Rewrite `params.yaml` with dotted keys replaced."""
    path = root / "params.yaml"
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    for dotted, value in changes.items():
        *sections, key = dotted.split(".")
        place = raw
        for section in sections:
            place = place[section]
        place[key] = value
    path.write_text(yaml.safe_dump(raw, sort_keys=False), encoding="utf-8")


def make_workshop(root: Path, changes: dict[str, Any] | None = None) -> Workshop:
    """Copy the tracked and new files of this repository, make it small, commit."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.split("\n"):
        source = ROOT / name
        if name and source.is_file() and not name.startswith(("tests/", "bench/", "docs/")):
            target = root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    (root / "dvc.lock").unlink(missing_ok=True)
    change_params(root, SMALL if changes is None else changes)
    workshop = Workshop(root)
    workshop.do("git", "init", "-q", "-b", "main")
    workshop.commit("small project")
    return workshop
