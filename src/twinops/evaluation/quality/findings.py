"""Say how good the sources are: measures per source and dimension, and the tables a person looks at."""

from collections.abc import Mapping, Sequence
from typing import Any

from twinops.entities.canonical import rounded
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.entities.small_cells import SMALLEST_CELL
from twinops.evaluation.quality import measures as quality
from twinops.evaluation.quality.contradictions import Contradiction
from twinops.evaluation.quality.measures import Source, Tally

Months = Mapping[str, Mapping[str, Tally]]


def quality_findings(
    sources: Sequence[Source], months: Months, against: Sequence[Contradiction], *, declared: Sequence[str], today: int
) -> Findings:
    """`declared` are all sources there could be: those without rows are named, not skipped in silence."""
    found = [
        m for s in sources for m in (*quality.measures(s, months[s.name], today), *quality.consistency(s, against))
    ]
    there = [s.name for s in sources]
    facts = {
        "quality_sources": {"measured": there, "switched_off_or_empty": sorted(set(declared) - set(there))},
        "quality_by_month": {name: {m: _month(t) for m, t in tallies.items()} for name, tallies in months.items()},
        "quality_columns_empty": {s.name: quality.empty_shares(s) for s in sources},
        "quality_newest": {s.name: quality.newest(s, today) for s in sources},
        "contradictions": [_contradiction(c) for c in against],
    }
    source = "data/counts and data/raw"
    return Findings(tuple(found), tuple(Fact(name, v, Kind.MEASURED, source) for name, v in facts.items()))


def _month(tally: Tally) -> dict[str, Any]:
    """A month of fewer than ten rows is not shown."""
    if tally.read < SMALLEST_CELL:
        return {"rows": None, "completeness": None, "validity": None}
    shares = {d: rounded(tally.good(d) / tally.read) for d in ("completeness", "validity")}
    return {"rows": tally.read, **shares}


def _contradiction(c: Contradiction) -> dict[str, Any]:
    """Fewer than ten contradicting rows are not counted in the open; none is none."""
    small = 0 < c.contradicting < SMALLEST_CELL
    counted = None if small else c.contradicting
    check = {"id": c.check.id, "source": c.check.source, "says": c.check.says}
    return {**check, "checked": c.concerned, "contradicting": counted, "suppressed": small}
