"""Which purposes the receipt lines may serve, and which of their columns: as declared, column by column."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from twinops.entities.consent import LegalBasis, Purpose
from twinops.entities.legal import LegalFacts
from twinops.errors import ParamsError

TWIN = (Purpose.TRAINING, Purpose.SCORING)
HOUSEHOLD = "household_id"
NEEDED = (HOUSEHOLD, "transaction_timestamp", "time", "basket_id", "sales_value", "unit_price", "quantity")
"""No feature is without these, where a source has them; `quantity` only beside a price per unit."""
EMPTIED = {
    "store_id": "store_id",
    "retail_disc": "retail_discount_cents",
    "coupon_disc": "coupon_discount_cents",
    "coupon_match_disc": "coupon_match_discount_cents",
}
"""Column as declared -> as sealed: features do without it."""


def bases_of(legal: LegalFacts) -> dict[Purpose, LegalBasis]:
    """The bases of the purposes that the household's id serves and, for the twin, every column no feature is without.

    Raises:
        ParamsError: training is not among them, so nothing may be learned (GDPR art. 5(1)(b)).
    """
    # art. 5(1)(b): a purpose that a needed column does not serve is no purpose of the lines
    served = set.intersection(*(set(legal.columns[c]) for c in _needed(legal)))
    bases = {
        p: basis for p, basis in legal.bases.items() if p in legal.columns[HOUSEHOLD] and (p not in TWIN or p in served)
    }
    if Purpose.TRAINING not in bases:
        without = [c for c in _needed(legal) if Purpose.TRAINING not in legal.columns[c]]
        raise ParamsError(
            f"The transactions of {legal.controller} do not serve training: {', '.join(without) or 'no basis for it'}.",
            hint="Declare twin_training in legal.bases and legal.purposes, if it is so; else there is no twin.",
        )
    return bases


def unserved(legal: LegalFacts, purpose: str, *, declared_in: str) -> str:
    """Why a purpose serves nobody though the law of it may be said: no basis, or columns that do not serve it."""
    if purpose not in legal.bases:
        return f"No basis is declared for {purpose}, so it serves nobody."
    asked = _needed(legal) if purpose in TWIN else (HOUSEHOLD,)
    without = ", ".join(c for c in asked if purpose not in legal.columns[c])
    return (
        f"A basis is declared for {purpose}, and no column is, so it serves nobody: add {purpose} to {without} under "
        f"legal.purposes of {declared_in}."
    )


def served(lines: pa.Table, legal: LegalFacts) -> pa.Table:
    """The receipt lines, emptied of what is not declared for both purposes of the twin."""
    for column, sealed in EMPTIED.items():
        if column in legal.columns and not set(TWIN) <= set(legal.columns[column]):
            kind = lines.schema.field(sealed).type
            # art. 5(1)(c): what is not declared for the twin is emptied, and the row stays
            nothing = pa.nulls(lines.num_rows, kind) if column == "store_id" else pa.array([0] * lines.num_rows, kind)
            lines = lines.set_column(lines.column_names.index(sealed), sealed, nothing)
    return lines


def _needed(legal: LegalFacts) -> Iterator[str]:
    """Those of the needed columns that the source has."""
    by_unit = "unit_price" in legal.columns
    return (c for c in NEEDED if c in legal.columns and (c != "quantity" or by_unit))
