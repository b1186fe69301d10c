"""The ledger of updates: the same update again takes its own place, and does not hang on having run before."""

from __future__ import annotations

from twinops.workflows.update.ledger import Updates


def test_the_same_update_again_stands_once_and_does_not_know_itself() -> None:
    first, second = ({"id": name, "scored": [{"sealed_on": name, "measures": []}]} for name in ("a", "b"))
    both = Updates().with_one(first).with_one(second)
    assert both.with_one(second) == both
    assert both.without("b").entries == (first,)
    assert both.last == second
