"""How right is the linkage? Precision, recall, F1 and the false-match rate against the truth, beside simpler matchers.

The truth is known because the identities are synthetic; nothing here says how a linkage of real consumers would fare.
Counted in pairs of records; intervals by drawing persons, as the pairs of one person are not independent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twinops.entities import shown
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.entities.measure import Measure
from twinops.entities.shown import Section
from twinops.entities.wording import MANY, ONE
from twinops.evaluation.statistics.bootstrap import percentiles
from twinops.evaluation.statistics.estimate import Estimate
from twinops.evaluation.statistics.wilson import share

SHOWN = shown.measures(
    {
        "linkage_precision": "Of the pairs of records that were joined, the share that is one person's",
        "linkage_recall": "Of the pairs that are one person's, the share that was joined",
        "linkage_f1": "F1 of the two",
        "linkage_f1.exact_email": "F1 of equal e-mail addresses alone, on the same records",
        "linkage_f1.fuzzy": "F1 of a weighted fuzzy matcher, on the same records",
        "linkage_wrong_household_rate": f"Linked records whose {ONE} is another person's: data in the wrong twin",
        "linkage_to_review": "Pairs that wait for a person to look at them, and are not joined",
    },
    section=Section.LINKAGE,
    headlines=("linkage_precision", "linkage_recall"),
)

SOURCE = f"synthetic identities around the {MANY} (twinops.demo.identities)"


@dataclass(frozen=True)
class Counted:
    """Pairs of records that were joined rightly and wrongly, and all pairs that belong together, per person.

    A wrong pair is counted half to each of the two persons it mixes, so that drawing persons draws mistakes too.
    """

    right: np.ndarray
    wrong: np.ndarray
    all: np.ndarray

    @classmethod
    def of_groups(cls, group: np.ndarray, person: np.ndarray) -> Counted:
        """Count from each record's group and each record's true person; both are whole numbers from 0 below the number
        of records.

        >>> c = Counted.of_groups(np.array([0, 0, 0, 3]), np.array([7, 7, 8, 8]))
        >>> c.right.tolist(), c.wrong.tolist(), c.all.tolist()
        ([1.0, 0.0], [1.0, 1.0], [1.0, 1.0])
        """
        persons, person = np.unique(person, return_inverse=True)
        both, counts = np.unique(group.astype(np.int64) * len(persons) + person, return_counts=True)
        of_group, of_person = np.divmod(both, len(persons))
        size = np.bincount(group)
        right = np.bincount(of_person, counts * (counts - 1) / 2, minlength=len(persons))
        mixed = np.bincount(of_person, counts * (size[of_group] - counts) / 2, minlength=len(persons))
        whole = np.bincount(person)
        return cls(right, mixed, whole * (whole - 1) / 2)

    @classmethod
    def of_pairs(cls, left: np.ndarray, right: np.ndarray, person: np.ndarray) -> Counted:
        """Count from pairs that were said to belong together, one by one, whatever follows from them."""
        persons, person = np.unique(person, return_inverse=True)
        hit = person[left] == person[right]
        whole = np.bincount(person)
        mixed = np.concatenate([person[left[~hit]], person[right[~hit]]])
        joined_rightly = np.bincount(person[left[hit]], minlength=len(persons)).astype(float)
        return cls(joined_rightly, np.bincount(mixed, minlength=len(persons)) / 2, whole * (whole - 1) / 2)

    @property
    def said(self) -> int:
        """Pairs that were joined."""
        return round(float(self.right.sum() + self.wrong.sum()))

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return _f1(self.right.sum(), self.wrong.sum(), self.all.sum())

    def f1_draws(self, weights: np.ndarray) -> np.ndarray:
        """F1 per draw of persons: `weights` says how often each counts."""
        sums = [weights @ part for part in (self.right, self.wrong, self.all)]
        return np.array([_f1(*row) for row in zip(*sums, strict=True)])


@dataclass(frozen=True)
class LinkageCounts:
    """The linkage and its baselines, counted on the same records."""

    ours: Counted
    baselines: dict[str, Counted]
    linked: int
    wrong_household: int
    persons: int


def linkage_findings(found: LinkageCounts, *, draws: int, seed: int) -> Findings:
    """With intervals: Wilson's for shares of pairs, a bootstrap over persons for F1 and its lead over each peer."""
    # persons are drawn, not pairs: the pairs of one person are right or wrong together
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(found.persons, np.full(found.persons, 1 / found.persons), size=draws)
    weights = np.vstack([np.ones_like(drawn[:1]), drawn])  # the first row counts everyone once, as in `bootstrap`
    measures = [*_shares(found.ours), _false_households(found), *_f1s(found, weights, seed)]
    fact = Fact("linkage_peers", sorted(found.baselines), Kind.MEASURED, SOURCE)
    return Findings(tuple(measures), (fact,))


def _shares(c: Counted) -> list[Measure]:
    right, said, whole = round(float(c.right.sum())), c.said, round(float(c.all.sum()))
    quantities = {
        "linkage_precision": (right, said, "share of joined pairs of records that are one person's"),
        "linkage_recall": (right, whole, "share of one person's pairs of records that were joined"),
        "linkage_false_match_rate": (said - right, said, "share of joined pairs of records that are two persons'"),
    }
    out = []
    for name, (hits, n, meaning) in quantities.items():
        if n:
            how = f"{meaning}; Wilson interval"
            out.append(share(hits, n).measure(name, n, SOURCE, how, unit_of_n="pairs of records"))
    return out


def _false_households(found: LinkageCounts) -> Measure:
    """What would reach the wrong twin."""
    rate = share(found.wrong_household, found.linked) if found.linked else Estimate(0.0, 0.0, 1.0)
    how = f"share of linked records whose {ONE} is another person's; Wilson interval"
    return rate.measure("linkage_wrong_household_rate", found.linked, SOURCE, how, unit_of_n="linked records")


def _f1s(found: LinkageCounts, weights: np.ndarray, seed: int) -> list[Measure]:
    """Ours, each baseline's, and the paired lead over it."""
    ours = found.ours.f1_draws(weights)
    drawn = {"linkage_f1": ours}
    for name, baseline in sorted(found.baselines.items()):
        drawn[f"linkage_f1.{name}"] = theirs = baseline.f1_draws(weights)
        drawn[f"linkage_f1.lead_over_{name}"] = ours - theirs
    out = []
    for name, draws in drawn.items():
        paired = "paired difference of " if ".lead_over_" in name else ""
        how = f"{paired}F1 over pairs of records; {len(weights) - 1} bootstrap draws of persons"
        f1 = Estimate.around(*percentiles(draws))
        out.append(f1.measure(name, found.persons, SOURCE, how, unit_of_n="persons", seed=seed))
    return out


def _f1(right: float, wrong: float, whole: float) -> float:
    return float(2 * right / (right + wrong + whole)) if right + wrong + whole else 0.0
