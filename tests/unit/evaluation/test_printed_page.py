"""The one page on paper: one page whatever it says, text to be selected, the same bytes, nothing read as markup."""

from __future__ import annotations

import re
import zlib

import pytest

from twinops.entities.passage import Passage
from twinops.evaluation.printed_page import printed

PLAIN = (Passage("What was decided", ("Refused.", "Żółć, Ελληνικά, Русский")),)
HOSTILE = tuple(
    Passage(f"$x^2$ {n} (a) Tj ET", ("<script>\\frac{a}", "W" * 9_000, "\u202eabc \u65e5\u672c \U0001f9ff"))
    for n in range(40)
)


@pytest.fixture(scope="module")
def hostile() -> bytes:
    """A page of what would break it."""
    return printed("A twin", HOSTILE)


def streams(page: bytes) -> bytes:
    """Everything that is packed in it."""
    found = []
    for packed in re.findall(rb"stream\r?\n(.*?)endstream", page, re.DOTALL):
        try:
            found.append(zlib.decompress(packed))
        except zlib.error:
            continue
    return b"".join(found)


@pytest.mark.parametrize("passages", [PLAIN, HOSTILE, ()], ids=["plain", "hostile", "empty"])
def test_it_is_one_page_and_the_same_bytes_every_time(passages, hostile):
    page = hostile if passages is HOSTILE else printed("A twin", passages)
    assert len(re.findall(rb"/Type /Page\b", page)) == 1
    assert printed("A twin", passages) == page
    assert b"CreationDate" not in page
    assert b"/JavaScript" not in page
    assert b"/URI" not in page


def test_text_can_be_selected_in_any_script_that_the_letters_know():
    told = streams(printed("A twin", PLAIN))
    assert b"TJ" in told
    assert all(f"<{ord(letter):04x}>".encode() in told.lower() for letter in "Żłλй"), (
        "letters are told beside their shapes"
    )


def test_what_turns_the_direction_of_text_or_has_no_letter_is_marked():
    told = streams(printed("A twin", (Passage("", ("a \u202e b \u65e5",)),))).lower()
    assert b"202e" not in told
    assert b"fffd" in told


def test_no_line_is_wider_than_the_page_and_what_does_not_fit_is_cut_with_a_mark(hostile):
    told = streams(hostile)
    assert b"<2026>" in told
    assert len(told) < 400_000
