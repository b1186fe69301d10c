"""What every picture says of itself can be read whole, and a picture of nothing is no empty sheet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.text import Text

from twinops.entities.wording import MANY, Wording
from twinops.evaluation import canvas as canvas_page
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


def word_by_word(text: Text, line: str, width: float) -> list[str]:
    parts, part = [], ""
    for word in line.split(" "):
        longer = f"{part} {word}" if part else word
        if part and not canvas_page._fits(text, longer, width):
            parts.append(part)
            longer = word
        part = longer
    return [*parts, part]


def test_lines_are_broken_where_the_next_word_does_not_fit_and_few_are_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng, fits = np.random.default_rng(5), canvas_page._fits
    words = ["", "a", "To", "W.", "1,276", "customers", "(n=33)", "averylongwordthatnolinecanholdwhereveritisbroken"]
    for length in (0, 1, 2, 5, 12, 30, 40):
        figure, _ = canvas(size=(3, 2))
        text = tell(figure, finding="x", rests_on="y").texts[0]
        line = " ".join(rng.choice(words, length))
        expected = word_by_word(text, line, figure.bbox.width)
        assert [*canvas_page._broken(text, line, figure.bbox.width)] == expected
    measured: list[str] = []
    monkeypatch.setattr(
        canvas_page, "_fits", lambda text, line, width: measured.append(line) or fits(text, line, width)
    )
    assert len([*canvas_page._broken(text, "to and fro " * 12, 1e6)]) == 1
    assert len(measured) <= 6
