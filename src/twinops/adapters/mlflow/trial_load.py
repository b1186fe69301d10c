"""Load a model's data file in a process of its own, with limits: a damaged file may end the interpreter."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from twinops.adapters.mlflow import described
from twinops.errors import IntegrityError

SECONDS = 30
MEMORY = 4 * 1024**3
GOOD = "loaded"
UNASKED = ("sklearn", "pandas", "matplotlib", "graphviz", "dask", "pyarrow", "polars")
"""LightGBM greets these when they are there; a text file is read without them, and 1.1 CPU-seconds sooner."""
ABSENT: Any = None


KEPT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TMPDIR")
"""Of the environment; what reads a stranger's file gets no password and no key to see."""


def load(folder: Path) -> Any:
    """The predictor in a model's folder; text formats only, read by our loader's own code or LightGBM's text reader."""
    loader, data = described.data_file(folder)
    if loader == described.LIGHTGBM:
        import lightgbm

        return lightgbm.Booster(model_file=str(folder / data))
    from twinops.adapters.mlflow import twin_flavour

    return twin_flavour._load_pyfunc(str(folder / data))


def try_out(folder: Path) -> None:
    """Load it once elsewhere; asked after `described.dangers` found none.

    Raises:
        IntegrityError: it cannot be loaded, takes too long or too much, or ends the process.
    """
    data = described.data_file(folder)[1]
    command = [sys.executable, "-P", "-m", __name__, str(folder)]
    env = {name: os.environ[name] for name in KEPT if name in os.environ}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False, env=env)
    except subprocess.TimeoutExpired:
        raise IntegrityError(f"{data} did not load within {SECONDS} s.", hint="It is not a sound model file.") from None
    if done.returncode != 0 or done.stdout.strip() != GOOD:
        how = f"signal {-done.returncode}" if done.returncode < 0 else f"exit code {done.returncode}"
        raise IntegrityError(f"{data} does not load ({how}).", hint="It is not a sound model file.")


def main() -> None:
    """What the other process does."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    folder = Path(sys.argv[1])
    if described.data_file(folder)[0] == described.LIGHTGBM:
        sys.modules.update(dict.fromkeys(UNASKED, ABSENT))
    load(folder)
    print(GOOD)  # noqa: T201  # the answer to the parent


if __name__ == "__main__":
    main()
