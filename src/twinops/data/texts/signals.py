"""What short texts say about mood and topic: a weak signal, with its error kept, English only, and then the text goes.

A text that touches a special category, is not plainly English, or is not about shopping gets no score. Why is counted
over everybody and not written beside anybody: the reason would itself tell faith, health or origin (GDPR art. 9;
C-184/20).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Protocol, Self

import numpy as np
import pyarrow as pa

from twinops.data.texts import language, topics
from twinops.plugins import text_beside
from twinops.ports import Engine

LABELS = ("positive", "neutral", "negative")
TOPICS = ("price", "quality", "availability", "service", "checkout", "delivery", "loyalty", "store")
FIELDS = (
    pa.field("label", pa.string()),
    pa.field("compound_e4", pa.int32()),
    *(pa.field(f"topic_{t}", pa.int8()) for t in TOPICS),
)
"""What is kept of a text: its label (null: not scored), the scorer's number in ten-thousandths, its topics (1 or 0)."""
SPECIAL = "special_category"
OFF_TOPIC = "off_topic"
"""About none of our topics, so none of our business: it also keeps out most of what the deny-list misses."""
MINIMUM_POSTS = 5
_BURN_IN, _KEPT = 200, 800


class Scorer(Protocol):
    """Reads English and says how it sounds, from -1 to 1. `name` goes into every measure made with it."""

    @property
    def name(self) -> str:
        """Package and version."""

    def compound(self, text: str) -> float:
        """From -1 (negative) to 1 (positive)."""


class Vader:
    """VADER: a word list with rules (MIT; Hutto and Gilbert 2014, doi:10.1609/icwsm.v8i1.14550)."""

    def __init__(self) -> None:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

        self._analyser = SentimentIntensityAnalyzer()
        self.name = f"vaderSentiment {version('vaderSentiment')}"

    def compound(self, text: str) -> float:
        """VADER's compound score."""
        return float(self._analyser.polarity_scores(text)["compound"])


@cache
def scorer() -> Scorer:
    """The scorer in use."""
    return Vader()


def label_of(compound: float) -> str:
    """The three classes at the thresholds VADER's authors give.

    >>> label_of(0.05), label_of(0.0), label_of(-0.3)
    ('positive', 'neutral', 'negative')
    """
    if compound >= 0.05:
        return "positive"
    return "negative" if compound <= -0.05 else "neutral"


@dataclass(frozen=True)
class Signals:
    """One entry per text in `columns` (see `FIELDS`), and how many texts were not scored, by reason."""

    columns: dict[str, pa.Array]
    unscored: dict[str, int]


def read_texts(
    texts: Sequence[str | None], *, by: Scorer | None = None, book: topics.CodeBook | None = None
) -> Signals:
    """Signals of texts; where there is no text there is no signal and no reason. The texts are not in the answer."""
    judge, code_book = by or scorer(), book or topics.shipped()
    unscored: Counter[str] = Counter()
    rows = [_one(text, judge, code_book, unscored) for text in texts]
    columns = zip(*rows, strict=True) if rows else [()] * len(FIELDS)
    return Signals(
        {f.name: pa.array(c, f.type) for f, c in zip(FIELDS, columns, strict=True)}, dict(sorted(unscored.items()))
    )


def _one(
    text: str | None, judge: Scorer, book: topics.CodeBook, unscored: Counter[str]
) -> tuple[str | int | None, ...]:
    nothing = (None, None, *(0 for _ in TOPICS))
    if text is None:
        return nothing
    if book.is_special(text):
        unscored[SPECIAL] += 1
        return nothing
    refused = language.refusal(text)
    if refused:
        unscored[refused.value] += 1
        return nothing
    found = book.about(text)
    if not found:
        unscored[OFF_TOPIC] += 1
        return nothing
    compound = judge.compound(text)
    return label_of(compound), round(compound * 10_000), *(int(t in found) for t in TOPICS)


class Window(Protocol):
    """How far back posts count, and the seed of the sampling; the `signals` section of params.yaml."""

    @property
    def window_days(self) -> int:
        """In days before the as-of day."""

    @property
    def seed(self) -> int:
        """The seed."""


@dataclass(frozen=True)
class ScorerError:
    """How often a label is right: labelled posts, true label by row, the scorer's by column, both as in `LABELS`."""

    confusion: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]

    @classmethod
    def of(cls, counts: np.ndarray) -> Self:
        """From a 3 x 3 table."""
        a, b, c = (tuple(int(n) for n in row) for row in counts)
        return cls((a, b, c))


def per_subject(
    engine: Engine, scored: pa.Table, *, cutoffs: Sequence[int], error: ScorerError, params: Window
) -> pa.Table:
    """Signals per subject and as-of day, from posts before that day, and only where at least 5 were scored.

    `scored` has sid, day and `FIELDS`. One row per (sid, cutoff): counts, `net_sentiment` from -1 to 1 with `net_low`
    and `net_high` (95 %): they hold the doubt whether each label is right, and how well that doubt is itself known.
    """
    engine.register("scored_posts", scored)
    engine.register("signal_cutoffs", pa.table({"cutoff": pa.array(sorted(cutoffs), pa.int32())}))
    settings = {"minimum_posts": MINIMUM_POSTS, "window_days": params.window_days}
    engine.register("signal_settings", pa.table({name: pa.array([n], pa.int32()) for name, n in settings.items()}))
    counts = engine.query(text_beside(__package__, "signals.sql"))
    labels = np.stack([counts[name].to_numpy() for name in LABELS], axis=1)
    for name, values in zip(
        ("net_sentiment", "net_low", "net_high"), net_sentiment(labels, error, seed=params.seed), strict=True
    ):
        counts = counts.append_column(name, pa.array(np.round(values, 4)))
    return counts


def net_sentiment(counts: np.ndarray, error: ScorerError, *, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean true sentiment (positive less negative) of each subject's posts, and its 95 % interval.

    `counts` has a row per subject: how many of its posts got each label, in the order of `LABELS`. Gibbs sampling of
    what the posts truly are: P(label | true) as measured, with its own doubt and shared by everybody, and a flat prior
    (Jeffreys) on each subject's mix. So the answer does not lean towards the mix of the labelled posts.
    """
    # subjects with the same counts have the same answer: each is drawn once
    kinds, whose = np.unique(np.asarray(counts, dtype=np.int64), axis=0, return_inverse=True)
    rng = np.random.default_rng(seed)
    mix = np.full(kinds.shape, 1 / 3)
    drawn = []
    for turn in range(_BURN_IN + _KEPT):
        said = np.stack([rng.dirichlet(np.array(row) + 0.5) for row in error.confusion])
        odds = mix[:, :, None] * said
        odds /= odds.sum(axis=1, keepdims=True)
        lots = [rng.multinomial(kinds[:, label], odds[:, :, label]) for label in range(len(LABELS))]
        true = np.sum(lots, axis=0)
        gamma = rng.gamma(true + 0.5)
        mix = gamma / gamma.sum(axis=1, keepdims=True)
        # the first turns still remember where they began
        if turn >= _BURN_IN:
            drawn.append((true[:, 0] - true[:, 2]) / np.maximum(kinds.sum(axis=1), 1))
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    whose = whose.reshape(-1)
    return np.mean(drawn, axis=0)[whose], low[whose], high[whose]
