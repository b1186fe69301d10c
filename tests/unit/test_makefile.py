"""Set-up says in one clear sentence what is missing, leaves no half stamp, and returns at once when nothing changed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from candidate import ROOT, write

from twinops.adapters import quiet

TARGETS = {"run", "test", "test-fast", "lab", "serve", "bench", "lint", "clean"}
PARTS = (
    "Makefile",
    "requirements.lock",
    "pyproject.toml",
    "setup/setup.sh",
    "setup/installer.lock",
    "src/twinops/adapters/quiet.env",
)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The set-up part of a clone, with nothing installed."""
    for part in PARTS:
        write(tmp_path / part, (ROOT / part).read_text())
    return tmp_path


def make(clone: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_", "MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", *words], cwd=clone, env={**kept, **environment}, capture_output=True, text=True, check=False
    )


def tools(folder: Path, **scripts: str) -> str:
    """A PATH with the plain tools of a small machine and these commands."""
    for name in ("sh", "bash", "cat", "date", "dirname", "grep", "git", "id", "mv", "rm", "sed"):
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)
    for name, script in scripts.items():
        write(folder / name.replace("_", "."), f"#!/bin/sh\n{script}\n")
        (folder / name.replace("_", ".")).chmod(0o755)
    return str(folder)


def test_make_alone_lists_the_targets(clone: Path) -> None:
    done = make(clone)
    assert done.returncode == 0
    assert {line.split()[1] for line in done.stdout.splitlines()} >= TARGETS
    assert not (clone / ".venv").exists()


def test_an_old_python_is_told_in_one_sentence(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tools(tmp_path_factory.mktemp("bin"), python3='[ "$1" = --version ] && echo Python 3.9.2')
    done = subprocess.run(
        ["sh", "setup/setup.sh"], cwd=clone, env={"PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 5
    assert "Python 3.11, 3.12 or 3.13 is needed, and only Python 3.9.2 was found." in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_newer_python_beside_an_old_one_is_taken(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    newer = 'case "$1" in --version) echo Python 3.12.1;; -c) exit 0;; *) echo "made with 3.12" >&2; exit 1;; esac'
    path = tools(tmp_path_factory.mktemp("bin"), python3="exit 1", python3_12=newer)
    done = subprocess.run(
        ["sh", "setup/setup.sh"], cwd=clone, env={"PATH": path}, capture_output=True, text=True, check=False
    )
    assert "making .venv with Python 3.12.1" in done.stderr
    assert "made with 3.12" in done.stderr


def test_a_failed_download_is_told_and_leaves_no_stamp(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    pip = '[ "$1" = -m ] && [ "$2" = pip ] && { echo "no route to the index" >&2; exit 1; }; exit 0'
    makes_venv = f"mkdir -p .venv/bin; printf '#!/bin/sh\\n%s\\n' '{pip}' > .venv/bin/python; chmod +x .venv/bin/python"
    python = f'case "$1 $2" in "--version ") echo Python 3.11.7;; "-m venv") {makes_venv};; esac; exit 0'
    path = tools(tmp_path_factory.mktemp("bin"), python3=python)
    for name in ("mkdir", "chmod"):
        (Path(path) / name).symlink_to(shutil.which(name) or name)
    done = subprocess.run(
        ["sh", "setup/setup.sh"], cwd=clone, env={"PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 5
    assert "no route to the index" in done.stderr
    assert "could not be downloaded. Check the network or the package mirror, then run this again." in done.stderr
    assert not (clone / ".venv" / "twinops-setup.stamp").exists()


def test_a_stamped_environment_is_left_alone_and_a_changed_lock_is_not(
    clone: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tools(
        tmp_path_factory.mktemp("bin"),
        python3='[ "$1" = --version ] && echo Python 3.11.7; [ "$1" = -m ] && exit 1; exit 0',
    )
    write(clone / ".venv" / "bin" / "twinops", "")
    (clone / ".venv" / "bin" / "twinops").chmod(0o755)
    parts = b"".join(
        (clone / p).read_bytes()
        for p in ("requirements.lock", "setup/installer.lock", "pyproject.toml", "setup/setup.sh")
    )
    stamp = subprocess.run(
        ["git", "hash-object", "--stdin"],
        input=parts + f"Python 3.11.7\n{clone}\n".encode(),
        capture_output=True,
        check=True,
    )
    write(clone / ".venv" / "twinops-setup.stamp", stamp.stdout.decode())
    start = ["sh", "setup/setup.sh"]
    assert subprocess.run(start, cwd=clone, env={"PATH": path}, capture_output=True, check=False).returncode == 0
    write(clone / "requirements.lock", "changed==1\n")
    again = subprocess.run(start, cwd=clone, env={"PATH": path}, capture_output=True, text=True, check=False)
    assert "making .venv" in again.stderr
    assert not (clone / ".venv" / "twinops-setup.stamp").exists()


def test_make_and_python_read_one_list_of_silences(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in quiet.settings():
        monkeypatch.setenv(name, "loud")
    quiet.be_quiet()
    assert {"DO_NOT_TRACK", "MLFLOW_DISABLE_TELEMETRY", "DVC_NO_ANALYTICS"} <= quiet.settings().keys()
    assert all(os.environ[name] == value != "loud" for name, value in quiet.settings().items())
    printed = subprocess.run(
        ["make", "-s", "-f", "-", "show"],
        input="include Makefile\nshow:\n\t@env\n",
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert all(re.search(rf"^{name}={re.escape(value)}$", printed, re.M) for name, value in quiet.settings().items())
    assert "PYTHONDONTWRITEBYTECODE" not in printed
