"""What most stages load, loaded once; imported by the process that `warm.py` forks them from and by nothing else."""

from __future__ import annotations

import gc

from twinops.adapters.dvc import shared

NAMES = ("IPython.core.interactiveshell", "jupytext", "papermill", "scipy.stats")

shared.load()
shared.load_without_unused(NAMES)
gc.freeze()  # the collector would write to every page that the forks share
