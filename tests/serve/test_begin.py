"""`twinops serve` says where it answers once it does, and never where it will not."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import serving
from serving import PUBLIC, Shop

BEGIN = f"""
import sys
from pathlib import Path
from types import SimpleNamespace
from serving import Shop
from twinops.service import run
from twinops.service.opened import Serving

def opened(root):
    shop = Shop(Path(root))
    return SimpleNamespace(run=lambda verb: shop.ground, places=shop.places)


run.open_project = opened
root, uri, port, workers = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
run.run(root, Serving(uri, {PUBLIC!r}), run.Address(port=port, workers=workers))
"""


def begun(shop: Shop, uri: str, port: int, workers: int = 1) -> subprocess.Popen[str]:
    here = Path(__file__).parent
    path = os.pathsep.join(str(here.parent / p) for p in ("unit", "serve", "server", ".", "../setup"))
    told = {"PYTHONPATH": path, "PYTHONWARNINGS": "error::ResourceWarning"}
    command = [sys.executable, "-c", BEGIN, str(shop.root), uri, str(port), str(workers)]
    return subprocess.Popen(command, env={**os.environ, **told}, stderr=subprocess.PIPE, text=True)


def test_it_says_where_it_answers_as_soon_as_it_does(shop: Shop) -> None:
    shop.token("everything")
    port = serving.free_port()
    with begun(shop, str(shop.bundle), port) as running:
        try:
            assert running.stderr is not None
            said = running.stderr.readline()
            assert said.startswith(f"Answers on http://127.0.0.1:{port}/v1/")
            assert serving.until(lambda: serving.healthy(port)) < 5
        finally:
            running.terminate()
        assert running.stderr.read() == ""


@pytest.mark.parametrize("workers", [1, 2])
def test_where_no_model_is_vouched_for_it_does_not_say_that_it_answers(
    shop: Shop, tmp_path: Path, workers: int
) -> None:
    shop.token("everything")
    with begun(shop, str(tmp_path / "no bundle"), serving.free_port(), workers) as running:
        _, said = running.communicate(timeout=120)
    assert running.returncode != 0
    assert "No model is vouched for" in said
    assert "Answers on" not in said


def test_where_the_port_is_taken_it_does_not_say_that_it_answers(shop: Shop) -> None:
    shop.token("everything")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        running = begun(shop, str(shop.bundle), port)
        _, said = running.communicate(timeout=120)
    assert running.returncode != 0
    assert f"Port {port} of 127.0.0.1 cannot be listened on." in said
    assert "Answers on" not in said
