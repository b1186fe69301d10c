"""Ask Evidently how far the features of two windows lie apart. Evidently's only home."""

import os
import warnings
from typing import Any, NamedTuple

import numpy as np
import pandas as pd


class Drifted(NamedTuple):
    """Evidently's normed Wasserstein distance, and whether its own test says it reaches the limit."""

    distance: float
    reaches_limit: bool


def drift_report(current: pd.DataFrame, reference: pd.DataFrame, *, limit: float) -> dict[str, Drifted]:
    """One answer per column. Columns are numbers, and none is without a value in either window.

    Evidently's report holds generated ids, and as HTML several megabytes: only the figures are kept.
    """
    evidently = _evidently()
    numbers = evidently.DataDefinition(numerical_columns=list(reference.columns))
    # its preset asks the same of each column, and draws every column besides
    asked = [evidently.metrics.ValueDrift(column=c, method="wasserstein", threshold=limit) for c in reference.columns]
    report = evidently.Report(asked, include_tests=True)
    with np.errstate(invalid="ignore", divide="ignore"):  # a constant column has no spread
        snapshot = report.run(
            evidently.Dataset.from_pandas(current, data_definition=numbers),
            evidently.Dataset.from_pandas(reference, data_definition=numbers),
        ).dict()
    return _answers(snapshot)


def _answers(snapshot: dict[str, Any]) -> dict[str, Drifted]:
    """The figures of a report, by column; all else in it is left where it is."""
    status = {t["metric_config"]["params"].get("column"): t["status"] for t in snapshot["tests"]}
    columns = {m["config"]["column"]: float(m["value"]) for m in snapshot["metrics"] if "column" in m["config"]}
    return {name: Drifted(distance, status[name].value == "FAIL") for name, distance in columns.items()}


def _evidently() -> Any:
    """Import it: five CPU-seconds, warnings of the libraries below it, and silence about us."""
    os.environ["DO_NOT_TRACK"] = "true"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import evidently
        import evidently.metrics
    return evidently
