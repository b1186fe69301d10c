"""What most stages load, loaded once; imported by the process that `warm.py` forks them from and by nothing else."""

from __future__ import annotations

import atexit
import gc
import importlib
import sys
from typing import Any

NAMES = (
    "cryptography.hazmat.primitives.ciphers.aead", "duckdb", "IPython.core.interactiveshell", "jupytext",
    "matplotlib.backends.backend_agg", "matplotlib.figure", "pandas", "pandera.pandas", "papermill", "pyarrow.compute",
    "pyarrow.parquet", "scipy.optimize", "scipy.stats", "typer", "yaml", "zstandard",
)  # fmt: skip
ABSENT: Any = None

sys.modules.setdefault("rfc3987_syntax", ABSENT)  # see `papermill_runner.py`
for name in NAMES:
    importlib.import_module(name)
gc.freeze()  # the collector would write to every page that the forks share
atexit.register(gc.unfreeze)
