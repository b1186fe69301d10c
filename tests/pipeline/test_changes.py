"""Whatever changes in a source of one's own runs exactly the stages that need it, through plain `dvc repro`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from own_world import CONSENT, RETAIL, but, line, write_csv
from workshop import SMALL, make_workshop

ASKED = ("collect@all", "lawful")
YES = [f"{n},yes,2024-01-01" for n in range(17850, 17870)]
SALES = [
    line(
        **{
            "Customer ID": str(17850 + n % 20),
            "InvoiceNo": str(n),
            "InvoiceDate": f"0{1 + n % 9}/0{1 + n % 4}/2024 08:26",
        }
    )
    for n in range(120)
]


class OwnShop:
    """A project with receipts and a ledger of its own, run as far as the law decides."""

    def __init__(self, root: Path, elsewhere: Path | None = None) -> None:
        folder = elsewhere or root / "files"
        self.sales, self.ledger = folder / "retail.csv", folder / "consent.csv"
        named = {
            name: {"path": str(folder / name) if elsewhere else f"files/{name}"}
            for name in ("retail.csv", "consent.csv")
        }
        sales, ledger = but(RETAIL, **named["retail.csv"]), but(CONSENT, **named["consent.csv"])
        changes: dict[str, Any] = {**SMALL, "months": ["all"], "sources.sample": None, "as_of": "2024-06-01"}
        self.project = make_workshop(root, changes)
        raw = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
        raw |= {"own": json.loads(json.dumps({"shop": sales, "allowed": ledger})), "vault": {"keys": "store"}}
        (root / "params.yaml").write_text(yaml.safe_dump(raw, sort_keys=False), encoding="utf-8")
        folder.mkdir(exist_ok=True)
        self.write(SALES, YES)
        self.keys = {"TWINOPS_KEYSTORE": str(root / "keystore")}
        self.do("twinops", "sources", "fingerprint")

    def write(self, sales: list[Any] | None = None, ledger: list[str] | None = None) -> None:
        if sales is not None:
            write_csv(self.sales, sales)
        if ledger is not None:
            self.ledger.write_text("\n".join(["id,what,at", *ledger]) + "\n", encoding="utf-8")

    def do(self, *command: str, **given: Any) -> str:
        return self.project.do(*command, **given, **self.keys)

    def ran(self, *command: str) -> set[str]:
        """The stages whose command ran."""
        said = self.do(*(command or ("dvc", "repro", *ASKED)))
        if not command:
            return {row.split("'")[1] for row in said.splitlines() if row.startswith("Running stage")}
        return {
            row.partition("]")[0].strip("[") for row in said.splitlines() if row.startswith("[") and "done in" in row
        }

    def taken(self, source: str, batch: str = "all") -> int:
        return int(json.loads((self.project.root / "data" / "counts" / source / f"{batch}.json").read_text())["taken"])


def collected(ran: set[str]) -> set[str]:
    return {name for name in ran if name.startswith("collect")} - {"collect_identities"} - _made_up(ran)


def _made_up(ran: set[str]) -> set[str]:
    return {name for name in ran if name.startswith(("collect_synthetic", "collect_profile"))}


@pytest.mark.pipeline
def test_new_rows_in_an_old_month_and_a_withdrawal_are_seen_by_plain_dvc_repro(tmp_path: Path) -> None:
    shop = OwnShop(tmp_path / "project")
    assert {"collect@all", "collect_consent", "lawful"} <= shop.ran()
    assert (shop.taken("transactions"), shop.taken("consent")) == (len(SALES), len(YES))
    assert shop.ran() == set()

    shop.write(ledger=[*YES, "17850,withdrawn,2024-03-01"])
    assert shop.ran() == {"collect_consent", "lawful"}
    assert shop.taken("consent") == len(YES) + 1

    late = line(**{"Customer ID": "17851", "InvoiceNo": "9001", "InvoiceDate": "09/01/2024 10:00"})
    shop.write(sales=[*SALES, late])
    assert shop.ran() == {"collect@all"}
    assert shop.taken("transactions") == len(SALES) + 1

    month = line(**{"Customer ID": "17852", "InvoiceNo": "9002", "InvoiceDate": "09/05/2024 10:00"})
    shop.write(sales=[*SALES, late, month])
    assert shop.ran() == {"collect@all"}
    assert shop.ran() == set()


@pytest.mark.pipeline
def test_a_changed_file_outside_the_project_is_refused_by_dvc_repro_and_taken_by_twinops_repro(tmp_path: Path) -> None:
    shop = OwnShop(tmp_path / "project", elsewhere=tmp_path / "exports")
    shop.ran()
    shop.write(ledger=[*YES, "17850,withdrawn,2024-03-01"])
    # DVC cannot see it, so it does nothing; whoever forces the stage is told
    assert shop.ran() == set()
    told = shop.do("dvc", "repro", "-s", "-f", "collect_consent", expect=255)
    assert "own.allowed is not what sources.lock.json says: it changed" in told
    assert shop.ran("twinops", "repro", *ASKED) == {"collect_consent", "lawful"}
    assert shop.taken("consent") == len(YES) + 1
