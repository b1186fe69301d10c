"""What every picture says of itself can be read whole, and a picture of nothing is no empty sheet."""

from __future__ import annotations

from pathlib import Path

import pytest

from twinops.entities.wording import MANY, Wording
from twinops.evaluation.canvas import canvas, nothing, save, tell

LONG = f"Of all {MANY} of this shop some came back and others did not, and nobody can say beforehand which of them will"
WORDS = Wording("customer", "customers", "EUR")


def drawn(path: Path, *, finding: str, rests_on: str):
    figure, _ = canvas(size=(6, 3))
    tell(figure, finding=finding, rests_on=rests_on)
    save(figure, path, WORDS)
    return figure


def test_a_title_and_a_caption_that_are_too_long_go_on_in_the_next_line(tmp_path):
    figure = drawn(tmp_path / "a.png", finding=LONG, rests_on=f"{LONG}. {LONG}.")
    title, caption = figure.texts
    assert title.get_text().split() == LONG.replace(MANY, "customers").split()
    for text in (title, caption):
        assert "\n" in text.get_text()
        assert text.get_window_extent().x1 < figure.bbox.width
    assert title.get_window_extent().y0 > figure.axes[0].get_window_extent().y1


def test_what_fits_stays_as_it_was_written(tmp_path):
    figure = drawn(tmp_path / "a.png", finding="Short", rests_on="Two\nlines")
    assert [text.get_text() for text in figure.texts] == ["Short", "Two\nlines"]


@pytest.mark.parametrize("columns", [1, 3])
def test_a_picture_of_nothing_is_a_strip_with_its_sentence(tmp_path, columns):
    figure = nothing(canvas(columns=columns, size=(9, 6))[0], finding="Nothing was measured", rests_on="Too few.")
    save(figure, tmp_path / "a.png", WORDS)
    assert figure.get_figheight() < 1
    title, caption = (text.get_window_extent() for text in figure.texts)
    assert title.y0 > caption.y1
    assert 0 <= caption.y0 <= title.y1 <= figure.bbox.height
