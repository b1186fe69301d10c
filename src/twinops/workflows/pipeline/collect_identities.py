"""Take registrations, CRM profiles and accounts in: your own, or for the shipped households SYNTHETIC ones."""

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.compute as pc

from twinops.data.door import BatchRequest
from twinops.data.reading.reading import Reading, as_table
from twinops.data.sources import crm, registrations, social_accounts
from twinops.data.vault.seal import write_sealed
from twinops.demo import accounts as made_accounts
from twinops.demo import crm as made_crm
from twinops.demo import registrations as made_registrations
from twinops.demo.identities import people_of, truth
from twinops.params import ALL_ON, IdentitiesParams, SwitchesParams
from twinops.workflows.intake import BATCH, Collected, Intake
from twinops.workflows.pipeline.collect import collect

SHELVES = (registrations, crm, social_accounts)


def collect_identities(
    intake: Intake, made_up: IdentitiesParams, as_of: date, on: SwitchesParams = ALL_ON
) -> tuple[Collected, ...]:
    """Collect the three sources. For households of your own nobody is made up: what your folder does not hold stays
    empty.

    The truth about made-up identities is sealed apart, in `data/truth`; with own data it is empty.
    """
    asked = replace(intake.asked(), as_of=as_of)
    if intake.is_own:
        return _taken(intake, asked, {}, on)
    with TemporaryDirectory(prefix=f"twinops-{os.getpid()}-") as scratch:
        ids = [str(i) for i in intake.households().to_pylist()]
        known = write_made_up(Path(scratch), ids, seed=made_up.seed)
        return _taken(intake, replace(asked, folder=Path(scratch)), known, on)


def write_made_up(folder: Path, ids: list[str], *, seed: int) -> dict[str, pa.Table]:
    """Write the three files of these households, each in its real format, and return the truth about their records."""
    people = people_of(ids, seed)
    profiles, actors = made_crm.profiles(people, seed), made_accounts.accounts(people, seed)
    forms = made_registrations.registrations(people, seed)
    (folder / crm.FILE).write_bytes(made_crm.to_csv(profiles, seed))
    (folder / registrations.FILE).write_bytes(made_registrations.to_csv(forms))
    (folder / social_accounts.FILE).write_bytes(made_accounts.to_jsonl(actors))
    return {
        "crm": truth("crm", profiles, key="crm_id"),
        "registrations": truth("registrations", forms, key="card"),
        "social_accounts": truth("social_accounts", actors, key="account"),
    }


def _taken(
    intake: Intake, asked: BatchRequest, known: Mapping[str, pa.Table], on: SwitchesParams
) -> tuple[Collected, ...]:
    """Take what the folder holds of each source, and seal what is known of the records that entered."""
    collected, true = [], [truth_of_nobody()]
    for shelf in SHELVES:
        name = shelf.__name__.rsplit(".", 1)[-1]
        off = on.off(name)
        if intake.own.staged_as(name) is not None and not off:
            collected.append(collect(name, BATCH, intake))
            continue
        there = asked.folder is not None and (asked.folder / shelf.FILE).is_file() and not off
        read = shelf.read(None, asked) if there else Reading(as_table([], shelf.SCHEMA.arrow), 0)
        collected.append(intake.take(read, shelf, off=off, undeclared=not off and not there))
        if name in known:  # the truth about records that entered
            entered = read.rows[shelf.SUBJECT].combine_chunks()
            true.append(known[name].filter(pc.is_in(known[name]["record"], entered)))
    path, keys = intake.plane.places.truth("identities"), intake.plane.keys
    write_sealed(pa.concat_tables(true), path, dataset=path.stem, keys=keys, subject="record")
    return tuple(collected)


def truth_of_nobody() -> pa.Table:
    """No record, in the shape of `demo.identities.truth`."""
    columns = {"source": pa.string(), "record": pa.string(), "person": pa.int64()}
    return pa.schema(list(columns.items())).empty_table()
