"""What was said beside the records that are linked to customers, and on which basis each source may be."""

from collections.abc import Mapping

import pyarrow as pa

from twinops.data.own_sources.law import law_of
from twinops.data.vault.sealed_tables import SealedTables
from twinops.entities.consent import LegalBasis, Purpose
from twinops.own_params import OwnParams

NO_LEDGER = pa.table(
    {
        **{c: pa.array([], pa.string()) for c in ("sid", "purpose", "event")},
        **{c: pa.array([], pa.int64()) for c in ("day", "seq")},
    }
)
"""Nobody said anything."""


def said_beside(tables: SealedTables, own: OwnParams) -> pa.Table:
    """What was said beside records; of data of your own the ledger says it too, of customers and of accounts."""
    names = ("choices", "consent") if own.root else ("choices",)
    parts = [tables.source(name, otherwise=NO_LEDGER).select(NO_LEDGER.column_names) for name in names]
    return pa.concat_tables([p.cast(NO_LEDGER.schema) for p in parts])


def bases_of_records(own: OwnParams) -> Mapping[str, Mapping[Purpose, LegalBasis]] | None:
    """By source, on which basis each purpose may be served; of the shipped sources: consent for all (None).

    What a source of your own is not declared for it does not serve: there only a no counts, which narrows the customer.
    """
    if not own.root:
        return None
    silent = dict.fromkeys(Purpose, LegalBasis.CONTRACT)
    return {source: {**silent, **facts.bases} for source, facts in law_of(own).items()}
