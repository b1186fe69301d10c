"""A living project with a ledger of rights, linked records, officers and one clock, for tests of what consumers ask."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from living_world import AS_OF, GRID, RULE, living_project, natural
from supplying import DAYS

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.adapters.rights_ledger import FollowedRights, RightsLedger
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.vault.seal import write_sealed
from twinops.workflows.data_plane import DataPlane
from twinops.workflows.places import Places
from twinops.workflows.receipts import Receipts
from twinops.workflows.subject.act import RightsAsked, RightsTaken, act
from twinops.workflows.subject.desk import Desk
from twinops.workflows.twin.open import Opener

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
ANN, CHILD, MERGED, OTHER = 7, 5, 8, 9
CARD = "C00000008"
"""A profile of the CRM that is linked to MERGED's household."""
CRM = ("card", "given", "surname", "born", "email", "phone", "street", "postcode", "city")


@dataclass
class RightsWorld:
    """One project; `clock` is what time it is."""

    places: Places
    keys: MemoryKeys
    clock: list[datetime] = field(default_factory=lambda: [NOON])
    engine: DuckDBEngine = field(default_factory=lambda: DuckDBEngine(threads=1))

    @property
    def ledger(self) -> RightsLedger:
        return RightsLedger(self.places.root / "keystore", self.keys, self.places.root, lambda: self.clock[0])

    @property
    def receipts(self) -> Receipts:
        plane = DataPlane(self.places, self.engine, self.keys)
        return Receipts(plane, AS_OF, DAYS, RULE, rights=FollowedRights(self.ledger))

    @property
    def desk(self) -> Desk:
        return Desk(self.receipts, self.ledger)

    @property
    def opener(self) -> Opener:
        return Opener(self.receipts, GRID)

    def sid(self, number: int | str) -> str:
        sid = self.keys.known_sid(natural(number) if isinstance(number, int) else number)
        assert sid is not None
        return sid

    def take(self, number: int | str, what: str, *, by: str = "dpo", **more: Any) -> RightsTaken:
        who = natural(number) if isinstance(number, int) else number
        return act([RightsAsked(who, what, **more)], by=by, desk=self.desk)


def rights_world(root: Path, *, households: int = 450) -> RightsWorld:
    """MERGED has a linked CRM profile, CHILD a birthday of ten years ago."""
    places, keys = living_project(root, households=households)
    profiles = {"crm_id": [CARD], **{c: [f"{c} of eight"] for c in CRM}, "updated": [10]}
    profiles["born"] = ["1980-05-17"]
    seal(places.raw("crm", "all"), pa.table(profiles), keys, dataset="crm", subject="crm_id")
    world = RightsWorld(places, keys)
    links = {"sid": [world.sid(MERGED)], "source": ["crm"], "record": [world.sid(CARD)]}
    links |= {"probability": [0.999], "match_weight": [9.0]}
    seal(places.links, pa.table(links), keys, dataset="links", subject="sid")
    born = DAYS.number(datetime(2016, 11, 1, tzinfo=UTC).date())
    births = pa.table({"sid": [world.sid(CHILD)], "birth_day": [born]})
    seal(places.births, births, keys, dataset="births", subject="sid")
    return world


def seal(path: Path, table: pa.Table, keys: MemoryKeys, *, dataset: str, subject: str) -> None:
    """Seal a made-up table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_sealed(table, path, dataset=dataset, keys=keys, subject=subject)
