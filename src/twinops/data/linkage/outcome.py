"""What a linkage leaves behind: the table of links and the review list, each row with what it rests on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from twinops.data.linkage.comparisons import COMPARISONS
from twinops.data.linkage.linking import Linked


def links(done: Linked, *, home: str) -> pa.Table:
    """Which record belongs to which household: one row per record of another source whose person has a record at home.

    Columns: `sid` (the home record), `source`, `record`, `cluster`, and of the weakest tie on the way between the two:
    `tie` (its sources), `match_weight` (log2 odds), `probability`, and `<comparison>_level` (0 not known, 1 the best).
    """
    source, record = (done.records[c].to_pylist() for c in ("source", "record"))
    person = done.resolved.person
    homes = {int(person[i]): i for i, s in enumerate(source) if s == home}
    weakest = _weakest_ties(done, list(homes.values()))
    rows = [i for i, s in enumerate(source) if s != home and i in weakest]
    ties = np.array([weakest[i] for i in rows], dtype=np.int64)
    owner = [homes[int(person[i])] for i in rows]
    return pa.table(
        {
            "sid": pa.array([record[h] for h in owner], pa.string()),
            "source": pa.array([source[i] for i in rows], pa.string()),
            "record": pa.array([record[i] for i in rows], pa.string()),
            "cluster": pa.array(person[rows] if rows else [], pa.int64()),
            **_of_ties(done, ties),
        }
    )


def review(done: Linked, *, home: str) -> pa.Table:
    """Pairs a person must look at: `sid` and `source` of one record (the home one if there is one), `other` and
    `other_source`, why (`doubt`), and weight, probability and levels as in `links`. Contradicted pairs show the
    probability without the contradiction.
    """
    source, record = (done.records[c].to_pylist() for c in ("source", "record"))
    rows = done.resolved.review
    sides = [
        (int(a), int(b)) if source[b] != home else (int(b), int(a))
        for a, b in zip(done.pairs.left[rows], done.pairs.right[rows], strict=True)
    ]
    of_ties = _of_ties(done, rows)
    bits = of_ties["match_weight"].to_numpy()
    against = done.pairs.contradicted()[rows]
    of_ties["probability"] = pa.array(
        np.where(against, np.round(1 / (1 + np.exp2(-bits.clip(-60, 60))), 6), of_ties["probability"].to_numpy())
    )
    return pa.table(
        {
            "sid": pa.array([record[a] for a, _ in sides], pa.string()),
            "source": pa.array([source[a] for a, _ in sides], pa.string()),
            "other": pa.array([record[b] for _, b in sides], pa.string()),
            "other_source": pa.array([source[b] for _, b in sides], pa.string()),
            "doubt": pa.array([d.value for d in done.resolved.doubt], pa.string()),
            **of_ties,
        }
    )


def nothing_linked() -> tuple[pa.Table, pa.Table]:
    """No link and nothing to review, in the same columns."""
    tie = [("tie", pa.string()), ("match_weight", pa.float64()), ("probability", pa.float64())]
    levels = [(f"{c.name}_level", pa.int8()) for c in COMPARISONS]
    text = [(c, pa.string()) for c in ("sid", "source", "record", "other", "other_source", "doubt")]
    found = pa.schema([*text[:3], ("cluster", pa.int64()), *tie, *levels])
    return found.empty_table(), pa.schema([*text[:2], *text[3:], *tie, *levels]).empty_table()


def _of_ties(done: Linked, ties: np.ndarray) -> dict[str, pa.Array]:
    source = done.records["source"].to_pylist()
    ends = zip(done.pairs.left[ties].tolist(), done.pairs.right[ties].tolist(), strict=True)
    return {
        "tie": pa.array(["/".join(sorted((source[a], source[b]))) for a, b in ends], pa.string()),
        "match_weight": pa.array(done.plausible.odds[ties], pa.float64()),
        "probability": pa.array(done.plausible.probability[ties], pa.float64()),
        **{f"{c.name}_level": pa.array(done.pairs.levels[c.name][ties], pa.int8()) for c in COMPARISONS},
    }


def _weakest_ties(done: Linked, homes: Sequence[int]) -> dict[int, int]:
    """For each record joined to a home record, the least probable tie on the way there (ties are a forest)."""
    around: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for tie in done.resolved.ties.tolist():
        left, right = int(done.pairs.left[tie]), int(done.pairs.right[tie])
        around[left].append((right, tie))
        around[right].append((left, tie))
    strength = dict(
        zip(done.resolved.ties.tolist(), done.plausible.probability[done.resolved.ties].tolist(), strict=True)
    )
    weakest: dict[int, int] = {}
    for home in homes:
        way = [(home, home, -1)]
        while way:
            at, come_from, tie = way.pop()
            if tie >= 0:
                weakest[at] = tie
            for other, next_tie in around[at]:
                if other != come_from:
                    way.append((other, at, tie if tie >= 0 and strength[tie] <= strength[next_tie] else next_tie))
    return weakest
