"""The key store in PostgreSQL keeps every promise of the one in SQLite, and copies go from one to the other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from twinops.adapters.keystore import SqliteKeyStore, stored
from twinops.adapters.lineage_index import LineageIndex
from twinops.adapters.rights_ledger import RightsLedger
from twinops.entities.erasure import Erasing, ErasureMarks
from twinops.entities.rights import LearnedVersion, Right, RightsAct
from twinops.errors import IntegrityError, ServiceError

PEOPLE = [str(i) for i in range(100)]


@pytest.fixture
def address(postgres):
    return postgres._address(postgres._created("template0"))


def test_it_enrols_erases_rotates_and_remembers_as_the_other_does(address, tmp_path):
    store = stored(address, wrapped_in=tmp_path)
    sids, other = store.subject_ids(PEOPLE), stored(address, wrapped_in=tmp_path)
    before, batch = store.subject_keys(sids), store.batch_key("t", "b")
    assert (other.subject_ids(PEOPLE), other.subject_keys(sids), other.batch_key("t", "b")) == (sids, before, batch)
    told = store.erase(Erasing(tuple(sids[:3]), ("a@b.example",)))
    assert (told["epoch"], told["keys"]["database"], told["keys"]["destroyed_by_us"]) == (1, "PostgreSQL", True)
    assert other.subject_keys(sids) == {s: before[s] for s in sids[3:]}
    assert other.subject_keys(other.subject_ids(PEOPLE[:3])) == {}
    assert other.suppressed(["a@b.example", PEOPLE[0], PEOPLE[9]]) == {"a@b.example", PEOPLE[0]}
    assert other.erased_as([PEOPLE[0]]) == {PEOPLE[0]: told["name"]}
    store.forget_batch("t", "b")
    assert (store.batch_since("t", "b"), store.batch_key("t", "b") != batch) == (None, True)
    assert other.rotate().kek == 2
    assert store.subject_keys(sids) == {s: before[s] for s in sids[3:]}
    with pytest.raises(IntegrityError, match="no such subject"):
        store.forget(sids[0])


def test_a_copy_moves_to_sqlite_and_back_under_the_same_wrapping_key(address, tmp_path):
    keks = tmp_path / "keks"
    store = stored(address, wrapped_in=keks)
    sids = store.subject_ids(PEOPLE)
    before = store.subject_keys(sids)
    store.back_up(tmp_path / "copy")
    store.subject_ids(["late"])
    assert store.restore(tmp_path / "copy", ErasureMarks()).subjects == len(PEOPLE)
    assert store.subject_keys(sids) == before
    moved = SqliteKeyStore(keks)
    moved.restore(tmp_path / "copy", ErasureMarks())
    assert moved.subject_keys(sids) == before


def test_writers_at_once_agree_on_every_sid(address, tmp_path):
    stored(address, wrapped_in=tmp_path)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: stored(address, wrapped_in=tmp_path).subject_ids(PEOPLE), range(16)))
    assert all(one == found[0] for one in found)


def test_no_password_is_told_when_it_does_not_answer(tmp_path):
    with pytest.raises(ServiceError) as problem:
        stored("postgresql://owner:secret-word@127.0.0.1:1/keys", wrapped_in=tmp_path)
    assert "secret-word" not in str(problem.value)


def test_the_ledger_of_rights_and_the_index_of_versions_lie_there_too(address, tmp_path):
    keys = stored(address, wrapped_in=tmp_path)
    sid, other = keys.subject_ids(["7", "8"])
    ledger = RightsLedger(address, keys, tmp_path)
    assert ledger.entries() == ()
    told = RightsAct(Right.OBJECTED, sid, "data owner", "ann", purpose="offers", told={"reason": "by letter"})
    (made,) = ledger.append(told)
    again = RightsLedger(address, keys, tmp_path)
    assert again.entries() == (made,)
    assert again.told(made) == {"reason": "by letter"}
    again.check()
    for attack in ("UPDATE rights SET body = 'x'", "DELETE FROM rights", "TRUNCATE rights"):
        with pytest.raises(psycopg.errors.RaiseException, match="never changed"), psycopg.connect(address) as db:
            db.execute(attack)
    ledger.note("logged", "1")
    ledger.note("logged", "2")
    assert (again.state("logged"), len(again.entries())) == ("2", 1)
    LineageIndex(address).remember(LearnedVersion("twin", "1", "k"), [sid])
    assert [len(LineageIndex(address).of([s])) for s in (sid, other)] == [1, 0]
