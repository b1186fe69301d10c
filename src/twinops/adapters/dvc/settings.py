"""Let DVC work with an empty cache for a while; the doctor puts the project's settings back after a crash."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

from twinops.errors import ServiceError
from twinops.whole_files import write

_OURS = re.compile(r"twinops-cache-(\d+)-")


@contextmanager
def empty_cache(root: Path, *, below: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """DVC works with a cache of its own that holds nothing; the project's cache stays as it is.

    The new one lies below a folder that goes away; `environment` is all that DVC is told.

    Raises:
        ServiceError: DVC did not take the setting.
    """
    settings, kept = _places(root)
    mend(root)
    before = settings.read_bytes() if settings.is_file() else b""
    write(kept, before)
    with tempfile.TemporaryDirectory(prefix=f"twinops-cache-{os.getpid()}-", dir=below) as empty:
        try:
            for words in (("cache.dir", empty), ("cache.type", "copy")):
                _set(root, words, environment)
            yield
        finally:
            write(kept, before)  # what runs meanwhile may write there
            _put_back(settings, kept)


def mend(root: Path) -> list[str]:
    """Put the settings back when the process that had changed them is gone."""
    settings, kept = _places(root)
    changed = _OURS.search(settings.read_text(encoding="utf-8")) if settings.is_file() else None
    if changed is None or psutil.pid_exists(int(changed[1])):
        return []
    _put_back(settings, kept)
    return ["Put back .dvc/config.local: a killed `twinops model evidence` had left its own cache in it."]


def _places(root: Path) -> tuple[Path, Path]:
    return root / ".dvc" / "config.local", root / ".dvc" / "tmp" / "config.local.kept"


def _put_back(settings: Path, kept: Path) -> None:
    if kept.is_file() and kept.stat().st_size:
        kept.replace(settings)
    else:
        settings.unlink(missing_ok=True)
        kept.unlink(missing_ok=True)


def _set(root: Path, words: tuple[str, str], environment: Mapping[str, str]) -> None:
    command = ["dvc", "config", "--local", *words]
    done = subprocess.run(command, cwd=root, env=dict(environment), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ServiceError("DVC took no other cache.", hint=done.stderr.strip()[:200] or "Run `dvc doctor`.")
