"""Take registrations, CRM profiles and social accounts in: your own, or for the shipped data SYNTHETIC ones around
its households.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from twinops.data.door import BatchRequest
from twinops.data.households import households
from twinops.data.seal import write_sealed
from twinops.data.sources import crm, registrations, social_accounts
from twinops.data.sources._reading import Reading, as_table
from twinops.demo import accounts as made_accounts
from twinops.demo import crm as made_crm
from twinops.demo import registrations as made_registrations
from twinops.demo.identities import people_of, truth
from twinops.own_params import NOTHING_OWN, OwnParams
from twinops.params import ALL_ON, IdentitiesParams, SourcesParams, SwitchesParams
from twinops.ports import Engine, KeyStore
from twinops.workflows.collect import Collected, asked_for, take
from twinops.workflows.places import Places

BATCH = "all"
SHELVES = (registrations, crm, social_accounts)


def collect_identities(  # noqa: PLR0913  (ports and sections are injected by type)
    *,
    places: Places,
    engine: Engine,
    keys: KeyStore,
    sources: SourcesParams,
    made_up: IdentitiesParams,
    as_of: date,
    own: OwnParams = NOTHING_OWN,
    on: SwitchesParams = ALL_ON,
) -> tuple[Collected, ...]:
    """Collect the three sources. For households of your own nobody is made up: what your folder does not hold stays
    empty.

    The truth about made-up identities is sealed apart, in `data/truth`; with own data it is empty.
    """
    if own.root or sources.folder is not None:
        folder = None if sources.folder is None else places.root / sources.folder
        asked = BatchRequest(BATCH, folder, sources.max_rows, as_of)
        return _taken(folder, {}, places=places, keys=keys, asked=asked, on=on)
    ids = households(engine, asked_for(BATCH, places, sources), sample=sources.sample).to_pylist()
    with TemporaryDirectory(prefix=f"twinops-{os.getpid()}-") as scratch:
        known = write_made_up(Path(scratch), [str(i) for i in ids], seed=made_up.seed)
        asked = BatchRequest(BATCH, Path(scratch), sources.max_rows, as_of)
        return _taken(Path(scratch), known, places=places, keys=keys, asked=asked, on=on)


def write_made_up(folder: Path, ids: list[str], *, seed: int) -> dict[str, pa.Table]:
    """Write the three files around these households, each in its real format, and return the truth about each
    source's records.
    """
    people = people_of(ids, seed)
    profiles, forms, actors = (
        made_crm.profiles(people, seed),
        made_registrations.registrations(people, seed),
        made_accounts.accounts(people, seed),
    )
    (folder / crm.FILE).write_bytes(made_crm.to_csv(profiles, seed))
    (folder / registrations.FILE).write_bytes(made_registrations.to_csv(forms))
    (folder / social_accounts.FILE).write_bytes(made_accounts.to_jsonl(actors))
    return {
        "crm": truth("crm", profiles, key="crm_id"),
        "registrations": truth("registrations", forms, key="card"),
        "social_accounts": truth("social_accounts", actors, key="account"),
    }


def _taken(  # noqa: PLR0913  (what `collect_identities` was given)
    folder: Path | None,
    known: Mapping[str, pa.Table],
    *,
    places: Places,
    keys: KeyStore,
    asked: BatchRequest,
    on: SwitchesParams,
) -> tuple[Collected, ...]:
    collected, true = [], [truth_of_nobody()]
    for shelf in SHELVES:
        name = shelf.__name__.rsplit(".", 1)[-1]
        there = folder is not None and (folder / shelf.FILE).is_file() and not on.off(name)
        read = shelf.read(None, asked) if there else Reading(as_table([], shelf.READ), 0)
        collected.append(take(read, shelf, batch=BATCH, places=places, keys=keys, off=on.off(name)))
        if name in known:
            true.append(_of_taken(known[name], read.rows[shelf.SUBJECT]))
    write_sealed(
        pa.concat_tables(true),
        places.truth("identities"),
        dataset="identities",
        batch="identities",
        keys=keys,
        subject="record",
    )
    return tuple(collected)


def _of_taken(known: pa.Table, ids: pa.ChunkedArray) -> pa.Table:
    """The truth about records that entered."""
    import pyarrow.compute as pc

    return known.filter(pc.is_in(known["record"], ids.combine_chunks()))


def truth_of_nobody() -> pa.Table:
    """No record, in the shape of `demo.identities.truth`."""
    return pa.table(
        {"source": pa.array([], pa.string()), "record": pa.array([], pa.string()), "person": pa.array([], pa.int64())}
    )
