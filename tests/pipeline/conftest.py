from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from recording import Recording
from workshop import Workshop, make_workshop


@contextmanager
def alone(file: Path) -> Iterator[None]:
    """One process at a time."""
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Recording:
    """A small project whose pipeline ran once, watched, and was committed: made once for all processes, then copied."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    made = Recording(Workshop(shared / "first" / "project"), shared / "first" / "project" / "reports" / "code" / "seen")
    with alone(shared / "first.lock"):
        if not (shared / "first" / "done").exists():
            shutil.rmtree(shared / "first", ignore_errors=True)
            make_workshop(made.workshop.root)
            made.repro()
            made.workshop.commit("what the pipeline made")
            (shared / "first" / "done").touch()
    return made


@pytest.fixture(scope="session")
def made(first: Recording, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """This process's copy of the small project. Tests leave it as they found it."""
    copy = tmp_path_factory.mktemp("made") / "project"
    shutil.copytree(first.workshop.root, copy, symlinks=True)
    return Workshop(copy)


@pytest.fixture(scope="session")
def ran(made: Workshop) -> Workshop:
    """The same, tracked and registered."""
    made.do("twinops", "track")
    made.do("twinops", "register")
    return made
