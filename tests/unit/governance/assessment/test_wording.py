"""Texts are read as people read them: what only looks like an answer is none, and a copy stays one."""

from __future__ import annotations

import random

import pytest

from planted import words
from twinops.governance.assessment.wording import copied, empty, repeats, seen_words

SAID = "Half of the households get an offer, ranked by spend mixed with activity, which misses small purses less."
HONEST = [
    SAID,
    "Nobody is charged more and offers stay within limits.",
    "Niemand zahlt mehr als vorher, und wer ablehnt, behält alle Rabatte des Ladens.",
    "Personne ne paie davantage, et qui refuse garde les prix du magasin.",
    "Κανείς δεν πληρώνει περισσότερο και όποιος αρνείται κρατά τις εκπτώσεις.",
    "Никто не платит больше, а отказавшийся сохраняет все общие скидки магазина.",
    "Nessuno paga di più, e chi rifiuta conserva gli sconti del negozio.",
    "Complaints are to be completed within one month, and the officer sees each of them.",
]
RNG = random.Random(7)


@pytest.mark.parametrize("text", HONEST)
def test_what_says_something_may_be_weighed_in_any_language(text: str) -> None:
    assert empty(text) == ""


@pytest.mark.parametrize(
    ("what", "text"),
    [*words.empty(SAID, RNG), *words.empty("Go on.", RNG), *words.empty("A house.", RNG), *words.placeholders()],
)
def test_what_only_looks_like_an_answer_says_nothing(what: str, text: str) -> None:
    assert empty(text), what


def test_latin_words_in_any_order_and_of_any_script_are_placeholder_text() -> None:
    for text in (words.PLACEHOLDERS[name] for name in ("Latin", "Cicero", "Cyrillic", "Greek")):
        parts = text.split()
        RNG.shuffle(parts)
        assert empty(" ".join(parts)) == "is placeholder text"


@pytest.mark.parametrize(("what", "text"), [*words.copies(SAID, "another", RNG), words.lengthened(SAID, "another")])
def test_a_copy_stays_one_or_shows_what_hides_it(what: str, text: str) -> None:
    assert empty(text) or copied(seen_words(text), seen_words(SAID)), what


def test_answers_of_one_language_are_no_copies_of_each_other() -> None:
    english = [HONEST[0], HONEST[1], HONEST[-1]]
    told = [seen_words(text) for text in english]
    assert not any(copied(one, other) for one in told for other in told if one is not other)


def test_a_question_may_be_said_again_before_it_is_answered() -> None:
    question = "Whom do offers reach less often, what does that do to them, and what is done about it?"
    assert repeats(seen_words(f"As to this question: {question}"), seen_words(question))
    assert not repeats(seen_words(f"{question} {SAID}"), seen_words(question))
