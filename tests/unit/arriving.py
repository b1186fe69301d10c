"""SYNTHETIC: a shop whose receipts come as one file a month, for tests of what arrives; every row is made up here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from own_world import LEGAL, RETAIL, TWIN, Line, Shop, but, line, write_csv

from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.own_sources.declared_law import WHOLE
from twinops.entities.day_count import DayCount
from twinops.params import Params, parse
from twinops.workflows.data_plane import DataPlane
from twinops.workflows.receipts import Receipts
from twinops.workflows.update.look import Seen, known, look
from twinops.workflows.update.look import Shop as Looked
from twinops.workflows.update.states import StateStore

DECAY = (10, 30, 90)
_FIVE = {
    "household_id": "member_no", "product_id": "item", "quantity": "qty", "sales_value": "amount", "time": "day"
}  # fmt: skip
FIVE = but(
    RETAIL,
    columns=_FIVE,
    time={"format": "%Y-%m-%d", "zone": "UTC"},
    legal=LEGAL | {"purposes": dict.fromkeys(_FIVE, TWIN)},
)
"""The shop `five` of tests/shops: five columns and nothing else."""


class Monthly(Shop):
    """Files `retail-2024-01.csv` and so on; or one file of everything."""

    def __init__(self, root: Path, months: list[str], *, whole: bool = False, columns: dict[str, Any] = RETAIL) -> None:
        self.whole, self.months = whole, months
        said = columns if whole else but(columns, reads="folder", path="files", files="retail-{month}.csv")
        super().__init__(root, retail=said)

    def declare(self, **own: Any) -> None:
        """The months that were taken in are those of `params.yaml`."""
        super().declare(**own)
        raw = self.params.model_dump(mode="json", by_alias=True, exclude_unset=True)
        raw["months"] = [WHOLE] if self.whole else self.months
        raw["features"]["first_day"] = "2024-01-01"
        self.params = parse({**raw, "as_of": "2024-12-31"})

    def comes(self, month: str, rows: list[Line]) -> None:
        """A file arrives."""
        write_csv(self.file(f"retail-{month}.csv"), rows)

    def goes(self, month: str) -> None:
        self.file(f"retail-{month}.csv").unlink()

    @property
    def around(self) -> dict[str, Any]:
        """Days are counted from the first of 2024."""
        return super().around | {"days": self.params.features.days}

    def look(self, until: str | None = None, **asked: Any) -> Seen:
        return look(Looked(self.places, self.params, DuckDBEngine(threads=1), self.keys), until=until, **asked)

    def take(self) -> Seen:
        """Collect whatever may be taken, as the pipeline would, and note it."""
        from twinops.workflows.update.end import end

        seen = self.look()
        self.months = list(seen.months)
        self.declare(**{n: s.model_dump(mode="json", exclude_unset=True) for n, s in self.params.own.root.items()})
        for batch in self.months:
            self.collect(batch=batch)
        end(seen, places=self.places)
        return seen

    @property
    def receipts(self) -> Receipts:
        plane = DataPlane(self.places, DuckDBEngine(threads=1), self.keys)
        said: Params = self.params
        return Receipts(plane, said.as_of, DayCount(said.features.first_day), own=said.own)

    @property
    def store(self) -> StateStore:
        return StateStore(self.receipts, DECAY)

    @property
    def digests(self) -> dict[str, dict[str, str]]:
        return known(self.places)


def month_of(month: str, *, customers: int = 30, visits: int = 3) -> list[Line]:
    """So many customers who each come so often in a month."""
    year, number = month.split("-")
    return [
        line(**{
            "InvoiceNo": f"5{number}{c:03}{v}", "StockCode": f"8{item}", "Quantity": str(1 + (c + v) % 4),
            "InvoiceDate": f"{1 + (c * 7 + v * 9) % 27:02}/{number}/{year} 08:26", "Customer ID": str(17_000 + c),
        })
        for c in range(customers) for v in range(visits) for item in (1, 2)
    ]  # fmt: skip
