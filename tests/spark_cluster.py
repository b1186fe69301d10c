"""A standalone Spark cluster on this machine, made of what the package `pyspark` brings: one Master, two Workers."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ON_CLUSTER = ("collect", "link", "features", "blend", "fuse", "proxies", "minimise", "taste_features")
"""Stages that are made on the cluster and must have the same bytes."""
CONF = Path(__file__).parent / "spark_conf"
"""Spark's own settings for tests, as `SPARK_CONF_DIR`."""
WAIT_SECONDS = 90


@dataclass
class Cluster:
    """Its address, and its processes: the Master first."""

    folder: Path
    address: str = ""
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, kind: str, *words: str) -> Path:
        """Start a Master or a Worker; its log."""
        import pyspark

        home = Path(pyspark.__file__).parent
        log = self.folder / f"{kind}-{len(self.processes)}.log"
        settings = {
            "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable,
            "SPARK_LOCAL_DIRS": str(self.folder / "spill"),
            "SPARK_DAEMON_JAVA_OPTS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        }  # fmt: skip
        with log.open("wb") as out:
            command = [str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{kind.lower()}.{kind}", *words]
            process = subprocess.Popen(
                command, env={**os.environ, **settings}, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
            )
        self.processes.append(process)
        return log

    def kill_worker(self) -> None:
        """Cut the power of the last Worker and of what runs in it."""
        lost = self.processes.pop()
        os.killpg(lost.pid, signal.SIGKILL)
        lost.wait()

    def stop(self) -> None:
        """End every process."""
        for process in reversed(self.processes):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def said(log: Path, pattern: str) -> str:
    """What a log says, as soon as it does."""
    for _ in range(WAIT_SECONDS * 5):
        if found := re.search(pattern, log.read_text(encoding="utf-8", errors="replace")):
            return found[1]
        time.sleep(0.2)
    raise AssertionError(
        f"{log.name} never said {pattern}:\n{log.read_text(encoding='utf-8', errors='replace')[-2000:]}"
    )


@contextlib.contextmanager
def cluster(folder: Path, workers: int = 2, memory: str = "1500M") -> Iterator[Cluster]:
    """A Master on a free port of loopback with as many Workers, each of one core."""
    made = Cluster(folder)
    try:
        master = made.start("Master", "--host", "127.0.0.1", "--port", "0", "--webui-port", "0")
        made.address = said(master, r"Starting Spark master at (spark://127\.0\.0\.1:\d+)")
        where = str(folder / "work")
        for _ in range(workers):
            log = made.start(
                "Worker",
                "--host",
                "127.0.0.1",
                "-c",
                "1",
                "-m",
                memory,
                "-d",
                where,
                "--webui-port",
                "0",
                made.address,
            )
            said(log, "(Successfully registered with master)")
        yield made
    finally:
        made.stop()
