"""Which demographic group each household is in, merged until a group is large enough; None: in no group that is."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from twinops.evaluation.fairness.declaration import Assessed
from twinops.evaluation.fairness.groups import HELD
from twinops.evaluation.statistics.merge_groups import merged


class GroupLabel(NamedTuple):
    """A group by its place in the declared order, and its name."""

    place: int
    name: str


def group_labels(
    sids: list[str], assessable: np.ndarray, demographics: pa.Table, rule: Assessed
) -> dict[str, np.ndarray]:
    """Attribute -> a group per household (`sids`), for those that allow bias assessment; `HELD` comes first."""
    place = {sid: i for i, sid in enumerate(demographics["sid"].to_pylist())}
    at = np.array([place.get(sid, -1) for sid in sids], dtype=np.int64)
    held = (at >= 0) & assessable
    presence = np.full(len(sids), None, dtype=object)
    presence[assessable] = np.where(held, "held", "not held")[assessable]
    out = {HELD: _large(presence, None, rule.min_group)}
    for name, attribute in sorted(rule.attributes.items()):
        levels = np.full(len(sids), None, dtype=object)
        levels[held] = np.array(demographics[name].to_pylist(), dtype=object)[at[held]]
        out[name] = _large(levels, attribute.ordered, rule.min_group)
    # a group beside which there is no other says nothing
    return {name: labels for name, labels in out.items() if len({g for g in labels.tolist() if g is not None}) > 1}


def _large(levels: np.ndarray, order: Sequence[str] | None, least: int) -> np.ndarray:
    """The group of every household; None where it stays too small."""
    group_of = merged(Counter(v for v in levels.tolist() if v is not None), order=order, least=least)
    place = {g: i for i, g in enumerate(dict.fromkeys(g for g in group_of.values() if g is not None))}
    out = np.full(len(levels), None, dtype=object)
    for i, level in enumerate(levels.tolist()):
        group = None if level is None else group_of[level]
        out[i] = None if group is None else GroupLabel(place[group], group)
    return out
