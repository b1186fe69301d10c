"""What both stages and a command that begins them load; a command that forks them loads it once for all of them."""

from __future__ import annotations

import importlib

NAMES = (
    "cryptography.hazmat.primitives.ciphers.aead", "duckdb", "matplotlib.backends.backend_agg", "matplotlib.figure",
    "pandas", "pandera.backends.pandas.builtin_checks", "pandera.backends.pandas.register", "pandera.pandas",
    "pyarrow.compute", "pyarrow.parquet", "scipy.optimize", "typer", "yaml", "zstandard",
)  # fmt: skip


def load() -> None:
    """Load all of it; nothing of it opens a file or begins a thread that works."""
    for name in NAMES:
        importlib.import_module(name)
