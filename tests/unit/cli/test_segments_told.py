"""What a person reads of a table of segments."""

from __future__ import annotations

from twinops.cli.segments import _text
from twinops.evaluation.segments.measures import Mean, Segment, WhatIf
from twinops.twin.answers.what_if import Action
from twinops.workflows.twin.segments import Segmented


def table(action: str | None, *segments: Segment) -> str:
    acted = None if action is None else Action.parse(action)
    return _text(Segmented(("activity",), "offers", 420, "2026-09-03", 28, 1_240, segments, acted, (), None))


RICH = Segment(
    ("often",), 736, Mean(0.8, 0.75, 0.85), Mean(3.4, 3.1, 3.7), Mean(12345.6, 11000.2, 13999.9),
    WhatIf(700, Mean(12000.0, 10900.0, 13500.0), Mean(-345.0, -400.0, -0.5), None),
)  # fmt: skip


def test_it_names_its_day_and_whose_day_that_is() -> None:
    assert "as of 2026-09-03, the newest day that the panel has; expected in the 28 days after it" in table(None)


def test_a_condition_is_repeated_on_each_line_with_how_many_it_is_about() -> None:
    assert "; with 14 days of silence (about 700 of them): spend" in table("silence:14", RICH)
    outside = Segment(*list(vars(RICH).values())[:5], WhatIf(None, None, None, None))
    assert "; with 14 days of silence: outside the support of the data" in table("silence:14", outside)


def test_large_sums_are_whole_and_no_power_of_ten() -> None:
    told = table("silence:14", RICH)
    assert "12,346 [11,000, 14,000]" in told
    assert "change -345 [-400, -0.5]" in told
    assert "e+" not in told
