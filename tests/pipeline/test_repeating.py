"""Same inputs, same bytes: made apart, with other threads, after everything was deleted, and after being killed."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest
from workshop import SMALL, Workshop, make_workshop

pytestmark = pytest.mark.pipeline


def copy_of(workshop: Workshop, root: Path, *, cache: bool = False) -> Workshop:
    """A clone as a colleague would have it: no cache, no outputs."""
    workshop.do("git", "clone", "-q", str(workshop.root), str(root))
    if cache:
        shutil.copytree(workshop.root / ".dvc" / "cache", root / ".dvc" / "cache")
    return Workshop(root)


@pytest.fixture(scope="module")
def tracked(ran: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """A clone with everything that was made, and its run in the ledger; a test works whatever those before it left."""
    clone = copy_of(ran, tmp_path_factory.mktemp("tracked") / "clone", cache=True)
    clone.do("dvc", "checkout")
    clone.do("twinops", "track")
    return clone


def forget_everything(workshop: Workshop) -> None:
    for name in (".dvc/cache", ".dvc/tmp", "data", "models", "reports/notebooks", "reports/figures"):
        shutil.rmtree(workshop.root / name, ignore_errors=True)


def changed_files(workshop: Workshop) -> str:
    return workshop.do("git", "status", "--porcelain")


def committed(workshop: Workshop) -> dict[str, bytes]:
    """Every file that git holds, as it lies there."""
    listed = workshop.do("git", "ls-files", "-z").split("\0")
    return {name: (workshop.root / name).read_bytes() for name in listed if name}


def test_a_project_made_apart_without_cache_makes_the_same_bytes_and_lock_with_one_thread_and_stages_side_by_side(
    ran: Workshop, tmp_path: Path
) -> None:
    other = make_workshop(tmp_path / "other", {**SMALL, "compute.threads": 1})
    other.do("twinops", "repro", "--lanes", "3")
    assert other.outs() == ran.outs()
    other.commit("what its pipeline made")
    ours, theirs = committed(ran), committed(other)
    assert "dvc.lock" in ours
    assert [name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name)] == ["params.yaml"]


def test_nothing_runs_when_nothing_changed(ran: Workshop) -> None:
    said = ran.repro()
    assert "Running stage" not in said
    assert changed_files(ran) == ""


def test_one_changed_parameter_runs_its_stages_and_going_back_runs_none(tracked: Workshop) -> None:
    first_runs = tracked.do("twinops", "track", "--json")
    before = tracked.outs()
    tracked.set(drift__draws=21)
    said = tracked.repro()
    assert "Running stage 'drift'" in said
    assert "Running stage 'documents'" in said
    assert not any(f"Running stage '{quiet}'" in said for quiet in ("features", "train", "evaluate", "fairness"))
    assert "Running stage 'collect" not in said
    tracked.set(drift__draws=20)
    said = tracked.repro()
    assert "Running stage 'drift'" not in said
    assert tracked.outs() == before
    assert tracked.do("twinops", "track", "--json") == first_runs


def test_with_cache_and_outputs_deleted_and_killed_at_five_random_moments_it_completes_with_the_same_bytes(
    ran: Workshop, tmp_path: Path
) -> None:
    clone = copy_of(ran, tmp_path / "clone", cache=True)
    forget_everything(clone)
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


def test_an_experiment_with_another_parameter_is_tracked_once_and_loses_nothing(tracked: Workshop) -> None:
    tracked.do("dvc", "exp", "run", "-S", "drift.draws=22")
    tracked.do("twinops", "track")
    tracked.do("twinops", "track")
    listed = tracked.do(
        "python",
        "-c",
        "import mlflow; mlflow.set_tracking_uri('sqlite:///mlflow.db'); "
        "print('runs', len(mlflow.search_runs(search_all_experiments=True)))",
    )
    assert "runs 2" in listed
    assert '"draws": 22' in tracked.do("dvc", "exp", "show", "--json")


def test_a_failing_notebook_says_where_and_publishes_nothing(tracked: Workshop) -> None:
    notebook = tracked.root / "notebooks" / "drift.py"
    notebook.write_text(notebook.read_text(encoding="utf-8") + "\n# %%\n1 / 0\n", encoding="utf-8")
    said = tracked.do("dvc", "repro", "drift", expect=255)
    assert "ZeroDivisionError" in said
    assert ".twinops" in said
    assert not (tracked.root / "reports" / "notebooks" / "drift.ipynb").exists()
