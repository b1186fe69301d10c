"""Which group each household is in, for every attribute the decision is assessed by."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from twinops.errors import DataError
from twinops.evaluation.fairness.decision import RankedHouseholds
from twinops.evaluation.fairness.declaration import Assessed
from twinops.evaluation.fairness.disparity import GroupMatrix
from twinops.evaluation.statistics.merge_groups import least_size, merged

HELD = "demographics_held"
"""Not an attribute of a household: whether anything at all is declared about it. Those without are a group too."""


@dataclass(frozen=True)
class Grouping:
    """One attribute's groups, in order. `labels` has one place per household: its group, or None.

    `compared` are the households the attribute is assessed among; those of them without a group are `too_few`.
    """

    attribute: str
    groups: tuple[str, ...]
    labels: np.ndarray
    compared: np.ndarray

    @property
    def inside(self) -> np.ndarray:
        """Who is in a group."""
        return np.array([label is not None for label in self.labels], dtype=bool)

    @property
    def too_few(self) -> int:
        """Compared households whose group stays too small."""
        return int((self.compared & ~self.inside).sum())

    @property
    def cells(self) -> GroupMatrix:
        """Each group against all others that are in a group."""
        inside = np.stack([self.labels == g for g in self.groups], axis=1)
        return GroupMatrix(inside, self.inside[:, None] & ~inside)


def groupings(people: RankedHouseholds, demographics: pa.Table, rule: Assessed) -> tuple[Grouping, ...]:
    """The groups of every declared attribute among the households with demographics, and `HELD` among all.

    `demographics` has one row per household: sid, and text columns in which null says "not stated".

    Raises:
        DataError: a declared attribute is not in the demographics, or a level is not declared.
    """
    missing = sorted(set(rule.attributes) - set(demographics.column_names))
    if missing:
        raise DataError(f"Demographics have no {', '.join(missing)}.", hint="Mend intended_use.yaml, or the source.")
    row = {sid: i for i, sid in enumerate(demographics["sid"].to_pylist())}
    at = np.array([row.get(str(sid), -1) for sid in people.sids], dtype=np.int64)
    held = at >= 0
    presence = np.where(held, "held", "not held").astype(object)
    out = [_grouping(HELD, presence, None, _Rule(people, np.ones_like(held), rule))]
    for name, attribute in sorted(rule.attributes.items()):
        levels = np.full(len(at), None, dtype=object)
        levels[held] = np.array(demographics[name].to_pylist(), dtype=object)[at[held]]
        out.append(_grouping(name, levels, attribute.ordered, _Rule(people, held, rule)))
    return tuple(out)


@dataclass(frozen=True)
class _Rule:
    """Among whom an attribute is assessed, and by which rule."""

    people: RankedHouseholds
    compared: np.ndarray
    rule: Assessed

    @property
    def least(self) -> float:
        rate = float(self.people.offered[self.compared].mean()) if self.compared.any() else 0.0
        return least_size(min_group=self.rule.min_group, min_expected=self.rule.min_expected_selections, rate=rate)


def _grouping(attribute: str, levels: np.ndarray, order: Sequence[str] | None, among: _Rule) -> Grouping:
    group_of = merged(Counter(levels[among.compared]), order=order, least=among.least)
    labels = np.full(len(levels), None, dtype=object)
    labels[among.compared] = [group_of[level] for level in levels[among.compared]]
    groups = tuple(dict.fromkeys(g for g in group_of.values() if g is not None))
    return Grouping(attribute, groups, labels, among.compared)


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
