"""What most stages load, loaded once; imported by the process that `warm.py` forks them from and by nothing else."""

from __future__ import annotations

import atexit
import gc
import importlib
import sys
from typing import Any

from twinops.adapters.dvc import shared

NAMES = ("IPython.core.interactiveshell", "jupytext", "papermill", "scipy.stats")
ABSENT: Any = None

shared.load()
sys.modules.setdefault("rfc3987_syntax", ABSENT)  # see `papermill_runner.py`
with_s3 = "boto3" in sys.modules
sys.modules.setdefault("boto3", ABSENT)  # papermill would load it for notebooks that lie in the cloud: none does
for name in NAMES:
    importlib.import_module(name)
if not with_s3:
    del sys.modules["boto3"]
gc.freeze()  # the collector would write to every page that the forks share
atexit.register(gc.unfreeze)
