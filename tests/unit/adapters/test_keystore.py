"""Key stores: the published one refuses real data; your own keeps keys apart, and can lose them for good."""

from __future__ import annotations

import os
import shutil
import stat
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context
from pathlib import Path

import pytest
from candidate import ROOT
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from twinops.adapters import keystore, wrapping_key
from twinops.adapters.keystore import DEMO_MASTER_KEY, DemoKeys, SqliteKeyStore, open_store
from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.entities.erasure import Erasing, ErasureMarks
from twinops.errors import IntegrityError, ParamsError, ServiceError
from twinops.wiring import Project

PEOPLE = [str(i) for i in range(200)]


@pytest.fixture(params=["demo", "sqlite", "memory"])
def store(request, tmp_path):
    return {"demo": DemoKeys, "sqlite": lambda: SqliteKeyStore(tmp_path / "keys"), "memory": MemoryKeys}[
        request.param
    ]()


def test_every_store_gives_each_person_one_lasting_sid_and_key(store):
    sids = store.subject_ids([*PEOPLE, "7"])
    assert sids[:-1] == store.subject_ids(PEOPLE)
    assert sids[-1] == sids[7]
    assert len(set(sids)) == len(PEOPLE)
    assert all(len(s) == 32 and int(s, 16) >= 0 for s in sids)
    keys = store.subject_keys(sids)
    assert len(set(keys.values())) == len(PEOPLE)
    assert {len(k) for k in keys.values()} == {64}
    assert store.subject_keys(sids) == keys
    assert store.epoch() == 0


def test_every_store_tells_all_at_once_who_is_enrolled(store):
    sids = store.subject_ids(PEOPLE)
    assert store.known_sids(PEOPLE) == dict(zip(PEOPLE, sids, strict=True))
    told = store.known_sids(["7", "a stranger"])
    assert told == {n: sid for n in ("7", "a stranger") if (sid := store.known_sid(n)) is not None}


def test_the_store_opens_its_pepper_once_for_however_many_people(tmp_path, monkeypatch):
    store, opened, of = SqliteKeyStore(tmp_path / "keys"), [], keystore._pepper
    monkeypatch.setattr(keystore, "_pepper", lambda *given: opened.append(1) or of(*given))
    store.subject_ids(PEOPLE)
    store.known_sids(PEOPLE)
    assert len(opened) == 2


def test_every_store_gives_each_batch_its_own_key(store):
    key = store.batch_key("transactions", "2017-01")
    assert len(key) == 64
    assert store.batch_key("transactions", "2017-01") == key
    assert store.batch_key("transactions", "2017-02") != key


def test_demo_keys_are_the_same_in_every_clone_and_standard_hkdf():
    (sid,) = DemoKeys().subject_ids(["1"])
    assert sid == DemoKeys().subject_ids(["1"])[0]
    info = b"subject\0" + bytes.fromhex(sid)
    expected = HKDF(hashes.SHA512(), 64, salt=b"twinops demo", info=info).derive(DEMO_MASTER_KEY)
    assert DemoKeys().subject_keys([sid])[sid] == expected


def test_the_demo_key_is_refused_for_data_of_your_own():
    with pytest.raises(ParamsError, match="published key that protects nobody") as refusal:
        open_store("demo", own_data=True, location="nowhere")
    assert refusal.value.exit_code == 2


def test_keys_lie_in_the_project_unless_another_folder_is_named(tmp_path, monkeypatch):
    raw = (ROOT / "params.yaml").read_text(encoding="utf-8").replace("keys: demo", "keys: store")
    (tmp_path / "params.yaml").write_text(raw, encoding="utf-8")
    (tmp_path / "epoch.json").write_text('{"epoch": 0}', encoding="utf-8")
    monkeypatch.delenv("TWINOPS_KEYSTORE", raising=False)
    assert Project(tmp_path).keys.subject_ids(PEOPLE) == SqliteKeyStore(tmp_path / "keystore").subject_ids(PEOPLE)
    monkeypatch.setenv("TWINOPS_KEYSTORE", str(tmp_path / "apart"))
    assert Project(tmp_path).keys.subject_ids(PEOPLE) == SqliteKeyStore(tmp_path / "apart").subject_ids(PEOPLE)


def test_the_store_finds_its_people_again_after_reopening(tmp_path):
    sids = open_store("store", own_data=True, location=str(tmp_path / "keys")).subject_ids(PEOPLE)
    again = SqliteKeyStore(tmp_path / "keys")
    assert again.subject_ids(PEOPLE) == sids
    assert sids != SqliteKeyStore(tmp_path / "other").subject_ids(PEOPLE)


def test_files_of_the_store_hold_no_natural_id_and_no_open_key(tmp_path):
    store = SqliteKeyStore(tmp_path / "keys")
    (sid,) = store.subject_ids(["household-canary-4711"])
    raw = b"".join(p.read_bytes() for p in (tmp_path / "keys").iterdir())
    assert b"household-canary-4711" not in raw
    assert store.subject_keys([sid])[sid] not in raw


def test_only_the_owner_may_read_the_key_encryption_key(tmp_path):
    SqliteKeyStore(tmp_path / "keys")
    assert stat.S_IMODE((tmp_path / "keys" / "kek-0").stat().st_mode) == 0o600


def test_a_forgotten_subject_has_no_key_and_the_others_keep_theirs(tmp_path):
    store = SqliteKeyStore(tmp_path / "keys")
    sids = store.subject_ids(PEOPLE)
    before, batch = store.subject_keys(sids), store.batch_key("t", "b")
    store.forget(sids[3])
    assert store.epoch() == 1
    assert store.subject_keys(sids) == {s: k for s, k in before.items() if s != sids[3]}
    assert store.batch_key("t", "b") == batch
    assert [p.name for p in sorted((tmp_path / "keys").iterdir())] == ["kek-1", "keys.db"]


@pytest.mark.parametrize("kind", ["sqlite", "memory"])
def test_collecting_again_does_not_bring_a_forgotten_subject_back(kind, tmp_path):
    store = SqliteKeyStore(tmp_path / "keys") if kind == "sqlite" else MemoryKeys()
    (sid,) = store.subject_ids(["5"])
    store.forget(sid)
    assert store.subject_keys(store.subject_ids(["5"])) == {}
    assert store.subject_keys(store.subject_ids(["6"])) != {}


def test_a_copy_of_the_old_database_opens_nothing_after_an_erasure(tmp_path):
    store = SqliteKeyStore(tmp_path / "keys")
    sids = store.subject_ids(PEOPLE)
    shutil.copy(tmp_path / "keys" / "keys.db", tmp_path / "old.db")
    store.forget(sids[0])
    shutil.copy(tmp_path / "old.db", tmp_path / "keys" / "keys.db")
    with pytest.raises(IntegrityError, match="no usable key-encryption key of epoch 0"):
        SqliteKeyStore(tmp_path / "keys").subject_keys(sids)


def test_keys_and_kek_of_different_backups_are_told_apart(tmp_path):
    store = SqliteKeyStore(tmp_path / "keys")
    sids = store.subject_ids(PEOPLE)
    (tmp_path / "keys" / "kek-0").write_bytes(os.urandom(64))
    with pytest.raises(IntegrityError, match="does not open under its key-encryption key"):
        store.subject_keys(sids)


def test_forgetting_a_stranger_is_said(tmp_path):
    with pytest.raises(IntegrityError, match="no such subject"):
        SqliteKeyStore(tmp_path / "keys").forget("00" * 16)


def enrol(folder: Path) -> list[str]:
    return SqliteKeyStore(folder).subject_ids(PEOPLE)


def test_two_processes_that_collect_at_once_agree_on_every_sid(tmp_path):
    with ProcessPoolExecutor(2, mp_context=get_context("fork")) as pool:
        first, second = pool.map(enrol, [tmp_path / "keys"] * 2)
    assert first == second


# wrapping keys


def hexed(n: int) -> str:
    return bytes([n] * 64).hex()


def test_a_wrapping_key_that_others_may_read_is_refused(tmp_path):
    store = SqliteKeyStore(tmp_path / "keys")
    (tmp_path / "keys" / "kek-0").chmod(0o640)
    with pytest.raises(IntegrityError, match="may be read by others"):
        store.subject_ids(["1"])


def test_rotation_kills_copies_and_touches_no_key_and_no_epoch(tmp_path):
    store = SqliteKeyStore(tmp_path / "keys", today=lambda: date(2026, 1, 1))
    sids = store.subject_ids(PEOPLE)
    before, batch = store.subject_keys(sids), store.batch_key("t", "b")
    store.back_up(tmp_path / "copy")
    assert (tmp_path / "copy").stat().st_mode & 0o077 == 0
    later = SqliteKeyStore(tmp_path / "keys", today=lambda: date(2026, 2, 15))
    assert later.standing().due
    standing = later.rotate()
    assert (standing.kek, standing.epoch, standing.due) == (1, 0, False)
    assert (store.subject_keys(sids), store.batch_key("t", "b")) == (before, batch)
    assert [p.name for p in sorted((tmp_path / "keys").iterdir())] == ["kek-1", "keys.db"]
    with pytest.raises(IntegrityError, match="epoch 0"):
        store.restore(tmp_path / "copy", ErasureMarks())
    assert store.subject_keys(sids) == before


def test_a_copy_is_restored_while_its_wrapping_key_lives(tmp_path):
    store = SqliteKeyStore(tmp_path / "keys")
    sids = store.subject_ids(PEOPLE)
    before = store.subject_keys(sids)
    store.back_up(tmp_path / "copy")
    later = store.subject_ids(["late"])
    store.restore(tmp_path / "copy", ErasureMarks())
    assert store.subject_keys([*sids, *later]) == before


def test_what_is_no_copy_is_not_restored(tmp_path):
    store = SqliteKeyStore(tmp_path / "keys")
    sids = store.subject_ids(PEOPLE)
    (tmp_path / "copy").write_text("no database")
    with pytest.raises(IntegrityError):
        store.restore(tmp_path / "copy", ErasureMarks())
    assert len(store.subject_keys(sids)) == len(PEOPLE)


def test_wrapping_keys_from_the_environment_rotate_when_the_next_one_is_there(tmp_path, monkeypatch):
    monkeypatch.setenv("TWINOPS_KEK", hexed(1))
    store = SqliteKeyStore(tmp_path / "keys")
    sids = store.subject_ids(PEOPLE)
    assert [p.name for p in (tmp_path / "keys").iterdir()] == ["keys.db"]
    with pytest.raises(ParamsError, match="no wrapping key 1 that differs from 0"):
        store.rotate()
    monkeypatch.setenv("TWINOPS_KEK_1", hexed(1))
    with pytest.raises(ParamsError, match="no wrapping key 1"):
        store.rotate()
    monkeypatch.setenv("TWINOPS_KEK_1", hexed(2))
    assert store.rotate().kek == 1
    monkeypatch.delenv("TWINOPS_KEK")
    assert len(SqliteKeyStore(tmp_path / "keys").subject_keys(sids)) == len(PEOPLE)
    monkeypatch.setenv("TWINOPS_KEK_1", "short")
    with pytest.raises(ParamsError, match="holds no key of 64 bytes"):
        SqliteKeyStore(tmp_path / "keys").subject_keys(sids)


def test_an_erasure_under_somebody_elses_wrapping_key_says_that_copies_still_open(tmp_path, monkeypatch):
    monkeypatch.setenv("TWINOPS_KEK", hexed(1))
    store = SqliteKeyStore(tmp_path / "keys")
    sids = store.subject_ids(PEOPLE)
    store.back_up(tmp_path / "copy")
    told = store.erase(Erasing((sids[0],)))["keys"]
    assert (told["rotated"], told["destroyed_by_us"]) == (False, False)
    assert [b["kek"] for b in told["backups"]] == [0]
    assert sids[0] not in store.subject_keys(sids)


KMS = '#!/bin/sh\n[ "$2" -lt 3 ] || exit 1\n[ -z "$SLOW" ] || sleep 60\nprintf \'%0128x\\n\' $(( $2 + 7 ))\n'


def test_a_command_gives_wrapping_keys_by_number_in_bounded_time_and_without_a_shell(tmp_path, monkeypatch):
    script = tmp_path / "kms"
    script.write_text(KMS)
    script.chmod(0o700)
    monkeypatch.setenv("TWINOPS_KEK_COMMAND", f"{script} 'a name; touch {tmp_path}/ran'")
    store = SqliteKeyStore(tmp_path / "keys")
    sids = store.subject_ids(PEOPLE)
    assert [store.rotate().kek, store.rotate().kek] == [1, 2]
    with pytest.raises(ParamsError, match="no wrapping key 3"):
        store.rotate()
    assert len(store.subject_keys(sids)) == len(PEOPLE)
    assert not (tmp_path / "ran").exists()
    monkeypatch.setenv("SLOW", "1")
    monkeypatch.setattr(wrapping_key, "SECONDS", 0.2)
    with pytest.raises(ServiceError, match="gave no wrapping key: TimeoutExpired"):
        store.subject_keys(sids)


def test_deleted_keys_leave_no_bytes_in_the_database_file(tmp_path):
    store = SqliteKeyStore(tmp_path / "keys")
    sids = store.subject_ids(PEOPLE)
    with store._database.writing() as db:
        wrapped = [bytes(w) for (w,) in db.all("SELECT wrapped FROM subject WHERE sid < '8'")]
    store.erase(Erasing(tuple(s for s in sids if s < "8")))
    raw = (tmp_path / "keys" / "keys.db").read_bytes()
    assert not [w for w in wrapped if w in raw]
    assert len(wrapped) > 50


def test_whoever_was_erased_is_known_by_a_keyed_hash_alone(tmp_path):
    store = SqliteKeyStore(tmp_path / "keys")
    (sid,) = store.subject_ids(["household-canary-4711"])
    name = store.erase(Erasing((sid,), ("canary@mail.example",)))["name"]
    assert store.erased_as(["household-canary-4711", sid, "other"]) == {"household-canary-4711": name, sid: name}
    assert store.suppressed(["household-canary-4711", "canary@mail.example", "x"]) == {
        "household-canary-4711",
        "canary@mail.example",
    }
    raw = (tmp_path / "keys" / "keys.db").read_bytes()
    assert b"canary" not in raw
