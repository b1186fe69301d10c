"""SYNTHETIC files as strangers send them, and the declarations that map them; every row is made up here."""

from __future__ import annotations

import csv
import random
from copy import deepcopy
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from candidate import ROOT
from supplying import supplied

from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.adapters.sql.duckdb_engine import DuckDBEngine
from twinops.data.vault.seal import read_quarantine, read_sealed
from twinops.params import Params, parse
from twinops.workflows.pipeline.collect import collect
from twinops.workflows.places import Places
from twinops.workflows.sources.fingerprint import fingerprint
from twinops.workflows.watched_pipeline import OwnThings

HEAD = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "Customer ID", "Country")
TWIN = ("twin_training", "twin_scoring")
LEGAL = {
    "controller": "Test Shop (synthetic controller)",
    "provenance": "Synthetic: made up in a test.",
    "collected_from": "the customer at the till (synthetic)",
    "bases": dict.fromkeys([*TWIN, "offers", "bias_assessment"], "consent"),
    "retention_days": 730,
    "notice": "Test notice (synthetic)",
    "synthetic": True,
}
RETAIL: dict[str, Any] = {
    "kind": "transactions",
    "reads": "csv",
    "path": "files/retail.csv",
    "columns": {
        "household_id": "Customer ID",
        "basket_id": "InvoiceNo",
        "product_id": "StockCode",
        "quantity": "Quantity",
        "unit_price": "UnitPrice",
        "time": "InvoiceDate",
    },
    "time": {"format": "%d/%m/%Y %H:%M", "zone": "Europe/London"},
    "money": {"currency": "GBP"},
    "legal": LEGAL
    | {"purposes": dict.fromkeys(("household_id", "basket_id", "product_id", "quantity", "unit_price", "time"), TWIN)},
}
PROFILES: dict[str, Any] = {
    "kind": "profiles",
    "reads": "csv",
    "path": "files/people.csv",
    "columns": {"household_id": "id", "age": "band"},
    "codes": {"age": {"18-24": "19-24"}},
    "legal": LEGAL | {"purposes": dict.fromkeys(["household_id", "age"], ("bias_assessment",))},
}
CONSENT: dict[str, Any] = {
    "kind": "consent",
    "reads": "csv",
    "path": "files/consent.csv",
    "columns": {"household_id": "id", "event": "what", "time": "at"},
    "constants": {"purpose": "twin_training", "basis": "consent", "notice_version": "2024-01"},
    "codes": {"event": {"yes": "granted", "no": "refused"}},
    "time": {"zone": "Europe/London"},
    "legal": LEGAL | {"purposes": dict.fromkeys(["household_id", "event", "time"], TWIN)},
}


def but(said: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """The same declaration with some fields changed; a field of None is left out."""
    return {k: v for k, v in (deepcopy(said) | changed).items() if v is not None}


def params(**own: Any) -> Params:
    """This repository's parameters with sources of your own, for the months of 2024."""
    raw = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    raw["months"] = [f"2024-{m:02}" for m in range(1, 13)]
    raw["vault"]["keys"] = "store"
    return parse(raw | {"own": own})


class Shop:
    """A project with sources of its own and keys in memory."""

    def __init__(self, root: Path, **own: Any) -> None:
        self.places, self.keys = Places(root), MemoryKeys()
        (root / "files").mkdir(parents=True, exist_ok=True)
        self.declare(**own)

    def declare(self, **own: Any) -> None:
        """Say it anew, as after a fix of `params.yaml`."""
        self.params = params(**own)

    def file(self, name: str) -> Path:
        return self.places.root / "files" / name

    @property
    def around(self) -> dict[str, Any]:
        return {"places": self.places, "keys": self.keys, "sources": self.params.sources, "own": self.params.own}

    def lock(self) -> None:
        fingerprint(OwnThings(self.places, self.params.own), sources=self.params.sources)

    def collect(self, source: str = "transactions", batch: str = "2024-03", *, lock: bool = True):
        if lock:
            self.lock()
        return supplied(collect, source, batch, engine=DuckDBEngine(threads=1), **self.around)

    def open(self, source: str = "transactions", batch: str = "2024-03"):
        return read_sealed(self.places.raw(source, batch), dataset=source, keys=self.keys)

    def aside(self, source: str = "transactions", batch: str = "2024-03"):
        return read_quarantine(self.places.quarantine(source, batch), dataset=source, keys=self.keys)


Line = tuple[str, str, str, str, str, str, str, str]


def line(**changed: str) -> Line:
    """One good record of `RETAIL`."""
    good = {
        "InvoiceNo": "536365", "StockCode": "85123A", "Description": "WHITE HANGING HEART", "Quantity": "6",
        "InvoiceDate": "05/03/2024 08:26", "UnitPrice": "2.55", "Customer ID": "17850", "Country": "United Kingdom",
    }  # fmt: skip
    return tuple({**good, **changed}.values())  # type: ignore[return-value]


def online_retail(invoices: int, *, seed: int = 3) -> list[Line]:
    """SYNTHETIC lines in the messy shape of the UCI Online Retail table: cancellations, lost ids, repeated lines."""
    rng = random.Random(seed)  # noqa: S311
    words = ["CAFÉ AU LAIT CUP", "SET 7, BABUSHKA BOXES", 'RETRO "SPOT" MUG', "?", "=cmd|' /C calc'!A0", ""]
    goods = [
        (f"{rng.randint(10_000, 99_999)}{rng.choice(['', 'A', 'B'])}", rng.choice(words), rng.randint(19, 1995))
        for _ in range(60)
    ]
    out: list[Line] = []
    for number in range(536_365, 536_365 + invoices):
        at = datetime.fromisoformat("2024-01-02T08:00") + timedelta(hours=rng.randint(0, 88) * 24 + rng.randint(0, 10))
        lost, cancelled = rng.random() < 0.2, rng.random() < 0.05
        who = "" if lost else f"{rng.randint(12_346, 12_446)}.0"
        for _ in range(rng.randint(1, 5)):
            code, name, pence = rng.choice(goods)
            amount = rng.randint(1, 24) * (-1 if cancelled else 1)
            invoice = f"{'C' if cancelled else ''}{number}"
            out.append((invoice, code, name, str(amount), at.strftime("%d/%m/%Y %H:%M"), f"{pence / 100}", who, "EIRE"))
            out += out[-1:] if rng.random() < 0.02 else []
    return out


def write_csv(
    path: Path, lines: list[Line], *, separator: str = ",", encoding: str = "utf-8", decimal: str = "."
) -> Path:
    """With a header and CRLF, as spreadsheets write it."""
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerow(HEAD)
        writer.writerows([[*row[:5], row[5].replace(".", decimal), *row[6:]] for row in lines])
    return path
