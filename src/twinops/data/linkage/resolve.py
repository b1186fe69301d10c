"""Join records into persons, surest pair first; what may not be joined without a person's look goes to the review list.

A false match gives one person's data to the twin of another (GDPR art. 5(1)(d), (f)): two records of a source that
holds nobody twice never join, nor records another given name or birthday speaks against, and in any other source two
records join only if they are sure between themselves. What a person decided of two records comes before all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from twinops.data.linkage.plausible import Plausible
from twinops.data.linkage.scoring import Pairs


class Doubt(StrEnum):
    """Why a pair is on the review list."""

    UNSURE = "probable_but_not_sure"
    CONTRADICTED = "another_given_name_or_birthday"
    TAKEN = "would_join_what_must_not_join"
    CROWDED = "too_many_records_for_one_person"


@dataclass(frozen=True)
class JoiningRules:
    """From which probability pairs are joined or reviewed, and how many records one person may have."""

    merge_at: float = 0.99
    review_from: float = 0.5
    most_records: int = 8


@dataclass(frozen=True)
class Decided:
    """Places of records, low before high, that a person said are one person's (`same`), and two persons' (`apart`)."""

    same: frozenset[tuple[int, int]] = frozenset()
    apart: frozenset[tuple[int, int]] = frozenset()

    def among(self, pairs: Pairs, said: frozenset[tuple[int, int]]) -> np.ndarray:
        """Which of the pairs were said so."""
        if not said:
            return np.zeros(len(pairs), dtype=bool)
        return np.array([p in said for p in zip(pairs.left.tolist(), pairs.right.tolist(), strict=True)], dtype=bool)


@dataclass(frozen=True)
class Bounds:
    """What no probability moves: sources that hold nobody twice, and what a person decided."""

    lone: Collection[str] = ()
    decided: Decided = field(default_factory=Decided)


@dataclass(frozen=True)
class ResolvedPersons:
    """`person` of each record (the lowest place among its records), the `ties` that joined them, and the review list.

    `ties` and `review` are places among the pairs; `doubt` gives the reason per reviewed pair; `alarms` counts groups
    that were larger than one person may be, and were taken apart again.
    """

    person: np.ndarray
    ties: np.ndarray
    review: np.ndarray
    doubt: list[Doubt]
    alarms: int


def resolved(
    pairs: Pairs, plausible: Plausible, source: np.ndarray, *, bounds: Bounds, rules: JoiningRules
) -> ResolvedPersons:
    """Join surest pairs first, after those that a person decided. The order the records came in changes nothing."""
    sure = np.flatnonzero(plausible.probability >= rules.merge_at)
    # ties by place, so that the order in which records came changes nothing
    order = sure[np.lexsort((pairs.right[sure], pairs.left[sure], -pairs.bits[sure], -plausible.probability[sure]))]
    groups = _Groups(pairs, source, sure, bounds)
    said = np.flatnonzero(bounds.decided.among(pairs, bounds.decided.same)).tolist()
    decided = [i for i in said if groups.told(int(pairs.left[i]), int(pairs.right[i]))]
    alone = groups.person()
    ties = decided + [i for i in order.tolist() if groups.joined(int(pairs.left[i]), int(pairs.right[i]))]
    person = groups.person()
    # one person with very many records is more often a chain of mistakes (art. 5(1)(d))
    crowded = np.bincount(person, minlength=len(person))[person] > rules.most_records
    alarms = len(set(person[crowded].tolist()))
    person = np.where(crowded, alone, person)
    kept = np.array([i for i in ties if i in set(decided) or not crowded[pairs.left[i]]], dtype=np.int64)
    asked = ~bounds.decided.among(pairs, bounds.decided.apart)
    review, doubt = _review(pairs, plausible, person, _Asked(crowded, asked), rules)
    return ResolvedPersons(person, kept, review, doubt, alarms)


class _Groups:
    """Union-find that refuses what must not join."""

    def __init__(self, pairs: Pairs, source: np.ndarray, sure: np.ndarray, bounds: Bounds) -> None:
        against = np.flatnonzero(pairs.contradicted())
        self._apart = bounds.decided.apart
        self._forbidden = set(zip(pairs.left[against].tolist(), pairs.right[against].tolist(), strict=True))
        inside = sure[source[pairs.left[sure]] == source[pairs.right[sure]]]
        self._sure = set(zip(pairs.left[inside].tolist(), pairs.right[inside].tolist(), strict=True))
        self._source, self._lone = source.tolist(), set(bounds.lone)
        self._parent = list(range(len(source)))
        self._members: dict[int, list[int]] = {}

    def joined(self, left: int, right: int) -> bool:
        """Join the groups of two records; False: they are one group already, or must not be."""
        return self._joined(left, right, self._refused)

    def told(self, left: int, right: int) -> bool:
        """The same because a person said so: against it stands only what a person said."""
        return self._joined(left, right, lambda x, y: (x, y) in self._apart)

    def _joined(self, left: int, right: int, refused: Callable[[int, int], bool]) -> bool:
        a, b = sorted((self._top(left), self._top(right)))
        if a == b:
            return False
        ours, theirs = self._members.get(a, [a]), self._members.get(b, [b])
        if any(refused(min(x, y), max(x, y)) for x in ours for y in theirs):
            return False
        self._parent[b] = a
        self._members[a] = ours + theirs
        return True

    def person(self) -> np.ndarray:
        """Per record the lowest place in its group."""
        return np.array([self._top(i) for i in range(len(self._parent))], dtype=np.int64)

    def _refused(self, x: int, y: int) -> bool:
        if (x, y) in self._forbidden or (x, y) in self._apart:
            return True
        return self._source[x] == self._source[y] and (self._source[x] in self._lone or (x, y) not in self._sure)

    def _top(self, i: int) -> int:
        while self._parent[i] != i:
            self._parent[i] = self._parent[self._parent[i]]
            i = self._parent[i]
        return i


@dataclass(frozen=True)
class _Asked:
    """Per record whether its group was too large; per pair whether a person may still be asked."""

    crowded: np.ndarray
    free: np.ndarray


def _review(
    pairs: Pairs, plausible: Plausible, person: np.ndarray, asked: _Asked, rules: JoiningRules
) -> tuple[np.ndarray, list[Doubt]]:
    """Pairs not joined that are as probable as is reviewed; contradicted ones as they would be without that."""
    against = pairs.contradicted()
    probable = (
        np.where(against, 1 / (1 + np.exp2(-plausible.odds.clip(-60, 60))), plausible.probability) >= rules.review_from
    )
    rows = np.flatnonzero(probable & asked.free & (person[pairs.left] != person[pairs.right]))
    sure = plausible.probability >= rules.merge_at
    holds = [against[rows], asked.crowded[pairs.left[rows]], sure[rows]]
    doubt = np.select(holds, [Doubt.CONTRADICTED, Doubt.CROWDED, Doubt.TAKEN], Doubt.UNSURE)
    return rows, [Doubt(why) for why in doubt.tolist()]
