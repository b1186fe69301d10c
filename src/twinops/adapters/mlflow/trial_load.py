"""Load a model's data file in a process of its own, with limits: a damaged file may end the interpreter."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from twinops.errors import IntegrityError

SECONDS = 30
MEMORY = 4 * 1024**3
GOOD = "loaded"
UNASKED = ("sklearn", "pandas", "matplotlib", "graphviz", "dask", "pyarrow", "polars")
"""LightGBM greets these when they are there; a text file is read without them, and 1.1 CPU-seconds sooner."""
ABSENT: Any = None


def load(loader: str, path: Path) -> Any:
    """The predictor of a data file; text formats only, read by code of ours or by LightGBM's text reader."""
    if loader == "mlflow.lightgbm":
        import lightgbm

        return lightgbm.Booster(model_file=str(path))
    from twinops.adapters.mlflow.twin_flavour import predictor

    return predictor(path)


def try_out(loader: str, path: Path) -> None:
    """Load it once elsewhere.

    Raises:
        IntegrityError: it cannot be loaded, takes too long or too much, or ends the process.
    """
    command = [sys.executable, "-P", "-m", __name__, loader, str(path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise IntegrityError(
            f"{path.name} did not load within {SECONDS} s.", hint="It is not a sound model file."
        ) from None
    if done.returncode != 0 or done.stdout.strip() != GOOD:
        how = f"signal {-done.returncode}" if done.returncode < 0 else f"exit code {done.returncode}"
        raise IntegrityError(f"{path.name} does not load ({how}).", hint="It is not a sound model file.")


def main() -> None:
    """What the other process does."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.argv[1] == "mlflow.lightgbm":
        sys.modules.update(dict.fromkeys(UNASKED, ABSENT))
    load(sys.argv[1], Path(sys.argv[2]))
    print(GOOD)  # noqa: T201  # the answer to the parent


if __name__ == "__main__":
    main()
