"""Same inputs, same bytes: again, elsewhere, with other threads, and after being killed."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest
from workshop import Workshop, make_workshop

pytestmark = pytest.mark.pipeline


def copy_of(workshop: Workshop, root: Path, *, cache: bool = False) -> Workshop:
    """A clone as a colleague would have it: no cache, no outputs."""
    workshop.do("git", "clone", "-q", str(workshop.root), str(root))
    if cache:
        shutil.copytree(workshop.root / ".dvc" / "cache", root / ".dvc" / "cache")
    return Workshop(root)


def forget_everything(workshop: Workshop) -> None:
    for name in (".dvc/cache", ".dvc/tmp", "data", "models", "reports/notebooks", "reports/figures"):
        shutil.rmtree(workshop.root / name, ignore_errors=True)


def changed_files(workshop: Workshop) -> str:
    return workshop.do("git", "status", "--porcelain")


def test_a_second_clone_without_cache_makes_the_same_bytes_and_lock_with_one_thread_and_stages_side_by_side(
    ran: Workshop, tmp_path: Path
) -> None:
    clone = copy_of(ran, tmp_path / "clone")
    clone.set(compute__threads=1)
    (clone.root / "dvc.lock").unlink()
    clone.do("twinops", "repro", "--lanes", "3")
    assert clone.outs() == ran.outs()
    assert changed_files(clone).split() == ["M", "params.yaml"]


def test_cache_and_outputs_deleted_the_same_bytes_come_again(ran: Workshop, tmp_path: Path) -> None:
    clone = copy_of(ran, tmp_path / "clone", cache=True)
    forget_everything(clone)
    clone.do("twinops", "repro", "features")
    before = ran.outs()
    made = {
        path
        for stage, entry in clone.lock().items()
        if stage.startswith(("collect", "features"))
        for path in [o["path"] for o in entry["outs"]]
    }
    assert made
    assert {p: clone.outs()[p] for p in made} == {p: before[p] for p in made}


def test_nothing_runs_when_nothing_changed(ran: Workshop) -> None:
    said = ran.repro()
    assert "Running stage" not in said
    assert changed_files(ran) == ""


def test_one_changed_parameter_runs_its_stages_and_going_back_runs_none(ran: Workshop, tmp_path: Path) -> None:
    clone = copy_of(ran, tmp_path / "clone", cache=True)
    clone.do("dvc", "checkout")
    clone.do("twinops", "track")
    first_runs = clone.do("twinops", "track", "--json")
    before = clone.outs()
    clone.set(drift__draws=21)
    said = clone.repro()
    assert "Running stage 'drift'" in said
    assert "Running stage 'documents'" in said
    assert not any(f"Running stage '{quiet}'" in said for quiet in ("features", "train", "evaluate", "fairness"))
    assert "Running stage 'collect" not in said
    clone.set(drift__draws=20)
    said = clone.repro()
    assert "Running stage 'drift'" not in said
    assert clone.outs() == before
    assert clone.do("twinops", "track", "--json") == first_runs


def test_killed_at_five_random_moments_it_completes_with_the_same_bytes(ran: Workshop, tmp_path: Path) -> None:
    clone = copy_of(ran, tmp_path / "clone")
    moments = random.Random(20261123)  # noqa: S311 - moments to strike, not secrets
    for tool in ("twinops", "dvc", "twinops", "dvc", "twinops"):
        process = clone.start(tool, "repro")
        time.sleep(moments.uniform(2, 14))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        clone.do("twinops", "doctor")
    clone.do("twinops", "repro")
    assert clone.outs() == ran.outs()
    assert changed_files(clone) == ""


def test_an_experiment_with_another_parameter_is_tracked_once_and_loses_nothing(ran: Workshop, tmp_path: Path) -> None:
    clone = copy_of(ran, tmp_path / "clone", cache=True)
    clone.do("dvc", "checkout")
    clone.do("twinops", "track")
    clone.do("dvc", "exp", "run", "-S", "train.activity_c=0.5")
    clone.do("twinops", "track")
    clone.do("twinops", "track")
    listed = clone.do(
        "python",
        "-c",
        "import mlflow; mlflow.set_tracking_uri('sqlite:///mlflow.db'); "
        "print('runs', len(mlflow.search_runs(search_all_experiments=True)))",
    )
    assert "runs 2" in listed
    assert "0.5" in clone.do("dvc", "exp", "show", "--json")


def test_a_failing_notebook_says_where_and_publishes_nothing(ran: Workshop, tmp_path: Path) -> None:
    clone = copy_of(ran, tmp_path / "clone", cache=True)
    clone.do("dvc", "checkout")
    notebook = clone.root / "notebooks" / "drift.py"
    notebook.write_text(notebook.read_text(encoding="utf-8") + "\n# %%\n1 / 0\n", encoding="utf-8")
    said = clone.do("dvc", "repro", "drift", expect=255)
    assert "ZeroDivisionError" in said
    assert ".twinops" in said
    assert not (clone.root / "reports" / "notebooks" / "drift.ipynb").exists()


def test_two_small_projects_made_apart_agree(ran: Workshop, tmp_path: Path) -> None:
    other = make_workshop(tmp_path / "other")
    other.do("twinops", "repro", "features")
    ours = ran.outs()
    assert other.outs() == {p: ours[p] for p in other.outs()}
