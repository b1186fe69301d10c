"""`twinops doctor` clears what a killed server leaves, and nothing of one that is at work."""

from __future__ import annotations

import fcntl
from pathlib import Path

from candidate import write

from twinops.adapters import server_leftovers


def leftovers(root: Path) -> list[Path]:
    left = [
        root / "registry" / "approved" / ".making-1" / "MLmodel",
        root / "registry" / "evidence" / "abc" / ".2",
        root / "mlruns" / "1" / "run" / "artifacts" / ".artifact.uploading.3",
    ]
    for path in left:
        write(path, "half")
    write(root / "registry" / "approved" / "whole" / "MLmodel", "whole")
    write(root / "registry" / "server.lock", "4711")
    return left


def test_half_made_files_and_a_dead_servers_name_are_cleared(tmp_path: Path) -> None:
    left = leftovers(tmp_path)
    assert len(server_leftovers.mend(tmp_path)) == 2
    assert not any(path.exists() for path in left)
    assert (tmp_path / "registry" / "approved" / "whole" / "MLmodel").read_text() == "whole"
    assert (tmp_path / "registry" / "server.lock").read_text() == ""
    assert server_leftovers.mend(tmp_path) == []


def test_nothing_is_touched_while_a_server_is_at_work(tmp_path: Path) -> None:
    left = leftovers(tmp_path)
    with (tmp_path / "registry" / "server.lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert server_leftovers.mend(tmp_path) == []
    assert all(path.exists() for path in left)


def test_without_a_server_there_is_nothing_to_clear(tmp_path: Path) -> None:
    assert server_leftovers.mend(tmp_path) == []
