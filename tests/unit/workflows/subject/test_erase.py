"""`twinops subject erase`: nothing of the person opens in any copy, everybody else's rows stay, and she stays away."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from erasable import ANN, DPO, HOUSEHOLDS, MINOR, MOMENT, OWNER, TODAY, Shop, make_shop, natural
from offices import PEOPLE

from twinops.adapters.md5 import md5_of
from twinops.adapters.mlflow import embedded
from twinops.adapters.ssh_keygen import SshKeygen
from twinops.data.sources import crm, registrations
from twinops.data.vault.seal import read_sealed, write_sealed
from twinops.data.vault.sealed_file import SealedFile, label_of
from twinops.entities.consent import Purpose
from twinops.entities.rights import Right, RightsAct, RightsEntry, pseudonym
from twinops.errors import DataError, IntegrityError, ParamsError, ServiceError
from twinops.governance import erasure_certificate
from twinops.governance.people import sshsig
from twinops.own_params import OwnParams
from twinops.whole_files import write
from twinops.workflows.candidate.status import decisions_on
from twinops.workflows.data_plane import DataPlane
from twinops.workflows.declared_use import controller_of
from twinops.workflows.intake import Intake
from twinops.workflows.receipts import Receipts
from twinops.workflows.subject import erase as erasing
from twinops.workflows.subject.desk import Desk
from twinops.workflows.subject.erase import read_ids
from twinops.workflows.subject.other_holders import exports, own_files

KILLS = int(os.environ.get("TWINOPS_ERASE_KILLS", "4"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return make_shop(tmp_path_factory.mktemp("shop") / "shop")


@pytest.fixture
def shop(whole: Shop, tmp_path: Path) -> Shop:
    return whole.copied(tmp_path / "shop")


def copies(shop: Shop) -> list[Path]:
    """Every sealed file in folder, cache and remote."""
    remote = Path(shop.root.parent / "shop-remote")
    places = (shop.root / "data", shop.root / ".dvc" / "cache" / "files", remote)
    return [p for place in places if place.is_dir() for p in sorted(place.rglob("*")) if p.is_file()]


def opened(shop: Shop) -> dict[tuple[str, str], bytes]:
    """Every frame of every copy that opens under any key that lives, tried with all of them by its own sid."""
    store, found = shop.store, {}
    for path in copies(shop):
        label = label_of(path)
        if label is None or label.dataset.startswith("quarantine/"):
            continue
        file = SealedFile.copy(path)
        held = store.subject_keys([s.hex() for s in file.sids])
        for sid, frame in zip(file.sids, file.frames, strict=True):
            if sid.hex() in held:
                found[path.as_posix(), sid.hex()] = AESSIV(held[sid.hex()]).decrypt(frame, [sid, *label.bound])
    return found


def sids_of(shop: Shop, n: int) -> set[str]:
    return set(shop.store.known_sids([natural(n), f"C{n:08d}"]).values())


def test_nothing_of_the_person_opens_in_any_copy_and_everybody_elses_rows_are_the_same(shop):
    hers, before = sids_of(shop, ANN), opened(shop)
    old_keys = shop.store.subject_keys(hers)
    assert any(sid in hers for _, sid in before)
    shop.erase(natural(ANN))
    assert opened(shop) == {at: frame for at, frame in before.items() if at[1] not in hers}
    living = list(shop.store.subject_keys(sid for _, sid in before).values())
    assert not set(old_keys.values()) & set(living)
    for path in copies(shop):
        file = SealedFile.copy(path)
        for sid, frame in zip(file.sids, file.frames, strict=True):
            if sid.hex() in hers:
                assert not any(opens(key, frame, [sid, *file.label.bound]) for key in living)


def opens(key: bytes, frame: bytes, bound: list[bytes]) -> bool:
    try:
        AESSIV(key).decrypt(frame, bound)
    except InvalidTag:
        return False
    return True


def test_the_certificate_names_each_kind_of_copy_and_nobody(shop):
    hers, done = sids_of(shop, ANN), shop.erase(natural(ANN))
    said = shop.certificate(done)
    kinds = {c["kind"]: c for c in said["copies"]}
    assert {*erasure_certificate.SAID, "quarantine", "keys of the persons"} <= {*kinds, "exports"}
    assert kinds["DVC cache"]["found"] == "8 looked at, 7 frame(s) of theirs in 7"
    assert sum(c["kind"] == "DVC remote" for c in said["copies"]) == 2
    files = [*(shop.root / "erasures").iterdir(), shop.root / "epoch.json"]
    whole = b"".join(p.read_bytes() for p in files)
    for name in (natural(ANN), f"C{ANN:08d}", f"person{ANN}@mail.example", *hers):
        assert name.encode() not in whole
    page = done.certificates[0].with_suffix(".md").read_text(encoding="utf-8")
    assert "That a destroyed key is erasure" in page
    assert "\\`" not in page
    assert any("far (s3://bucket)" in one for one in said["out_of_reach"])
    assert all(c["until"] for c in said["copies"])


def test_what_lives_of_her_between_updates_is_looked_at_and_opens_no_more(shop):
    for name in ("states", "expected/000100", "before/2026-01"):
        told = pa.table({"sid": [shop.store.known_sid(natural(n)) for n in (ANN, 1)], "record": ["hers", "others"]})
        path = shop.root / "live" / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_sealed(told, path, dataset=name.split("/", maxsplit=1)[0], keys=shop.store, subject="sid")
    done = shop.erase(natural(ANN))
    live = next(c for c in shop.certificate(done)["copies"] if c["kind"] == "living twins")
    assert live["found"] == "3 looked at, 3 frame(s) of theirs in 3"
    assert "twinops update" in live["until"]
    left = read_sealed(shop.root / "live" / "states.parquet", dataset="states", keys=shop.store)
    assert left["record"].to_pylist() == ["others"]


def test_a_stranger_verifies_the_certificate_with_ssh_keygen_alone(shop, tmp_path):
    (path,) = shop.erase(natural(ANN)).certificates
    key = yaml.safe_load((shop.root / "compliance" / "offices.yaml").read_text())["people"][0]["key"]
    for made in path.parent.glob(f"{path.stem}*"):
        shutil.copy(made, tmp_path)
    (tmp_path / "allowed_signers").write_text(f"{OWNER} {key}\n")
    page = path.with_suffix(".md").read_text(encoding="utf-8")
    (command,) = (line.strip() for line in page.splitlines() if line.startswith("    ssh-keygen"))

    def verified() -> bool:
        return subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, check=False).returncode == 0

    assert verified()
    (tmp_path / path.name).write_bytes(path.read_bytes().replace(b"epoch.json", b"epoch_json", 1))
    assert not verified()


def test_a_certificate_that_was_changed_or_signed_by_others_does_not_stand(shop):
    (path,) = shop.erase(natural(ANN)).certificates
    assert shop.project.run("subject.certificate", where=path.stem).faults == ()
    text = path.read_text()
    path.write_text(text.replace("asked by letter", "asked by phone"))
    assert "changed" in shop.project.run("subject.certificate", where=str(path)).faults[0]
    path.write_text("[" * 100_000)
    with pytest.raises(IntegrityError, match="is no certificate"):
        shop.project.run("subject.certificate", where=str(path))
    path.write_text(text)
    other = replace(shop.asked(), key=shop.signing["risk officer"])
    shop.project.signer.sign(path, key=other.key, namespace=erasure_certificate.NAMESPACE)
    assert "no such office" in shop.project.run("subject.certificate", where=str(path)).faults[0]


def test_only_its_own_files_are_committed_whatever_lies_changed_or_staged(shop):
    (shop.root / "params.yaml").write_text((shop.root / "params.yaml").read_text() + "# mine\n")
    (shop.root / "staged.txt").write_text("mine")
    shop.git("add", "staged.txt")
    done = shop.erase(natural(ANN))
    changed = shop.git("show", "--name-only", "--format=", "HEAD").split()
    name = f"erasures/{done.certificates[0].stem}"
    assert changed == ["epoch.json", f"{name}.json", f"{name}.json.sig", f"{name}.md"]
    assert shop.git("diff", "--cached", "--name-only") == "staged.txt"
    assert "# mine" in (shop.root / "params.yaml").read_text()


def test_a_merge_under_way_is_ended_first_and_nothing_was_destroyed(shop):
    (shop.root / ".git" / "MERGE_HEAD").write_text("0" * 40)
    with pytest.raises(ServiceError, match="merge or rebase"):
        shop.erase(natural(ANN))
    assert sids_of(shop, ANN)


def test_the_same_twice_is_said_and_gives_the_same_certificate(shop):
    first, head = shop.erase(natural(ANN)), shop.git("rev-parse", "HEAD")
    again = shop.erase(natural(ANN))
    assert (again.persons, again.already, again.certificates) == (0, 1, first.certificates)
    assert shop.git("rev-parse", "HEAD") == head
    assert shop.store.epoch() == 1


def test_an_unknown_person_is_nobody_and_nobody_of_the_file_is_erased(shop):
    with pytest.raises(DataError, match=r"1 of 2 id\(s\) are nobody's who is held; nobody was erased. Lines: 2"):
        shop.erase(natural(ANN), "H-999999")
    assert sids_of(shop, ANN)
    assert shop.store.epoch() == 0


def test_the_wrong_office_is_refused_and_a_strangers_key_too(shop):
    assert (
        "the office of risk officer does not. Under `people`"
        in shop.erase(natural(ANN), office="risk officer").refused[0]
    )
    with pytest.raises(ParamsError, match=r"is nobody in compliance/offices.yaml"):
        shop.erase(natural(ANN), by="nobody@shop.example")
    with pytest.raises(IntegrityError, match=r"not the key that compliance/offices.yaml names"):
        shop.erase(natural(ANN), key=shop.signing["risk officer"])
    assert sids_of(shop, ANN)


def test_a_key_that_is_not_there_is_one_sentence_and_nobody_was_erased(shop, tmp_path):
    with pytest.raises(ServiceError) as refused:
        shop.erase(natural(ANN), key=tmp_path / "id_ed25519")
    assert str(refused.value) == f"There is no ssh key {tmp_path / 'id_ed25519'}. Hint: Give yours with --key."
    assert sids_of(shop, ANN)


def test_a_file_of_ids_that_is_not_there_is_told_so(tmp_path):
    with pytest.raises(DataError, match=r"There is no file .*nowhere.txt"):
        read_ids(tmp_path / "nowhere.txt")


def panel(**more: str) -> OwnParams:
    columns = {"panelist": "p", **more}
    purposes = dict.fromkeys(columns, (Purpose.TRAINING,))
    legal = {"controller": "A shop", "provenance": "a form", "collected_from": "people", "notice": "notice-1",
             "bases": "open", "purposes": purposes, "retention_days": 900, "synthetic": False}  # fmt: skip
    said = {"kind": "panel", "reads": "excel", "path": "painel.xlsx", "columns": columns, "legal": legal}
    return OwnParams.model_validate({"panel": said})


def test_a_panel_of_other_people_is_no_file_that_could_hold_a_customer():
    assert list(own_files(panel(), panelist=False)) == []
    assert list(own_files(panel(), panelist=True)) == ["source panel (painel.xlsx)"]
    assert list(own_files(panel(household_id="cliente"), panelist=False)) == ["source panel (painel.xlsx)"]


def test_a_file_of_which_no_row_of_theirs_was_read_is_not_told_to_be_searched():
    own = panel(household_id="cliente")
    assert list(own_files(own, panelist=False, without={"panelists"})) == []
    assert list(own_files(own, panelist=False, without={"kind:optouts", "consent"})) == ["source panel (painel.xlsx)"]


def test_a_list_of_objections_is_told_only_where_an_objection_of_theirs_was_read(shop):
    keys, tables = shop.store, DataPlane(shop.project.places, shop.project.engine, shop.store).tables
    ledger = pa.table({"household_id": [natural(ANN), natural(1)], "event": ["granted", "objected"]})
    path = shop.root / "data" / "raw" / "consent" / "all.parquet"
    write_sealed(ledger, path, dataset="consent", keys=keys, subject="household_id")
    whose = {n: keys.known_sid(natural(n)) for n in (ANN, 1, 2)}
    found = {n: set(erasing._without(tables.of([sid]), ())) for n, sid in whose.items()}
    assert "kind:optouts" in found[ANN]
    assert "consent" not in found[ANN]
    assert not {"kind:optouts", "consent"} & found[1]
    assert "consent" in found[2]
    assert "consent" not in set(erasing._without(tables.of([whose[2]]), {"consent"}))  # a row of theirs was put aside


SCORE = {"model": "0", "stands": "candidate", "rows": "935", "as_of": "2026-11-01", "decided": "no"}


def test_the_certificate_tells_each_table_of_scores_and_each_copy_that_the_ledger_of_rights_knows(shop):
    sid, ledger = shop.store.known_sid(natural(ANN)), shop.project.rights
    opened = {**SCORE, "form": "csv", "sealed": "no", "file": "offers.csv"}
    closed = {**SCORE, "form": "parquet", "sealed": "yes"}
    ledger.append(
        RightsAct(Right.SCORED, "", "data owner", "Olga Owner", "offers", about=opened),
        RightsAct(Right.SCORED, "", "", "", "twin_scoring", about=closed),
        RightsAct(Right.EXPORTED, sid, "data owner", "Olga Owner"),
        RightsAct(Right.EXPORTED, shop.store.known_sid(natural(1)), "data owner", "Olga Owner"),
    )
    done = shop.erase(natural(ANN))
    said = shop.certificate(done)
    told = [line for line in said["out_of_reach"] if "scores" in line or "copy of their data" in line]
    assert len(told) == 3
    assert any("scores for offers (offers.csv)" in t and "935 rows as csv in the open" in t for t in told)
    assert any("scores for twin scoring" in t and "sealed: a row of theirs opens no more" in t for t in told)
    row = next(c for c in said["copies"] if c["kind"] == "exports")
    assert row["done"].startswith("3 that the ledger of rights tells of went elsewhere")


def test_a_sealed_table_beside_the_data_is_looked_into(shop):
    rows = pa.table({"household_id": [natural(ANN)], "p": [0.5]})
    write_sealed(rows, shop.root / "scores.parquet", dataset="scores", keys=shop.store, subject="household_id")
    said = shop.certificate(shop.erase(natural(ANN)))
    row = next(c for c in said["copies"] if c["kind"] == "sealed tables beside")
    assert row["found"] == "1 looked at, 1 frame(s) of theirs in 1"


def test_a_table_that_was_written_often_is_told_once():
    about = {**SCORE, "form": "csv", "sealed": "no", "file": "offers.csv"}
    acts = [RightsAct(Right.SCORED, "", "", "", "offers", about=about | {"rows": str(n)}) for n in (7, 9)]
    days = [datetime(2026, 11, n, tzinfo=UTC) for n in (1, 8)]
    (told,) = exports([RightsEntry(n, d, a, "") for n, (d, a) in enumerate(zip(days, acts, strict=True))], ())
    assert "2 times from 2026-11-01 to 2026-11-08, the last time with 9 rows" in told


def test_who_answers_is_told_as_it_was_said_wherever_it_was_said(shop):
    path = shop.root / "compliance" / "intended_use.yaml"
    use = yaml.safe_load(path.read_text(encoding="utf-8"))
    use["controller"].update(name="to be said by the controller", contact="to be said by the controller")
    path.write_text(yaml.safe_dump(use), encoding="utf-8")
    places = shop.project.places
    assert controller_of(places, panel()) == f"A shop, {DPO}"
    assert controller_of(places, OwnParams.model_validate({})) == DPO
    assert shop.certificate(shop.erase(natural(ANN)))["controller"] == DPO


def test_an_officer_without_a_key_is_told_that_none_is_named_and_the_line_that_names_one(shop):
    path = shop.root / "compliance" / "offices.yaml"
    said = yaml.safe_load(path.read_text(encoding="utf-8"))
    for person in said["people"]:
        person.pop("key", None)
    path.write_text(yaml.safe_dump(said), encoding="utf-8")
    shop.git("commit", "-qam", "no keys")
    with pytest.raises(IntegrityError, match="names no key for you") as refused:
        shop.erase(natural(ANN))
    assert "--key KEY.pub" in str(refused.value)
    assert sids_of(shop, ANN)


def test_a_hold_is_respected_until_it_is_released(shop):
    sid = shop.store.known_sid(f"C{ANN:08d}")  # on one record of hers: it holds for the whole person
    ledger = shop.project.rights
    ledger.append(RightsAct(Right.HELD, sid, "data owner", "Olga Owner", about={"ground": "17(3)(e)"}))
    done = shop.erase(natural(ANN))
    assert "a hold stands (17(3)(e))" in done.refused[0]
    assert natural(ANN) not in done.refused[0]
    assert sids_of(shop, ANN)
    ledger.append(RightsAct(Right.RELEASED, sid, "data owner", "Olga Owner"))
    assert shop.erase(natural(ANN)).persons == 1


def test_all_linked_identities_of_a_merged_person_go_whichever_is_named(shop):
    hers = sids_of(shop, ANN)
    done = shop.erase(f"C{ANN:08d}")
    assert shop.certificate(done)["subjects"][0]["identities"] == len(hers) == 2
    assert not sids_of(shop, ANN)
    assert shop.erase(natural(ANN)).already == 1


def decided(shop: Shop, right: Right, one: str, other: str) -> None:
    """A person says of a customer file and a registration whether they are one person's."""
    names = {"record": f"crm:{shop.store.known_sid(one)}", "other": f"registrations:{shop.store.known_sid(other)}"}
    for sid in (shop.store.known_sid(one), shop.store.known_sid(other)):
        shop.project.rights.append(RightsAct(right, sid, "data owner", "Olga Owner", about=names))


@pytest.mark.parametrize("who", [natural(ANN), f"C{ANN:08d}", "C00000012"])
def test_a_record_that_somebody_joined_goes_with_the_person_before_anything_is_linked_anew(shop, who):
    decided(shop, Right.NOT_SAME, "C00000012", natural(12))
    decided(shop, Right.SAME, "C00000012", natural(ANN))
    project = shop.project
    desk = Desk(Receipts(DataPlane(project.places, project.engine, project.keys), TODAY, project.params.features.days,
                         project.params.ages), project.rights)  # fmt: skip
    copied = desk.people().sids(who)
    done = shop.erase(who)
    assert shop.certificate(done)["subjects"][0]["identities"] == len(copied) == 3, "erased and copied as one"
    assert shop.store.known_sids([natural(ANN), f"C{ANN:08d}", "C00000012"]) == {}
    assert shop.store.known_sid(natural(12)), "whose file it was taken for before"


def test_a_record_that_somebody_parted_stays_with_whom_it_is(shop):
    decided(shop, Right.NOT_SAME, f"C{ANN:08d}", natural(ANN))
    done = shop.erase(natural(ANN))
    assert shop.certificate(done)["subjects"][0]["identities"] == 1
    assert shop.store.known_sid(f"C{ANN:08d}")


def test_a_minor_is_erased_and_the_certificate_says_who_may_ask(shop):
    done = shop.erase(natural(MINOR))
    assert shop.certificate(done)["subjects"][0]["minor"]
    assert "parental responsibility" in done.certificates[0].with_suffix(".md").read_text()


def test_a_reason_says_why_and_not_who(shop):
    for reason in ("", "x" * 301, f"as {natural(ANN)} asked"):
        with pytest.raises(ParamsError):
            shop.erase(natural(ANN), reason=reason)


def test_published_keys_erase_nobody(shop):
    told = yaml.safe_load((shop.root / "params.yaml").read_text())
    told["vault"]["keys"], told["sources"]["folder"] = "demo", None
    (shop.root / "params.yaml").write_text(yaml.safe_dump(told))
    with pytest.raises(IntegrityError, match="published key cannot be destroyed"):
        shop.erase(natural(ANN))


# she stays away


def test_an_old_tag_is_refused_after_an_erasure(shop):
    shop.git("tag", "before")
    shop.erase(natural(ANN))
    shop.git("checkout", "-q", "before")
    with pytest.raises(IntegrityError, match="someone was erased"):
        _ = shop.project.keys


def test_restored_keys_are_refused_under_an_old_tag_too_and_a_forged_epoch_opens_nothing_of_hers(shop, tmp_path):
    hers = sids_of(shop, ANN)
    shop.git("tag", "before")
    shutil.copytree(shop.root / "keystore", tmp_path / "backup")  # against all advice with the wrapping key
    shop.erase(natural(ANN))
    shutil.rmtree(shop.root / "keystore")
    shutil.copytree(tmp_path / "backup", shop.root / "keystore")
    with pytest.raises(IntegrityError, match="it is an older copy"):
        _ = shop.project.keys
    shop.git("checkout", "-q", "before")
    with pytest.raises(IntegrityError, match="it is an older copy"):
        _ = shop.project.keys
    shop.git("checkout", "-q", "main")
    with shop.store._database.writing() as db:
        db.all("UPDATE state SET value = ? WHERE name = 'epoch'", b"1")
    assert shop.project.keys.subject_keys(hers) == {}
    assert shop.project.keys.known_sid(natural(ANN)) is None
    assert len(shop.project.keys.subject_keys(sids_of(shop, 1))) == 2


def test_a_restored_backup_forgets_again_whoever_the_project_says_was_erased(shop, tmp_path):
    hers = sids_of(shop, ANN)
    file = tmp_path / "copies" / "keys-1"
    shop.project.run("keys.backup", into=file)
    shutil.copy(shop.root / "keystore" / "kek-0", tmp_path / "kek-0")
    shop.erase(natural(ANN))
    with pytest.raises(IntegrityError, match="no usable key-encryption key of epoch 0"):
        shop.project.run("keys.restore", file=file)
    shutil.copy(tmp_path / "kek-0", shop.root / "keystore" / "kek-0")  # its keeper had a copy: a wrapping key in escrow
    assert shop.project.run("keys.restore", file=file).epoch == 1
    assert shop.project.keys.subject_keys(hers) == {}
    assert shop.project.keys.subject_keys(shop.project.keys.subject_ids([natural(ANN)])) == {}
    assert len(shop.project.keys.subject_keys(sids_of(shop, 1))) == 2


def intake(shop: Shop) -> Intake:
    project = shop.project
    plane = DataPlane(project.places, project.engine, project.keys)
    return Intake(plane, project.params.sources, project.params.features.days)


def profiles(*rows: tuple[str, str | None, str | None]) -> pa.Table:
    """CRM rows: number, e-mail, card."""
    full = {c.name: pa.nulls(len(rows), pa.int64() if c.kind == "whole" else pa.string()) for c in crm.SCHEMA.columns}
    for place, name in enumerate(("crm_id", "email", "card")):
        full[name] = pa.array([row[place] for row in rows], pa.string())
    full["updated"] = pa.array([1] * len(rows), pa.int64())
    return pa.table(full)


def test_neither_the_same_file_nor_a_newly_exported_one_brings_her_back(shop):
    from twinops.data.reading.reading import REFUSED_ROWS, Reading

    shop.erase(natural(ANN))
    rows = profiles(
        (f"C{ANN:08d}", None, None),  # her number
        ("C90000001", f" Person{ANN}@MAIL.example", None),  # a new number, her address
        ("C90000002", None, natural(ANN)),  # a new number, her card
        ("C90000003", "other@mail.example", natural(2)),
    )
    lines = [("1", "bad", f"x,person{ANN}@mail.example,y", "utf-8", 10), ("2", "bad", "x,y@z,1", "utf-8", 7)]
    refused = pa.table([pa.array(c) for c in zip(*lines, strict=True)], schema=REFUSED_ROWS)
    collected = intake(shop).take(Reading(rows, 6, (), refused), crm)
    assert (collected.read, collected.taken, collected.suppressed) == (6, 1, 4)
    assert collected.quarantined == {"bad": 1}
    raw = read_sealed(shop.root / "data" / "raw" / "crm" / "all.parquet", dataset="crm", keys=shop.project.keys)
    assert raw["email"].to_pylist() == ["other@mail.example"]


def test_an_address_that_is_somebody_elses_too_keeps_nobody_away(shop):
    done = shop.erase(natural(4))
    assert shop.certificate(done)["subjects"][0]["shared_contacts"] == 1
    from twinops.data.reading.reading import Reading

    rows = profiles(("C00000005", "person5@mail.example", natural(5)))
    assert intake(shop).take(Reading(rows, 1), crm).taken == 1
    assert registrations.SUBJECT == "household_id"


# more at once, and killed


def test_a_file_of_persons_is_one_act_with_one_certificate(shop, tmp_path):
    file = tmp_path / "ids.csv"
    file.write_text("id,why\n" + "".join(f"{natural(n)},x\n" for n in range(10, 20)) + f"C{12:08d},x\n")
    done = shop.erase(*read_ids(file))
    assert (done.persons, len(done.certificates), shop.store.epoch()) == (10, 1, 1)
    assert len(shop.certificate(done)["subjects"]) == 10


def whole_state(shop: Shop) -> dict[str, bytes]:
    """What must be the same however often it was killed: certificate, marks, commits' content, who has keys."""
    files = [*sorted((shop.root / "erasures").iterdir()), shop.root / "epoch.json", shop.root / "rights.json"]
    held = shop.store.subject_keys(s for n in range(HOUSEHOLDS) for s in sids_of(shop, n))
    ledger = [(e.act.right, dict(e.act.about)) for e in shop.project.rights.entries()]
    return {
        **{p.name: p.read_bytes() for p in files},
        "keys": json.dumps(sorted(held)).encode(),
        "ledger": json.dumps(ledger).encode(),
        "tree": shop.git("status", "--porcelain").encode(),
        "unfinished": str(len(shop.store.erasures(unfinished=True))).encode(),
    }


def test_killed_at_any_moment_and_run_again_it_leaves_the_same_bytes(whole, tmp_path):
    calm = whole.copied(tmp_path / "calm")
    began = time.monotonic()
    calm.erase(natural(ANN))
    takes, expected = time.monotonic() - began, whole_state(calm)
    dice = np.random.default_rng(7)
    for n in range(KILLS):
        shop = whole.copied(tmp_path / f"kill-{n}")
        child = os.fork()
        if child == 0:
            os.setsid()
            try:
                shop.erase(natural(ANN))
            finally:
                os._exit(0)
        time.sleep(dice.uniform(0.0, 1.2 * takes))
        with contextlib.suppress(ProcessLookupError):  # it may be done
            os.killpg(child, signal.SIGKILL) if os.getpgid(child) == child else os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        for lock in (shop.root / ".git").rglob("*.lock"):  # git's own, which git asks to be removed
            lock.unlink()
        shop.erase(natural(ANN))
        assert whole_state(shop) == expected
        shutil.rmtree(shop.root)


def test_killed_while_the_key_is_tried_it_leaves_nothing_that_a_certificate_counts(whole, tmp_path, monkeypatch):
    calm, killed = whole.copied(tmp_path / "calm"), whole.copied(tmp_path / "killed")
    calm.erase(natural(ANN))
    child = os.fork()
    if child == 0:
        monkeypatch.setattr(SshKeygen, "sign", lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
        killed.erase(natural(ANN))
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    killed.erase(natural(ANN))
    assert whole_state(killed) == whole_state(calm)


def full(*about: Any) -> None:
    if about and getattr(about[0], "name", "") == "trial":  # whether a key signs, in a folder that is gone afterwards
        return write(*about)
    raise OSError("full")


STEPS = ("_marked", "_entered", "_told_to_versions", "_certified", "write")


@pytest.mark.parametrize("step", STEPS)
def test_whatever_step_fails_the_next_command_takes_it(shop, step, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(erasing, step, full)
        with pytest.raises(OSError, match="full"):
            shop.erase(natural(ANN))
    assert not sids_of(shop, ANN)
    assert len(shop.store.erasures(unfinished=True)) == 1
    done = shop.project.run("subject.resume", asked=shop.asked())
    assert done.persons == 1
    assert shop.project.run("subject.certificate", where=done.certificates[0].stem).faults == ()
    assert shop.store.erasures(unfinished=True) == []


def test_a_project_that_is_open_forgets_within_a_second(shop):
    project = shop.project
    keys, hers = project.keys, sids_of(shop, ANN)
    assert keys.known_sid(natural(ANN))
    shop.erase(natural(ANN))
    began = time.monotonic()
    assert keys.known_sid(natural(ANN)) is None
    assert keys.subject_keys(hers) == {}
    assert time.monotonic() - began < 1


def test_names_in_the_open_are_found_and_left_to_the_owner_without_repeating_them(shop):
    (shop.root / "exports").mkdir()
    (shop.root / "exports" / f"of-{natural(ANN)}.json").write_text('{"mail": "person7@mail.example"}')
    done = shop.erase(natural(ANN))
    assert done.named_in_the_open == ("exports/of-*.json",)
    export = next(c for c in shop.certificate(done)["copies"] if c["kind"] == "exports")
    assert "NAMED IN THE OPEN" in export["done"]


def test_a_quarantine_that_names_her_loses_its_key_and_others_keep_theirs(shop):
    done = shop.erase(natural(ANN))
    assert shop.store.batch_since("transactions", "2026-01") is None
    told = [c["where"] for c in shop.certificate(done)["copies"] if c["kind"] == "quarantine"]
    assert told == ["transactions 2026-01"]


def test_objects_in_a_cache_that_nobody_of_us_wrote_stop_no_erasure(shop):
    cache = shop.root / ".dvc" / "cache" / "files" / "md5" / "00"
    cache.mkdir(parents=True, exist_ok=True)
    (cache / "cut").write_bytes(b"PAR1" + b"x" * 100 + b"PAR1")
    forged = pa.table({"sid": ["a", "b"]}).replace_schema_metadata({b"twinops.sealed": b"{}"})
    pq.write_table(forged, cache / "forged")
    pq.write_table(forged.rename_columns(["who"]), cache / "nobody")
    assert shop.erase(natural(ANN)).persons == 1
    assert not shop.store.subject_keys([shop.store.known_sid(natural(ANN)) or ""])


def test_the_officer_whose_key_signs_stands_in_the_certificate(shop):
    done = shop.erase(natural(ANN), office="data protection officer")
    path = done.certificates[0]
    key = sshsig.signing_key(path.read_bytes(), Path(f"{path}.sig").read_text(), namespace="twinops-erasure")
    assert key.split()[1] in (shop.root / "compliance" / "offices.yaml").read_text()
    assert shop.certificate(done)["by"]["name"] == PEOPLE["data protection officer"][0]
    assert datetime.fromisoformat(shop.certificate(done)["at"]) == MOMENT
    assert pseudonym("00" * 16) not in shop.certificate(done)["erased"]


def test_a_server_that_does_not_answer_ends_the_command_before_a_key_is_destroyed(shop, monkeypatch):
    monkeypatch.setenv(embedded.SERVER, "http://127.0.0.1:9")
    monkeypatch.setattr(embedded, "WAITS_S", (0.0, 0.0))
    with pytest.raises(ServiceError, match="asked 3 times"):
        shop.erase(natural(ANN))
    assert shop.project.keys.known_sid(natural(ANN)) is not None
    assert shop.project.keys.erasures() == []


def registered(shop: Shop, trained: str) -> str:
    """A version in the project's own MLflow, whose run says of which list it learned."""
    from mlflow import MlflowClient

    uri = f"sqlite:///{shop.root / 'mlflow.db'}"
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    if not client.search_registered_models():
        client.create_registered_model("twin")
        client.create_experiment("play", artifact_location=(shop.root / "mlruns").as_uri())
    run = client.create_run(client.get_experiment_by_name("play").experiment_id)
    client.log_text(run.info.run_id, json.dumps({erasing.LEARNED: trained}), "lineage/md5.json")
    client.log_text(run.info.run_id, "{}", "model/MLmodel")
    made = client.create_model_version("twin", f"{run.info.artifact_uri}/model", run_id=run.info.run_id)
    return str(made.version)


@pytest.mark.filterwarnings("default")  # MLflow's own
def test_versions_are_told_what_becomes_of_them_by_policy_or_by_a_reason(shop):
    learned, unknown = md5_of(shop.root / "data" / "trained" / "subjects.parquet"), "0" * 32
    for trained in (learned, unknown):
        registered(shop, str(trained))
    done = shop.erase(natural(ANN))
    assert [(m["version"], m["learned"]) for m in shop.certificate(done)["models"]] == [("1", True), ("2", None)]
    versions = shop.project.versions
    with sqlite3.connect(shop.root / "mlflow.db") as database:
        told = dict(database.execute("SELECT version, value FROM model_version_tags WHERE key LIKE 'erasure.%'"))
    assert "to be replaced by 2026-12-28" in told[1]
    assert "taken as if it had" in told[2]
    kept = shop.erase(natural(2), models="keep", why_kept="figures on thousands")
    assert shop.certificate(kept)["models"][0]["decision"] == "kept: figures on thousands"
    stranger = shop.erase(natural(HOUSEHOLDS - 1))  # not in the list that the first learned from
    assert shop.certificate(stranger)["models"][0]["decision"] == "learned from none of them; nothing to do"
    assert list(decisions_on(shop.project.places, "twin", "1"))
    assert [v.number for v in versions.all()["twin"]] == ["1", "2"]
