"""What Fairlearn's post-processing would decide: one threshold per group, learnt on earlier days.

`ThresholdOptimizer.predict` asks for the sensitive attribute of everybody it decides about, and chooses how many are
selected by itself. So it cannot be declared where the attribute may not be used to decide, and no form of it works
without: Fairlearn raises when `sensitive_features` is absent. It is measured, as what could be had.
"""

from collections.abc import Sequence

import numpy as np

from twinops.evaluation.fairness.decision import Candidates, selected
from twinops.evaluation.fairness.declaration import Decision

THRESHOLDS = "threshold_optimizer"
Grouped = tuple[Candidates, np.ndarray]


def threshold_optimised(
    decision: Decision, earlier: Sequence[Grouped], now: Grouped, *, seed: int
) -> np.ndarray | None:
    """Whom it selects today, equal selection rates asked for; who is in no group is decided by the plain score.

    None: there is no earlier day, or some group had nobody in the top share, or nobody outside it.
    """
    from fairlearn.postprocessing import ThresholdOptimizer  # heavy
    from sklearn.linear_model import LogisticRegression  # heavy

    past = [_learnable(decision, *day) for day in earlier]
    groups = np.concatenate([p[2] for p in past]) if past else np.array([], dtype=object)
    truth = np.concatenate([p[1] for p in past]) if past else np.array([], dtype=bool)
    people, labels = now
    known = np.isin(labels.astype(str), np.unique(groups.astype(str))) & np.array([v is not None for v in labels])
    if not known.any() or any(len(set(truth[groups == g].tolist())) < 2 for g in set(groups.tolist())):
        return None
    scores = np.concatenate([p[0] for p in past])[:, None]
    # a curve that rises with the rank: thresholds on it are thresholds on the rank
    made = ThresholdOptimizer(
        estimator=LogisticRegression().fit(scores, truth), prefit=True, predict_method="predict_proba",
        constraints="demographic_parity", objective="balanced_accuracy_score",
    )  # fmt: skip
    made.fit(scores, truth.astype(int), sensitive_features=groups.astype(str))
    rank = people.rank(decision.score)
    offered = selected(rank, people.sids, share=decision.share)
    asked = {"sensitive_features": labels[known].astype(str), "random_state": seed}
    offered[known] = made.predict(rank[known][:, None], **asked).astype(bool)
    return offered


def _learnable(decision: Decision, day: Candidates, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rank by score, whether among the top share by actual spend, and the group; of those in a group."""
    known = np.array([label is not None for label in labels], dtype=bool)
    top = selected(day.column("spend_cents"), day.sids, share=decision.share)
    return day.rank(decision.score)[known], top[known], labels[known]
