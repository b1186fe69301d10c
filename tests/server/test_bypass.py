"""The small siege: every way round that was ever tried, on a running server over HTTP, on SQLite and PostgreSQL.

The attacks are in `tests/siege/attacks/`; `make siege` tries all of them, in whole sizes, and writes the table of
`docs/operate.md`. What is not protected against is there too, and is shown for what it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import live as living
import pytest

from siege import kit, servers, table
from siege.kit import ABSENT, HELD, OPEN, Attempt, Siege

pytestmark = pytest.mark.pipeline
SMALL = [
    pytest.param(one, id=one.id, marks=[pytest.mark.artifacts] if one.attack.stored else [])
    for one in kit.attempts(attack for attack in kit.attacks() if not attack.large)
]


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "s3"])
def siege(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Siege]:
    root = tmp_path_factory.mktemp(request.param)
    if request.param == "sqlite":
        with living.serving(root) as server:
            yield Siege(server, servers.ALL)
        return
    if request.param == "s3":
        with living.serving(root, bucket=request.getfixturevalue("buckets")()) as server:
            yield Siege(server, servers.ALL)
        return
    with servers.two_roles(root, request.getfixturevalue("postgres").database()) as server:
        yield Siege(server, servers.ALL)


@pytest.mark.parametrize("attempt", SMALL)
def test_the_door_holds(siege: Siege, attempt: Attempt) -> None:
    outcome = siege.attempt(attempt)
    expected = OPEN if attempt.attack.residual else HELD
    assert outcome.word in (expected, ABSENT), (outcome.word, outcome.why)


@pytest.mark.artifacts
def test_everything_is_still_whole(siege: Siege) -> None:
    from twinops.governance.log.verify import check

    server = siege.target
    assert isinstance(server, living.Live)
    log = server.log()
    notes = [path.read_text() for path in sorted((server.root / "registry" / "checkpoints").glob("*.txt"))]
    key = bytes.fromhex((server.root / "registry" / "registry.pub").read_text())
    found = check([e.encode() for e in log["entries"]], notes, [key], head=(log["size"], log["root"]))
    assert found.faults == ()
    assert "Traceback" not in (server.root / "server.log").read_text()
    assert Path(server.root, "registry", "registry.key").stat().st_mode & 0o077 == 0


def test_the_document_tells_what_the_kit_knows() -> None:
    told = table.DOCUMENT.read_text().partition(table.BEGIN)[2].partition(table.END)[0]
    known = kit.attacks()
    groups = {line.split("|")[1].strip() for line in told.splitlines() if line.startswith("| ")} - {"tried"}
    assert groups == {one.group for one in known if not one.residual}
    named = {line.rpartition("(`")[2].rstrip("`)") for line in told.splitlines() if line.startswith("- ")}
    assert named == {one.name for one in known if one.residual}
    tested = [one.test.split("::") for one in known if one.test]
    gone = [name for path, name in tested if f"def {name}(" not in (table.ROOT / path).read_text()]
    assert gone == [], "rows that are tried by a test which is not there"
