"""What is right: each answer of a run held against what receipts, baskets and people's words made right then.

A question about somebody who may be asked has, at each moment, few right answers: the state after every basket that was
told a second before it, and maybe some of those told since; of the files before an update, or of those after it, which
count from when the service was seen to follow them. Of somebody who left, only the refusal is right from a second on.
"""

from __future__ import annotations

import copy
import json
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from twinops.service.intake import NUMBERS_FROM
from twinops.twin.state.streaming import Basket, StreamingState, rows
from twinops.workflows.serving.live import LiveTwins
from twinops.workflows.twin.open import Shipped

WITHIN_S = 1.0
AT_ONCE = 2_000
AGAIN = ("being-read",)
"""A typed word that says when to ask again; counted by itself."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One answer: `said` is what was foretold, as bytes, or the end of a refusal's type; `version` of the model."""

    act: str
    who: str
    begun: float
    ended: float
    status: int
    said: Any
    version: int = 0


@dataclass(frozen=True)
class Left:
    """When somebody was said to go, when that was done, and the refusal that is right from then on."""

    said: float
    done: float
    refusal: str


@dataclass
class Course:
    """What was done to the service, and when; `down` are the times in which nobody may answer."""

    cut: tuple[float, float] = (float("inf"), float("inf"))
    restored: float = float("inf")
    versions: tuple[int, int] = (0, 0)
    update: tuple[float, float] = (float("inf"), float("inf"))
    followed: float = float("inf")
    """When each question that began from then on has to be answered by the files of after the update."""
    down: list[tuple[float, float]] = field(default_factory=list)
    left: dict[str, Left] = field(default_factory=dict)

    def is_down(self, begun: float, ended: float) -> bool:
        """Whether a question of this time may stay without an answer."""
        return any(begun <= until and ended >= since for since, until in self.down)


@dataclass(frozen=True)
class Verdict:
    """What an answer was: right, again, wrong or missed; `late_s` of a yes that came after a no, within the second."""

    what: str
    late_s: float = 0.0


RIGHT, AGAIN_LATER = Verdict("right"), Verdict("again")
Taken = tuple[str, str, str, int, float, float]


class Truth:
    """The right answers of one run."""

    def __init__(self, course: Course, old: LiveTwins, new: LiveTwins, shipped: Shipped) -> None:
        self.course, self._shipped = course, shipped
        self._grounds, self._told = {"old": old, "new": new}, dict[str, list[Taken]]()
        self._right: dict[tuple[str, str], list[int]] = {}
        self._batch: dict[tuple[str, str], str] = {}
        """What a batch says before any basket: it has no as-of day beside it."""

    def foretell(self, whom: Sequence[str], taken: Sequence[Taken]) -> None:
        """Work out what is right of these after each of their baskets."""
        told: dict[str, list[Taken]] = defaultdict(list)
        for one in taken:
            told[one[1]].append(one)
        self._told = told
        for name, twins in self._grounds.items():
            work = [(who, n, state, day) for who in whom for n, state, day in self._course_of(twins, who)]
            for start in range(0, len(work), AT_ONCE):
                some = work[start : start + AT_ONCE]
                found = self._shipped.forecasts(rows(state for _, _, state, _ in some))
                for place, (who, _, _, day) in enumerate(some):
                    text = said(twins, found.row(place))
                    as_of = twins.ground.opener.receipts.days.date_of(day).isoformat()
                    self._right.setdefault((name, who), []).append(hash(f'"{as_of}","expected":{text}}}'.encode()))
                    self._batch.setdefault((name, who), text)

    def _course_of(self, twins: LiveTwins, who: str) -> Iterator[tuple[int, Mapping[str, int], int]]:
        """After none, one, two ... baskets; one of a month that these files hold already changes nothing."""
        sid = twins.sid(who)
        state = copy.deepcopy(twins.states.get(sid or ""))
        if state is None:
            return
        summed, days = state.summed(), twins.ground.opener.receipts.days
        yield self._at(twins, summed, 0)
        for n, (_, _, day, cents, _, _) in enumerate(self._told.get(who, ()), start=1):
            number = days.number(date.fromisoformat(day))
            if number >= twins.known_until:
                summed.add(Basket(NUMBERS_FROM + n, number, cents))
            yield self._at(twins, summed, n)

    def _at(self, twins: LiveTwins, state: StreamingState, n: int) -> tuple[int, Mapping[str, int], int]:
        day = max(twins.ground.opener.receipts.today, (state.last_day or -1) + 1)
        return n, state.at(day), day

    def judged(self, seen: Seen) -> Verdict:  # noqa: PLR0911  # one return a rule
        """Whether this may have been answered to a question of this time."""
        if seen.status == 0:
            return AGAIN_LATER if self.course.is_down(seen.begun, seen.ended) else Verdict("wrong")
        if seen.status >= 500 and seen.status != 503:
            return Verdict("wrong")
        since, until = self.course.cut
        if seen.said == "model-cut":
            cut = seen.ended >= since and seen.begun <= self.course.restored
            return RIGHT if cut else Verdict("wrong")
        if seen.said in AGAIN:
            return AGAIN_LATER
        if seen.status == 200 and since + WITHIN_S < seen.begun < until:
            return Verdict("missed")
        left = self.course.left.get(seen.who)
        if left is not None and seen.ended >= left.said and seen.act != "undeclared":
            return self._of_left(seen, left)
        return self._of_there(seen)

    def _of_left(self, seen: Seen, left: Left) -> Verdict:
        if seen.said == left.refusal:
            return RIGHT
        if seen.status == 200:
            late = seen.begun - left.done
            if late > WITHIN_S:
                return Verdict("missed")
            return Verdict("right", max(0.0, late)) if self._known(seen) else Verdict("wrong")
        return RIGHT if seen.act == "simulate" and seen.status in (403, 422) else Verdict("wrong")

    def _of_there(self, seen: Seen) -> Verdict:
        if seen.act == "undeclared":
            return (
                RIGHT if seen.said == "purpose-not-declared" else Verdict("missed" if seen.status == 200 else "wrong")
            )
        if seen.act == "simulate" and seen.status in (403, 422):
            return RIGHT
        return RIGHT if seen.status == 200 and self._known(seen) and self._version(seen) else Verdict("wrong")

    def _version(self, seen: Seen) -> bool:
        first, second = self.course.versions
        if seen.version == first:
            return seen.begun <= self.course.cut[0] + WITHIN_S
        return seen.version == second and seen.ended >= self.course.cut[1]

    def _known(self, seen: Seen) -> bool:
        """Whether what was foretold is of a state that stood at that time."""
        told = self._told.get(seen.who, [])
        # sent in order: all that were taken a second before, and none that was sent after
        least = bisect_left(told, seen.begun - WITHIN_S, key=lambda one: one[5])
        most = bisect_right(told, seen.ended, key=lambda one: one[4])
        since, until = self.course.update[0], self.course.followed
        names = [name for name, may in (("old", seen.begun <= until), ("new", seen.ended >= since)) if may]
        if seen.act == "score":
            return seen.said in [self._batch.get((name, seen.who)) for name in names]
        said = hash(seen.said)
        return any(said in self._right.get((name, seen.who), [])[least : most + 1] for name in names)


def said(twins: LiveTwins, forecast: Any) -> str:
    """A forecast as the service says it."""
    return json.dumps(asdict(twins.ground.opener.words.told(forecast)))


def counted(verdicts: Sequence[Verdict]) -> Counter[str]:
    """How many were what."""
    return Counter(v.what for v in verdicts)
