"""Evidently says of drifted columns what its stand-in in the unit tests says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from stand_ins import instead_of_evidently

from twinops.evaluation.drift.distances import Sample, apart
from twinops.evaluation.drift.evidently_report import drift_report

pytestmark = [pytest.mark.pipeline, pytest.mark.filterwarnings("default")]


def test_evidently_says_the_same_distance_as_its_stand_in_and_as_we_do() -> None:
    rng = np.random.default_rng(4)
    then = pd.DataFrame({"gamma": rng.gamma(2, 1, 90), "rare": rng.poisson(0.2, 90), "still": np.ones(90)})
    now = pd.DataFrame({"gamma": rng.gamma(2, 1, 80) * 1.3, "rare": rng.poisson(0.2, 80), "still": np.ones(80)})
    told = drift_report(now, then, limit=0.1)
    short = instead_of_evidently(now, then, limit=0.1)
    for name in then.columns:
        assert told[name].distance == pytest.approx(short[name].distance), name
        assert told[name].reaches_limit == short[name].reaches_limit, name
    assert told["gamma"].reaches_limit
    ours = apart(
        Sample(then["gamma"].to_numpy(), np.arange(90)),
        Sample(now["gamma"].to_numpy(), np.arange(80)),
        np.ones((1, 90), dtype=int),
    )
    assert told["gamma"].distance == pytest.approx(ours.distance[0])


def test_asked_without_its_report_evidently_says_what_its_report_says() -> None:
    rng = np.random.default_rng(9)
    then = pd.DataFrame({"gamma": rng.gamma(2, 1, 400), "rare": rng.poisson(0.2, 400), "still": np.ones(400)})
    now = pd.DataFrame({"gamma": rng.gamma(2, 1, 350) * 1.2, "rare": rng.poisson(0.2, 350), "still": np.ones(350)})
    then.loc[:20, "gamma"], now.loc[3, "gamma"], now.loc[5, "rare"] = np.nan, np.inf, np.nan
    told = drift_report(now, then, limit=0.1)
    import evidently

    numbers = evidently.DataDefinition(numerical_columns=list(then.columns))
    asked = [evidently.metrics.ValueDrift(column=c, method="wasserstein", threshold=0.1) for c in then.columns]
    sides = [evidently.Dataset.from_pandas(side, data_definition=numbers) for side in (now, then)]
    said = evidently.Report(asked, include_tests=True).run(*sides).dict()
    failed = {t["metric_config"]["params"]["column"]: t["status"].value == "FAIL" for t in said["tests"]}
    assert {m["config"]["column"]: (m["value"], failed[m["config"]["column"]]) for m in said["metrics"]} == told


def test_evidently_is_told_not_to_report_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DO_NOT_TRACK", raising=False)
    drift_report(pd.DataFrame({"x": [1.0, 2.0]}), pd.DataFrame({"x": [1.0, 2.0]}), limit=0.1)
    from evidently.telemetry import event_logger

    assert not event_logger.is_enabled()
