"""Keys across a cluster: given to whoever knows the secret, for the subjects of the rows alone, not in the clear."""

from __future__ import annotations

import os
import pickle
import socket
from dataclasses import replace

import pytest

from twinops.adapters.keystore import stored
from twinops.adapters.memory.engine_and_keys import MemoryKeys
from twinops.adapters.sql import key_window
from twinops.adapters.sql.key_window import KeysAcross, KeyWindow
from twinops.errors import IntegrityError, ServiceError


@pytest.fixture
def keys():
    return MemoryKeys()


@pytest.fixture
def sids(keys):
    return keys.subject_ids(["a", "b", "c"])


@pytest.fixture
def window(keys, sids):
    opened = KeyWindow(keys, frozenset(sids[:2]), host="127.0.0.1")
    yield opened
    opened.close()


def test_a_task_is_given_the_keys_of_its_subjects(window, keys, sids):
    task: KeysAcross = pickle.loads(pickle.dumps(window.across))  # noqa: S301  (our own)
    assert task.subject_keys(sids[:1]) == keys.subject_keys(sids[:1])
    assert task.subject_keys([]) == {}


def test_nobody_is_given_the_key_of_a_subject_whose_rows_are_not_there(window, keys, sids):
    assert window.across.subject_keys(sids) == keys.subject_keys(sids[:2])


def test_whoever_was_erased_meanwhile_has_no_key_any_more(window, keys, sids):
    keys.forget(sids[0])
    assert list(window.across.subject_keys(sids)) == [sids[1]]


def test_whoever_does_not_know_the_secret_is_told_nothing(window, sids):
    with pytest.raises(ServiceError):
        replace(window.across, secret=os.urandom(64)).subject_keys(sids)


def test_keys_are_not_sent_in_the_clear(window, keys, sids, monkeypatch):
    heard, received = [], key_window._received
    monkeypatch.setattr(key_window, "_received", lambda line, **how: heard.append(received(line, **how)) or heard[-1])
    window.across.subject_keys(sids[:1])
    assert len(heard) == 2
    assert all(bytes.fromhex(sids[0]) not in m and keys.subject_keys(sids[:1])[sids[0]] not in m for m in heard)


def test_who_is_between_cannot_put_the_question_of_another_task_behind_this_ones_number(window, sids, monkeypatch):
    asked, send = [], key_window._send
    monkeypatch.setattr(key_window, "_send", lambda line, message: asked.append(message) or send(line, message))
    window.across.subject_keys(sids[:1])
    other = asked[0][key_window.NONCE :]
    monkeypatch.setattr(key_window, "_send", lambda line, message: send(line, message[: key_window.NONCE] + other))
    with pytest.raises(ServiceError):  # an answer about others would pass for: my own are erased
        window.across.subject_keys(sids[1:2])


def test_a_stranger_is_not_listened_to_for_longer_than_a_question_can_be(window):
    with socket.create_connection(window.across.address, timeout=10) as line:
        line.sendall((100 * 2**20).to_bytes(8, "big"))
        assert line.recv(1) == b""


def test_another_who_answers_is_not_believed(sids):
    with socket.create_server(("127.0.0.1", 0)) as other:
        import threading

        def answer():
            line, _ = other.accept()
            with line:
                key_window._received(line)
                key_window._send(line, os.urandom(112))

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(IntegrityError):
            KeysAcross(other.getsockname(), os.urandom(64)).subject_keys(sids)


def test_a_closed_window_answers_nobody(keys, sids):
    window = KeyWindow(keys, frozenset(sids), host="127.0.0.1")
    window.close()
    with pytest.raises(ServiceError):
        window.across.subject_keys(sids)


def test_the_secret_is_not_shown(window):
    assert str(window.across.secret) not in repr(window.across)


def test_keys_of_ones_own_store_are_given_too(tmp_path):
    store = stored(str(tmp_path / "keystore"))
    sids = store.subject_ids(["a", "b"])
    window = KeyWindow(store, frozenset(sids), host="127.0.0.1")
    assert window.across.subject_keys(sids) == store.subject_keys(sids)
    window.close()
