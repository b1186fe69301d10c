"""What other decisions would reach, and what they would cost: the family from which a data owner declares one.

None is applied here. A member is declared by writing it into `compliance/intended_use.yaml`; those that need an
attribute of the household when the decision is made are marked, because whether it may be used so is a question of law
(GDPR arts. 6 and 9, equal treatment), and households that did not state it keep their plain rank.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from twinops.entities.verdict import Outcome
from twinops.evaluation.fairness.decision import Candidates, RankedHouseholds
from twinops.evaluation.fairness.declaration import (
    GROUP_RANK_BLEND,
    LOTTERY,
    RANK_BLEND,
    SCORES,
    Assessed,
    Decision,
    Mitigation,
)
from twinops.evaluation.fairness.groups import Grouping
from twinops.evaluation.fairness.measures import AttributeReach, outcomes
from twinops.evaluation.fairness.threshold_optimizer import THRESHOLDS, threshold_optimised
from twinops.evaluation.statistics.bootstrap import percentiles
from twinops.evaluation.statistics.estimate import Estimate

STRENGTHS = (0.25, 0.5, 0.75, 1.0)
SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)
PLAIN, SHARE, DECLARED = "plain", "share", "declared"


@dataclass(frozen=True)
class Member:
    """One decision of the family: what it reaches, by attribute, and what it is worth.

    `offers` are all its offers. `worth` is the part of everybody's actual spend that the selected made, `price` what is
    lost of it against the plain score with as many offers (paired). `needs`: the attribute it must know to decide.
    """

    name: str
    kind: str
    how: Decision
    offers: int
    reach: Mapping[str, AttributeReach]
    worth: Estimate
    price: Estimate
    needs: str | None

    @property
    def ratio(self) -> Estimate | None:
        """The smallest over the deciding attributes; None: none could be compared."""
        ratios = [r.ratio for r in self.reach.values()]
        return Estimate(*(min(ends) for ends in zip(*ratios, strict=True))) if ratios else None

    def outcome(self, deciding: Sequence[str]) -> Outcome:
        """What the rule would say of all deciding attributes together."""
        told = [self.reach[a].outcome if a in self.reach else Outcome.INCONCLUSIVE for a in deciding]
        if Outcome.FAILED in told:
            return Outcome.FAILED
        return Outcome.PASSED if told and set(told) == {Outcome.PASSED} else Outcome.INCONCLUSIVE


@dataclass(frozen=True)
class Crowd:
    """Who is decided about, on which other days the same was predicted, in which groups they are, and the draws."""

    candidates: Candidates
    earlier: Sequence[Candidates]
    levels: Mapping[str, Mapping[str, str]]
    """Attribute -> household -> its group, of those who allow bias assessment."""
    grouped: Sequence[Grouping]
    """Among those who allow bias assessment, in the order of `Candidates`."""
    rule: Assessed
    draws: np.ndarray
    seed: int

    def labels(self, attribute: str, among: Candidates) -> np.ndarray:
        """The group of each candidate, or None."""
        known = self.levels.get(attribute, {})
        return np.array([known.get(sid) for sid in among.sids.tolist()], dtype=object)


def family(declared: Decision, crowd: Crowd) -> tuple[Member, ...]:
    """The declared decision, the plain score, its mitigations with as many offers, and the score at other shares."""
    if not len(crowd.candidates.sids) or not crowd.candidates.column("spend_cents").sum():
        return ()
    plain = Decision(declared.name, declared.score, declared.share)
    found = [_member(name, kind, how, crowd) for name, kind, how in _asked(declared, plain)]
    optimised = (_optimised(a, plain, crowd) for a in crowd.rule.deciding)
    return (*found, *(m for m in optimised if m is not None))


def _asked(declared: Decision, plain: Decision) -> Iterator[tuple[str, str, Decision]]:
    yield DECLARED, DECLARED, declared
    yield PLAIN, PLAIN, plain
    yield from ((f"{LOTTERY}_{s:g}", LOTTERY, plain.with_mitigation(LOTTERY, s)) for s in STRENGTHS)
    for other in (s for s in SCORES if s != plain.score):
        for s in STRENGTHS:
            how = plain.with_mitigation(RANK_BLEND, s, toward=other)
            yield f"{RANK_BLEND}_{other}_{s:g}", RANK_BLEND, how
    for share in (s for s in SHARES if s != plain.share):
        yield f"{SHARE}_{share:g}", SHARE, Decision(plain.name, plain.score, share)


def group_blends(declared: Decision, crowd: Crowd) -> tuple[Member, ...]:
    """The same for ranks within the groups of each deciding attribute, half-way and all the way."""
    plain = Decision(declared.name, declared.score, declared.share)
    asked = [
        (f"{GROUP_RANK_BLEND}_{a}_{s:g}", plain.with_mitigation(GROUP_RANK_BLEND, s, attribute=a))
        for a in crowd.rule.deciding
        if a in crowd.levels
        for s in (0.5, 1.0)
    ]
    return tuple(_member(name, GROUP_RANK_BLEND, how, crowd) for name, how in asked)


def _member(name: str, kind: str, how: Decision, crowd: Crowd) -> Member:
    attribute = how.mitigation.attribute
    groups = crowd.labels(attribute, crowd.candidates) if attribute else None
    return _judged(Named(name, kind, how, attribute), crowd.candidates.decided(how, groups), crowd)


@dataclass(frozen=True)
class Named:
    """A decision under the name by which evidence knows it."""

    name: str
    kind: str
    how: Decision
    needs: str | None


def _judged(named: Named, people: RankedHouseholds, crowd: Crowd) -> Member:
    plain = crowd.candidates.decided(Decision(named.how.name, named.how.score, _share(people)))
    worth, before = (_worth(p.offered, p, crowd.draws) for p in (people, plain))
    reach = outcomes(people.offered[people.assessable], crowd.grouped, crowd.rule)
    price, offers = percentiles(before - worth), int(people.offered.sum())
    return Member(named.name, named.kind, named.how, offers, reach, percentiles(worth), price, named.needs)


def _share(people: RankedHouseholds) -> float:
    return float(people.offered.mean())


def _worth(offered: np.ndarray, people: RankedHouseholds, draws: np.ndarray) -> np.ndarray:
    """Part of the actual spend that the selected made: as it is, then once per draw of households."""
    money = np.stack([people.spend_cents * offered, people.spend_cents], axis=1).astype(float)
    of, total = (draws @ money).T
    return np.asarray(of / np.maximum(total, 1))


def _optimised(attribute: str, plain: Decision, crowd: Crowd) -> Member | None:
    """Fairlearn's thresholds per group, learnt on earlier days; None where there is nothing to learn from."""
    days = [(day, crowd.labels(attribute, day)) for day in crowd.earlier]
    now = (crowd.candidates, crowd.labels(attribute, crowd.candidates))
    offered = threshold_optimised(plain, days, now, seed=crowd.seed)
    if offered is None:
        return None
    people = crowd.candidates.decided(plain)
    how = Decision(plain.name, plain.score, plain.share, mitigation=Mitigation(THRESHOLDS, 1.0, attribute=attribute))
    changed = RankedHouseholds(**{**vars(people), "offered": offered})
    return _judged(Named(f"{THRESHOLDS}_{attribute}", THRESHOLDS, how, attribute), changed, crowd)
