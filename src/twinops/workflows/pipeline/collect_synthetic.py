"""Take choices, posts, comments, care cases and panel in: your own, or SYNTHETIC ones around the made-up identities."""

import os
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa

from twinops import plugins
from twinops.data import customers
from twinops.data.door import BatchRequest
from twinops.data.reading.activitypub import event_id
from twinops.data.reading.reading import Reading
from twinops.data.vault.seal import write_sealed
from twinops.demo import accounts, care, choices, crm, panel, social
from twinops.demo.identities import MadeUpPeople, people_of
from twinops.demo.panel_truth import panel_truth
from twinops.demo.social_export import Span
from twinops.entities.day_count import DayCount
from twinops.entities.demographics import SCALES
from twinops.errors import ParamsError
from twinops.params import ALL_ON, IdentitiesParams, SwitchesParams, SyntheticParams
from twinops.ports import Engine
from twinops.workflows.intake import BATCH, Collected, Intake, nobody
from twinops.workflows.pipeline.collect import collect

FILES = {
    "choices": "choices.csv",
    "social_posts": "social_posts",
    "social_comments": "social_comments.csv",
    "care_cases": "care_cases.jsonl",
    "panelists": "panel.csv",
}
"""Source -> its file or folder."""
_TEXT_TRUTH = ("account", "source", "event_id", "fate", "language", "sentiment", "topic", "special")


@dataclass(frozen=True)
class MadeUp:
    """Seeds and sizes of what is made up, first day and as-of day: nothing is written before the one or from the other
    on.
    """

    people: IdentitiesParams
    world: SyntheticParams
    as_of: date
    days: DayCount

    @property
    def span(self) -> Span:
        """The days on which something is written."""
        day = timedelta(days=1)
        return Span(self.days.first, max(self.days.first + day, self.as_of - day))


def collect_synthetic(source: str, intake: Intake, made_up: MadeUp, on: SwitchesParams = ALL_ON) -> Collected:
    """Collect one of these sources. For households of your own nothing is made up: what your folder does not hold stays
    empty.

    The files are written in their real formats into a scratch folder that is gone afterwards. What was truly meant is
    sealed apart, in `data/truth`.

    Raises:
        ParamsError: there is no such source.
    """
    if source not in FILES:
        raise ParamsError(f"There is no source {source} here.", hint=f"There are {', '.join(FILES)}.")
    shelf, off = plugins.load("twinops.data.sources", source), on.off(source)
    engine, asked = intake.plane.engine, replace(intake.asked(), as_of=made_up.as_of)
    if intake.own.staged_as(source) is not None and not off:
        _seal_truth(_truth_of_nothing(source), source, intake)
        return collect(source, BATCH, intake)
    if off or intake.is_own:
        there = asked.folder is not None and not off and (asked.folder / FILES[source]).exists()
        read = shelf.read(engine, asked) if there else Reading(nobody(shelf).drop_columns(["local_time"]), 0)
        _seal_truth(_truth_of_nothing(source), source, intake)
        return intake.take(read, shelf, off=off, undeclared=not off and not there)
    people = people_of([str(i) for i in intake.households().to_pylist()], made_up.people.seed)
    with TemporaryDirectory(prefix=f"twinops-{os.getpid()}-") as scratch:
        truth = _write(source, Path(scratch), people, engine, made_up)
        read = shelf.read(engine, replace(asked, folder=Path(scratch)))
    _seal_truth(truth, source, intake)
    return intake.take(read, shelf)


def _write(source: str, folder: Path, people: MadeUpPeople, engine: Engine, made_up: MadeUp) -> pa.Table:
    """Write the source's files, and return what is true of them."""
    world, seed, span = made_up.world, made_up.people.seed, made_up.span
    if source == "choices":
        return _write_choices(folder, people, seed, world.seed)
    if source == "panelists":
        data = panel.answers(world.panelists, seed=world.seed, wave=span.first)
        (folder / FILES[source]).write_bytes(data)
        shopping = customers.shopping(engine, [int(i) for i in people.household[people.holder].tolist()])
        return panel_truth(shopping, customers.answers(engine, BatchRequest(BATCH)), seed=world.seed)
    if source == "care_cases":
        profiles = crm.profiles(people, seed)
        pairs = list(zip(profiles.columns["crm_id"].tolist(), people.household[profiles.person].tolist(), strict=True))
        written = care.cases(pairs, seed=world.seed, span=span)
    else:
        make = social.posts if source == "social_posts" else social.comments
        actors = accounts.accounts(people, seed)
        owners, joined = accounts.owners(actors, people), accounts.joined(actors)
        written = make(owners, seed=world.seed, span=span, joined=joined)
    written.write(folder)
    return _named(written.truth)


def _write_choices(folder: Path, people: MadeUpPeople, seed: int, own_seed: int) -> pa.Table:
    """Choices beside every profile and account."""
    profiles, actors = crm.profiles(people, seed), accounts.accounts(people, seed)
    records = [*profiles.columns["crm_id"].tolist(), *actors.columns["account"].tolist()]
    (folder / FILES["choices"]).write_bytes(choices.to_csv(choices.choices(records, own_seed)))
    return _truth_of_nothing("choices")


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
        return pa.table({"household_id": pa.array([], pa.int64()), **{s: pa.array(np.array([], int)) for s in SCALES}})
    whole = social.as_truth([]).append_column("event_id", pa.array([], pa.string()))
    return whole.select(list(_TEXT_TRUTH))


def _seal_truth(truth: pa.Table, source: str, intake: Intake) -> None:
    """Sealed by subject, as everything is."""
    subject, path = "household_id" if source == "panelists" else "account", intake.plane.places.truth(source)
    write_sealed(truth, path, dataset=f"truth_{source}", keys=intake.plane.keys, subject=subject)
