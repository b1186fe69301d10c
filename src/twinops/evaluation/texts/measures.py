"""How right the sentiment scorer is on posts labelled by hand and on the generator's truth, beside majority class."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from twinops.data.texts import language, signals, topics
from twinops.data.texts.signals import LABELS, ScorerError
from twinops.entities import shown
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.entities.measure import NORMAL_95, Measure
from twinops.entities.shown import Section
from twinops.evaluation.statistics import wilson
from twinops.evaluation.statistics.bootstrap import percentiles
from twinops.evaluation.statistics.estimate import Estimate
from twinops.evaluation.texts.labelled_posts import BY_HAND, Post

SHOWN = shown.measures(
    {
        "sentiment_macro_f1": "Macro-F1 on ordinary posts labelled by hand",
        "sentiment_macro_f1.majority": "Macro-F1 of always saying the most frequent class, on the same posts",
        "sentiment_macro_f1.hard": "Macro-F1 on posts made hard on purpose (irony, negation)",
        "sentiment_sign_flips.hard": "Hard posts whose sign is turned round",
        "sentiment_gate_false_accept": "Posts in another language that were taken for English",
        "sentiment_special_missed": "Posts about a special category, written after the deny-list, that it did not see",
        "sentiment_special_scored": "Of these, those that were scored all the same",
        "sentiment_subject_coverage_95_synthetic": "Intervals of a person's net sentiment that hold the generator's "
        "truth",
    },
    section=Section.TEXTS,
)

SCORED = "en"
"""The scorer knows this language only."""
KINDS = {"": "ordinary", ".hard": "hard"}
"""Ordinary posts, and deliberately hard ones (irony, negation, two halves): measured apart."""
BY_TRUTH = (
    "synthetic posts, comments and letters against the generator's truth; tells how the parts fit, not how people write"
)
BOOTSTRAP = "bootstrap percentiles"


@dataclass(frozen=True)
class Draws:
    """How often to resample, and the seed."""

    draws: int
    seed: int


@dataclass(frozen=True)
class Sentiment:
    """Findings, the scorer's error for use in `signals.per_subject`, and the name of the scorer."""

    findings: Findings
    error: ScorerError
    scorer: str


def by_hand(posts: Sequence[Post], *, params: Draws, scorer: signals.Scorer | None = None) -> Sentiment:
    """Measure the scorer on English posts that touch no special category, and the two gates before it on all of them.

    The error kept for later use is that on all of them, half of which are hard: rather too much doubt than too little.
    """
    judge = scorer or signals.scorer()
    source = f"{BY_HAND}; {judge.name}"
    tables = {
        kind: _labelled_by([p for p in posts if p.kind == kind and p.language == "en" and not p.special], judge)
        for kind in KINDS.values()
    }
    measures = [
        m
        for suffix, kind in KINDS.items()
        for m in _quality(tables[kind], params, suffix=suffix, source=f"{kind} {source}")
    ]
    error = ScorerError.of(np.concatenate(list(tables.values())).sum(axis=0))
    said = {kind: table.sum(axis=0).tolist() for kind, table in tables.items()}
    facts = (
        Fact("sentiment_confusion", {"labels": list(LABELS), "true_by_row": said}, Kind.MEASURED, source),
        Fact("sentiment_languages", _languages(posts), Kind.MEASURED, source),
        Fact("sentiment_scorer", judge.name, Kind.MEASURED, "installed package"),
    )
    return Sentiment(Findings((*measures, *gates(posts)), facts, SHOWN), error, judge.name)


def _languages(posts: Sequence[Post]) -> dict[str, object]:
    """Which languages are scored, and in which others texts were handed in and refused, by hand-labelled posts."""
    others = sorted({p.language for p in posts} - {SCORED})
    taken = sorted({p.language for p in posts if p.language != SCORED and language.refusal(p.text) is None})
    return {"scored": [SCORED], "refused": [c for c in others if c not in taken], "taken_for_english": taken}


def _labelled_by(posts: Sequence[Post], judge: signals.Scorer) -> np.ndarray:
    said = [signals.label_of(judge.compound(p.text)) for p in posts]
    return _confusions([p.sentiment for p in posts], said, range(len(posts)))


def by_truth(events: pa.Table, truth: pa.Table, *, error: ScorerError, params: Draws) -> Findings:
    """Measure on what the generator knows: resampled by account. `events` has event_id and label; `truth` has event_id,
    account, language, sentiment, special; both one row per text. Posts that gave no label count only in the shares.
    """
    label = dict(zip(events["event_id"].to_pylist(), events["label"].to_pylist(), strict=True))
    rows = [r | {"label": label[r["event_id"]]} for r in truth.to_pylist() if r["event_id"] in label]
    scored = [r for r in rows if r["label"] is not None]
    counts = _confusions([r["sentiment"] for r in scored], [r["label"] for r in scored], [r["account"] for r in scored])
    measures = [*_quality(counts, params, suffix="_synthetic", source=BY_TRUTH), *_subjects(counts, error, params)]
    of = {
        "sentiment_foreign_scored_synthetic": [r for r in rows if r["language"] != "en"],
        "sentiment_special_scored_synthetic": [r for r in rows if r["special"]],
        "sentiment_scored_share_synthetic": [r for r in rows if r["language"] == "en" and not r["special"]],
    }
    shares = (share(name, [r["label"] is not None for r in texts], BY_TRUTH) for name, texts in of.items() if texts)
    return Findings((*measures, *shares))


def _confusions(true: Sequence[str], said: Sequence[str], clusters: Sequence[object]) -> np.ndarray:
    """Per cluster a 3 x 3 table of counts, true label by row."""
    place = {c: i for i, c in enumerate(dict.fromkeys(clusters))}
    counts = np.zeros((len(place), 3, 3), dtype=np.int64)
    for t, s, c in zip(true, said, clusters, strict=True):
        counts[place[c], LABELS.index(t), LABELS.index(s)] += 1
    return counts


def _quality(counts: np.ndarray, params: Draws, *, suffix: str, source: str) -> list[Measure]:
    """Accuracy, macro-F1 and sign flips of the scorer; the first two of always saying the most frequent class."""
    rng = np.random.default_rng(params.seed)
    weights = rng.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=params.draws)
    drawn = np.einsum("dk,kij->dij", weights, counts)
    whole = counts.sum(axis=0)
    # always saying the most frequent class is right surprisingly often: .39 of hard posts
    majority = np.zeros_like(whole)
    majority[:, int(whole.sum(axis=1).argmax())] = whole.sum(axis=1)
    drawn_majority = np.zeros_like(drawn)
    drawn_majority[:, :, int(whole.sum(axis=1).argmax())] = drawn.sum(axis=2)
    figures = (
        ("sentiment_accuracy", _accuracy, whole, drawn),
        ("sentiment_macro_f1", _macro_f1, whole, drawn),
        ("sentiment_sign_flips", _flips, whole, drawn),
        ("sentiment_accuracy", _accuracy, majority, drawn_majority),
        ("sentiment_macro_f1", _macro_f1, majority, drawn_majority),
    )
    out = []
    for place, (name, figure, at, draws) in enumerate(figures):
        n, whose = int(whole.sum()), ".majority" if place > 2 else ""
        found = Estimate.around(*percentiles(np.concatenate([figure(at[None]), figure(draws)])))
        what = f"{name}{suffix}{whose}"
        out.append(found.measure(what, n, source, BOOTSTRAP, unit_of_n="posts", seed=params.seed))
    return out


def _accuracy(counts: np.ndarray) -> np.ndarray:
    return np.asarray(np.trace(counts, axis1=1, axis2=2) / counts.sum(axis=(1, 2)))


def _macro_f1(counts: np.ndarray) -> np.ndarray:
    """Unweighted mean of the three classes' F1; a class nobody has and nobody is given counts as 0."""
    hits = np.diagonal(counts, axis1=1, axis2=2)
    return np.asarray(np.mean(2 * hits / np.maximum(counts.sum(axis=1) + counts.sum(axis=2), 1), axis=1))


def _flips(counts: np.ndarray) -> np.ndarray:
    """Share of posts whose sign is turned round: the error that hurts."""
    return np.asarray((counts[:, 0, 2] + counts[:, 2, 0]) / counts.sum(axis=(1, 2)))


def _subjects(counts: np.ndarray, error: ScorerError, params: Draws) -> list[Measure]:
    """Whether subjects' intervals of net sentiment hold the true mean of their scored posts; how the two correlate."""
    enough = counts[counts.sum(axis=(1, 2)) >= signals.MINIMUM_POSTS]
    if len(enough) < signals.MINIMUM_POSTS:
        return []
    posts = enough.sum(axis=(1, 2))
    true = (enough[:, 0].sum(axis=1) - enough[:, 2].sum(axis=1)) / posts
    net, low, high = signals.net_sentiment(enough.sum(axis=1), error, seed=params.seed)
    r = float(np.corrcoef(true, net)[0, 1])
    z, width = np.arctanh(r), NORMAL_95 / np.sqrt(max(len(enough) - 3, 1))
    ends = float(np.tanh(z - width)), float(np.tanh(z + width))
    inside = ((low - 1e-9 <= true) & (true <= high + 1e-9)).tolist()
    held = share("sentiment_subject_coverage_95_synthetic", inside, BY_TRUTH)
    accounts = "accounts with 5 or more scored posts"
    name = "sentiment_subject_correlation_synthetic"
    return [
        replace(held, unit_of_n=accounts),
        Measure(name, r, len(enough), BY_TRUTH, "Fisher z", *ends, unit_of_n=accounts),
    ]


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
