"""What the service answered comes back: held against what came, by version, by whoever runs `twinops update`."""

from __future__ import annotations

import json

import pytest
import serving
from living_world import GRID, natural
from serving import HOUSEHOLDS, Asked, Shop, until
from shoppers import crowd

from twinops.data.vault.sealed_file import SealedFile
from twinops.entities.consent import Purpose
from twinops.own_params import OwnParams
from twinops.params import DocumentsParams, EvaluateParams
from twinops.workflows.decision_lines import folder_of, read
from twinops.workflows.declared_words import DeclaredWords
from twinops.workflows.twin.open import shipped_model
from twinops.workflows.update.answered import answered
from twinops.workflows.update.forecasts import Forecasts
from twinops.workflows.update.look import Seen
from twinops.workflows.update.monitor import Desk, monitor
from twinops.workflows.update.states import StateStore

DAY = 120
"""The answers of the service are dated back to this day, so that their horizon is over in the data of the tests."""
ASKED = 60
NOTHING_NEW = Seen((), (), {}, {"transactions": {"all": "0"}}, {})


@pytest.fixture
def told(shop: Shop) -> Shop:
    """A project whose service answered about sixty, and about some of them twice."""
    token = shop.token("everything")
    with serving.running(shop) as (address, _):
        asked = Asked(address, token)
        for number in (*range(ASKED), *range(20)):
            assert asked.predict(number).status_code == 200
        asked.predict(0, "credit")
        until(lambda: len(list(read(folder_of(shop.places)))) == ASKED + 21)
    (file,) = folder_of(shop.places).glob("*.jsonl")
    lines = [{**line, "day": DAY} if "day" in line else line for line in read(folder_of(shop.places))]
    file.write_text("\n".join(map(json.dumps, lines)) + '\n{"at": "2026-', encoding="utf-8")
    return shop


def test_answers_are_joined_to_what_came_and_each_consumer_counts_once(told: Shop) -> None:
    receipts, everybody = told.ground.opener.receipts, frozenset(told.keys.known_sid(natural(n)) for n in range(400))
    forecasts = Forecasts(receipts, GRID)
    (found,) = answered(forecasts, everybody, known_until=receipts.known_until)
    assert (found.version, len(found.seen)) == (3, ASKED)
    lines = crowd(HOUSEHOLDS, days=200)
    asked = {natural(n) for n in range(ASKED)}
    came = {(sid, basket) for sid, day, basket in zip(lines["sid"].to_pylist(), lines["day"].to_pylist(),
            lines["basket_id"].to_pylist(), strict=True) if sid in asked and DAY <= day < DAY + 28}  # fmt: skip
    assert found.seen.baskets.sum() == len(came)
    assert answered(forecasts, everybody, known_until=DAY + 27) == (), "the horizon is not over"
    few = frozenset(told.keys.known_sid(natural(n)) for n in range(49))
    assert answered(forecasts, few, known_until=receipts.known_until) == (), "fewer than fifty are not told"


def test_an_update_tells_what_came_of_the_answers_by_version(told: Shop) -> None:
    receipts = told.ground.opener.receipts
    desk = Desk(receipts, GRID, EvaluateParams(cutoffs=(120,), draws=100, seed=1), DocumentsParams(model="twin"),
                DeclaredWords(OwnParams({})))  # fmt: skip
    entry = monitor(NOTHING_NEW, desk=desk).entry
    (found,) = entry["answered"]
    assert (found["version"], found["n"]) == (3, ASKED)
    assert {m["name"] for m in found["measures"]} >= {"foretold_active_ratio", "foretold_spend_ratio"}
    page = told.places.monitoring_report("html").read_text(encoding="utf-8")
    assert "What version 3 answered as a service, against what came (n = 60)" in page
    assert monitor(NOTHING_NEW, desk=desk).again
    for path in folder_of(told.places).glob("*.jsonl"):
        path.unlink()
    assert "answered" not in monitor(NOTHING_NEW, desk=desk).entry


def test_who_may_not_be_scored_any_more_is_in_no_forecast_however_old(shop: Shop) -> None:
    receipts = shop.ground.opener.receipts
    forecasts, store = Forecasts(receipts, GRID), StateStore(receipts, GRID.decay_days)
    allowed = forecasts.allowed(store.subjects())
    states, model = store.known(allowed[Purpose.SCORING]), shipped_model(shop.places)
    for day in (DAY, DAY + 28):
        assert forecasts.seal(states, day, model, model.calibrated, allowed)
    gone = next(iter(states))
    before = {p: SealedFile.read(p, "expected") for p in shop.places.expectations}
    assert len(before) == 2
    forecasts.keep_to(allowed[Purpose.SCORING] - {gone})
    for path, file in before.items():
        after = SealedFile.read(path, "expected")
        frames = dict(zip(file.sids, file.frames, strict=True))
        frames.pop(bytes.fromhex(gone), None)
        assert dict(zip(after.sids, after.frames, strict=True)) == frames
    forecasts.keep_to(frozenset())
    assert not shop.places.expectations
