"""Make the panel: whoever allows training today, each on every as-of day, with features, labels and permissions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from twinops.data import ages, purposes
from twinops.data.days import FIRST_DAY, day_of
from twinops.data.own.declared import law_of
from twinops.data.seal import erased, read_sealed, write_sealed
from twinops.entities.consent import LegalBasis, Purpose
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.entities.legal import LegalFacts
from twinops.errors import DataError, ParamsError
from twinops.evaluation import population
from twinops.governance import interests
from twinops.own_params import NOTHING_OWN, OwnParams
from twinops.params import AgesParams, FeaturesParams
from twinops.pictures.canvas import save
from twinops.pictures.population import population_picture
from twinops.ports import Engine, KeyStore
from twinops.twin import features as twin_features
from twinops.twin.examples import with_text_sid
from twinops.twin.merged import narrowed, said_of_records
from twinops.twin.permissions import Asked, permissions, read_consent, reasons
from twinops.workflows.places import Places

TRANSACTIONS = "transactions"
ADULTS = AgesParams()


@dataclass(frozen=True)
class Claimed:
    """Legal facts of the sources, the bases of the receipt lines, and the purposes with a signed assessment."""

    legal: Mapping[str, LegalFacts]
    bases: Mapping[Purpose, LegalBasis]
    signed: frozenset[Purpose]


@dataclass(frozen=True)
class Population:
    """Households in the sources and in the panel, rows, as-of days, and what was found about them."""

    in_sources: int
    in_panel: int
    rows: int
    cutoffs: tuple[int, ...]
    findings: Findings


def features(  # noqa: PLR0913  (ports and sections are injected by type)
    places: Places,
    *,
    engine: Engine,
    keys: KeyStore,
    grid: FeaturesParams,
    as_of: date,
    rule: AgesParams = ADULTS,
    own: OwnParams = NOTHING_OWN,
) -> Population:
    """Write the sealed panel and labels, `reports/measures/population.json` and a picture of who is in.

    Purposes and bases are those the source of the receipt lines declares, shipped or your own; legitimate interest
    needs a signed assessment.

    Raises:
        DataError: a month is missing, or nobody is left to learn from.
        ParamsError: `features.first_day` is not the day the sealed data count from, or the receipt lines are not
            declared for training.

    """
    if grid.first_day != FIRST_DAY:
        raise ParamsError(f"features.first_day is {grid.first_day}.", hint=f"The sealed days count from {FIRST_DAY}.")
    legal, today = law_of(own), day_of(as_of)
    bases, signed = purposes.bases_of(legal[TRANSACTIONS]), assessed(places, own, as_of)
    known_until = min(today, reached(places.raw_batches("transactions")))
    lines = with_text_sid(read_sealed(places.raw_batches(TRANSACTIONS), dataset=TRANSACTIONS, keys=keys))
    ledger = with_text_sid(read_sealed(places.raw_batches("consent"), dataset="consent", keys=keys))
    sids = tuple(pc.unique(lines["sid"]).sort().to_pylist())
    asked = Asked(sids, twin_features.as_of_days(grid, known_until=known_until), today)
    tied = ties(places, keys)
    said = None if tied is None else said_of_records(engine, *tied, today=today)
    answers = read_consent(engine, ledger, asked, bases, assessed=signed)
    if tied is not None and said is not None:
        answers = narrowed(engine, answers, tied[1], said, today=today)
    born = births(places, keys)
    answers = ages.of_age(engine, answers, born, rule)
    engine.register("permissions", permissions(engine, answers, today=today))
    engine.register("transactions", ages.since_full_age(purposes.served(lines, legal[TRANSACTIONS]), born, rule))
    panel = twin_features.panel(engine, grid, known_until=known_until)
    keep(panel, twin_features.labels(engine, panel), places, keys)
    claimed = Claimed(legal, bases, signed)
    findings = found(places, engine, keys, claimed, (sids, erased(lines), today))
    return told(findings, panel, asked, places)


def assessed(places: Places, own: OwnParams, as_of: date) -> frozenset[Purpose]:
    """Purposes for which somebody signed that an interest in the receipt lines outweighs, standing on that day."""
    path = places.compliance / "interests.yaml"
    if not path.is_file():
        return frozenset()
    signed = interests.standing(interests.read(path.read_text(encoding="utf-8")), on=as_of)
    return frozenset(purpose for name, purpose in signed if name in (TRANSACTIONS, own.staged_as(TRANSACTIONS)))


@dataclass(frozen=True)
class Standing:
    """What the receipt lines may serve: on which basis, and for which purposes an assessment stands."""

    legal: LegalFacts
    bases: Mapping[Purpose, LegalBasis]
    assessed: frozenset[Purpose]


def standing(places: Places, own: OwnParams, as_of: date) -> Standing:
    """As declared for the receipt lines, shipped or your own.

    Raises:
        ParamsError: they are not declared for training.
    """
    legal = law_of(own)[TRANSACTIONS]
    return Standing(legal, purposes.bases_of(legal), assessed(places, own, as_of))


def births(places: Places, keys: KeyStore) -> pa.Table:
    """Who was born when, as far as it is known: `sid`, `birth_day` (days from 1 January 2017, before it negative)."""
    if not places.births.is_file():
        return ages.NOBODY
    return with_text_sid(read_sealed(places.births, dataset=places.births.stem, keys=keys))


def ties(places: Places, keys: KeyStore) -> tuple[pa.Table, pa.Table] | None:
    """What was chosen beside records, and which records were linked to households; None: none was."""
    batches = places.raw_batches("choices")
    if not places.links.is_file() or not batches:
        return None
    linked = read_sealed(places.links, dataset=places.links.stem, keys=keys)
    return (with_text_sid(read_sealed(batches, dataset="choices", keys=keys)), linked) if linked.num_rows else None


def reached(batches: list[Path]) -> int:
    """The first day after the last collected month.

    Raises:
        DataError: there is no month, or one is missing in between: its baskets would be taken for silence.
    """
    months = sorted(p.stem for p in batches)
    if not months:
        raise DataError("No month of transactions was collected.", hint="Run `dvc repro`.")
    firsts = [date.fromisoformat(f"{m}-01") for m in months]
    for earlier, later in pairwise(firsts):
        if later != _next_month(earlier):
            raise DataError(
                f"There is no batch for {_next_month(earlier):%Y-%m}, but there is one for {later:%Y-%m}.",
                hint="List every month in `months`; a month without receipts has an empty batch.",
            )
    return day_of(_next_month(firsts[-1]))


def keep(panel: pa.Table, labels: pa.Table, places: Places, keys: KeyStore) -> None:
    """Seal both tables."""
    for table, path in ((panel, places.panel), (labels, places.labels)):
        write_sealed(table, path, dataset=path.stem, batch=path.stem, keys=keys, subject="sid")


def found(
    places: Places,
    engine: Engine,
    keys: KeyStore,
    claimed: Claimed,
    who: tuple[tuple[str, ...], int, int],
) -> Findings:
    """Coverage, who was left out and why, and the panel as it was written checked against the ledger."""
    sids, gone, today = who
    standing = reasons(engine)
    left_out = population.excluded(standing, erased=gone)
    written = with_text_sid(read_sealed(places.panel, dataset="panel", keys=keys))
    legal = claimed.legal
    # a source that is no longer declared may have left its counts behind
    counts = [p.read_text(encoding="utf-8") for p in places.all_counts if p.parent.name in legal]
    ledger = f"consent ledger{' (synthetic)' if legal['consent'].synthetic else ''} on the as-of date"
    facts = {
        "rows_without_valid_basis": population.rows_without_valid_basis(
            engine, written, bases=claimed.bases, assessed=claimed.signed
        ),
        "excluded": left_out.counts,
        "excluded_suppressed": list(left_out.suppressed),
        "population.panel": {
            "households_in_sources": len(sids) + gone,
            "households": len(pc.unique(written["sid"])),
            "rows": written.num_rows,
            "as_of_days": len(pc.unique(written["cutoff"])),
        },
    }
    return Findings(
        population.consent_coverage(standing, source=ledger),
        (
            *(Fact(name, value, Kind.MEASURED, f"features: {ledger}") for name, value in facts.items()),
            *population.counted(counts),
            population.retention(counts, legal, today=today),
        ),
        population.SHOWN,
    )


def told(findings: Findings, panel: pa.Table, asked: Asked, places: Places) -> Population:
    """Write the findings and the picture."""
    places.measures("population").parent.mkdir(parents=True, exist_ok=True)
    places.measures("population").write_text(findings.to_json(), encoding="utf-8")
    save(population_picture(findings), places.figure("population"))
    return Population(len(asked.sids), len(pc.unique(panel["sid"])), panel.num_rows, asked.cutoffs, findings)


def _next_month(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)
