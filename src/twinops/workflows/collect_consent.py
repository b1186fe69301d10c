"""Take the consent ledger in: your own, or for the shipped data a SYNTHETIC one around its households."""

from __future__ import annotations

from twinops.data.door import BatchRead
from twinops.data.households import households
from twinops.data.sources import consent
from twinops.demo.consent import ledger
from twinops.errors import DataError
from twinops.own_params import NOTHING_OWN, OwnParams
from twinops.params import ConsentParams, SourcesParams
from twinops.ports import Engine, KeyStore
from twinops.workflows.collect import Collected, asked_for, collect, take
from twinops.workflows.places import Places

_BATCH = "all"


def collect_consent(  # noqa: PLR0913  (ports and sections are injected by type)
    *,
    places: Places,
    engine: Engine,
    keys: KeyStore,
    sources: SourcesParams,
    made_up: ConsentParams,
    own: OwnParams = NOTHING_OWN,
) -> Collected:
    """Collect the ledger.

    For data of your own consent is never made up: declare a source of consent, or put `consent.parquet` in your folder.

    Raises:
        DataError: there is neither.
    """
    if own.root and own.of_kind("consent") is None and sources.folder is None:
        raise DataError(
            "Sources of your own are declared, and no ledger of consent.",
            hint="Declare one of kind consent under own in params.yaml; consent that is unknown refuses.",
        )
    if own.root or sources.folder is not None:
        return collect("consent", _BATCH, places=places, engine=engine, keys=keys, sources=sources, own=own)
    people = households(engine, asked_for(_BATCH, places, sources), sample=sources.sample).to_pylist()
    rows = ledger(people, seed=made_up.seed, excluded_share=made_up.excluded_share)
    return take(BatchRead(rows, rows.num_rows), consent, batch=_BATCH, places=places, keys=keys)
