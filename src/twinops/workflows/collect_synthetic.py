"""Take choices, posts, comments, care cases and the panel in: your own, or for the shipped data SYNTHETIC ones around
its households and their made-up identities.
"""

from __future__ import annotations

import os
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa

from twinops import plugins
from twinops.data import customers
from twinops.data.door import BatchRequest
from twinops.data.households import households
from twinops.data.seal import write_sealed
from twinops.data.sources._activitypub import event_id
from twinops.data.sources._reading import Reading
from twinops.demo import accounts, care, choices, crm, panel, social
from twinops.demo.identities import People, people_of
from twinops.demo.panel_truth import panel_truth
from twinops.demo.social_export import Span
from twinops.errors import ParamsError
from twinops.own_params import NOTHING_OWN, OwnParams
from twinops.params import ALL_ON, IdentitiesParams, SourcesParams, SwitchesParams, SyntheticParams
from twinops.ports import Engine, KeyStore
from twinops.workflows.collect import Collected, Shelf, asked_for, take
from twinops.workflows.collect_identities import BATCH
from twinops.workflows.places import Places

FILES = {
    "choices": "choices.csv",
    "social_posts": "social_posts",
    "social_comments": "social_comments.csv",
    "care_cases": "care_cases.jsonl",
    "panelists": "panel.csv",
}
"""Source -> its file or folder."""
YEAR = Span(date(2017, 1, 1), date(2017, 12, 31))
_TEXT_TRUTH = ("account", "source", "event_id", "fate", "language", "sentiment", "topic", "special")


def collect_synthetic(  # noqa: PLR0913  (ports and sections are injected by type)
    source: str,
    *,
    places: Places,
    engine: Engine,
    keys: KeyStore,
    sources: SourcesParams,
    people: IdentitiesParams,
    made_up: SyntheticParams,
    as_of: date,
    own: OwnParams = NOTHING_OWN,
    on: SwitchesParams = ALL_ON,
) -> Collected:
    """Collect one of these sources. For households of your own nothing is made up: what your folder does not hold stays
    empty.

    The files are written in their real formats into a scratch folder that is gone afterwards. What was truly meant is
    sealed apart, in `data/truth`.

    Raises:
        ParamsError: there is no such source.
    """
    if source not in FILES:
        raise ParamsError(f"There is no source {source} here.", hint=f"There are {', '.join(FILES)}.")
    shelf = plugins.load("twinops.data.sources", source)
    off = on.off(source)
    if off or own.root or sources.folder is not None:
        folder = None if sources.folder is None else places.root / sources.folder
        there = folder is not None and not off and (folder / FILES[source]).exists()
        read = shelf.read(engine, _asked(folder, sources, as_of)) if there else Reading(nobody(shelf), 0)
        _seal_truth(_truth_of_nothing(source), places, source, keys)
        return take(read, shelf, batch=BATCH, places=places, keys=keys, off=off)
    ids = [str(i) for i in households(engine, asked_for(BATCH, places, sources), sample=sources.sample).to_pylist()]
    with TemporaryDirectory(prefix=f"twinops-{os.getpid()}-") as scratch:
        truth = _write(source, Path(scratch), people_of(ids, people.seed), engine, (people, made_up, _span(as_of)))
        read = shelf.read(engine, _asked(Path(scratch), sources, as_of))
    _seal_truth(truth, places, source, keys)
    return take(read, shelf, batch=BATCH, places=places, keys=keys)


def nobody(shelf: Shelf) -> pa.Table:
    """No row, in the columns a source's reader gives."""
    types = {"whole": pa.int64(), "text": pa.string(), "number": pa.float64(), "time": pa.timestamp("us")}
    return pa.table({c.name: pa.array([], types[c.kind]) for c in shelf.SCHEMA.columns})


def _asked(folder: Path | None, sources: SourcesParams, as_of: date) -> BatchRequest:
    return BatchRequest(BATCH, folder, sources.max_rows, as_of)


def _span(as_of: date) -> Span:
    """The days on which something is written; nothing is, on the as-of day or later."""
    return Span(YEAR.first, max(YEAR.first + timedelta(days=1), min(YEAR.last, as_of - timedelta(days=1))))


def _write(
    source: str,
    folder: Path,
    people: People,
    engine: Engine,
    given: tuple[IdentitiesParams, SyntheticParams, Span],
) -> pa.Table:
    """Write the source's files, and return what is true of them."""
    who, made_up, span = given
    if source == "choices":
        return _write_choices(folder, people, who.seed, made_up.seed)
    if source == "panelists":
        data = panel.answers(made_up.panelists, seed=made_up.seed, wave=span.first)
        (folder / FILES[source]).write_bytes(data)
        return panel_truth(
            customers.shopping(engine, _own_ids(people)),
            customers.answers(engine, BatchRequest(BATCH)),
            seed=made_up.seed,
        )
    if source == "care_cases":
        profiles = crm.profiles(people, who.seed)
        pairs = list(zip(profiles.columns["crm_id"].tolist(), people.household[profiles.person].tolist(), strict=True))
        world = care.cases(pairs, seed=made_up.seed, span=span)
    else:
        make = social.posts if source == "social_posts" else social.comments
        actors = accounts.accounts(people, who.seed)
        joined = accounts.joined(actors)
        world = make(accounts.owners(actors, people), seed=made_up.seed, span=span, joined=joined)
    world.write(folder)
    return _named(world.truth)


def _write_choices(folder: Path, people: People, seed: int, own_seed: int) -> pa.Table:
    """Choices beside every profile and account."""
    profiles, actors = crm.profiles(people, seed), accounts.accounts(people, seed)
    records = [*profiles.columns["crm_id"].tolist(), *actors.columns["account"].tolist()]
    (folder / FILES["choices"]).write_bytes(choices.to_csv(choices.choices(records, own_seed)))
    return _truth_of_nothing("choices")


def _own_ids(people: People) -> list[int]:
    return [int(i) for i in people.household[people.holder].tolist()]


def _named(truth: pa.Table) -> pa.Table:
    """The truth with the name that an event is sealed under."""
    kinds = {"social_comments": ("comment",), "care_cases": ("case",)}
    names = [
        event_id(*kinds.get(source, ()), item)
        for source, item in zip(truth["source"].to_pylist(), truth["item"].to_pylist(), strict=True)
    ]
    return truth.append_column("event_id", pa.array(names, pa.string())).select(list(_TEXT_TRUTH))


def _truth_of_nothing(source: str) -> pa.Table:
    if source == "panelists":
        return pa.table(
            {"household_id": pa.array([], pa.int64()), **{s: pa.array(np.array([], int)) for s in panel.SCALES}}
        )
    whole = social.as_truth([]).append_column("event_id", pa.array([], pa.string()))
    return whole.select(list(_TEXT_TRUTH))


def _seal_truth(truth: pa.Table, places: Places, source: str, keys: KeyStore) -> None:
    """Sealed by subject, as everything is."""
    subject = "household_id" if source == "panelists" else "account"
    write_sealed(truth, places.truth(source), dataset=f"truth_{source}", batch=source, keys=keys, subject=subject)
