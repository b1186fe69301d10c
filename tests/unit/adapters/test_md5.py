"""A file is read once while it is the same, and again as soon as it is another."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from twinops.adapters import md5
from twinops.adapters.md5 import md5_of

LONG_AGO = 1_700_000_000


def of(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def test_another_content_of_the_same_size_and_time_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    for text in ("x = 1", "x = 2"):
        path.write_text(text, encoding="utf-8")
        os.utime(path, (LONG_AGO, LONG_AGO))
        assert md5_of(path) == of(text)


def test_a_file_that_lies_there_for_long_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, read, of_file = tmp_path / "a.py", [], md5._read
    path.write_text("x = 1", encoding="utf-8")
    monkeypatch.setattr(md5, "_read", lambda p: read.append(p) or of_file(p))
    monkeypatch.setattr(md5, "time_ns", lambda: path.stat().st_ctime_ns + 10 * md5.SETTLED_NS)
    assert md5_of(path) == md5_of(path) == of("x = 1")
    assert len(read) == 1


def test_a_folder_is_told_by_all_that_is_not_left_out(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    for name in ("a.py", "below/b.py"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    before = md5_of(tmp_path, ignored=("*.pyc", "__pycache__"))
    (tmp_path / "below" / "__pycache__").mkdir()
    (tmp_path / "below" / "__pycache__" / "c.py").write_text("", encoding="utf-8")
    (tmp_path / "c.pyc").write_text("", encoding="utf-8")
    assert md5_of(tmp_path, ignored=("*.pyc", "__pycache__")) == before
    assert md5_of(tmp_path) != before
