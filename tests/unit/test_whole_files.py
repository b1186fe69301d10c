"""A file is there whole or not at all, whoever is killed, refused or writes at the same time."""

import ast
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import twinops
from twinops import whole_files
from twinops.errors import DataError, IntegrityError
from twinops.whole_files import beside, half_of, told_in, write, write_once

SRC = Path(twinops.__file__).parent
MAY = {
    "cli/policy.py": "a folder that is gone afterwards",
    "workflows/pipeline/collect_synthetic.py": "a folder that is gone afterwards",
    "workflows/pipeline/collect_identities.py": "a folder that is gone afterwards",
    "adapters/registry_client/isolation.py": "a folder that is gone afterwards",
    "adapters/dvc/waiting.py": "the name of this process, as the system tells it",
    "demo/social.py": "a folder that is gone afterwards",
    "demo/social_archives.py": "an archive in memory",
    "adapters/notebooks/kernel.py": "a pipe to the process that asked",
    "server/registry/bucket.py": "a folder that is gone afterwards",
    "server/registry/artifacts.py": "staged, and published once it is whole",
}
"""Files that write in place, and why they may."""


def test_a_file_is_written_into_a_folder_that_is_made_for_it(tmp_path: Path) -> None:
    write(tmp_path / "live" / "told.json", "ä\n")
    assert (tmp_path / "live" / "told.json").read_bytes() == "ä\n".encode()
    assert [p.name for p in (tmp_path / "live").iterdir()] == ["told.json"]


def test_a_writer_that_is_killed_leaves_what_stood_and_the_next_one_takes_over(tmp_path: Path) -> None:
    place = tmp_path / "dvc.lock"
    write(place, "before")
    code = (
        "import os, signal, sys; from pathlib import Path; from twinops.whole_files import beside\n"
        "with beside(Path(sys.argv[1])) as half:\n"
        "    half.write_text('half of wh'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(place)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert place.read_text() == "before"
    assert half_of(place).read_text() == "half of wh"
    write(place, "after")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("dvc.lock", "after")]


def test_an_error_leaves_what_stood_and_no_half(tmp_path: Path) -> None:
    place = tmp_path / "a"
    write(place, "before")
    with pytest.raises(UnicodeEncodeError), beside(place) as half:
        half.write_text("aft\ud800", encoding="utf-8")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a", "before")]


def test_two_writers_at_once_never_mix(tmp_path: Path) -> None:
    place, texts = tmp_path / "a", [str(n) * 200_000 for n in range(8)]
    seen: list[str] = []

    def work(text: str) -> None:
        for _ in range(5):
            write(place, text)
            seen.append(place.read_text())

    threads = [threading.Thread(target=work, args=(t,)) for t in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 40
    assert set(seen) <= set(texts)
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_permissions_stay_or_are_those_that_are_asked_for(tmp_path: Path) -> None:
    place = tmp_path / "a"
    write(place, "1", mode=0o600)
    write(place, "2")
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    place.chmod(0o444)  # as DVC protects what it links from its cache
    write(place, "3")
    assert (stat.S_IMODE(place.stat().st_mode), place.read_text()) == (0o644, "3")


def test_a_link_is_replaced_and_never_followed(tmp_path: Path) -> None:
    other, place = tmp_path / "cached", tmp_path / "a"
    other.write_text("the cache's")
    place.symlink_to(other)
    write(place, "mine")
    assert (other.read_text(), place.read_text(), place.is_symlink()) == ("the cache's", "mine", False)
    half_of(place).symlink_to(other)
    with pytest.raises(OSError, match=os.strerror(40)):
        write(place, "again")
    assert other.read_text() == "the cache's"


def test_what_is_written_once_stays(tmp_path: Path) -> None:
    place = tmp_path / "registry.key"
    write_once(place, "first", mode=0o600)
    write_once(place, "second", mode=0o644)
    assert (place.read_text(), stat.S_IMODE(place.stat().st_mode)) == ("first", 0o600)
    assert [p.name for p in tmp_path.iterdir()] == ["registry.key"]


def test_a_file_system_without_locks_is_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise OSError(whole_files.NO_LOCKS[0], "no locks")

    monkeypatch.setattr(whole_files.fcntl, "flock", none)
    write(tmp_path / "a", "1")
    assert (tmp_path / "a").read_text() == "1"


def test_nothing_that_outlives_a_command_is_written_in_place() -> None:
    """Else the next command, or DVC, would read half of it after a kill."""
    found = {p.relative_to(SRC).as_posix() for p in SRC.rglob("*.py") if any(map(_writes, _calls(p)))}
    assert found == set(MAY)


def _calls(path: Path) -> list[ast.Call]:
    return _calls_in(ast.parse(path.read_text(encoding="utf-8")))


def _calls_in(tree: ast.AST) -> list[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def _writes(call: ast.Call) -> bool:
    """It fills a file under its own name: not below a name that says `half`."""
    if not isinstance(call.func, ast.Attribute):
        return False
    owner = ast.unparse(call.func.value)
    if "half" in owner:
        return False
    modes = [a.value for a in (*call.args[:2], *(k.value for k in call.keywords)) if isinstance(a, ast.Constant)]
    opens = call.func.attr in ("open", "fdopen") and any(m in ("w", "wb", "x", "xb") for m in modes)
    return call.func.attr in ("write_text", "write_bytes") or opens


@pytest.mark.parametrize("content", [b"", b"{", b"null", b"[]", b'{"rows": 7}', b'"x"', b"\xff\xfe", b"[" * 5000])
def test_a_damaged_file_is_named_in_a_sentence_wherever_in_it_the_damage_shows(tmp_path: Path, content: bytes) -> None:
    place = tmp_path / "counts.json"
    place.write_bytes(content)
    with (
        pytest.raises(IntegrityError, match=r"counts\.json is damaged") as told,
        told_in(place, hint="Delete it.") as found,
    ):
        sum(found["rows"].values())
    assert told.value.hint == "Delete it."


def test_a_refusal_that_follows_from_a_file_stays_what_it_is(tmp_path: Path) -> None:
    write(tmp_path / "a", "{}")
    with pytest.raises(DataError, match="no row"), told_in(tmp_path / "a"):
        raise DataError("no row")
    with pytest.raises(FileNotFoundError), told_in(tmp_path / "b"):
        pass


def test_no_json_file_is_read_without_a_sentence_for_when_it_is_damaged() -> None:
    found = {f"{p.relative_to(SRC).as_posix()}:{line}" for p in SRC.rglob("*.py") for line in _unguarded(p)}
    assert found == set()


def _unguarded(path: Path) -> list[int]:
    """Lines that parse a file's JSON outside every `try`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tried = {id(node) for t in ast.walk(tree) if isinstance(t, ast.Try) for one in t.body for node in ast.walk(one)}
    return [c.lineno for c in _calls_in(tree) if id(c) not in tried and _parses_a_file(c)]


def _parses_a_file(call: ast.Call) -> bool:
    return ast.unparse(call.func) in ("json.loads", "from_json") and any(
        ".read_" in ast.unparse(a) and "distribution(" not in ast.unparse(a) for a in call.args
    )
