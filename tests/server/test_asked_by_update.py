"""A review that an update asks for stands in the officers' queue, once, and stops nothing that is served."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import live as living
import pytest
from live import Live, Version

from twinops.adapters.registry_client import reviews
from twinops.cli import update
from twinops.errors import ServiceError
from twinops.wiring import Project
from twinops.workflows.places import Places
from twinops.workflows.update.monitor import Monitored

pytestmark = pytest.mark.pipeline
WHY = "Monitoring as of 2024-11-01 (update 0123456789abcdef): Baskets are 0.7 of those foretold."


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with living.serving(tmp_path_factory.mktemp("asked"), None) as server:
        yield server


@pytest.fixture(scope="module")
def produced(live: Live) -> Version:
    version = live.registered(1)
    assert live.judged(version).status == 200
    assert live.decided("approve", version).status == 200
    assert live.alias(version).status == 200
    return version


@pytest.fixture(autouse=True)
def door(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWINOPS_SERVER", live.address)
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "scientist")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", live.passwords["scientist"])


def asked_for(live: Live, version: Version) -> list[dict[str, Any]]:
    path = f"/twinops/api/version?name={version.name}&version={version.version}"
    return [r for r in live.call("GET", path, who="risk-officer").json["reviews"] if r["act"] == "request"]


def test_where_nothing_is_in_production_it_waits(live: Live) -> None:
    with pytest.raises(ServiceError, match="in production"):
        reviews.ask("nobody-knows-it", WHY)


def test_it_is_asked_for_once_and_the_officer_sees_it_and_the_alias_is_served_on(live: Live, produced: Version) -> None:
    where = reviews.ask(produced.name, WHY)
    assert f"version {produced.version}" in where
    assert reviews.ask(produced.name, WHY) == where
    (found,) = asked_for(live, produced)
    assert found["reason"] == WHY
    queue = live.call("GET", "/twinops/", who="risk-officer").body.decode()
    assert "waiting" in queue
    assert (
        WHY
        in live.call(
            "GET", f"/twinops/review?name={produced.name}&version={produced.version}", who="risk-officer"
        ).body.decode()
    )
    path = f"/twinops/api/alias?name={produced.name}&alias=production"
    assert live.call("GET", path, who="scientist").json["version"] == produced.version


def test_what_waited_without_a_server_is_handed_in_by_the_next_update(
    live: Live, produced: Version, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = [{"name": "drift", "answer": "failed", "sentence": "Features moved."}]
    entry = {"id": "f" * 16, "as_of": "2024-12-01", "model": {"name": produced.name}, "judged": judged}
    shutil.copy(living.SOURCE.parent / "params.yaml", tmp_path)
    project, found = Project(tmp_path), Monitored({**entry, "broken": ["drift"]}, again=False)
    address = live.address
    monkeypatch.delenv("TWINOPS_SERVER")
    update._ask(project, found)
    kept = Places(tmp_path).live("reviews.json")
    assert json.loads(kept.read_text())["asked"][0]["handed_in"] == ""
    monkeypatch.setenv("TWINOPS_SERVER", address)
    for _ in range(2):
        update._ask(project, found)
    (told,) = json.loads(kept.read_text())["asked"]
    assert told["handed_in"].startswith(f"version {produced.version}")
    assert [r["reason"] for r in asked_for(live, produced)].count(told["reason"]) == 1
