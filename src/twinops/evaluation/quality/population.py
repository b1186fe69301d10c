"""Who is in and who is left out, and whether every row that is in has a valid basis: counted again, not believed."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

import pyarrow as pa

from twinops.entities import shown
from twinops.entities.consent import Event, LegalBasis, Purpose, Reason, exclusion
from twinops.entities.fact import Fact, Kind
from twinops.entities.legal import LegalFacts
from twinops.entities.measure import Measure
from twinops.entities.shown import Section
from twinops.entities.small_cells import SMALLEST_CELL
from twinops.entities.wording import MANY, MANY_FIRST
from twinops.evaluation.statistics.wilson import share
from twinops.plugins import text_beside
from twinops.ports import Engine

SHOWN = (
    *shown.measures({"consent_coverage": "Consent coverage"}, section=Section.DATA, headlines=("consent_coverage",)),
    *shown.pictures(
        {"population": f"{MANY_FIRST} whose consent allows each purpose, and why others are left out"},
        section=Section.DATA,
    ),
)


def consent_coverage(reasons: pa.Table, *, source: str) -> tuple[Measure, ...]:
    """Share of households that may serve each purpose today; the plain name is training, without which none is used."""
    purposes = sorted(set(reasons["purpose"].to_pylist()))
    named = {"consent_coverage": Purpose.TRAINING.value, **{f"consent_coverage.{p}": p for p in purposes}}
    return tuple(_coverage(name, purpose, reasons, source) for name, purpose in named.items())


def _coverage(name: str, purpose: str, reasons: pa.Table, source: str) -> Measure:
    rows = [r for r in reasons.to_pylist() if r["purpose"] == purpose]
    n = sum(r["households"] for r in rows)
    method = f"share of {MANY} whose ledger allows {purpose} today; Wilson's interval"
    return share(sum(r["households"] for r in rows if r["reason"] is None), n).measure(name, n, source, method)


@dataclass(frozen=True)
class Excluded:
    """Households left out of training, by reason; `suppressed` are reasons that hold for fewer than ten of them."""

    counts: dict[str, int]
    suppressed: tuple[str, ...]


def excluded(reasons: pa.Table, *, erased: int) -> Excluded:
    """Why households are left out altogether. A small count is shown as 0 and its reason named as suppressed."""
    training = [r for r in reasons.to_pylist() if r["purpose"] == Purpose.TRAINING and r["reason"] is not None]
    found = {r["reason"]: r["households"] for r in training} | ({Reason.ERASED.value: erased} if erased else {})
    # fewer than ten could be recognised by who knows them
    small = tuple(sorted(reason for reason, n in found.items() if n < SMALLEST_CELL))
    return Excluded({r: 0 if r in small else n for r, n in sorted(found.items())}, small)


CONSENT_ONLY: Mapping[Purpose, LegalBasis] = dict.fromkeys(Purpose, LegalBasis.CONSENT)


def rows_without_valid_basis(
    engine: Engine,
    panel: pa.Table,
    *,
    bases: Mapping[Purpose, LegalBasis] = CONSENT_ONLY,
    assessed: Set[Purpose] = frozenset(),
) -> int:
    """Rows of the panel that the ledger does not allow; the engine holds `consent_ledger` and `clock`.

    A purpose without a declared basis, or with one that is still open, has no valid row; one under legitimate interest
    needs a signed assessment and nobody's refusal (GDPR art. 6(1)(f), 21).
    """
    engine.register("panel", panel)
    valid = [
        {"purpose": str(purpose), "event": str(event or "none")}
        for purpose, basis in bases.items()
        for event in (Event.GRANTED, None)
        # an open basis is none, whatever a trial does with it
        if basis is not LegalBasis.OPEN and exclusion(event, basis, assessed=purpose in assessed) is None
    ]
    columns = pa.schema([("purpose", pa.string()), ("event", pa.string())])
    engine.register("valid_events", pa.Table.from_pylist(valid, columns))
    text = text_beside(__package__, "basis.sql")
    return int(engine.query(text)["row_count"][0].as_py())


def counted(counts: Iterable[str]) -> tuple[Fact, ...]:
    """What the counts files of all batches say together, by source: quarantine, and columns that stayed outside."""
    quarantined: Counter[str] = Counter()
    dropped: dict[str, set[str]] = {}
    for batch in map(json.loads, counts):
        quarantined[batch["source"]] += sum(batch["quarantined"].values())
        dropped.setdefault(batch["source"], set()).update(batch["dropped_columns"])
    return (
        Fact("quarantined", dict(sorted(quarantined.items())), Kind.MEASURED, "data/counts: rows that break a schema"),
        Fact("dropped_columns", {s: sorted(c) for s, c in sorted(dropped.items())}, Kind.MEASURED, "data/counts"),
    )


def retention(counts: Iterable[str], legal: Mapping[str, LegalFacts], *, today: int) -> Fact:
    """How old the oldest row of each source is, beside how long the source may be kept."""
    oldest: dict[str, int] = {}
    for batch in map(json.loads, counts):
        if batch["oldest_day"] is not None:
            oldest[batch["source"]] = min(batch["oldest_day"], oldest.get(batch["source"], batch["oldest_day"]))
    value = {
        source: {
            "oldest_age_days": today - day,
            "retention_days": legal[source].retention_days,
            "within": None if (days := legal[source].retention_days) is None else today - day <= days,
        }
        for source, day in sorted(oldest.items())
    }
    return Fact("retention", value, Kind.MEASURED, "data/counts and the sources' legal facts; age on the as-of date")
