"""The measures of the sentiment scorer: by hand on a few posts, and never without interval, baseline and n."""

import numpy as np
import pyarrow as pa
import pytest

from twinops.data.texts.signals import ScorerError
from twinops.entities.wording import NEUTRAL
from twinops.evaluation.texts import measures as texts
from twinops.evaluation.texts.labelled_posts import Post, labelled
from twinops.evaluation.texts.picture import sentiment_picture

PARAMS = texts.Draws(draws=200, seed=1)


class Fixed:
    """A scorer that knows the word good."""

    name = "fixed 1"

    def compound(self, text: str) -> float:
        return 0.9 if "good" in text else -0.9


def post(text: str, feeling: str, **changes) -> Post:
    fields = {
        "language": "en",
        "sentiment": feeling,
        "topics": frozenset({"quality"}),
        "special": False,
        "fresh": False,
        "kind": "ordinary",
        "text": text,
    }
    return Post(**(fields | changes))


def measured(posts: list[Post]) -> dict[str, float]:
    return {m.name: m.value for m in texts.by_hand(posts, params=PARAMS, scorer=Fixed()).findings.measures}


FEW = [
    post("the good loaf was fresh", "positive"),
    post("this is a good loaf indeed", "negative"),
    post("the stale loaf", "negative"),
    post("a loaf on the shelf", "neutral"),
    post("the good one", "positive", kind="hard"),
    post("das Brot war alt", "negative", language="de"),
    post("my diabetes and the bread", "neutral", special=True, fresh=True),
]


def test_accuracy_f1_and_flips_by_hand():
    found = measured(FEW)
    assert found["sentiment_accuracy"] == 0.5
    assert found["sentiment_accuracy.majority"] == 0.5
    assert found["sentiment_macro_f1"] == pytest.approx((2 / 3 + 0 + 0.5) / 3, abs=1e-5)
    assert found["sentiment_sign_flips"] == 0.25
    assert found["sentiment_accuracy.hard"] == 1.0


def test_the_gates_by_hand():
    found = measured(FEW)
    assert found["sentiment_gate_false_accept"] == 0
    assert found["sentiment_special_missed"] == 0
    assert found["sentiment_special_scored"] == 0
    assert "sentiment_special_missed.seen" not in found  # nobody labelled such a post, so nothing is said


def test_what_was_known_when_the_list_was_written_is_told_apart_from_what_was_not():
    known = [
        post("lit the eighth candle for all", "neutral", special=True),
        post("my diabetes", "neutral", special=True),
        post("pray the avocados are ripe", "neutral", fresh=True, kind="decoy"),
    ]
    found = measured([*FEW, *known])
    assert found["sentiment_special_missed.seen"] == 0.5
    assert found["sentiment_special_missed"] == 0
    assert found["sentiment_special_false_alarm.decoys"] == 1
    assert found["sentiment_accuracy.hard"] == 1.0  # a decoy is no post to score
    spoken = {f.name: f.value for f in texts.by_hand(FEW, params=PARAMS, scorer=Fixed()).findings.facts}
    assert spoken["sentiment_languages"] == {"scored": ["en"], "refused": ["de"], "taken_for_english": []}


def test_every_measure_has_interval_n_source_and_method_and_says_who_wrote_the_posts():
    for measure in texts.by_hand(labelled(), params=PARAMS).findings.measures:
        assert measure.low <= measure.value <= measure.high
        assert measure.n > 20
        assert measure.unit_of_n == "posts"
        assert "own sentences" in measure.source


def test_the_labelled_posts_are_many_enough_and_of_several_languages():
    posts = labelled()
    plain = [p for p in posts if p.language == "en" and not p.special]
    assert len([p for p in plain if p.kind == "hard"]) >= 70
    assert len([p for p in plain if p.kind == "ordinary"]) >= 70
    assert len({p.language for p in posts}) >= 12
    assert len({p.text for p in posts}) == len(posts)


def test_the_shipped_scorer_beats_the_majority_on_ordinary_posts_and_no_other_language_gets_in():
    found = {m.name: m for m in texts.by_hand(labelled(), params=PARAMS).findings.measures}
    assert found["sentiment_accuracy"].low > found["sentiment_accuracy.majority"].high
    assert found["sentiment_gate_false_accept"].value <= 0.05


def truth(*rows: tuple[str, str, str, str, bool]) -> pa.Table:
    return pa.table(
        dict(zip(("event_id", "account", "language", "sentiment", "special"), zip(*rows, strict=True), strict=True))
    )


def test_against_truth_only_scored_posts_count_and_shares_tell_what_was_not():
    events = pa.table(
        {"event_id": ["a", "b", "c", "d"], "label": pa.array(["positive", "negative", None, None], pa.string())}
    )
    known = truth(
        ("a", "x", "en", "positive", False),
        ("b", "x", "en", "positive", False),
        ("c", "y", "de", "negative", False),
        ("d", "y", "en", "neutral", True),
        ("never entered", "y", "en", "neutral", False),
    )
    found = {m.name: m for m in texts.by_truth(events, known, error=ScorerError.of(np.eye(3)), params=PARAMS).measures}
    assert found["sentiment_accuracy_synthetic"].value == 0.5
    assert found["sentiment_accuracy_synthetic"].n == 2
    assert found["sentiment_foreign_scored_synthetic"].value == 0
    assert found["sentiment_special_scored_synthetic"].n == 1
    assert found["sentiment_scored_share_synthetic"].value == 1
    assert "synthetic" in found["sentiment_accuracy_synthetic"].source


def test_subjects_intervals_hold_the_truth_when_the_error_is_the_true_one():
    rng = np.random.default_rng(2)
    right = np.array([[0.7, 0.2, 0.1], [0.2, 0.7, 0.1], [0.2, 0.2, 0.6]])
    rows, events = [], []
    for account in range(120):
        for n in range(15):
            feeling = rng.choice(3, p=rng.dirichlet([1, 1, 1]))
            rows.append((f"{account}-{n}", str(account), "en", texts.LABELS[feeling], False))
            events.append(texts.LABELS[rng.choice(3, p=right[feeling])])
    table = pa.table({"event_id": [r[0] for r in rows], "label": events})
    found = {
        m.name: m
        for m in texts.by_truth(table, truth(*rows), error=ScorerError.of(right * 2_000), params=PARAMS).measures
    }
    assert found["sentiment_subject_coverage_95_synthetic"].value > 0.88
    assert found["sentiment_subject_correlation_synthetic"].low > 0


def test_the_picture_has_the_same_bytes_twice(tmp_path):
    from twinops.evaluation.canvas import save

    found = texts.by_hand(labelled(), params=PARAMS).findings
    for name in ("one.png", "two.png"):
        save(sentiment_picture(found), tmp_path / name, NEUTRAL)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
