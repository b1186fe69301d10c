"""What the registry's door costs: alias set and resolve, stock MLflow against ours, call by call in turn, in one run.

CPU milliseconds of the server's process per call, over real HTTP with the same login; wall times stand in the note.
Usage: python bench/registry.py; its rows in `bench/results.json` are replaced.
"""

from __future__ import annotations

import base64
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / part) for part in ("tests/server", "tests/unit", "tests", "src")]

import live as living  # noqa: E402  # the tests' own server
import play  # noqa: E402

CALLS = 150
Row = dict[str, object]
STOCK = """
import json, os, uvicorn
from mlflow.server.auth import auth_config, create_app
from twinops.server.app.accounts import first_start
print(json.dumps(first_start(auth_config.database_uri)), flush=True)
from mlflow.server.handlers import _get_tracking_store, _get_model_registry_store
_get_tracking_store(); _get_model_registry_store()
uvicorn.run(create_app(), host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning", access_log=False)
"""


class Stock(living.Live):
    """The same MLflow with its own basic-auth and no more."""

    def start(self, *_options: str, **_environment: str) -> None:
        """Start it in the same way, one process, logins cached as ours are."""
        accounts = (self.database or "").replace(
            "postgresql://", "postgresql+psycopg://"
        ) or f"sqlite:///{self.root}/accounts.db"
        uri = (self.database or "").replace(
            "postgresql://", "postgresql+psycopg://"
        ) or f"sqlite:///{self.root}/mlflow.db"
        (self.root / "accounts.ini").write_text(
            f"[mlflow]\ndefault_permission = READ\ndatabase_uri = {accounts}\nadmin_username = admin\n"
            "auth_cache_ttl_seconds = 60\n"
        )
        told = {
            **self.environment(),
            "MLFLOW_AUTH_CONFIG_PATH": str(self.root / "accounts.ini"),
            "MLFLOW_FLASK_SERVER_SECRET_KEY": "bench",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "_MLFLOW_SGI_NAME": "uvicorn",
            "_MLFLOW_SERVER_FILE_STORE": uri,
            "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
            "_MLFLOW_SERVER_ARTIFACT_DESTINATION": (self.root / "mlruns").as_uri(),
            "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
            "PORT": str(self.port),
        }
        (self.root / "mlruns").mkdir()
        log = self.root / "server.log"
        with log.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-c", STOCK], stdout=out, stderr=out, env=told, start_new_session=True
            )
        play.wait_until(lambda: self._up(log), seconds=180)
        self.passwords = json.loads(log.read_text().splitlines()[0])


def main() -> None:
    """Measure on both databases where both can be had, and write the rows."""
    rows = [review_page(), *measured("sqlite")]
    why = living.why_no_postgresql()
    if why:
        print(f"not on PostgreSQL: {why}", file=sys.stderr)
    else:
        rows += measured("postgresql")
    path = ROOT / "bench" / "results.json"
    kept = [row for row in json.loads(path.read_text(encoding="utf-8")) if row["name"] not in {r["name"] for r in rows}]
    path.write_text(json.dumps([*kept, *rows], indent=1) + "\n", encoding="utf-8")
    for row in rows:
        print(f"{row['name']:26} {row['value']:8.2f} {row['unit']}  {row['ratio']:.2f} x {row['peer']}")


def review_page(*, versions: int = 1_000) -> Row:
    """The officer's page over HTTP, with the repository's own evidence and documents, among so many versions."""
    with tempfile.TemporaryDirectory(prefix="twinops-bench-") as made:
        store = play.open_store(Path(made))
        numbers = [play.registered(store, n).version for n in range(versions)]
        for number in numbers[:: versions // 20]:
            play.with_evidence(store, store.get_model_version(play.MODEL, number))
        store._dispose_engine()
        with living.serving(Path(made), fresh=True) as server:
            shown = server.registered(versions)
            worked(server.call("POST", "/twinops/api/evidence", {**own_evidence(shown), **shown.which}, who="ci"))
            address = f"/twinops/review?name={play.MODEL}&version={shown.version}"
            walls, of_queue = timed(server, address), timed(server, "/twinops/")
    at95, queue95 = (sorted(found)[int(CALLS * 0.95)] for found in (walls, of_queue))
    return {
        "name": "review_page_p95",
        "value": round(at95, 1),
        "unit": "ms, p95",
        "peer": "the aim of 300 ms",
        "ratio": round(at95 / 300, 3),
        "n": CALLS,
        "note": f"{versions + 1} versions; card, assessment and verdicts of the repository's own candidate; wall, over"
        f" HTTP on SQLite, login cached; p50 {statistics.median(walls):.0f} ms; the queue's p95 {queue95:.0f} ms;"
        f" load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; lower is better",
    }


def own_evidence(version: living.Version) -> dict[str, object]:
    """What the gate runner hands in, with the files that are committed here."""
    paths = [ROOT / "reports" / "evidence.json", *sorted((ROOT / "model_cards" / play.MODEL).glob("*"))]
    paths += sorted((ROOT / "reports" / "figures").glob("*.png"))
    files = {p.relative_to(ROOT).as_posix(): base64.b64encode(p.read_bytes()).decode() for p in paths}
    return {**play.handed(version.files["data/twin.json"]), "files": files}


def timed(server: living.Live, path: str) -> list[float]:
    """Wall ms of each call."""
    found = []
    for _ in range(CALLS + 5):
        started = time.perf_counter()
        worked(server.call("GET", path, who="risk-officer"))
        found.append((time.perf_counter() - started) * 1000)
    return found[5:]


def measured(kind: str) -> list[Row]:
    """Both servers on databases of their own, called in turn."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="twinops-bench-")))
        cluster = stack.enter_context(living.postgresql()) if kind == "postgresql" else None
        ours = stack.enter_context(living.serving(folder / "ours", cluster.database() if cluster else None, fresh=True))
        (folder / "stock").mkdir()
        stock = Stock(folder / "stock", living.free_port(), cluster.database() if cluster else None)
        stack.callback(stock.stop)
        stock.start()
        pairs = [[s.registered(n) for n in range(2)] for s in (stock, ours)]
        for version in pairs[1]:
            worked(ours.judged(version))
            worked(ours.decided("approve", version))
        return [
            row(f"alias_set_{kind}", in_turn((stock, ours), lambda s, n: s.alias(pairs[s is ours][n % 2]))),
            row(f"alias_resolve_{kind}", in_turn((stock, ours), lambda s, _n: s.resolved())),
        ]


def in_turn(
    servers: tuple[living.Live, living.Live], call: Callable[[living.Live, int], living.Answer]
) -> dict[str, tuple[float, float]]:
    """Per server: CPU ms per call and the median wall ms."""
    processes = [psutil.Process(s.process.pid) for s in servers]
    for n in range(10):
        for server in servers:
            worked(call(server, n))
    before = [cpu(p) for p in processes]
    walls: tuple[list[float], list[float]] = ([], [])
    for n in range(CALLS):
        for server, wall in zip(servers, walls, strict=True):
            started = time.perf_counter()
            worked(call(server, n))
            wall.append((time.perf_counter() - started) * 1000)
    return {
        name: ((cpu(process) - start) * 1000 / CALLS, statistics.median(wall))
        for name, process, start, wall in zip(("stock", "ours"), processes, before, walls, strict=True)
    }


def worked(answer: living.Answer) -> None:
    """Stop when a call was not answered as it should be: its cost would mean nothing."""
    if answer.status != 200:
        raise SystemExit(f"{answer.status}: {answer.body[:500]!r}")


def cpu(process: psutil.Process) -> float:
    """User and system seconds so far, children that ended included."""
    times = process.cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def row(name: str, found: dict[str, tuple[float, float]]) -> Row:
    """One row of the results."""
    (theirs, their_wall), (ours, our_wall) = found["stock"], found["ours"]
    return {
        "name": name,
        "value": round(ours, 3),
        "unit": "CPU ms of the server",
        "peer": "stock MLflow with basic-auth",
        "ratio": round(ours / theirs, 3),
        "n": CALLS,
        "note": f"in turn over HTTP, login cached, small model, no git; wall p50 {our_wall:.0f} against"
        f" {their_wall:.0f} ms; set: verdicts, digests, grant, log, checkpoint; resolve: digests, grant, revocation;"
        " lower is better",
    }


if __name__ == "__main__":
    main()
