"""A project of one's own for tests of erasure: sealed people, a history in git, a cache, a folder remote, officers."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml
from candidate import ROOT
from offices import PEOPLE, keys_of, offices_text

from twinops.adapters.keystore import SqliteKeyStore
from twinops.data.vault.seal import write_quarantine, write_sealed
from twinops.wiring import Project
from twinops.workflows.subject.erase import ErasureAsked, ErasureDone

MOMENT = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
TODAY = date(2026, 11, 28)
OWNER, RISK, DPO = (PEOPLE[office][1] for office in ("data owner", "risk officer", "data protection officer"))
MINOR, ANN = 3, 7
HOUSEHOLDS = 40
EMPTY = ("campaigns", "redemptions", "demographics")


@dataclass(frozen=True)
class Shop:
    """One project folder and its officers' keys."""

    root: Path
    signing: dict[str, Path]

    @property
    def project(self) -> Project:
        """Opened anew, as every command opens it."""
        return Project(self.root)

    @property
    def store(self) -> SqliteKeyStore:
        """Its key store."""
        return SqliteKeyStore(self.root / "keystore", today=lambda: TODAY)

    def asked(self, *ids: str, office: str = "data owner", **more: Any) -> ErasureAsked:
        """A request as the command line makes it."""
        told = {"reason": "asked by letter", "by": PEOPLE[office][1], "key": self.signing[office], "moment": MOMENT}
        return ErasureAsked(ids, **{**told, **more})

    def erase(self, *ids: str, **more: Any) -> ErasureDone:
        """`twinops subject erase`."""
        done: ErasureDone = self.project.run("subject.erase", asked=self.asked(*ids, **more))
        return done

    def certificate(self, done: ErasureDone) -> dict[str, Any]:
        """What the first certificate says."""
        said: dict[str, Any] = json.loads(done.certificates[0].read_text(encoding="utf-8"))
        return said

    def git(self, *words: str) -> str:
        """A git command."""
        done = subprocess.run(["git", "-C", str(self.root), *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def copied(self, to: Path) -> Shop:
        """The whole folder, keys and all."""
        shutil.copytree(self.root, to, symlinks=True)
        return Shop(to, self.signing)


def natural(n: int) -> str:
    """The number of a household."""
    return f"H-{n:06d}"


def make_shop(root: Path, *, households: int = HOUSEHOLDS, months: int = 2) -> Shop:
    """A shop with receipts, a CRM, registrations, a quarantine, links, births, two commits and a remote."""
    root.mkdir(parents=True)
    signing_folder = root.parent / f"{root.name}-signing"
    signing_folder.mkdir()
    shop = Shop(root, keys_of(signing_folder))
    _files(shop)
    store = shop.store
    _people(shop, store, households)
    for month in range(1, months + 1):
        _receipts(shop, store, households, f"2026-{month:02d}")
        _version(shop, f"month {month}")
    return shop


def _files(shop: Shop) -> None:
    root = shop.root
    told = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    told["vault"]["keys"], told["as_of"] = "store", "2026-11-28"
    told["sources"]["folder"] = "export"
    (root / "params.yaml").write_text(yaml.safe_dump(told, sort_keys=False), encoding="utf-8")
    (root / "epoch.json").write_text('{"epoch":0}\n', encoding="utf-8")
    (root / "rights.json").write_text('{"entries":0,"head":""}\n', encoding="utf-8")
    shutil.copytree(ROOT / "compliance", root / "compliance")
    (root / "compliance" / "offices.yaml").write_text(offices_text(shop.signing), encoding="utf-8")
    shutil.copy(ROOT / ".gitignore", root / ".gitignore")
    remote = root.parent / f"{root.name}-remote"
    remote.mkdir()
    (root / ".dvc").mkdir()
    (root / ".dvc" / "config").write_text(
        f"['remote \"here\"']\n    url = {remote}\n['remote \"far\"']\n    url = s3://bucket/key\n", encoding="utf-8"
    )
    (root / ".dvc" / ".gitignore").write_text("/cache\n/tmp\n", encoding="utf-8")
    shop.git("init", "-q", "-b", "main")
    shop.git("config", "user.name", "t")
    shop.git("config", "user.email", "t@shop.example")


def _people(shop: Shop, store: SqliteKeyStore, households: int) -> None:
    raw, ids = shop.root / "data" / "raw", [natural(n) for n in range(households)]
    cards, records = store.subject_ids(ids), [f"C{n:08d}" for n in range(households)]
    mails: list[str | None] = [f"person{n}@mail.example" for n in range(households)]
    mails[4] = mails[5]  # two who share one
    crm = pa.table({"crm_id": records, "email": mails, "card": cards, "updated": [0] * households})
    write_sealed(crm, raw / "crm" / "all.parquet", dataset="crm", keys=store, subject="crm_id")
    forms = pa.table({"household_id": ids, "email": [m and m.upper() for m in mails], "registered": [0] * households})
    path = raw / "registrations" / "all.parquet"
    write_sealed(forms, path, dataset="registrations", keys=store, subject="household_id")
    linked = store.subject_ids(records)
    links = pa.table({"sid": cards, "source": ["crm"] * households, "record": linked})
    write_sealed(links, shop.root / "data" / "twin" / "links.parquet", dataset="links", keys=store, subject="sid")
    days = [-2_500 if n == MINOR else -20_000 for n in range(households)]
    born = pa.table({"sid": cards, "birth_day": pa.array(days, pa.int64())})
    write_sealed(born, shop.root / "data" / "births" / "births.parquet", dataset="births", keys=store, subject="sid")
    trained = pa.table({"sid": cards[: households // 2], "rows": [1] * (households // 2)})
    path = shop.root / "data" / "trained" / "subjects.parquet"
    write_sealed(trained, path, dataset="trained", keys=store, subject="sid")
    bad = pa.table({"household_id": [natural(ANN), natural(1)], "amount": ["x", "y"], "reason": ["bad", "bad"]})
    path = shop.root / "data" / "quarantine" / "transactions" / "2026-01.parquet"
    write_quarantine(bad, path, dataset="transactions", batch="2026-01", keys=store)


def _receipts(shop: Shop, store: SqliteKeyStore, households: int, month: str) -> None:
    ids = [natural(n) for n in range(households) for _ in range(3)]
    rows = pa.table({"household_id": ids, "basket_id": list(range(len(ids))), "sales_cents": [100] * len(ids)})
    path = shop.root / "data" / "raw" / "transactions" / f"{month}.parquet"
    write_sealed(rows, path, dataset="transactions", keys=store, subject="household_id")


def _version(shop: Shop, message: str) -> None:
    """Cache, lock file and remote as `dvc commit` and `dvc push` leave them, and a commit of git."""
    outs = []
    for path in sorted((shop.root / "data").rglob("*.parquet")):
        md5 = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        for home in (shop.root / ".dvc" / "cache", shop.root.parent / f"{shop.root.name}-remote"):
            kept = home / "files" / "md5" / md5[:2] / md5[2:]
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, kept)
        outs.append({"path": path.relative_to(shop.root).as_posix(), "md5": md5})
    (shop.root / "dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": {"all": {"outs": outs}}}))
    shop.git("add", "-A")
    shop.git("commit", "-qm", message)
