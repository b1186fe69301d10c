"""Ask Evidently how far the features of two windows lie apart. Evidently's only home."""

import importlib
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

TESTS = "evidently.legacy.calculations.stattests"


class Drifted(NamedTuple):
    """Evidently's normed Wasserstein distance, and whether its own test says it reaches the limit."""

    distance: float
    reaches_limit: bool


def drift_report(current: pd.DataFrame, reference: pd.DataFrame, *, limit: float) -> dict[str, Drifted]:
    """One answer per column. Columns are numbers, and none is without a value in either window.

    What Evidently's report asks of each column, asked by itself: the report draws every column besides.
    """
    os.environ["DO_NOT_TRACK"] = "true"
    asked, number = _test()
    found = {}
    with np.errstate(invalid="ignore", divide="ignore"):  # a constant column has no spread
        for column in reference.columns:
            said = asked(_known(reference[column]), _known(current[column]), number, limit)
            found[column] = Drifted(float(said.drift_score), bool(said.drifted))
    return found


def _known(values: pd.Series) -> pd.Series:
    """The finite ones, as Evidently's report takes them."""
    return values.replace([-np.inf, np.inf], np.nan).dropna()


@cache
def _test() -> tuple[Any, Any]:
    """Evidently's Wasserstein test, and its word for a column of numbers."""
    with _by_the_back_door("evidently", TESTS), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        test = importlib.import_module(f"{TESTS}.wasserstein_distance_norm")
        core = importlib.import_module("evidently.legacy.core")
    return test.wasserstein_stat_test, core.ColumnType.Numerical


@contextmanager
def _by_the_back_door(name: str, below: str) -> Iterator[None]:
    """Import modules of a package without what its front doors load: a server, plots, language models; 1.6 seconds.

    `below` is a package in it whose own front door loads all that lies beside what is asked for. Afterwards nothing of
    it is left where imports look, so whoever imports the package gets all of it.
    """
    if name in sys.modules:
        yield
        return
    before, spec = set(sys.modules), find_spec(name)
    homes = list(spec.submodule_search_locations or ()) if spec else []
    for door in (name, below):
        sys.modules[door] = front = ModuleType(door)
        front.__path__ = [str(Path(home, *door.split(".")[1:])) for home in homes]
    try:
        yield
    finally:
        for loaded in [m for m in sys.modules if m not in before and m.partition(".")[0] == name]:
            del sys.modules[loaded]
