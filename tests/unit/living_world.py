"""A sealed project with a model, campaigns and a policy, small enough for unit tests: 400 households, half a year."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
from governed import COMPLIANCE
from shoppers import GRID, crowd, examples_of, sealed_project
from supplying import supplied

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.vault.seal import write_sealed
from twinops.params import AgesParams, ChallengerParams, TrainParams
from twinops.ports import KeyStore
from twinops.twin.model.model import TwinModel
from twinops.twin.model.model_file import to_text
from twinops.twin.model.recipe import Recipe
from twinops.twin.state.examples import Examples, open_examples
from twinops.twin.state.streaming import Basket
from twinops.twin.support.support import CampaignContacts, Support, fit_support
from twinops.workflows.pipeline.features import features
from twinops.workflows.places import Places

AS_OF = date(2017, 7, 20)
DAY = 200
RULE = AgesParams()
PENALTIES = TrainParams(activity_c=1.0, spend_alpha=0.001)


@dataclass(frozen=True)
class Crowd:
    """Opened: what 700 households bought, a model, and where the data can answer; every second got a campaign A."""

    known: Examples
    model: TwinModel
    diaries: dict[int, list[Basket]]
    contacts: CampaignContacts
    support: Support


@cache
def living_crowd() -> Crowd:
    """Made once for all tests of one process."""
    receipts = crowd(700)
    known = examples_of(receipts).all_closed()
    model = Recipe(GRID, PENALTIES, ChallengerParams()).fit_with_intervals(known)
    diaries = _diaries(receipts, known)
    members = np.array(sorted(diaries))[::2]
    contacts = CampaignContacts(
        members, np.full(len(members), "A"), np.full(len(members), 120), np.arange(len(members)) % 4 == 0
    )
    support = fit_support(known, model, diaries, contacts, known_until=DAY)
    assert support is not None
    return Crowd(known, model, diaries, contacts, support)


def _diaries(receipts: pa.Table, known: Examples) -> dict[int, list[Basket]]:
    numbers = dict(zip(known.table["sid"].to_pylist(), known.household.tolist(), strict=True))
    out: dict[int, list[Basket]] = {}
    events = zip(*(receipts[c].to_pylist() for c in ("sid", "basket_id", "day", "sales_cents")), strict=True)
    for sid, *event in sorted(events, key=lambda e: (e[0], e[2])):
        if sid in numbers:
            out.setdefault(numbers[sid], []).append(Basket(*event))
    return out


def natural(number: int) -> str:
    """The natural id of household `number`."""
    return f"{number:032x}"


def living_project(root: Path, *, households: int = 700, ledger: pa.Table | None = None) -> tuple[Places, MemoryKeys]:
    """Collected, with panel and model; everybody got a campaign of type A on day 120, half redeemed."""
    keys = MemoryKeys("living")
    return living_places(root, keys, households=households, ledger=ledger), keys


def living_places(root: Path, keys: KeyStore, *, households: int, ledger: pa.Table | None = None) -> Places:
    """The same, sealed under other keys."""
    places = sealed_project(root, keys, crowd(households, days=DAY), ledger)
    seal_campaigns(places, keys, range(households))
    engine = DuckDBEngine(threads=1)
    supplied(features, places, engine=engine, keys=keys, grid=GRID, as_of=AS_OF, rule=RULE)
    known = open_examples(engine, keys, panel=places.panel, labels=places.labels).all_closed()
    places.model.parent.mkdir(parents=True)
    places.model.write_text(
        to_text(Recipe(GRID, PENALTIES, ChallengerParams()).fit_with_intervals(known)), encoding="utf-8"
    )
    shutil.copytree(COMPLIANCE, places.compliance)
    return places


def seal_campaigns(places: Places, keys: KeyStore, members: range, *, start: int = 120) -> None:
    """One campaign of type A; every second member redeems."""
    ids = [natural(m) for m in members]
    sent = pa.table({
        "household_id": ids, "campaign_id": np.full(len(ids), 8), "campaign_type": ["Type A"] * len(ids),
        "start_day": np.full(len(ids), start), "end_day": np.full(len(ids), start + 40),
    })  # fmt: skip
    used = pa.table({
        "household_id": ids[::2], "coupon_upc": np.full(len(ids[::2]), 1), "campaign_id": np.full(len(ids[::2]), 8),
        "day": np.full(len(ids[::2]), start + 5),
    })  # fmt: skip
    for source, table in (("campaigns", sent), ("redemptions", used)):
        path = places.raw(source, "all")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_sealed(table, path, dataset=source, keys=keys, subject="household_id")
