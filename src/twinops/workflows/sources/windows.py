"""Propose first day, months and every window from the days on which receipts lie, and write them if asked to."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pyarrow as pa

from twinops.data.days import local_day
from twinops.data.door import asked_for
from twinops.data.own_sources.declared import DeclaredSource, declared
from twinops.data.own_sources.declared_law import WHOLE
from twinops.data.own_sources.reading import Entered, of_everything
from twinops.data.sources import transactions
from twinops.data.windows import ReceiptDays, counted, proposed, visits
from twinops.errors import DataError
from twinops.params import Params
from twinops.ports import Engine
from twinops.workflows.intake import BATCH
from twinops.workflows.params_file import put_sections
from twinops.workflows.places import Places
from twinops.workflows.policy_file import count_contacts_in


@dataclass(frozen=True)
class Windows:
    """What was proposed and why; `changed` names what `params.yaml` says otherwise, as it was before.

    `params` is empty where there is too little yet; `not_before` then says from when on there may be enough.
    """

    params: dict[str, Any]
    why: tuple[str, ...]
    not_before: date | None
    changed: dict[str, Any]
    written: bool


def windows(*, write: bool = False, places: Places, params: Params, engine: Engine) -> Windows:
    """Read the days of the receipts, shipped or your own, and propose; `write` puts it into `params.yaml`.

    Raises:
        DataError: no source of receipts is declared, it cannot be read, or nothing in it has a day.
        ParamsError: the windows do not go with what else `params.yaml` says; nothing is written then.
    """
    return windows_of(counted(_receipts(places, params, engine)), write=write, places=places, params=params)


def windows_of(days: ReceiptDays | None, *, write: bool, places: Places, params: Params) -> Windows:
    """The same for days that were counted."""
    if days is None:
        raise DataError("No receipt has a customer and a day.", hint="See `twinops sources check`.")
    found = proposed(days)
    if params.months == (WHOLE,):  # one batch of everything, as was declared
        found = replace(found, params={name: value for name, value in found.params.items() if name != "months"})
    changed = _changed(found.params, params.model_dump(mode="json", by_alias=True))
    wanted = write and bool(changed)
    if wanted:
        put_sections(places, found.params)
        if "features" in found.params:
            count_contacts_in(places, found.params["features"]["horizon_days"])
    return Windows(found.params, found.why, found.not_before, changed, wanted)


def _receipts(places: Places, params: Params, engine: Engine) -> Iterator[pa.Table]:
    """Who bought on which day: `household_id, day`."""
    mine = params.own.staged_as("transactions")
    if mine is not None:
        yield from _own(declared(params.own, mine, root=places.root, max_rows=params.sources.max_rows))
        return
    if params.own.root and params.sources.folder is None:
        raise DataError("No receipts of your own are declared.", hint="Declare a source of kind transactions.")
    yield transactions.days(engine, asked_for(BATCH, places.root, params.sources))


def _own(source: DeclaredSource) -> Iterator[pa.Table]:
    yield from of_everything(source, _visits)


def _visits(entered: Entered) -> pa.Table:
    rows, _ = entered.rows()
    return visits(pa.table({"household_id": rows["household_id"], "day": local_day(rows["time"])}))


def _changed(wanted: dict[str, Any], there: dict[str, Any]) -> dict[str, Any]:
    """What is said otherwise now: section or `section.name`, and its value."""
    told: dict[str, Any] = {}
    for name, value in wanted.items():
        if isinstance(value, dict):
            told |= {f"{name}.{part}": old for part, old in _changed(value, there[name]).items()}
        elif value != there[name]:
            told[name] = there[name]
    return told
