"""Make the panel: whoever allows training today, each on every as-of day, with features, labels and permissions."""

from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.holdout import Apart, apart
from twinops.data.own_sources.law import law_of
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.evaluation.canvas import save
from twinops.evaluation.quality import population
from twinops.evaluation.quality.population_picture import population_picture
from twinops.params import APART, FeaturesParams, HoldoutParams
from twinops.twin.own_features._shelf import own_features
from twinops.twin.own_features.computed import against_undeclared, with_own
from twinops.twin.state import features as twin_features
from twinops.twin.state.permissions import LedgerQuestion, permissions, reasons
from twinops.workflows.apart import everyone, seal_parts
from twinops.workflows.declared_words import UNDECLARED, DeclaredWords
from twinops.workflows.receipts import TRANSACTIONS, Receipts, Standing

SUBJECTS_AT_ONCE = 25_000
"""Of so many the ledger is asked at one time: each has an answer for every day and purpose."""
WRITTEN = ("sid", "cutoff", *twin_features.PERMISSIONS)
"""What is looked at of the panel once it is written."""


@dataclass(frozen=True)
class Population:
    """Households in the sources and in the panel, rows, as-of days, and what was found about them."""

    in_sources: int
    in_panel: int
    rows: int
    cutoffs: tuple[int, ...]
    findings: Findings


def features(
    receipts: Receipts, grid: FeaturesParams, holdout: HoldoutParams = APART, words: DeclaredWords = UNDECLARED
) -> Population:
    """Write the sealed panel and labels, `reports/measures/population.json` and a picture of who is in.

    Purposes and bases are those the source of the receipt lines declares, shipped or your own; legitimate interest
    needs a signed assessment. The final hold-out is parted here, once: no later stage finds its rows where it learns.

    Raises:
        DataError: a month is missing, or nobody is left to learn from.
        ParamsError: the receipt lines are not declared for training.
    """
    law, known_until, plane, own = receipts.standing, receipts.known_until, receipts.plane, own_features()
    sids, gone = plane.tables.subjects(TRANSACTIONS)
    asked = LedgerQuestion(sids, twin_features.as_of_days(grid, known_until=known_until), receipts.today)
    allowed, standing = _allowed(receipts, asked)
    plane.engine.register("permissions", allowed)
    against_undeclared(own, law.legal)
    parts = plane.engine.opening(TRANSACTIONS, receipts.sealed())
    panel, labels = twin_features.panel_of_parts(plane.engine, grid, parts, known_until=known_until)
    if own:  # such a query may look at everybody at once
        panel = [with_own(pa.concat_tables(panel), receipts.served(receipts.lines()), own, plane.engine)]
    rows = sum(part.num_rows for part in panel)
    households = sorted({sid for part in panel for sid in pc.unique(part["sid"]).to_pylist()})
    drawn = apart(households, holdout, keys=plane.keys)
    seal_parts(plane, panel, plane.places.panel, apart=drawn.sids)
    seal_parts(plane, labels, plane.places.labels, apart=drawn.sids)
    findings = found(receipts, law, SourceCounts(len(sids), gone, drawn, standing))
    plane.places.keep("population", findings, words.wording)
    save(population_picture(findings), plane.places.figure("population"), words.wording)
    return Population(len(sids), len(households), rows, asked.cutoffs, findings)


def _allowed(receipts: Receipts, asked: LedgerQuestion) -> tuple[pa.Table, pa.Table]:
    """The flags of everybody on every day, and how many may serve what, by reason; some subjects after the other."""
    engine, flags, why = receipts.plane.engine, [], []
    for first in range(0, len(asked.sids) or 1, SUBJECTS_AT_ONCE):
        some = replace(asked, sids=asked.sids[first : first + SUBJECTS_AT_ONCE])
        flags.append(permissions(engine, receipts.answers(some), today=receipts.today))
        why.append(reasons(engine))
    if len(why) == 1:
        return flags[0], why[0]
    together = pa.concat_tables(why).group_by(["purpose", "reason"]).aggregate([("households", "sum")])
    together = together.rename_columns(why[0].column_names).sort_by([("purpose", "ascending"), ("reason", "ascending")])
    return pa.concat_tables(flags), together


@dataclass(frozen=True)
class SourceCounts:
    """Households that the receipt lines tell of, those among the files' that were erased, and who stands apart.

    `standing`: how many may serve each purpose today, and how many not and why; see `reasons.sql`.
    """

    households: int
    erased: int
    apart: Apart
    standing: pa.Table


def found(receipts: Receipts, law: Standing, sources: SourceCounts) -> Findings:
    """Coverage, who was left out and why, and the panel as it was written checked against the ledger."""
    plane, declared = receipts.plane, law_of(receipts.own)
    standing = sources.standing
    written = everyone(plane, plane.places.panel, columns=WRITTEN)
    left_out = population.excluded(standing, erased=sources.erased)
    # a source that is no longer declared may have left its counts behind
    counts = [p.read_text(encoding="utf-8") for p in plane.places.all_counts if p.parent.name in declared]
    ledger = f"consent ledger{' (synthetic)' if declared['consent'].synthetic else ''} on the as-of date"
    engine = plane.engine
    invalid = population.rows_without_valid_basis(engine, written, bases=law.bases, assessed=law.assessed)
    facts = {
        "rows_without_valid_basis": invalid,
        "excluded": left_out.counts,
        "excluded_suppressed": list(left_out.suppressed),
        "population.panel": {
            "households_in_sources": sources.households + sources.erased,
            "households": len(pc.unique(written["sid"])),
            "rows": written.num_rows,
            "as_of_days": len(pc.unique(written["cutoff"])),
        },
        "holdout.split": sources.apart.told(),
    }
    return Findings(
        population.consent_coverage(standing, source=ledger),
        (
            *(Fact(name, value, Kind.MEASURED, f"features: {ledger}") for name, value in facts.items()),
            *population.counted(counts),
            population.retention(counts, declared, today=receipts.today),
        ),
        population.SHOWN,
    )
