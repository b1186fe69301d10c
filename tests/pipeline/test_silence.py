"""The main jobs run through although every connection that would leave the machine is refused, and none even tries."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from candidate import make_candidate, write

pytestmark = pytest.mark.pipeline

GUARD = """
import os, socket, sys, traceback

def _outside(address):
    host = address[0] if isinstance(address, tuple) else None
    return host is not None and host not in ("localhost", "::1", "") and not str(host).startswith("127.")

def _refused(what, address):
    with open(os.environ["ATTEMPTS"], "a") as log:
        log.write(f"{what} {address} by {sys.argv}\\n")
        traceback.print_stack(file=log)
    raise OSError(f"{what} to {address} is refused here")

def _watched(name):
    plain = getattr(socket.socket, name)
    def call(self, *words):
        if _outside(words[-1]):
            _refused(name, words[-1])
        return plain(self, *words)
    return call

class Guarded(socket.socket):
    connect, connect_ex, sendto = _watched("connect"), _watched("connect_ex"), _watched("sendto")

def _lookup(host, *words, _plain=socket.getaddrinfo, **named):
    if host is not None and _outside((host,)):
        _refused("getaddrinfo", host)
    return _plain(host, *words, **named)

socket.socket, socket.getaddrinfo = Guarded, _lookup
"""

STORY = """# %% [markdown]
# # All that could report home

# %% tags=["parameters"]
project = "."

# %%
import evidently
import fairlearn
import huggingface_hub
import mlflow
import pandera
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset
import pandas as pd

frame = pd.DataFrame({"x": range(50)})
Report([DataDriftPreset()]).run(Dataset.from_pandas(frame), Dataset.from_pandas(frame)) is not None
"""


@pytest.fixture
def guarded(tmp_path: Path) -> tuple[Path, dict[str, str], Path]:
    """A candidate's folder, an environment in which no process may connect outside, and the log of attempts."""
    attempts = tmp_path / "attempts.txt"
    write(tmp_path / "guard" / "sitecustomize.py", GUARD)
    root = make_candidate(tmp_path / "project").root
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("DO_NOT", "MLFLOW", "DVC", "ITERATIVE", "HF_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{clean['PATH']}"
    home = {"HOME": str(tmp_path / "home"), "PATH": path}
    return root, {**clean, **home, "PYTHONPATH": str(tmp_path / "guard"), "ATTEMPTS": str(attempts)}, attempts


def do(root: Path, environment: dict[str, str], *words: str) -> str:
    done = subprocess.run(words, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_guard_sees_an_attempt(guarded: tuple[Path, dict[str, str], Path]) -> None:
    root, environment, attempts = guarded
    tried = "import urllib.request as u\ntry: u.urlopen('http://example.org')\nexcept OSError: print('refused')"
    assert "refused" in do(root, environment, sys.executable, "-c", tried)
    assert "example.org" in attempts.read_text()


def test_notebook_ledger_registry_and_pipeline_try_no_connection_outside(
    guarded: tuple[Path, dict[str, str], Path],
) -> None:
    root, environment, attempts = guarded
    write(root / "notebooks" / "story.py", STORY)
    write(root / ".dvc" / "config", (Path(__file__).resolve().parents[2] / ".dvc" / "config").read_text())
    write(root / "dvc.yaml", "stages:\n  hello:\n    cmd: twinops doctor > hello.txt\n    outs: [hello.txt]\n")
    do(root, environment, "twinops", "notebook", "story")
    do(root, environment, "twinops", "track")
    do(root, environment, "twinops", "register")
    (root / "dvc.lock").unlink()
    do(root, environment, "dvc", "repro")
    do(root, environment, "dvc", "status")
    assert not attempts.exists() or attempts.read_text() == ""
