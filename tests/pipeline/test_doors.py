"""The README's commands and the two servers, opened as a reader would open them."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import shlex
import signal
import socket
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from workshop import ROOT, Workshop

pytestmark = pytest.mark.pipeline

README = (ROOT / "README.md").read_text(encoding="utf-8") + (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
ANSWERS_NO = ("twinops gates explain", "twinops decide")
"""The candidate is refused, so these end with 10."""
ASKS_FOR_MORE = (
    " NAME",
    "gates resolve",
    "model evidence",
    "policy activate reports/evidence.json",
    "judge show",
    "judge activate",
    "model adopt-base",
    "holdout open",
    "twinops upgrade",
    "subject erase",
    "links settle",
)
"""What is told of in short, without what it must be given or in a folder it is not meant for, ends with 2."""
EITHER = ("twinops release", "twinops audit verify", "twinops sources windows")
"""A small project's table may be refused, and its receipts be too few; without a server there may be no log."""
OWN_KEYS = "twinops keys"
"""The demonstration's keys are published: of a store of one's own nothing can be told, which ends with 4."""
STAYS = ("twinops server", "twinops serve --model twin@production")
"""Run until they are stopped; tests/server and tests/serve start them."""


def commands() -> list[str]:
    """Every `twinops` and `dvc` command of the README, in code blocks and in backticks, once each."""
    blocks = "\n".join(re.findall(r"```\n(.*?)```", README, re.S))
    written = [line.split("#")[0].strip() for line in blocks.split("\n")] + re.findall(r"`([^`\n]+)`", README)
    told = [w for w in dict.fromkeys(written) if w.startswith(("twinops ", "dvc ")) and "<" not in w]
    known = [w for w in told if w not in STAYS]
    return [w.replace("FILE", "reports/evidence.json") for w in known]


def expected(command: str) -> int | None:
    """How a command ends here: refusals with 10, what was not given all it asks for with 2; None: this or that."""
    if command.endswith(ASKS_FOR_MORE):
        return 2
    if command.startswith(EITHER):
        return None
    if command.startswith(OWN_KEYS):
        return 4
    return 10 if command.startswith(ANSWERS_NO) else 0


def test_every_command_of_the_readme_does_what_it_says(ran: Workshop, tmp_path: Path) -> None:
    ran.do("git", "clone", "-q", str(ran.root), str(tmp_path / "clone"))
    clone = Workshop(tmp_path / "clone")
    clone.do("cp", "-r", str(ran.root / ".dvc" / "cache"), str(clone.root / ".dvc" / "cache"))
    clone.do("dvc", "checkout")
    clone.do("twinops", "track")
    assert len(commands()) >= 8
    for command in sorted(commands(), key=lambda c: c.startswith("dvc exp")):
        clone.do(*shlex.split(command), expect=expected(command))


def test_every_make_target_of_the_readme_exists() -> None:
    asked = set(re.findall(r"(?:`|^)make ([a-z-]+)", README, re.M))
    listed = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    assert asked <= listed


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def recipe(target: str) -> str:
    """The command below a Makefile target, as make would run it."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    lines = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", text, re.M)
    assert lines
    return (
        lines[1]
        .replace("\\\n", " ")
        .replace("\t", " ")
        .strip()
        .lstrip("@")
        .replace("$$", "$")
        .replace("$(CURDIR)", "$PWD")
    )


@contextlib.contextmanager
def serving(workshop: Workshop, command: str, url: str) -> Iterator[None]:
    """Run a server until the block ends."""
    process = workshop.start("bash", "-c", command)
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(OSError):
                fetch(url)
                break
            time.sleep(0.5)
        else:
            os.killpg(process.pid, signal.SIGKILL)
            raise AssertionError(f"no answer at {url}:\n{process.communicate()[0][-3000:]}")
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=60)


def fetch(url: str, password: str = "") -> str:
    """What our own server on this machine answers, to the scientist when a password is given."""
    asked = urllib.request.Request(url)  # noqa: S310
    if password:
        asked.add_header("Authorization", "Basic " + base64.b64encode(f"scientist:{password}".encode()).decode())
    with urllib.request.urlopen(asked, timeout=20) as answer:  # noqa: S310
        return str(answer.read().decode("utf-8", "replace"))


def test_make_serve_shows_the_run_its_card_and_the_version(ran: Workshop, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "server.log"
    base = f"http://127.0.0.1:{port}"
    with serving(ran, f"PORT={port}; {recipe('serve')} > {log} 2>&1", f"{base}/health"):
        words = [line.split() for line in log.read_text(encoding="utf-8").splitlines() if line.startswith("  ")]
        scientist = next(w[1] for w in words if w[0] == "scientist")
        found = json.loads(fetch(f"{base}/api/2.0/mlflow/model-versions/search", scientist))["model_versions"]
        assert [v["version"] for v in found] == ["1"]
        assert "accuracy_spend" in found[0]["description"]
        run = found[0]["run_id"]
        card = fetch(f"{base}/get-artifact?path=model_cards/twin/README.md&run_uuid={run}", scientist)
    assert card == (ran.root / "model_cards" / "twin" / "README.md").read_text(encoding="utf-8")


def test_make_lab_opens_a_percent_file_as_a_notebook(ran: Workshop) -> None:
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    command = f"{recipe('lab')} --no-browser --port={port} --IdentityProvider.token=t --allow-root"
    with serving(ran, command, f"{base}/api?token=t"):
        opened = json.loads(fetch(f"{base}/api/contents/notebooks/train.py?type=notebook&token=t"))
    assert opened["type"] == "notebook"
    assert any("parameters" in cell["metadata"].get("tags", []) for cell in opened["content"]["cells"])
    assert ran.do("git", "status", "--porcelain") == ""
