"""What both stages and a command that begins them load; a command that forks them loads it once for all of them."""

from __future__ import annotations

import atexit
import gc
import importlib
import sys
from collections.abc import Iterable
from typing import Any

NAMES = (
    "cryptography.hazmat.primitives.ciphers.aead", "duckdb", "matplotlib.backends.backend_agg", "matplotlib.figure",
    "pandas", "pandera.backends.pandas.builtin_checks", "pandera.backends.pandas.register", "pandera.pandas",
    "pyarrow.compute", "pyarrow.parquet", "scipy.optimize", "typer", "yaml", "zstandard",
)  # fmt: skip
UNUSED = ("hypothesis", "boto3", "jupyter_server", "markdown_it", "rfc3987_syntax")
"""What libraries load where it is installed, for what nobody does here: tests of schemas, notebooks in a cloud."""
_ABSENT: Any = None


def load() -> None:
    """Load all of it; nothing of it opens a file or begins a thread that works."""
    load_without_unused(NAMES)
    gc.freeze()  # the collector would look through all of it again and again, and write to every page that forks share
    atexit.register(gc.unfreeze)  # DuckDB speaks of leaks otherwise


def load_without_unused(names: Iterable[str]) -> None:
    """Load these, and of what they would load by the way only what is there already."""
    kept_away = [name for name in UNUSED if name not in sys.modules]
    sys.modules.update(dict.fromkeys(kept_away, _ABSENT))
    for name in names:
        importlib.import_module(name)
    for name in kept_away:
        del sys.modules[name]
