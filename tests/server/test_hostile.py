"""Models made to run code or to eat memory, uploaded to a running server: none is approved, none takes it down."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from io import BytesIO

import live as living
import play
import psutil
import pytest
from hostile_models import HOSTILE, LIGHTGBM
from live import Live

pytestmark = pytest.mark.pipeline
MOST_GROWTH_BYTES = 300_000_000


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with living.serving(tmp_path_factory.mktemp("hostile")) as server:
        yield server


def zipped() -> bytes:
    held = BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("zeros", b"\0" * 50_000_000)
    return held.getvalue()


def hostile() -> dict[str, dict[str, bytes]]:
    """What is uploaded beside the play's own files, by what it is."""
    evil = b"import pathlib; pathlib.Path('ran').write_text('x')\n"
    bombs = {name: zipped() for name in ("model.zip", "model.parquet", "model.skops", "model.pkl")}
    described = {
        name: {"MLmodel": told.encode(), "evil.py": evil, "code/evil.py": evil} for name, told in HOSTILE.items()
    }
    return {
        **described,
        **{
            name: {"MLmodel": play.MLMODEL.replace("data/twin.json", name).encode(), name: b}
            for name, b in bombs.items()
        },
        "damaged LightGBM text": {
            "MLmodel": LIGHTGBM.encode(),
            "model.lgb": b"tree\nnum_leaves=-9999999999\nsplit_gain=",
        },
        "deep JSON": {"data/twin.json": b"[" * 200_000},
    }


def test_hostile_models_are_not_approved_and_the_server_goes_on(live: Live) -> None:
    assert live.process is not None
    server = psutil.Process(live.process.pid)
    before = server.memory_info().rss
    decided = {}
    for name, files in hostile().items():
        version = live.registered(1, files={**play.model_files(1), **files})
        judged = live.judged(version)
        assert judged.status < 500, (name, judged.body)
        decided[name] = live.decided("approve", version)
        assert (decided[name].refused, live.alias(version).status) == (True, 403), name
        shown = live.call("GET", f"/twinops/review?name={version.name}&version={version.version}", who="risk-officer")
        assert shown.status == 200, name
    assert [name for name, answer in decided.items() if answer.status >= 500] == []
    assert server.is_running()
    assert server.memory_info().rss - before < MOST_GROWTH_BYTES
    assert not (live.root / "ran").exists()
    assert live.approved(2).version > len(decided), "and it still serves who means well"
