"""An approval ends with the first thing it rests on; what is served after that is stated, or refused where it must."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import governed
import live as living
import play
import pytest
from governed import attribute, fact, measure
from live import SOURCE, Live

from twinops.adapters.registry_client.load import Verified
from twinops.entities.approval import Act
from twinops.governance.assessment import justification
from twinops.server.registry import signed_passes as passes
from twinops.server.registry.store import STATED

REFUSES = play.POLICY.replace('version: "play"', 'version: "strict"\nafter_expiry: refuse')
FAIR = play.POLICY.replace(
    "gates:\n",
    """gates:
  - id: fairness
    gate: fairness
    limits:
      {attributes: [age, income, marital_status, household_comp], ratio: 0.8, alpha: 0.05, justifiable: [income]}
""",
).replace("fairness: a,", "")
WHY_NOT = "Letters by lot alone were refused by the merchants, who would have to pay for most of them."
CLOCK = '''"""The server's clock is shifted by as many days as a file outside says."""
import importlib.abc, importlib.util, pathlib, sys
from datetime import timedelta

class Shifted(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != "twinops.server.registry.store":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        run = spec.loader.exec_module
        def exec_module(module):
            run(module)
            real = module.GovernedStore.now
            file = pathlib.Path(__file__).with_name("days")
            module.GovernedStore.now = lambda self: real(self) + timedelta(days=int(file.read_text()))
        spec.loader.exec_module = exec_module
        return spec

sys.meta_path.insert(0, Shifted())
'''


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    database = None
    if request.param == "postgresql":
        database = request.getfixturevalue("postgres").database().replace("postgresql://", "postgresql+psycopg://")
    made = play.open_store(tmp_path_factory.mktemp("ends"), database)
    yield made
    made._dispose_engine()


def asked(store: Any) -> Any:
    return store.get_model_version_by_alias(play.MODEL, "production")


def test_what_is_served_after_the_end_is_stated_or_refused(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    version = play.approved(store, 1)
    play.set_alias(store, version)
    assert STATED not in asked(store).tags
    assert passes.issue(store, play.MODEL, "production")["approval"]["ended"] == ""

    end = datetime.fromisoformat(passes.issue(store, play.MODEL, "production")["approval"]["expires"])
    with monkeypatch.context() as clock:
        clock.setattr(store, "now", lambda: end - timedelta(milliseconds=1))
        assert STATED not in asked(store).tags, "the last moment still counts"
        clock.setattr(store, "now", lambda: end)
        assert "ended on" in asked(store).tags[STATED]
        told = passes.issue(store, play.MODEL, "production")
        assert "ended on" in told["approval"]["ended"]
        verified = Verified(told["name"], 1, told["digest"], told["approval"], told["issued"], Path(), None)
        assert verified.ended == told["approval"]["ended"]
        assert store.get_model_version_download_uri(play.MODEL, version.version)
    assert STATED not in store.get_model_version(play.MODEL, version.version).tags, "it was said, not kept"

    play.activated(store, "policy", REFUSES)
    assert asked(store).version == version.version, "before the end nothing changes"
    monkeypatch.setattr(store, "now", lambda: end)
    with play.refused("The approval ended on", "refuses what would be served"):
        asked(store)
    with play.refused("ended on"):
        passes.issue(store, play.MODEL, "production")
    with play.refused("is not served", "ended on"):
        store.get_model_version_download_uri(play.MODEL, version.version)
    play.acted(store, Act.APPROVE, version)
    assert STATED not in asked(store).tags, "renewed, it is served again"


def test_a_justification_ends_an_approval(tmp_path: Path) -> None:
    store = play.open_store(tmp_path)
    play.activated(store, "policy", FAIR)
    today = datetime.now(UTC).date()
    until = today + timedelta(days=20)
    needed = _approved(store, 2, income=attribute(0.5, low=0.4, high=0.7), until=until)
    assert needed.expires.date() == until + timedelta(days=1), "the day itself still counts"
    not_needed = _approved(store, 3, income=governed.EVEN["income"], until=until)
    assert not_needed.expires.date() > until + timedelta(days=60), "it passes without one, so it rests on none"


def _approved(store: Any, number: int, *, income: dict[str, Any], until: date) -> Any:
    version = play.registered(store, number)
    play.with_evidence(store, version, given=_justified(income, until))
    return play.acted(store, Act.APPROVE, version)


def _justified(income: dict[str, Any], until: date) -> Any:
    """The play's evidence in which income is reached so, with a justification that all three signed."""
    family = {"rows": [
        {"name": n, "kind": kind, "price": {"value": p}, "ratios": {"income": r}}
        for n, kind, r, p in (("declared", "declared", 0.5, 0.0), ("lottery_1", "lottery", 0.99, 3.0))
    ]}  # fmt: skip
    made, reach = play.evidence(), measure("alternative_reach.lottery_1", 0.99, 0.9, 1.0, n=539)
    tests = fact("fairness_tests", {**governed.EVEN, "income": income})
    signatures = {
        "data owner": play.signed_by("owner"),
        "risk officer": play.signed_by("chief"),
        "data protection officer": play.signed_by("dpo"),
    }
    said = {
        "attribute": "income",
        "candidate": made.key,
        "evidence": tests.id,
        "aim": "Offers for stock-up packs are printed on paper and pay for themselves only in large baskets.",
        "necessity": "No cheaper channel reaches households without a phone; smaller packs do not cover postage.",
        "advice": "The difference is explained by basket size; look again after two campaigns and report on it.",
        "alternatives": [{"evidence": reach.id, "why_not": WHY_NOT}],
        "data_owner": "Owner",
        "risk_officer": "Chief",
        "dpo": "Dpo",
        "dated": datetime.now(UTC).date().isoformat(),
        "until": until.isoformat(),
        "signed": True,
        "problem": "",
        "signatures": signatures,
    }
    more = (tests, fact("fairness_family", family), fact(justification.FACT, [said]))
    kept = {f.name: f for f in (*made.facts, *more)}
    return replace(made, measures=(*made.measures, reach), facts=tuple(kept.values()))


@pytest.mark.pipeline
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_running_server_goes_by_its_own_clock(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    database = request.getfixturevalue("postgres").database() if kind == "postgresql" else None
    clock = tmp_path / "clock"
    clock.mkdir()
    (clock / "sitecustomize.py").write_text(CLOCK)
    (clock / "days").write_text("0")
    root = tmp_path / "project"
    root.joinpath("compliance").mkdir(parents=True)
    (root / "compliance" / "offices.yaml").write_text(play.OFFICES)
    if database is None:
        play.copy_migrated(root)
    live = Live(root, living.free_port(), database, fresh=True)
    try:
        live.start(PYTHONPATH=f"{clock}:{SOURCE}")
        live.activate()
        version = live.approved(1)
        assert live.alias(version).status == 200
        assert _told(live) == {}
        (clock / "days").write_text("400")
        assert "ended on" in _told(live)[STATED]
        page = _page(live)
        assert "it is served all the same" in page
        assert "What to do, by whom, by when" in page
        assert "/twinops/brief.pdf?name=twin&amp;version=1" in page
        asked_for = f"/twinops/brief.pdf?name={play.MODEL}&version=1"
        paper = live.call("GET", asked_for, who="dpo")
        assert (paper.status, paper.body[:5]) == (200, b"%PDF-")
        assert live.call("GET", asked_for, who="scientist").body == paper.body, "the same bytes for everybody"
        assert live.call("GET", asked_for.replace("=1", "=9"), who="dpo").status == 404
        assert live.call("GET", asked_for).status == 401
        assert "The approval ended on" in page
        (clock / "days").write_text("0")
        live.activate(REFUSES)
        assert _told(live) == {}
        (clock / "days").write_text("400")
        refused = live.resolved()
        assert refused.status == 403
        assert b"refuses what would be served" in refused.body
        page = _page(live)
        assert "whoever resolves or loads that is refused" in page
    finally:
        live.stop()


def _told(live: Live) -> dict[str, str]:
    """What the resolved version carries of ours."""
    answer = live.resolved()
    assert answer.status == 200, answer.body
    tags = answer.json["model_version"].get("tags", ())
    return {t["key"]: t["value"] for t in tags if t["key"] == STATED}


def _page(live: Live) -> str:
    """What the officer reads."""
    return live.call("GET", f"/twinops/review?name={play.MODEL}&version=1", who="risk-officer").body.decode()
