"""A real project for `endure.py`: eight months of the demonstration's receipts, built, answered for and served.

Whatever is done to it is done by command, as its people would: `init`, `repro`, `officers`, `clients`, `serve`,
`update`, `subject erase`, `subject object`. The registry alone is its two routes (`tests/serve/test_registry.py`).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psutil
import replay
from scratch import BIN

from twinops.service.opened import clients_file
from twinops.wiring import open_project
from twinops.workflows.places import Places
from twinops.workflows.serving.live import LiveTwins, live

HOUSEHOLDS, FIRST = 300, 8
"""Whom it knows, and months of the first build; the next one comes by `twinops update`."""
OFFICER = ("Dora Demo", "dora@shop.example")
FACTS = {"solely_automated", "legal_or_similarly_significant_effect", "recipient_draws_strongly_on_score"}
ENDS_S = 300
Ran = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Shop:
    """The folder with everything of it; `ids` are all customers that its files name."""

    folder: Path
    ids: tuple[str, ...]

    @property
    def root(self) -> Path:
        """The project."""
        return self.folder / "project"

    def twinops(self, *said: str) -> Ran:
        """One command in the project."""
        return subprocess.run((str(BIN / "twinops"), *said), cwd=self.root, env=_env(), capture_output=True,
                              text=True, check=False)  # fmt: skip

    def done(self, *said: str) -> None:
        """One that must succeed."""
        found = self.twinops(*said)
        if found.returncode:
            raise SystemExit(f"bench: twinops {' '.join(said)} ended with {found.returncode}: {found.stderr[-2000:]}")

    def opened(self) -> LiveTwins:
        """Everybody, read anew from the files by nobody but us."""
        return live(ground=open_project(self.root).run("serving.live_ground"))

    def month_comes(self) -> None:
        """The next file lies in the folder that the project reads."""
        name = f"sales-{replay.month(FIRST + 1)}.csv"
        half = self.folder / "in" / f".{name}"
        shutil.copy(self.folder / "all" / name, half)
        half.replace(self.folder / "in" / name)

    def erase(self, who: str) -> Ran:
        """By the officer's own command."""
        key = str(self.folder / "officer")
        return self.twinops("subject", "erase", who, "--by", OFFICER[1], "--reason", "asked by letter", "--key", key)

    def object(self, who: str) -> Ran:
        """By the desk's command."""
        return self.twinops("subject", "object", who, "--purpose", "offers", "--by", OFFICER[1])

    def token(self, name: str) -> str:
        """A client that may do everything."""
        acts = ("predict", "simulate", "explain", "score", "events")
        given = [word for act in acts for word in ("--may", act)]
        found = self.twinops("clients", "add", name, "--purpose", "offers", *given, "--rate", "1e6", "--json")
        if found.returncode or not clients_file(open_project(self.root).places).is_file():
            raise SystemExit(f"bench: no client was let in: {found.stderr}")
        return str(json.loads(found.stdout)["token"])


def built(folder: Path) -> Shop:
    """Made from the receipts of The Complete Journey, with a synthetic consent."""
    who = replay.cut(folder / "all", HOUSEHOLDS)
    (folder / "in").mkdir()
    for number in range(1, FIRST + 1):
        shutil.copy(folder / "all" / f"sales-{replay.month(number)}.csv", folder / "in")
    replay.consents(folder / "optins.csv", who, until=(date(2017, FIRST + 1, 1) - replay.DAY0).days)
    shop = Shop(folder, tuple(map(str, who)))
    said = ("init", str(shop.root), "--from", str(folder / "in"), "--customers", str(folder / "customers.csv"),
            "--opt-ins", str(folder / "optins.csv"), "--currency", "USD", "--zone", "America/New_York", "--controller",
            "Demo Grocer (synthetic controller)", "--basis", "consent", "--synthetic", "--yes")  # fmt: skip
    replay.run(folder, str(BIN / "twinops"), *said)
    use = shop.root / "compliance" / "intended_use.yaml"
    text = use.read_text(encoding="utf-8")
    for fact in FACTS:  # GDPR art. 22: what its people would have to answer before anybody is served
        text = re.sub(rf"(?m)^(  {fact}): unknown$", r"\1: false", text)
    use.write_text(text, encoding="utf-8")
    key = folder / "officer"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)], check=True)
    shop.done("officers", "add", OFFICER[0], "--email", OFFICER[1], "--office", "data protection officer",
              "--key", f"{key}.pub")  # fmt: skip
    shop.done("repro")
    for words in (("add", "-A"), ("commit", "-qm", "built")):
        subprocess.run(("git", "-c", f"user.name={OFFICER[0]}", "-c", f"user.email={OFFICER[1]}", *words),
                       cwd=shop.root, env=_env(), check=True, capture_output=True)  # fmt: skip
    return shop


@contextmanager
def served(shop: Shop, port: int, *, registry: str, key: str) -> Iterator[psutil.Process]:
    """`twinops serve` with two processes, once it answers; ended with SIGTERM, as a system ends what it runs."""
    import serving

    said = ("serve", "--model", "twin@production", "--key", key, "--workers", "2", "--port", str(port))
    with (shop.folder / "serve.log").open("a") as log:
        env = {**_env(), "TWINOPS_SERVER": registry, "XDG_STATE_HOME": str(shop.folder / "state")}
        running = subprocess.Popen((str(BIN / "twinops"), *said), cwd=shop.root, env=env, stdout=log, stderr=log)
    try:
        serving.until(lambda: running.poll() is not None or serving.healthy(port), ENDS_S)
        if running.poll() is not None:
            raise SystemExit(f"bench: the service did not begin: {(shop.folder / 'serve.log').read_text()[-2000:]}")
        yield psutil.Process(running.pid)
    finally:
        running.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            running.wait(60)
        if running.poll() is None:
            kill(psutil.Process(running.pid))


def kill(process: psutil.Process) -> None:
    """SIGKILL, and first the one that would start others in place of the killed."""
    family = [process, *process.children(recursive=True)]
    for one in family:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    psutil.wait_procs(family, timeout=30)


def memory_mb(process: psutil.Process) -> float:
    """What all processes of it hold."""
    found = 0
    with suppress(psutil.NoSuchProcess):
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                found += one.memory_info().rss
    return found / 1024**2


def until_free(do: Any, ending: Any) -> Ran:
    """A command that is told that another is at work is said again."""
    while True:
        found: Ran = do()
        if found.returncode != 5 or ending.is_set():
            return found
        time.sleep(0.5)


def _env() -> dict[str, str]:
    env = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    env.pop("PYTHONPATH", None)
    return env


def places(shop: Shop) -> Places:
    """Where everything of the project lies."""
    return Places(shop.root)
