"""What a linkage found, as measures and facts: how much was linked, and against the truth how rightly."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.linkage.linking import Linked
from twinops.entities.fact import Fact, Kind
from twinops.entities.measure import Measure
from twinops.entities.wording import MANY
from twinops.evaluation.linkage.measures import Counted, LinkageCounts
from twinops.evaluation.linkage.peers import exact_email, fuzzy, our_fields, plain_fields

SOURCE = "linkage of registrations, CRM profiles and social accounts"


@dataclass(frozen=True)
class LinkageOutcome:
    """A linkage (None: nothing could be linked), its links and review list, and who took part.

    `held` and `taking_part` count records per source: collected, and allowed to be linked.
    """

    done: Linked | None
    links: pa.Table
    review: pa.Table
    held: dict[str, int]
    taking_part: dict[str, int]
    home: str

    @property
    def households(self) -> int:
        """Households with at least one linked record."""
        return int(pc.count_distinct(self.links["sid"]).as_py())

    @property
    def doubts(self) -> dict[str, int]:
        """Pairs on the review list, by reason."""
        return dict(sorted((c["values"], c["counts"]) for c in pc.value_counts(self.review["doubt"]).to_pylist()))


def counted(outcome: LinkageOutcome) -> list[Measure]:
    """What was linked and what waits for a person; counted in full, so without interval."""
    alarms = outcome.done.resolved.alarms if outcome.done else 0
    found = {
        "linkage_links": (outcome.links.num_rows, "records"),
        "linkage_households": (outcome.households, MANY),
        "linkage_to_review": (outcome.review.num_rows, "pairs of records"),
        "linkage_alarms": (alarms, "groups of records"),
    }
    homes = outcome.taking_part.get(outcome.home, 0)
    return [Measure(name, value, homes, SOURCE, "counted in full", unit=unit) for name, (value, unit) in found.items()]


def facts(outcome: LinkageOutcome, *, sources: tuple[str, ...], rules: Mapping[str, float]) -> tuple[Fact, ...]:
    """Who took part, who was missed, by which rules, and what waits for a person."""
    records = {s: {"held": n, "may_be_linked": outcome.taking_part[s]} for s, n in outcome.held.items()}
    said = {
        "linkage_records": records,
        "linkage_missing_sources": sorted(set(sources) - set(outcome.held)),
        "linkage_done": outcome.done is not None,
        "linkage_rules": dict(rules),
        "linkage_review": outcome.doubts,
    }
    return tuple(Fact(name, value, Kind.MEASURED, SOURCE) for name, value in said.items())


def against_truth(done: Linked, raw: pa.Table, person_of: Mapping[str, int], *, home: str) -> LinkageCounts:
    """Count against the truth: `person_of` gives the true person of every record. `raw` is what was linked."""
    person = np.array([person_of[r] for r in done.records["record"].to_pylist()], dtype=np.int64)
    in_order = raw.sort_by([("source", "ascending"), ("record", "ascending")])
    baselines = {
        "exact_email": exact_email(done.records, done.candidates, person),
        "fuzzy": fuzzy(plain_fields(in_order), done.candidates, person)[0],
        "fuzzy_normalised": fuzzy(our_fields(done.records), done.candidates, person)[0],
    }
    group, source = done.resolved.person, np.array(done.records["source"].to_pylist())
    # a linked record belongs to the household whose holder stands in the same group
    owner = {int(group[i]): int(person[i]) for i in np.flatnonzero(source == home)}
    linked = [i for i in np.flatnonzero(source != home) if int(group[i]) in owner]
    wrong = sum(owner[int(group[i])] != int(person[i]) for i in linked)
    return LinkageCounts(Counted.of_groups(group, person), baselines, len(linked), wrong, len(np.unique(person)))
