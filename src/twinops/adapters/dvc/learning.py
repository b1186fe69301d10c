"""What stages that fit models load besides `libraries.py`; where none of them will run, it is not loaded."""

from __future__ import annotations

import gc
import importlib

for name in ("lightgbm", "sklearn.linear_model"):
    importlib.import_module(name)
gc.freeze()
