"""What a picture of quarantined rows says of where they come from."""

from __future__ import annotations

from collections import Counter

import pytest

from twinops.evaluation.quality.quarantine_picture import quarantine_picture


@pytest.mark.parametrize("planted", [True, False])
def test_only_where_shipped_sources_are_among_them_is_it_said_that_rows_were_planted(planted: bool) -> None:
    counts = {"transactions": {"read": 1_000, "quarantined": Counter(household_id_missing=12), "off": False}}
    figure = quarantine_picture(counts, planted=planted)
    assert ("planted" in " ".join(text.get_text() for text in figure.texts)) is planted
