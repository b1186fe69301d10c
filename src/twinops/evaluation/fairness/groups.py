"""Which group each household is in, for every attribute the decision is assessed by."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from twinops.entities.demographics import NO_ATTRIBUTES, order_of
from twinops.errors import DataError
from twinops.evaluation.fairness.decision import RankedHouseholds
from twinops.evaluation.fairness.declaration import Assessed
from twinops.evaluation.fairness.disparity import GroupMatrix, least_found
from twinops.evaluation.statistics.merge_groups import NOT_STATED, merged

HELD = "demographics_held"
"""Not an attribute of a household: whether anything at all is declared about it. Those without are a group too."""
SMALLEST_TOLD = 50
"""Of so many households on, how well ranges hold is told for a group of its own."""


@dataclass(frozen=True)
class Grouping:
    """One attribute's groups, in order. `labels` has one place per household: its group, or None.

    `compared` are the households the attribute is assessed among; those of them without a group are `too_few`, and
    `set_aside` counts them by level.
    """

    attribute: str
    groups: tuple[str, ...]
    labels: np.ndarray
    compared: np.ndarray
    set_aside: Mapping[str, int]

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
    """The groups of every assessed attribute among the households with demographics, and `HELD` among all.

    `demographics` has one row per household: sid, and text columns in which null says "not stated".

    Raises:
        DataError: an attribute is not in the demographics (`assessed` names those that are), or a level not declared.
    """
    missing = sorted(set(rule.attributes) - set(demographics.column_names))
    if missing:
        raise DataError(f"Demographics have no {', '.join(missing)}.", hint="Mend intended_use.yaml, or the source.")
    row = {sid: i for i, sid in enumerate(demographics["sid"].to_pylist())}
    at = np.array([row.get(str(sid), -1) for sid in people.sids], dtype=np.int64)
    held = at >= 0
    stated = {name: _stated(demographics, name, at) for name in sorted(rule.attributes)}
    asked = sum(len(set(stated[name][held].tolist())) for name in rule.deciding if name in stated)
    least = _Least(people, rule, max(asked, 2))
    presence = np.where(held, "held", "not held").astype(object)
    out = [_grouping(HELD, presence, None, least.among(np.ones_like(held)))]
    out += [_grouping(name, levels, rule.attributes[name], least.among(held)) for name, levels in stated.items()]
    return tuple(out)


def held(demographics: pa.Table) -> dict[str, tuple[str, ...] | None]:
    """Attributes of which anybody answered anything, with their levels in order, or None where these have none."""
    named = (name for name in demographics.column_names if name not in NO_ATTRIBUTES)
    told = {name: demographics[name].drop_null().cast(pa.string()).unique().to_pylist() for name in sorted(named)}
    return {name: order_of(name, levels) for name, levels in told.items() if levels}


def assessed(
    demographics: pa.Table, planned: Mapping[str, tuple[str, ...] | None], deciding: Sequence[str] = ()
) -> dict[str, tuple[str, ...] | None]:
    """By what is assessed: what is planned or decides and is held; where nothing is planned, all that is held.

    A planned order stands, and must know every level; where none is planned, levels are in the order that they have.
    """
    there = held(demographics)
    wanted = {*planned, *deciding} if planned else set(there)
    return {name: planned.get(name, order) for name, order in there.items() if name in wanted}


def _stated(demographics: pa.Table, name: str, at: np.ndarray) -> np.ndarray:
    """Every household's level of one attribute; None: not stated, or nothing is held."""
    levels = np.full(len(at), None, dtype=object)
    levels[at >= 0] = np.array(demographics[name].to_pylist(), dtype=object)[at[at >= 0]]
    return levels


@dataclass(frozen=True)
class _Among:
    """Among whom an attribute is assessed, and how many households a group of it needs."""

    compared: np.ndarray
    least: float


@dataclass(frozen=True)
class _Least:
    """The rule by which levels are merged: sizes and the overall rate alone. `asked` levels are declared in all."""

    people: RankedHouseholds
    rule: Assessed
    asked: int

    def among(self, compared: np.ndarray) -> _Among:
        """For an attribute that is assessed among these households."""
        rate = float(self.people.offered[compared].mean()) if compared.any() else 0.0
        asked = {"rate": rate, "alpha": self.rule.alpha / self.asked, "limit": self.rule.ratio}
        return _Among(compared, least_found(int(compared.sum()), **asked))


def _grouping(attribute: str, levels: np.ndarray, order: Sequence[str] | None, among: _Among) -> Grouping:
    counts = Counter(levels[among.compared].tolist())
    group_of = merged(counts, order=order, least=among.least)
    labels = np.full(len(levels), None, dtype=object)
    labels[among.compared] = [group_of[level] for level in levels[among.compared]]
    groups = tuple(dict.fromkeys(g for g in group_of.values() if g is not None))
    aside = {level or NOT_STATED: counts[level] for level, group in group_of.items() if group is None}
    return Grouping(attribute, groups, labels, among.compared, aside)


class GroupLabel(NamedTuple):
    """A group by its place in the declared order, and its name."""

    place: int
    name: str


def group_labels(
    sids: list[str], assessable: np.ndarray, demographics: pa.Table, attributes: Mapping[str, tuple[str, ...] | None]
) -> dict[str, np.ndarray]:
    """Attribute -> a group per household (`sids`), for those that allow bias assessment; `HELD` comes first."""
    place = {sid: i for i, sid in enumerate(demographics["sid"].to_pylist())}
    at = np.array([place.get(sid, -1) for sid in sids], dtype=np.int64)
    held = (at >= 0) & assessable
    presence = np.full(len(sids), None, dtype=object)
    presence[assessable] = np.where(held, "held", "not held")[assessable]
    out = {HELD: _large(presence, None, SMALLEST_TOLD)}
    for name, order in sorted(attributes.items()):
        out[name] = _large(_stated(demographics, name, np.where(held, at, -1)), order, SMALLEST_TOLD)
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
