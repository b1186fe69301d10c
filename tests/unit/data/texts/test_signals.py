"""Signals from short texts: English and about shopping or nothing, never from a special category, never from a few
posts.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.texts import language, signals, topics
from twinops.errors import ParamsError

PERFECT = signals.ScorerError(((10_000, 0, 0), (0, 10_000, 0), (0, 0, 10_000)))


@dataclass(frozen=True)
class Window:
    window_days: int = 365
    seed: int = 3


class Always:
    """A scorer that finds everything wonderful."""

    name = "always 1"

    def compound(self, _: str) -> float:
        return 0.9


def labels(*texts: str | None) -> list[str | None]:
    return signals.read_texts(texts).columns["label"].to_pylist()


def test_a_plain_remark_gets_a_label_and_a_topic():
    found = signals.read_texts(["The bread is fresh and delicious, I love it", "Terrible service, the staff were rude"])
    assert found.columns["label"].to_pylist() == ["positive", "negative"]
    assert found.columns["topic_quality"].to_pylist() == [1, 0]
    assert found.columns["topic_service"].to_pylist() == [0, 1]
    assert found.unscored == {}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("das Brot war schon wieder steinhart und teuer", "other_language"),
        ("le pain est toujours très frais chez vous", "other_language"),
        ("хліб сьогодні чудовий", "other_script"),
        ("この店は本当に安い", "other_script"),
        ("this bread is not good und ich habe keine Lust, I hate it", "mixed_languages"),
        ("😍😍", "no_words"),
        ("xylo brfzt", "too_little_evidence"),
        ("what a lovely morning, the sun is out", "off_topic"),
        ("my diabetes makes the price of bread a joke", "special_category"),
        ("the queue before the mosque is shorter than at your till", "special_category"),
        ("vote for the party that lowers the price of bread", "special_category"),
    ],
)
def test_what_is_not_plain_english_about_shopping_gets_no_score_and_the_reason_is_only_counted(text, reason):
    found = signals.read_texts([text])
    assert found.columns["label"].to_pylist() == [None]
    assert found.columns["compound_e4"].to_pylist() == [None]
    assert not any(found.columns[f"topic_{t}"].to_pylist()[0] for t in signals.TOPICS)
    assert found.unscored == {reason: 1}
    assert reason not in str(found.columns)


def test_no_text_is_no_signal_and_no_reason():
    assert signals.read_texts([None]).unscored == {}
    assert labels(None) == [None]


def test_another_scorer_takes_the_place_of_the_shipped_one():
    assert signals.read_texts(["the bread was stale again"], by=Always()).columns["label"].to_pylist() == ["positive"]


def test_the_code_books_topics_are_the_columns_and_none_is_a_special_category():
    book = topics.shipped()
    assert tuple(book.topics) == signals.TOPICS
    assert not set(book.topics) & set(book.special)
    assert set(book.special) >= {"health", "religion", "politics", "sex_life", "ethnicity"}


def test_an_empty_deny_list_is_refused():
    with pytest.raises(ParamsError):
        topics.parse("version: 1\ntopics: {price: [cheap]}\nspecial: {}\n")


def test_words_match_whole_or_with_a_declared_ending_only():
    book = topics.shipped()
    assert book.about("the prices!") == ("price",)
    assert book.about("an appealing colour") == ()
    assert not book.is_special("a massive loaf")
    for other in ("nach dem Gottesdienst", "después de la misa", "à la mosquée", "po mszy", "запись к врачу"):
        assert book.is_special(other), other
    for ordinary in ("lactose free yoghurt", "extra virgin oil", "heritage tomatoes", "a holy mess", "rainbow trout"):
        assert not book.is_special(ordinary), ordinary


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_answered_the_same_way_twice(text):
    assert signals.read_texts([text]).columns == signals.read_texts([text]).columns
    assert language.refusal(text) == language.refusal(text)


def scored(*days: int, label: str | None = "positive", sid: str = "a") -> list[dict]:
    nothing = {f"topic_{t}": 0 for t in signals.TOPICS}
    return [{"sid": sid, "day": d, "label": label, "compound_e4": 5_000} | nothing | {"topic_price": 1} for d in days]


def per_subject(
    rows: list[dict], *cutoffs: int, error: signals.ScorerError = PERFECT, window: Window = Window()
) -> list[dict]:
    return signals.per_subject(
        DuckDBEngine(threads=1), pa.Table.from_pylist(rows), cutoffs=cutoffs, error=error, params=window
    ).to_pylist()


def test_four_scored_posts_are_too_few_and_the_fifth_counts_only_from_the_day_after():
    rows = scored(1, 2, 3, 4, 10)
    assert per_subject(rows, 10) == []
    found = per_subject(rows, 10, 11)
    assert [(r["cutoff"], r["scored"], r["topic_price"]) for r in found] == [(11, 5, 5)]


def test_unscored_posts_and_posts_older_than_the_window_do_not_count():
    assert per_subject(scored(1, 2, 3, 4) + scored(5, label=None), 11) == []
    assert per_subject(scored(1, 2, 3, 4, 5), 32, window=Window(window_days=30)) == []
    assert len(per_subject(scored(2, 3, 4, 5, 6), 32, window=Window(window_days=30))) == 1


def test_net_sentiment_by_hand_with_a_scorer_that_is_always_right():
    rows = scored(1, 2, 3) + scored(4, label="negative") + scored(5, label="neutral")
    found = per_subject(rows, 9)[0]
    assert found["net_sentiment"] == pytest.approx(0.4, abs=0.01)
    assert (found["positive"], found["neutral"], found["negative"]) == (3, 1, 1)


def test_a_scorer_that_guesses_leaves_the_whole_range_open():
    guessing = signals.ScorerError(((30, 30, 30), (30, 30, 30), (30, 30, 30)))
    found = per_subject(scored(1, 2, 3, 4, 5), 9, error=guessing)[0]
    assert found["net_low"] < -0.5 < 0.5 < found["net_high"]


def test_more_posts_and_a_better_scorer_narrow_the_interval():
    decent = signals.ScorerError(((40, 5, 5), (5, 40, 5), (5, 5, 40)))
    few, many = (
        per_subject(scored(*range(5)), 99, error=decent)[0],
        per_subject(scored(*range(60)), 99, error=decent)[0],
    )
    sure = per_subject(scored(*range(5)), 99)[0]
    width = [r["net_high"] - r["net_low"] for r in (many, few, sure)]
    assert width[0] < width[1]
    assert width[2] < width[1]


def test_signals_are_the_same_with_one_thread_or_two_and_twice():
    rng = np.random.default_rng(1)
    rows = [
        r
        for n in range(40)
        for r in scored(*rng.integers(0, 300, 12).tolist(), label=signals.LABELS[n % 3], sid=f"{n:02d}")
    ]
    table = pa.Table.from_pylist(rows)
    found = [
        signals.per_subject(DuckDBEngine(threads=t), table, cutoffs=[100, 300], error=PERFECT, params=Window())
        for t in (1, 2, 2)
    ]
    assert found[0].equals(found[1])
    assert found[1].equals(found[2])


TICKETS = [
    "Mikor érkezik meg a csomagom?", "Lehet még helyet foglalni a könyvklubra?", "Nyitva lesznek március 15-én?",
    "Nem kaptam meg a havi kávémat.", "Kérem az összes személyes adatom törlését.", "Sérült borítóval jött a könyv.",
]  # fmt: skip


def test_short_words_that_english_has_too_do_not_hide_a_language_that_is_known():
    assert language.likely(TICKETS) == "hu"
    assert language.likely(["a qwertz bnm", "a uiop"]) == "und"
    assert language.likely(["the parcel was late again", "a plain loaf, please", "ok"]) == "en"
