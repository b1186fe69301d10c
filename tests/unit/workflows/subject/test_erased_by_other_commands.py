"""`twinops` as people type it: whom an erasure refuses and how, and what erases on behalf of a request or of time."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import command_line
import pyarrow as pa
import pytest
from erasable import ANN, DPO, HOUSEHOLDS, MINOR, OWNER, RISK, Shop, make_shop, natural

from twinops.data.vault.seal import read_sealed, write_sealed
from twinops.entities.rights import pseudonym
from twinops.governance.retention_certificate import NAMESPACE

OLD = 10
"""So many households, from the first on, have nothing but what is years old."""
OLD_DAY, NEW_DAY = 0, 3_600
"""2017-01-01 and 2026-11-10, as the project counts days."""


@dataclass(frozen=True)
class Said:
    """What a command ended with, and all it said."""

    code: int
    words: str


def twinops(shop: Shop, *words: str) -> Said:
    done = command_line.twinops(*words, cwd=shop.root)
    return Said(done.returncode, " ".join((done.stdout + done.stderr).split()))


def erase(shop: Shop, who: str, *, by: str = OWNER, office: str = "data owner") -> Said:
    key = str(shop.signing[office])
    return twinops(shop, "subject", "erase", who, "--by", by, "--reason", "asked by letter", "--key", key)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Of the first households everything is old."""
    shop = make_shop(tmp_path_factory.mktemp("shop") / "shop")
    ids = [natural(n) for n in range(HOUSEHOLDS)]
    days = [OLD_DAY if n < OLD else NEW_DAY for n in range(HOUSEHOLDS)]
    raw, store = shop.root / "data" / "raw", shop.store
    for month in ("2026-01", "2026-02"):
        bought = pa.table({"household_id": ids, "basket_id": [*range(HOUSEHOLDS)], "day": days})
        path = raw / "transactions" / f"{month}.parquet"
        write_sealed(bought, path, dataset="transactions", keys=store, subject="household_id")
        _counted(shop, "transactions", month)
    for source, subject, day, who in (
        ("crm", "crm_id", "updated", [f"C{n:08d}" for n in range(HOUSEHOLDS)]),
        ("registrations", "household_id", "registered", ids),
    ):
        path = raw / source / "all.parquet"
        told = pa.table({subject: who, day: days, "email": [f"person{n}@mail.example" for n in range(HOUSEHOLDS)]})
        write_sealed(told, path, dataset=source, keys=store, subject=subject)
        _counted(shop, source, "all")
    return shop


def _counted(shop: Shop, source: str, batch: str) -> None:
    counts = {"source": source, "batch": batch, "read": HOUSEHOLDS, "taken": HOUSEHOLDS, "subjects": HOUSEHOLDS,
              "left_out": {}, "quarantined": {}, "oldest_day": OLD_DAY, "newest_day": NEW_DAY}  # fmt: skip
    path = shop.root / "data" / "counts" / source / f"{batch}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(counts))


@pytest.fixture
def shop(whole: Shop, tmp_path: Path) -> Shop:
    return whole.copied(tmp_path / "shop")


def rows_of(shop: Shop, source: str) -> int:
    paths = sorted((shop.root / "data" / "raw" / source).glob("*.parquet"))
    return sum(read_sealed(path, dataset=source, keys=shop.store).num_rows for path in paths)


# Who is asked about, who asks, and what is answered: code and words.

CARD = f"C{ANN:08d}"
TABLE = {
    "an unknown person": ((), ("H-999999", OWNER, "data owner"), 3, "nobody's who is held; nobody was erased"),
    "the same twice": ((natural(ANN),), (natural(ANN), OWNER, "data owner"), 0, "1 had been erased before"),
    "a merged person, by the other number": ((natural(ANN),), (CARD, OWNER, "data owner"), 0, "erased before"),
    "one under hold": (("hold",), (natural(ANN), OWNER, "data owner"), 10, "a hold stands (17(3)(e))"),
    "one under hold, by the other number": (("hold",), (CARD, OWNER, "data owner"), 10, "a hold stands"),
    "a wrong office": ((), (natural(ANN), RISK, "risk officer"), 10, "risk officer does not. Under `people`"),
    "a stranger": ((), (natural(ANN), "nobody@shop.example", "data owner"), 2, "is nobody in compliance/offices.yaml"),
    "another one's key": ((), (natural(ANN), OWNER, "data protection officer"), 4, "not the key that compliance"),
    "a minor": ((), (natural(MINOR), DPO, "data protection officer"), 0, "1 person(s) erased"),
}


@pytest.mark.parametrize("case", TABLE)
def test_each_gets_one_clear_answer_and_no_name_is_repeated(case, shop):
    before, (who, by, office), code, words = TABLE[case]
    for done in before:
        if done == "hold":
            held = twinops(shop, "subject", "hold", CARD, "--by", DPO, "--ground", "17(3)(e)", "--reason", "a claim")
            assert held.code == 0, held.words
        else:
            assert erase(shop, done).code == 0
    said = erase(shop, who, by=by, office=office)
    assert (said.code, words in said.words) == (code, True), said.words
    assert who not in said.words
    assert "Traceback" not in said.words
    if case == "a minor":
        looked, destroyed = "looking at every kind of copy of 1 person ...", "the keys are destroyed"
        assert said.words.index(looked) < said.words.index(destroyed)
        (page,) = (shop.root / "erasures").glob("er-*.md")
        assert "parental responsibility" in page.read_text(encoding="utf-8")


# What erases on behalf of others.


def test_a_request_in_work_is_erased_signed_and_answered_and_told_once(shop, tmp_path):
    file, key = tmp_path / "asked.csv", str(shop.signing["data owner"])
    lines = [f"L-{n},{who},erasure,2026-11-20,," for n, who in enumerate((natural(ANN), natural(2)), start=1)]
    file.write_text("\n".join(["reference,id,kind,received,purpose,what", *lines]) + "\n")
    assert twinops(shop, "subject", "requests", "--file", str(file), "--by", DPO).code == 0
    held = twinops(shop, "subject", "hold", natural(2), "--by", DPO, "--ground", "17(3)(e)", "--reason", "a claim")
    assert held.code == 0, held.words
    for case in ("c-000001", "c-000002"):
        for step in ("identified", "in work"):
            done = twinops(shop, "subject", "requests", "step", case, "--to", step, "--by", DPO, "--reason", "passport")
            assert done.code == 0, done.words
    hers = shop.store.known_sid(natural(ANN))
    said = twinops(shop, "subject", "requests", "work", "--by", OWNER, "--key", key)
    assert "done: c-000001" in said.words
    assert "c-000002" in said.words.split("done: c-000001")[1]
    assert "a hold stands" in said.words
    assert (shop.store.known_sid(natural(ANN)), shop.store.known_sid(natural(2)) is None) == (None, False)
    (certificate,) = (shop.root / "erasures").glob("er-*.json")
    told = json.loads(certificate.read_text())
    assert told["reason"] == "request c-000001"
    assert pseudonym(str(hers)) in told["erased"]
    assert twinops(shop, "subject", "certificate", certificate.stem, "verify").code == 0
    again = twinops(shop, "subject", "requests", "work", "--by", OWNER, "--key", key)
    assert "done" not in again.words
    assert len(list((shop.root / "erasures").glob("er-*.json"))) == 1
    listed = twinops(shop, "subject", "requests")
    assert "answered" in listed.words


def test_a_retention_run_takes_rows_and_whole_persons_and_says_so_in_two_signed_certificates(shop, tmp_path):
    key = str(shop.signing["data owner"])
    held = twinops(shop, "subject", "hold", natural(2), "--by", DPO, "--ground", "17(3)(e)", "--reason", "a claim")
    assert held.code == 0, held.words
    asked = ("retention", "run", "--on", "2026-11-28", "--by", OWNER)
    counted = twinops(shop, *asked)
    assert f"{OLD * 2 - 2:,} have nothing younger" in counted.words
    assert not (shop.root / "erasures").exists()
    said = twinops(shop, *asked, "--apply", "--key", key)
    assert said.code == 0, said.words
    known = [n for n in range(HOUSEHOLDS) if shop.store.known_sid(natural(n))]
    assert known == [2, *range(OLD, HOUSEHOLDS)]
    assert rows_of(shop, "transactions") == 2 * len(known)
    assert rows_of(shop, "crm") == len(known)
    (retention,), (erasure,) = ([*(shop.root / "erasures").glob(f"{kind}-*.json")] for kind in ("retention", "er"))
    assert json.loads(erasure.read_text())["reason"] == "outlived the time that is declared"
    assert len(json.loads(erasure.read_text())["subjects"]) == OLD - 1
    assert "under hold" in json.dumps(json.loads(retention.read_text())["stays"])
    for path in (retention, erasure):
        assert signed(shop, path, tmp_path)
    again = twinops(shop, *asked, "--apply", "--key", key)
    assert "Nothing is older than declared" in again.words


def signed(shop: Shop, path: Path, folder: Path) -> bool:
    """By the data owner's key, as ssh-keygen alone sees it."""
    public = shop.signing["data owner"].with_suffix(".pub").read_text()
    (folder / "allowed_signers").write_text(f"{OWNER} {public}")
    words = f"-Y verify -f {folder / 'allowed_signers'} -I {OWNER} -n {NAMESPACE} -s {path}.sig"
    command = ["ssh-keygen", *words.split()]
    return subprocess.run(command, input=path.read_bytes(), capture_output=True, check=False).returncode == 0
