"""The ledger of rights is appended to, never changed; it and `rights.json` belong together, whenever somebody dies."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from twinops.adapters.keystore import SqliteKeyStore
from twinops.adapters.rights_ledger import RightsLedger
from twinops.entities.rights import Right, RightsAct
from twinops.errors import IntegrityError, ParamsError

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.fixture
def keys(tmp_path: Path) -> SqliteKeyStore:
    return SqliteKeyStore(tmp_path / "keystore")


@pytest.fixture
def sid(keys: SqliteKeyStore) -> str:
    return keys.subject_ids(["household 7"])[0]


@pytest.fixture
def ledger(tmp_path: Path, keys: SqliteKeyStore) -> RightsLedger:
    return RightsLedger(tmp_path / "keystore", keys, tmp_path, lambda: NOON)


def objecting(sid: str, **more: object) -> RightsAct:
    act = RightsAct(Right.OBJECTED, sid, "data owner", "ann", purpose="offers", told={"reason": "by letter of today"})
    return replace(act, **more)


def test_what_was_written_is_read_back_with_its_words(ledger: RightsLedger, sid: str) -> None:
    (made,) = ledger.append(objecting(sid))
    assert ledger.entries() == (made,)
    assert (made.seq, made.at, made.sid, made.act.purpose) == (1, NOON, sid, "offers")
    assert ledger.told(made) == {"reason": "by letter of today"}


def test_words_lie_nowhere_in_the_open_and_go_with_the_key(ledger: RightsLedger, sid: str, tmp_path: Path) -> None:
    (made,) = ledger.append(objecting(sid))
    assert b"by letter" not in (tmp_path / "keystore" / "keys.db").read_bytes()
    ledger.keys.forget(sid)  # type: ignore[attr-defined]
    assert ledger.entries() == (made,)
    assert ledger.told(made) == {}


def test_the_projects_file_holds_a_count_and_a_digest_and_nobody(ledger: RightsLedger, sid: str) -> None:
    (made,) = ledger.append(objecting(sid))
    assert json.loads((ledger.root / "rights.json").read_text()) == {"entries": 1, "head": made.digest}
    ledger.check()


def test_what_changes_no_use_of_data_leaves_the_projects_file_as_it_is(ledger: RightsLedger, sid: str) -> None:
    ledger.append(objecting(sid))
    before = (ledger.root / "rights.json").read_bytes()
    ledger.append(objecting(sid, right=Right.EXPORTED), objecting("", right=Right.CASE, about={"case": "c-1"}))
    assert (ledger.root / "rights.json").read_bytes() == before
    ledger.check()


def test_words_of_somebody_unknown_are_sealed_all_the_same(ledger: RightsLedger) -> None:
    (made,) = ledger.append(objecting("", right=Right.CASE))
    assert ledger.told(made) == {"reason": "by letter of today"}
    assert b"by letter" not in (ledger.place / "keys.db").read_bytes()


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE rights SET body = replace(body, 'object', 'consent') WHERE seq = 1",
        "DELETE FROM rights WHERE seq = 1",
        "INSERT OR REPLACE INTO rights SELECT seq, replace(body, 'object', 'consent'), sealed, digest FROM rights",
        "INSERT INTO rights SELECT 9, body, sealed, digest FROM rights WHERE seq = 1",
    ],
)
def test_the_database_itself_refuses_to_change_the_past(ledger: RightsLedger, sid: str, attack: str) -> None:
    before = ledger.append(objecting(sid), objecting(sid, purpose="twin_training"))
    with sqlite3.connect(ledger.place / "keys.db") as db, pytest.raises(sqlite3.IntegrityError, match="never changed"):
        db.execute(attack)
    assert ledger.entries() == before


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE rights SET body = replace(body, 'object', 'consent') WHERE seq = 1",
        "UPDATE rights SET sealed = NULL WHERE seq = 1",
        "DELETE FROM rights WHERE seq = 1",
    ],
)
def test_a_past_that_was_changed_behind_the_triggers_is_seen(ledger: RightsLedger, sid: str, attack: str) -> None:
    ledger.append(objecting(sid), objecting(sid, purpose="twin_training"))
    with sqlite3.connect(ledger.place / "keys.db") as db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        db.execute(attack)
    with pytest.raises(IntegrityError, match="Entry 1 of the ledger of rights was changed"):
        ledger.entries()


def test_a_cut_off_end_is_seen_by_the_projects_file(ledger: RightsLedger, sid: str) -> None:
    ledger.append(objecting(sid))
    ledger.append(objecting(sid, purpose="twin_training"))
    with sqlite3.connect(ledger.place / "keys.db") as db:
        db.execute("DROP TRIGGER rights_no_delete")
        db.execute("DELETE FROM rights WHERE seq = 2")
    for asked in (ledger.check, ledger.sync, lambda: ledger.append(objecting(sid))):
        with pytest.raises(IntegrityError, match="does not have"):
            asked()


def test_a_file_that_is_behind_refuses_until_it_is_written_anew(ledger: RightsLedger, sid: str) -> None:
    ledger.append(objecting(sid))
    old = (ledger.root / "rights.json").read_bytes()
    ledger.append(objecting(sid, purpose="twin_training"))
    (ledger.root / "rights.json").write_bytes(old)
    with pytest.raises(IntegrityError, match=r"rights\.json tells of 1 entries.*has 2") as refused:
        ledger.check()
    assert refused.value.exit_code == 4
    assert ledger.sync()[0].entries == 2
    ledger.check()


@pytest.mark.parametrize("change", [lambda f: f.unlink(), lambda f: f.write_text("{"), lambda f: f.write_text("[]")])
def test_a_file_that_is_lost_or_torn_refuses(ledger: RightsLedger, sid: str, change: Callable[[Path], object]) -> None:
    ledger.append(objecting(sid))
    change(ledger.root / "rights.json")
    with pytest.raises(IntegrityError):
        ledger.check()


def test_a_key_store_without_the_ledger_the_file_speaks_of_refuses(
    ledger: RightsLedger, sid: str, tmp_path: Path
) -> None:
    ledger.append(objecting(sid))
    elsewhere = replace(ledger, place=tmp_path / "other")
    with pytest.raises(IntegrityError, match="does not have"):
        elsewhere.check()


def test_a_project_in_which_nobody_asked_for_anything_needs_no_ledger(ledger: RightsLedger, tmp_path: Path) -> None:
    empty = replace(ledger, place=tmp_path / "new")
    empty.check()
    assert (empty.entries(), (tmp_path / "new").exists()) == ((), False)


def test_a_ledger_nobody_looked_at_for_longer_than_declared_refuses(ledger: RightsLedger, sid: str) -> None:
    with pytest.raises(IntegrityError, match=r"never; rights\.max_age_days says 31"):
        ledger.check(max_age_days=31)
    ledger.append(objecting(sid))
    late = replace(ledger, now=lambda: NOON + timedelta(days=32))
    ledger.check(max_age_days=31)
    with pytest.raises(IntegrityError, match=r"32 days ago; rights\.max_age_days says 31"):
        late.check(max_age_days=31)
    late.sync()
    late.check(max_age_days=31)


def test_a_long_text_and_a_sentence_in_the_open_are_refused_whole(ledger: RightsLedger, sid: str) -> None:
    for wrong in (objecting(sid, told={"reason": "x" * 2_001}), objecting(sid, about={"case": "call Ann, please"})):
        with pytest.raises(ParamsError):
            ledger.append(objecting(sid), wrong)
    assert ledger.entries() == ()


KILLED = """
import os, signal, sys
from pathlib import Path
from twinops.adapters.keystore import SqliteKeyStore
from twinops.adapters.rights_ledger import RightsLedger
from twinops.entities.rights import Right, RightsAct
root = Path(sys.argv[1])
keys = SqliteKeyStore(root / "keystore")
sid = keys.subject_ids(["household 7"])[0]
Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
RightsLedger(root / "keystore", keys, root).append(RightsAct(Right.OBJECTED, sid, "data owner", "ann"))
"""


def test_whoever_dies_between_ledger_and_file_is_mended_by_the_next_command(
    ledger: RightsLedger, sid: str, tmp_path: Path
) -> None:
    ledger.append(objecting(sid))
    died = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], env=os.environ, check=False)
    assert died.returncode == -signal.SIGKILL
    with pytest.raises(IntegrityError, match=r"rights\.json tells of 1 entries"):
        ledger.check()
    ledger.append(objecting(sid, purpose="twin_scoring"))
    ledger.check()
    assert len(ledger.entries()) == 3


AT_ONCE = """
import sys
from pathlib import Path
from twinops.adapters.keystore import SqliteKeyStore
from twinops.adapters.rights_ledger import RightsLedger
from twinops.entities.rights import Right, RightsAct
root = Path(sys.argv[1])
keys = SqliteKeyStore(root / "keystore")
ledger = RightsLedger(root / "keystore", keys, root)
sid = keys.subject_ids(["household 7"])[0]
for n in range(25):
    ledger.append(RightsAct(Right.OBJECTED, sid, "data owner", sys.argv[2]))
    ledger.check()
"""


def test_of_processes_that_write_at_once_none_sees_a_ledger_beside_an_older_file(
    ledger: RightsLedger, sid: str, tmp_path: Path
) -> None:
    ledger.append(objecting(sid))
    command = [sys.executable, "-c", AT_ONCE, str(tmp_path)]
    started = [subprocess.Popen([*command, who], stderr=subprocess.PIPE, text=True) for who in ("ann", "ben", "cleo")]
    assert [(p.communicate()[1], p.returncode) for p in started] == [("", 0)] * 3
    ledger.check()
    assert len(ledger.entries()) == 76


@pytest.mark.parametrize("why", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE])
def test_a_lock_that_a_full_disk_or_a_broken_one_refuses_stops_the_writer(
    ledger: RightsLedger, sid: str, why: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ledger.entries()

    def refuse(*_: object) -> None:
        raise OSError(why, os.strerror(why))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(OSError, match=os.strerror(why)):
        ledger.append(objecting(sid))
    monkeypatch.undo()
    assert ledger.entries() == before


@pytest.mark.parametrize("why", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks_is_written_to_without_one(
    ledger: RightsLedger, sid: str, why: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(why, os.strerror(why))

    monkeypatch.setattr(fcntl, "flock", refuse)
    ledger.append(objecting(sid))
    assert len(ledger.entries()) == 1
