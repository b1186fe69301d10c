"""The monitoring page of an update before any forecast has closed says so, and shows no empty pictures."""

from __future__ import annotations

from pathlib import Path

from twinops.entities.wording import Wording
from twinops.workflows.places import Places
from twinops.workflows.update.ledger import Updates
from twinops.workflows.update.report import write_report

FIRST = {
    "id": "a", "as_of": "2026-01-31", "known_until": "2026-01-31", "states": {"subjects": 100, "proved": 10},
    "foretold": 100, "broken": [], "judged": [], "arrivals": [], "scored": [],
}  # fmt: skip


def test_before_a_forecast_has_closed_the_page_says_so_in_one_sentence_and_shows_no_picture(tmp_path: Path) -> None:
    places = Places(tmp_path)
    old = places.monitoring("over_time.png")
    old.parent.mkdir(parents=True)
    old.write_bytes(b"a picture of another update")
    write_report(places, Updates((FIRST,)), Wording(), {})
    page = places.monitoring_report("html").read_text(encoding="utf-8")
    assert page.count("No forecast has closed yet") == 1
    assert "<img" not in page
    assert not old.exists()
