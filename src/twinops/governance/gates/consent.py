"""Refuse a candidate that used a row without a valid legal basis as of its day, or hides who was left out."""

from __future__ import annotations

from typing import Any

from twinops.entities.evidence import Evidence
from twinops.entities.fact import Fact
from twinops.entities.verdict import Verdict, about, failed, missing, passed
from twinops.governance.gates._trial import unsaid
from twinops.governance.reading import Record

RULE = "GDPR arts. 5(1)(a), 6(1), 7(1), 7(3), 21(3)"
QUESTION = "Had every used row a valid legal basis, and is it published who was left out?"
ROWS, COVERAGE, EXCLUDED = "rows_without_valid_basis", "consent_coverage", "excluded"
SUPPRESSED = "excluded_suppressed"
PICTURES = ("population",)
SPEAKS_TO = {
    "dpia.legal_basis": (ROWS, COVERAGE, EXCLUDED),
    "dpia.object_restrict": (ROWS, EXCLUDED),
    "annex_iv.2d": (COVERAGE,),
}


class Limits(Record):
    """Nothing to set: the law leaves no number of rows one may use without a basis."""


def needs(_limits: Limits) -> tuple[str, ...]:
    """Names of the evidence without which the gate answers *missing*."""
    return (ROWS, COVERAGE, EXCLUDED)


def check(evidence: Evidence, _limits: Limits) -> Verdict:
    """No row without a basis; coverage and the excluded counts stand beside it."""
    open_ = unsaid(evidence)
    if open_ is not None:
        return open_
    rows, coverage, excluded = evidence.fact(ROWS), evidence.measure(COVERAGE), evidence.fact(EXCLUDED)
    absent = [
        name
        for name, ok in (
            (ROWS, rows and type(rows.value) is int),
            (COVERAGE, coverage),
            (EXCLUDED, excluded and isinstance(excluded.value, dict)),
        )
        if not ok
    ]
    if absent or rows is None or coverage is None or excluded is None:
        return missing(f"Not measured: {', '.join(absent)}.", "Run `dvc repro features`.", limit=0)
    figures = {**about(coverage), "evidence": rows.id, "limit": "0 rows without a basis"}
    left_out = _left_out(excluded.value, evidence.fact(SUPPRESSED))
    sentence = f"{rows.value} used rows lack a valid basis; the basis covers {coverage}; left out: {left_out}."
    if rows.value != 0:
        return failed(
            sentence,
            "A row without a basis must not enter: `dvc repro --force features`; if it stays, tell us.",
            **figures,
        )
    return passed(sentence, **figures)


def _left_out(counts: dict[str, Any], suppressed: Fact | None) -> str:
    """Counts by reason; a reason that holds for fewer than ten is named without its count."""
    few = suppressed.value if suppressed and isinstance(suppressed.value, (list, tuple)) else ()
    shown = [f"{'fewer than 10' if reason in few else count} {reason}" for reason, count in sorted(counts.items())]
    return ", ".join(shown).replace("_", " ") or "nobody"
