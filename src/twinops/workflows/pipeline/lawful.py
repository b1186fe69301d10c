"""Decide, before anything is linked, which records the law allows to be linked and blended, and count the others."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.consent import ledger as consent
from twinops.data.linkage.intake import COMPARED, HOME
from twinops.data.own_sources.law import law_of
from twinops.data.vault.sealed_tables import SealedTables
from twinops.entities.consent import Purpose
from twinops.entities.day_count import DayCount
from twinops.entities.fact import Fact, Kind
from twinops.entities.findings import Findings
from twinops.entities.legal import LegalFacts
from twinops.entities.small_cells import SMALLEST_CELL
from twinops.evaluation.statistics.wilson import share
from twinops.governance.assessment import legitimate_interests
from twinops.own_params import NOTHING_OWN, OwnParams
from twinops.workflows.beside_records import NO_LEDGER, said_beside
from twinops.workflows.data_plane import DataPlane
from twinops.workflows.declared_words import UNDECLARED, DeclaredWords
from twinops.workflows.policy_file import assessments

ATTACHED = {"social_posts": "social_accounts", "social_comments": "social_accounts", "care_cases": "crm"}
"""Sources that speak of records of another source, and which."""
LINKING_SERVES = Purpose.TRAINING
"""Who does not allow this is in no twin, so there is nothing to link for."""


@dataclass(frozen=True)
class Lawful:
    """How many subjects each source holds, how many of them may be linked and blended, and what was found."""

    held: dict[str, int]
    allowed: dict[str, int]
    findings: Findings


def lawful(plane: DataPlane, as_of: date, days: DayCount, words: DeclaredWords = UNDECLARED) -> Lawful:
    """Write the sealed list of records that may be linked, and `reports/measures/lawful.json`.

    A household is asked in the ledger of consent, a profile or account in what was chosen beside it, each as of today.
    Unknown refuses; under legitimate interest a signed assessment must stand, and an objection refuses.
    """
    signed = assessments(plane.places, on=as_of)
    ledger, choices = plane.tables.source("consent", otherwise=NO_LEDGER), said_beside(plane.tables, words.own)
    law, today = law_of(words.own), days.number(as_of)
    answers = {
        source: consent.allowed(
            plane.engine,
            ledger if source == HOME else choices,
            _subjects(plane.tables, source, today),
            bases={p: b for p, b in law[source].bases.items() if p is LINKING_SERVES},
            assessed=assessed(source, signed, words.own),
        ).select(["sid", "allowed", "reason"])
        for source in (*COMPARED, *ATTACHED)
    }
    plane.seal(_compared(answers), plane.places.blendable)
    findings = _findings(answers, signed, as_of, law["consent"])
    plane.places.keep("lawful", findings, words.wording)
    held = {s: a.num_rows for s, a in answers.items()}
    return Lawful(held, {s: _allowed(a) for s, a in answers.items()}, findings)


def assessed(source: str, signed: frozenset[tuple[str, Purpose]], own: OwnParams = NOTHING_OWN) -> frozenset[Purpose]:
    """Purposes of a source with a signed assessment, under its name or that of each source of your own behind it."""
    of = {name: frozenset(p for n, p in signed if n == name) for name in (source, *own.all_staged_as(source))}
    mine = [of[name] for name in own.all_staged_as(source)]
    return of[source] | (frozenset.intersection(*mine) if mine else frozenset())


def _subjects(tables: SealedTables, source: str, today: int) -> pa.Table:
    """Whom a source tells of, each to be asked as of today."""
    sids = pc.unique(tables.source(source, otherwise=NO_LEDGER)["sid"]).sort()
    return pa.table({"sid": sids, "day": pa.array([today] * len(sids), pa.int64())})


def _compared(answers: Mapping[str, pa.Table]) -> pa.Table:
    """The records that are compared; what is attached to them is asked again, as of each day, when it is blended."""
    tables = {source: answers[source] for source in COMPARED}
    return pa.concat_tables(t.append_column("source", pa.array([s] * len(t), pa.string())) for s, t in tables.items())


def _allowed(answers: pa.Table) -> int:
    return int(pc.sum(answers["allowed"].cast(pa.int64())).as_py() or 0)


def _findings(
    answers: Mapping[str, pa.Table], signed: frozenset[tuple[str, Purpose]], as_of: date, ledger: LegalFacts
) -> Findings:
    made_up = " (synthetic)" if ledger.synthetic else ""
    source = f"choices and ledger of consent{made_up} on the as-of date, by each source's legal basis"
    measures = []
    for name, table in answers.items():
        if table.num_rows:
            found, n = share(_allowed(table), table.num_rows), table.num_rows
            method = "share of the source's subjects whose records may be linked and blended; Wilson's interval"
            measures.append(found.measure(f"blendable.{name}", n, source, method, unit_of_n="subjects"))
    stands = {"on": as_of.isoformat(), "signed": sorted(f"{s}: {p.value}" for s, p in signed)}
    facts = (
        Fact("blend_excluded", {n: _reasons(t) for n, t in answers.items()}, Kind.MEASURED, source),
        Fact("blend_empty_sources", sorted(n for n, t in answers.items() if not t.num_rows), Kind.MEASURED, "data/raw"),
        Fact("interests_assessed", stands, Kind.DECLARED, legitimate_interests.SOURCE),
    )
    return Findings(tuple(measures), facts)


def _reasons(answers: pa.Table) -> dict[str, Any]:
    """Subjects that stay out, by reason; fewer than ten are not counted in the open (null)."""
    found = Counter(r for r in answers["reason"].to_pylist() if r is not None)
    return {reason: n if n >= SMALLEST_CELL else None for reason, n in sorted(found.items())}
