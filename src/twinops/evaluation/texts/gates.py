"""What the gates before the scorer let through and turn away: language, special categories, topics."""

from collections.abc import Sequence

from twinops.data.texts import language, signals, topics
from twinops.entities.measure import Measure
from twinops.evaluation.statistics import wilson
from twinops.evaluation.texts.labelled_posts import BY_HAND, Post


def gates(posts: Sequence[Post]) -> list[Measure]:
    """The language gate, the deny-list and the topics.

    `.seen`: posts that were known when the deny-list was last changed; `.decoys`: innocent posts, written after it to
    sound like the others.
    """
    book = topics.shipped()
    texts = [p.text for p in posts]
    scored = dict(zip(texts, signals.read_texts(texts).columns["label"].to_pylist(), strict=True))
    english = [p for p in posts if p.language == "en"]
    fresh = [p for p in posts if p.special and p.fresh]
    seen = [p for p in posts if p.special and not p.fresh]
    decoys = [p for p in english if not p.special and p.fresh]
    plain = [p for p in english if not p.special and not p.fresh]
    shares = (
        ("sentiment_gate_false_accept", [language.refusal(p.text) is None for p in posts if p.language != "en"]),
        ("sentiment_gate_false_refuse", [language.refusal(p.text) is not None for p in english]),
        ("sentiment_special_missed", [not book.is_special(p.text) for p in fresh]),
        ("sentiment_special_missed.seen", [not book.is_special(p.text) for p in seen]),
        ("sentiment_special_scored", [scored[p.text] is not None for p in fresh]),
        ("sentiment_special_false_alarm", [book.is_special(p.text) for p in plain]),
        ("sentiment_special_false_alarm.decoys", [book.is_special(p.text) for p in decoys]),
        ("sentiment_topic_missed", [not t & set(book.about(p.text)) for p in plain if (t := p.topics)]),
    )
    return [
        share(name, hits, f"{BY_HAND}; code-book {book.version}, made by the same hand as the posts")
        for name, hits in shares
        if hits
    ]


def share(name: str, hits: Sequence[bool], source: str) -> Measure:
    """A share with its Wilson interval."""
    found = wilson.share(sum(hits), len(hits))
    return found.measure(name, len(hits), source, "Wilson score interval", unit_of_n="posts")
