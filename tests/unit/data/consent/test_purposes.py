"""Why a purpose serves nobody is told as it is: no basis, or a basis and no column."""

from __future__ import annotations

from own_world import LEGAL, RETAIL, TWIN, but, params

from twinops.data.consent.purposes import bases_of, unserved
from twinops.data.own_sources.declared_law import legal_of
from twinops.entities.consent import Purpose


def test_a_basis_without_a_column_is_told_apart_from_no_basis() -> None:
    purposes = RETAIL["legal"]["purposes"]
    bases = dict.fromkeys(TWIN, "contract") | {"offers": "consent"}
    legal = legal_of(params(sales=but(RETAIL, legal=LEGAL | {"purposes": purposes, "bases": bases})).own)[
        "transactions"
    ]
    assert Purpose.OFFERS not in bases_of(legal)
    told = unserved(legal, "offers", declared_in="own.sales")
    assert "add offers to household_id under legal.purposes of own.sales" in told
    assert unserved(legal, "bias_assessment", declared_in="own.sales").startswith("No basis is declared")
    mended = LEGAL | {"purposes": purposes | {"household_id": (*TWIN, "offers")}, "bases": bases}
    assert Purpose.OFFERS in bases_of(legal_of(params(sales=but(RETAIL, legal=mended)).own)["transactions"])
