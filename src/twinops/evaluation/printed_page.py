"""Print passages on one page of A4 as PDF: text that can be selected, letters inside, the same bytes every time."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

from twinops.entities.passage import Passage

WIDTH, HEIGHT, MARGIN = 595.0, 842.0, 48.0
"""Points; A4."""
LARGEST, SMALLEST, STEP = 10.0, 6.0, 0.5
LEADING = 1.35
"""Line to line, in sizes of the letters."""
PLAIN, BOLD = "", "-Bold"
UNKNOWN = "\N{REPLACEMENT CHARACTER}"
_one_at_a_time = threading.Lock()
"""Settings of matplotlib belong to the process."""


@dataclass(frozen=True)
class _Line:
    """One line as it is set; `size` 0: a gap."""

    text: str
    size: float
    weight: str = PLAIN


def printed(title: str, passages: Sequence[Passage]) -> bytes:
    """The page. Letters shrink until all fits; what does not fit at the smallest size is cut with a mark."""
    return _drawn(title, _fitted(title, passages))


def _fitted(title: str, passages: Sequence[Passage]) -> list[_Line]:
    size = LARGEST
    while len(_on_page(lines := list(_set(title, passages, size)))) < len(lines) and size > SMALLEST:
        size -= STEP
    fit = _on_page(lines)
    return fit if len(fit) == len(lines) else [*fit[:-1], _Line("…", size)]


def _on_page(lines: list[_Line]) -> list[_Line]:
    """The first lines, as many as the page holds."""
    ends = accumulate(line.size * LEADING for line in lines)
    return [line for line, end in zip(lines, ends, strict=True) if end <= HEIGHT - 2 * MARGIN]


def _set(title: str, passages: Sequence[Passage], size: float) -> Iterator[_Line]:
    yield from _wrapped(_Line(title, size * 1.5, BOLD))
    for passage in passages:
        yield _Line("", size * 0.6)
        if passage.heading:
            yield from _wrapped(_Line(passage.heading, size * 1.1, BOLD))
        for text in passage.lines:
            yield from _wrapped(_Line(text.replace("`", ""), size))
            yield _Line("", size * 0.2)


def _wrapped(line: _Line) -> Iterator[_Line]:
    """Lines no wider than the page; a word that is wider is broken, a letter that the font lacks is marked."""
    room, space = (WIDTH - 2 * MARGIN) / line.size, _wide(" ", line.weight)
    known, kept, used = _face(line.weight)[1], "", 0.0
    for word in "".join(c if ord(c) in known and c.isprintable() else UNKNOWN for c in line.text).split():
        for piece in _pieces(word, line.weight, room):
            wide = sum(_wide(c, line.weight) for c in piece)
            if kept and used + space + wide > room:
                yield replace(line, text=kept)
                kept, used = piece, wide
            else:
                kept, used = (f"{kept} {piece}", used + space + wide) if kept else (piece, wide)
    yield replace(line, text=kept)


def _pieces(word: str, weight: str, room: float) -> Iterator[str]:
    piece, used = "", 0.0
    for letter in word:
        if used + _wide(letter, weight) > room:
            yield piece
            piece, used = "", 0.0
        piece, used = piece + letter, used + _wide(letter, weight)
    yield piece


@cache
def _face(weight: str) -> tuple[Any, frozenset[int]]:
    """The font, at a size of ten, and the letters it has."""
    from matplotlib.ft2font import FT2Font

    face = FT2Font(_file(weight))
    face.set_size(10, 72)
    return face, frozenset(face.get_charmap())


@cache
def _wide(letter: str, weight: str) -> float:
    """Its width in sizes of the letters."""
    advance: int = _face(weight)[0].load_char(ord(letter)).linearHoriAdvance
    return advance / 65536 / 10


def _file(weight: str) -> str:
    from matplotlib import get_data_path

    return str(Path(get_data_path()) / "fonts" / "ttf" / f"DejaVuSans{weight}.ttf")


def _drawn(title: str, lines: list[_Line]) -> bytes:
    from matplotlib import rc_context
    from matplotlib.backends.backend_pdf import FigureCanvasPdf
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

    figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72))
    FigureCanvasPdf(figure)
    top = HEIGHT - MARGIN
    for line in lines:
        top -= line.size * LEADING
        font = FontProperties(fname=_file(line.weight), size=line.size)
        figure.text(MARGIN / WIDTH, top / HEIGHT, line.text, fontproperties=font, parse_math=False)
    into, about = io.BytesIO(), {"Title": title, "Creator": "twinops", "Producer": None, "CreationDate": None}
    with _one_at_a_time, rc_context({"pdf.fonttype": 42, "pdf.compression": 6}):
        figure.savefig(into, format="pdf", metadata=about)
    return into.getvalue()
