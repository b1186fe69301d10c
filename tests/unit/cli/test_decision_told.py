"""What is told of a decision fits the table beside it."""

from __future__ import annotations

from twinops.cli.score import _contacted
from twinops.workflows.scoring.offered import DecisionTold


def told(contacted: int | None, kept_back: dict[str, int | None]) -> str:
    return _contacted(DecisionTold("offers", "spend", 0.2, 570, 114, contacted, kept_back))


def test_a_count_that_is_hidden_for_a_few_others_is_not_called_small() -> None:
    text = told(None, {"protected_by_policy": None})
    assert "fewer than ten" not in text
    assert "the table says of each" in text
    assert told(100, {"contacted_too_often": 14}) == "100 may be contacted; kept back: contacted too often 14"
    assert told(114, {}) == "114 may be contacted; kept back: nobody"
