"""One person erased from a real project: five revisions of DVC, a folder and a bucket, two registered versions of
MLflow, an executed notebook, what lives between updates, her own copy, a copy of keys."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from live import s3
from offices import PEOPLE, keys_of, offices_text
from test_canary import CANARY_ID, NEEDLES, everything, plant
from workshop import SMALL, Workshop, make_workshop

from twinops.adapters.keystore import SqliteKeyStore
from twinops.adapters.one_at_a_time import at_work
from twinops.data.vault.sealed_file import SealedFile, label_of
from twinops.errors import IntegrityError, TwinopsError

pytestmark = pytest.mark.pipeline
BUCKET = "copies"
OWNER = PEOPLE["data owner"][1]
Frames = dict[tuple[str, str], bytes]


@dataclass(frozen=True)
class World:
    """The project, what every frame said before, and her sids."""

    workshop: Workshop
    bucket: str
    before: Frames
    hers: frozenset[str]
    said: str
    refused: str

    @property
    def base(self) -> Path:
        return self.workshop.root.parent

    @property
    def keys(self) -> SqliteKeyStore:
        return SqliteKeyStore(self.base / "keystore")

    def do(self, *command: str, expect: int | None = 0) -> str:
        return self.workshop.do(*command, expect=expect, TWINOPS_KEYSTORE=str(self.base / "keystore"))


def frames(folder: Path, keys: SqliteKeyStore) -> Frames:
    """Every frame below a folder that opens, by the file's digest or name and its subject."""
    found: Frames = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix in ("", ".parquet")):
        try:
            label = label_of(path)
        except (OSError, ValueError, IntegrityError):
            continue
        if label is None or label.dataset.startswith("quarantine/"):
            continue
        file = SealedFile.copy(path)
        held = keys.subject_keys([s.hex() for s in file.sids])
        for sid, frame in zip(file.sids, file.frames, strict=True):
            if sid.hex() in held:
                plain = AESSIV(held[sid.hex()]).decrypt(frame, [sid, *label.bound])
                found[f"{label.dataset}/{label.batch}/{file_digest(path)}", sid.hex()] = plain
    return found


def file_digest(path: Path) -> str:
    import hashlib

    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    base = tmp_path_factory.mktemp("erasure")
    plant(base / "tables")
    own = {"sources.sample": None, "sources.folder": str(base / "tables"), "vault.keys": "store"}
    workshop = make_workshop(base / "project", {**SMALL, **own})
    signing = base / "signing"
    signing.mkdir()
    (workshop.root / "compliance" / "offices.yaml").write_text(offices_text(keys_of(signing)), encoding="utf-8")
    extra = {"TWINOPS_KEYSTORE": str(base / "keystore")}

    def do(*command: str) -> str:
        return workshop.do(*command, **extra)

    do("git", "config", "user.name", "t")
    do("git", "config", "user.email", "t@shop.example")
    do("dvc", "remote", "add", "-d", "here", str(base / "remote"))
    for number, decay in enumerate(([10, 30, 90], [10, 30, 80], [9, 30, 80], [9, 28, 80], [9, 28, 90]), start=1):
        workshop.set(features__decay_days=decay)
        do("twinops", "repro", "features")
        workshop.commit(f"revision {number}")
        do("git", "tag", f"r{number}")
    do("twinops", "repro", "train")  # a notebook is executed, and a model learns from her
    workshop.commit("a model")
    do("git", "tag", "r6")
    do("dvc", "push", "--all-tags")
    for _ in ("1", "2"):
        do(sys.executable, "-c", REGISTER, md5_of_learned(workshop))
    (workshop.root / "exports").mkdir()
    (workshop.root / "exports" / "copy.json").write_text(json.dumps({"who": str(CANARY_ID)}))
    asked = ("twinops", "subject", "export", str(CANARY_ID), "--by", OWNER, "--identified-by", "passport")
    do(*asked, "--out", "exports/folder")
    do(*asked, "--out", "exports/packed.zip")
    states = workshop.root / "live" / "states.parquet"
    states.parent.mkdir(exist_ok=True)
    shutil.copy(workshop.root / "data" / "features" / "panel.parquet", states)
    do("twinops", "keys", "backup", str(base / "copies" / "keys"))
    shutil.copytree(base / "keystore", base / "stolen")
    keys = SqliteKeyStore(base / "keystore")
    hers = frozenset(keys.known_sids([str(CANARY_ID)]).values())
    before = frames(base / "remote", keys)
    with s3() as address:
        pushed(base / "remote", address)
        refused = against_others(workshop, signing / "data_owner", extra)
        said = do("twinops", "subject", "erase", str(CANARY_ID), "--by", OWNER, "--reason", "asked by letter",
                  "--key", str(signing / "data_owner"))  # fmt: skip
        yield World(workshop, address, before, hers, said, refused)


REGISTER = """
import json, sys
from pathlib import Path
from mlflow import MlflowClient
uri = f"sqlite:///{Path.cwd() / 'mlflow.db'}"
client = MlflowClient(tracking_uri=uri, registry_uri=uri)
if not client.search_registered_models():
    client.create_registered_model("twin")
    client.create_experiment("play", artifact_location=(Path.cwd() / "mlruns").as_uri())
run = client.create_run(client.get_experiment_by_name("play").experiment_id)
client.log_text(run.info.run_id, json.dumps({"data/trained/subjects.parquet": sys.argv[1]}), "lineage/md5.json")
client.log_artifact(run.info.run_id, "models/twin.json", "model")
client.log_artifact(run.info.run_id, "reports/notebooks/train.ipynb")
client.create_model_version("twin", f"{run.info.artifact_uri}/model", run_id=run.info.run_id)
"""
"""What `twinops register` leaves in MLflow, without the gates."""


def md5_of_learned(workshop: Workshop) -> str:
    """The list of whom the model learned from, as the lock file names it."""
    return workshop.outs()["data/trained/subjects.parquet"]


def against_others(workshop: Workshop, key: Path, extra: dict[str, str]) -> str:
    """What an erasure says while a run is at work; nothing is done then."""
    with at_work(workshop.root, "`make run` or `twinops repro`"):
        erase = ("twinops", "subject", "erase", str(CANARY_ID), "--by", OWNER, "--reason", "x", "--key", str(key))
        return workshop.do(*erase, expect=5, **extra)


def client(address: str):
    return boto3.client(
        "s3", endpoint_url=address, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )


def pushed(remote: Path, address: str) -> None:
    """What `dvc push` leaves in a bucket: the same objects under the same names."""
    bucket = client(address)
    bucket.create_bucket(Bucket=BUCKET)
    for path in sorted(p for p in remote.rglob("*") if p.is_file()):
        bucket.upload_file(str(path), BUCKET, path.relative_to(remote).as_posix())


def without_her(world: World) -> Frames:
    return {at: plain for at, plain in world.before.items() if at[1] not in world.hers}


def test_she_was_in_every_revision_before(world):
    assert world.hers
    held = {at[0].split("/")[0] for at in world.before if at[1] in world.hers}
    assert {"transactions", "panel", "labels", "consent"} <= held


def test_the_bucket_and_the_folder_open_for_everybody_but_her(world, tmp_path):
    bucket = client(world.bucket)
    for page in bucket.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for one in page["Contents"]:
            path = tmp_path / one["Key"]
            path.parent.mkdir(parents=True, exist_ok=True)
            bucket.download_file(BUCKET, one["Key"], str(path))
    expected = without_her(world)
    assert frames(tmp_path, world.keys) == expected
    assert frames(world.base / "remote", world.keys) == expected
    assert len(expected) < len(world.before)


def test_every_revision_pulled_anew_shows_all_others_and_not_her(world, tmp_path):
    clone = Workshop(tmp_path / "clone")
    subprocess.run(["git", "clone", "-q", str(world.workshop.root), str(clone.root)], check=True)
    known = without_her(world)
    for number in range(1, 7):
        clone.do("git", "checkout", "-q", f"r{number}")
        shutil.rmtree(clone.root / "data", ignore_errors=True)
        shutil.rmtree(clone.root / ".dvc" / "cache", ignore_errors=True)
        clone.do("dvc", "pull", "-q", expect=None)
        found = frames(clone.root / "data", world.keys)
        assert found
        assert all(known[at] == plain for at, plain in found.items())
        if 1 < number < 6:
            continue
        told = clone.do("twinops", "twin", "show", str(CANARY_ID), "--purpose", "access_request", expect=4,
                        TWINOPS_KEYSTORE=str(world.base / "keystore"))  # fmt: skip
        assert "someone was erased" in told


def test_while_a_run_is_at_work_nobody_is_erased_and_it_is_named(world):
    assert f"`make run` or `twinops repro` (process {os.getpid()}) works in this folder." in world.refused


def test_nothing_tells_of_her_in_the_open_but_what_the_certificate_names(world):
    root = world.workshop.root
    found = {name.split("!")[0] for name, blob in everything(root) if any(needle in blob for needle in NEEDLES)}
    assert found == {"exports/copy.json", "exports/folder/csv/transactions.csv", "exports/folder/data.json",
                     "exports/folder/your-data.html", "exports/packed.zip"}  # fmt: skip
    sids = [sid.encode() for sid in world.hers]
    plain = [p for top in ("mlruns", "mlflow.db", "reports", "erasures", "epoch.json") for p in files_of(root / top)]
    assert len(plain) > 10
    assert [p.name for p in plain if any(sid in p.read_bytes() for sid in sids)] == []
    assert (root / "reports" / "notebooks" / "train.ipynb").is_file()


def files_of(place: Path) -> list[Path]:
    return [place] if place.is_file() else [p for p in place.rglob("*") if p.is_file()]


def test_the_certificate_stands_and_names_what_was_done(world):
    (path,) = (world.workshop.root / "erasures").glob("er-*.json")
    assert "signed by Olga Owner" in world.do("twinops", "subject", "certificate", path.stem, "verify")
    said = json.loads(path.read_text(encoding="utf-8"))
    copies = {c["kind"]: c for c in said["copies"]}
    assert copies["git revisions"]["found"].startswith("6 looked at")
    assert copies["exports"]["open"] == ["exports/copy.json", "exports/folder", "exports/packed.zip"]
    assert copies["backup of keys"]["until"] == "now"
    assert "1 frame(s) of theirs in 1" in copies["living twins"]["found"]
    assert copies["executed notebooks"]["found"] == "1 looked at"
    assert [(m["version"], m["learned"]) for m in said["models"]] == [("1", True), ("2", True)]
    assert all("to be replaced by" in m["decision"] for m in said["models"])
    with sqlite3.connect(world.workshop.root / "mlflow.db") as database:
        tags = database.execute("SELECT version FROM model_version_tags WHERE key LIKE 'erasure.%' ORDER BY version")
        assert tags.fetchall() == [(1,), (2,)]
    assert [c["open"] for c in said["copies"] if c["kind"] != "exports"] == [[]] * (len(said["copies"]) - 1)


def test_restored_keys_open_nothing(world, tmp_path):
    elsewhere = str(tmp_path / "keystore")
    shutil.copytree(world.base / "stolen", elsewhere)
    told = world.workshop.do("twinops", "twin", "show", str(CANARY_ID), "--purpose", "access_request", expect=4,
                             TWINOPS_KEYSTORE=elsewhere)  # fmt: skip
    assert "it is an older copy" in told
    with pytest.raises(TwinopsError, match="no usable key-encryption key of epoch 0"):
        world.keys.restore(world.base / "copies" / "keys", world_marks(world))


def world_marks(world: World):
    from twinops.entities.erasure import ErasureMarks

    return ErasureMarks.from_text((world.workshop.root / "epoch.json").read_bytes())


def test_plain_repro_leaves_her_out_and_runs_once(world):
    raw = frames(world.workshop.root / "data" / "raw", world.keys)
    lock = world.workshop.lock()
    world.do("dvc", "repro", "train")
    now = world.workshop.lock()
    changed = {name for name in now if now[name] != lock[name]}
    opens = {n for n, s in now.items() if any(d["path"] == "epoch.json" for d in s.get("deps", ()))}
    assert opens <= changed
    tables = [p for p in (world.workshop.root / "data").rglob("*.parquet") if p.parent.name != "products"]
    sids = {s for p in tables for s in SealedFile.copy(p).sids}  # products tell of nobody
    assert not {bytes.fromhex(s) for s in world.hers} & sids
    assert plain_rows(frames(world.workshop.root / "data" / "raw", world.keys)) == plain_rows(raw)
    counts = [json.loads(p.read_text()) for p in (world.workshop.root / "data" / "counts").glob("*/*.json")]
    assert sum(c["suppressed"] for c in counts if c["source"] == "transactions") > 0
    assert "Running stage" not in world.do("dvc", "repro", "train")


def plain_rows(found: Frames) -> dict[tuple[str, str], bytes]:
    """Without the digests of the files, which change when she is left out."""
    return {(at[0].rsplit("/", 1)[0], at[1]): plain for at, plain in found.items()}
