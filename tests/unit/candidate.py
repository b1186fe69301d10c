"""A small candidate in a folder of its own, as `dvc repro` would have left it, without running anything."""

from __future__ import annotations

import atexit
import hashlib
import shutil
import subprocess
import tempfile
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import yaml

from twinops.adapters.dvc.lock_file import DvcStore
from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact, Kind
from twinops.entities.measure import Measure
from twinops.workflows.places import Places

ROOT = Path(__file__).resolve().parents[2]
PICTURE = b"\x89PNG\r\n\x1a\nnot really"


def make_candidate(root: Path, *, auc: float = 0.88) -> Places:
    """Model, evidence, lock file and declarations in a committed git repository."""
    shutil.copytree(_made_once(auc), root, dirs_exist_ok=True)
    return Places(root)


@cache
def _made_once(auc: float) -> Path:
    """Kept to be copied: git's processes take longer than all the rest."""
    folder = tempfile.mkdtemp(prefix="twinops-candidate-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return _made(Path(folder) / "project", auc).root


def _made(root: Path, auc: float) -> Places:
    places = Places(root)
    for name in ("params.yaml", "epoch.json", ".gitignore", ".dvcignore"):
        shutil.copy(ROOT / name, _parent(root / name))
    shutil.copytree(ROOT / "compliance", places.compliance)
    write(root / "src" / "code.py", "x = 1\n")
    write(places.model, twin_json())
    write(places.figure("accuracy"), PICTURE.decode("latin1"))
    write(places.executed("train"), "{}\n")
    lock(root)
    evidence = evidence_for(DvcStore(root).candidate_key(), auc=auc)
    write(places.evidence, evidence.to_json())
    git(root, "init", "-q", "-b", "main", "--template=")
    commit(root)
    return places


def lock(root: Path) -> None:
    """A lock file that fits the folder."""
    stage = {
        "cmd": "twinops notebook train",
        "deps": [{"path": "src", "hash": "md5", "md5": folder_md5(root / "src")}],
        "params": {"params.yaml": {"as_of": "2018-01-01", "train": {"activity_c": 0.2, "spend_alpha": 0.01}}},
        "outs": [
            {"path": "models/twin.json", "md5": md5((root / "models/twin.json").read_bytes())},
            {
                "path": "reports/notebooks/train.ipynb",
                "md5": md5((root / "reports/notebooks/train.ipynb").read_bytes()),
            },
        ],
    }
    documents = {"cmd": "twinops run documents", "deps": [{"path": "models/twin.json", "md5": stage["outs"][0]["md5"]}]}
    stages = {"train": stage, "documents": documents}
    write(root / "dvc.lock", yaml.safe_dump({"schema": "2.0", "stages": stages}))
    commands = {name: {"cmd": told["cmd"]} for name, told in stages.items()}
    write(root / "dvc.yaml", yaml.safe_dump({"stages": commands}))


def evidence_for(key: str, *, auc: float = 0.88) -> Evidence:
    """Two measures, one with a baseline, and who was left out."""
    about = {"n": 2000, "source": "held out", "method": "bootstrap"}
    return Evidence(
        model="twin",
        key=key,
        as_of=date(2018, 1, 1),
        measures=(
            Measure("active_auc", auc, low=auc - 0.01, high=auc + 0.01, **about),
            Measure("active_auc.rfm", 0.873, low=0.86, high=0.88, **about),
            Measure("active_auc.gain_over_rfm", 0.007, low=0.003, high=0.011, **about),
            Measure("active_auc.gain_over_best", 0.007, low=0.003, high=0.011, **about),
        ),
        facts=(
            Fact("excluded", {"consent_refused": 210}, Kind.MEASURED, "population"),
            Fact("quarantined", {"transactions": 3}, Kind.MEASURED, "counts"),
        ),
    )


def changed_evidence(places: Places, **fields: object) -> Evidence:
    """Write the evidence anew with fields replaced."""
    evidence = replace(Evidence.from_json(places.evidence.read_text()), **fields)
    write(places.evidence, evidence.to_json())
    return evidence


def twin_json() -> str:
    """A model file whose heads know the intercept only."""
    from twinops.twin.model import glm, model, outcomes
    from twinops.twin.model import model_file as stored
    from twinops.twin.state import terms as state

    pace = state.Pace(shape=1.0, exposure=10.0, basket_value=25.0)
    n = len(state.TERMS)
    flat = glm.Head(0.0, (0.0,) * n)
    # whoever comes, with the chance .578125, spends a dollar: what all spend on average
    same = outcomes.ScatterKnot(0.0, (0.578125,) * len(outcomes.SHARES))
    return stored.to_text(
        model.TwinModel(
            horizon_days=28,
            decay_days=(10, 30, 90),
            priors=state.Priors(pace, pace, pace, log_value=3.0, log_value_variance=1.0),
            scaling=glm.Scaling((0.0,) * n, (1.0,) * n),
            activity=flat,
            baskets=flat,
            spend=flat,
            scatter=outcomes.Scatter((same,), (same,), (10.0, 10.0)),
            trained_on=model.TrainedOn(100, 10, 57, 309),
        )
    )


def commit(root: Path) -> None:
    git(root, "add", "-A")
    git(root, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "all", "--allow-empty")


def git(root: Path, *words: str) -> str:
    return subprocess.run(["git", "-C", str(root), *words], check=True, capture_output=True, text=True).stdout


def write(path: Path, text: str) -> None:
    _parent(path).write_text(text, encoding="utf-8")


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def folder_md5(folder: Path) -> str:
    """As DVC does it, spelled out for a flat folder."""
    entries = ", ".join(f'{{"md5": "{md5(p.read_bytes())}", "relpath": "{p.name}"}}' for p in sorted(folder.iterdir()))
    return md5(f"[{entries}]".encode()) + ".dir"


def _parent(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
