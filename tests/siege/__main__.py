"""`make siege`: every attack on every target, one table; or on one server by its address."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / part) for part in ("src", "tests", "tests/server", "tests/unit")]
if "--small" not in sys.argv:
    os.environ.setdefault("TWINOPS_SIEGE_LARGE", "1")
warnings.simplefilter("ignore")


def main() -> int:
    """0 when nothing is open but what is listed; 1 otherwise."""
    from siege import table

    asked = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the servers are in sessions of their own: end them too
    found = [besieged(name, asked) for name in asked.targets.split(",")]
    print(table.markdown(found))
    left = 0
    for made in found:
        rows = table.open_rows(made) if made.target == "twinops" else []
        left += len(rows)
        print(f"\n{made.title}: {len(rows)} open that nobody lists", *rows, sep="\n  ")
    if asked.out:
        every = table.keep(found, Path(asked.out))
        if asked.document:
            table.into_document(every)
    return int(left > 0)


def arguments() -> argparse.Namespace:
    """What was asked."""
    told = argparse.ArgumentParser(prog="make siege", description=__doc__)
    told.add_argument("--targets", default="sqlite,postgresql,stock", help="sqlite, postgresql, s3, stock")
    told.add_argument("--url", help="a server that is there for this: its policy and offices are replaced by a play's")
    told.add_argument("--accounts", help="JSON of passwords by role: scientist, ci, risk-officer, dpo, admin")
    told.add_argument("--database", help="that server's database, as SQLAlchemy names it")
    told.add_argument("--folder", help="that server's folder")
    told.add_argument("--stock", action="store_true", help="that server is stock MLflow")
    told.add_argument("--only", default="", help="part of the name of a group or attack")
    told.add_argument("--small", action="store_true", help="leave out what takes long")
    told.add_argument("--out", help="write what was found to this JSON")
    told.add_argument("--document", action="store_true", help="and into docs/operate.md")
    asked = told.parse_args()
    if asked.url:
        asked.targets = "address"
    return asked


def besieged(name: str, asked: argparse.Namespace):
    """All attempts on one target."""
    from siege import kit, table

    chosen = [a for a in kit.attacks() if asked.only in f"{a.group} {a.name}" and not (asked.small and a.large)]
    chosen = [a for a in chosen if a.stored or name != "s3"]
    with opened(name, asked) as (server, has):
        siege = kit.Siege(server, has)
        outcomes = []
        for one in kit.attempts(chosen):
            began = time.monotonic()
            outcomes.append(siege.attempt(one))
            last = outcomes[-1]
            print(
                f"{name:11} {last.word:14} {time.monotonic() - began:5.1f} s  {one.id}  {last.why.strip()[-160:]}",
                flush=True,
            )
        told = {
            "target": "twinops" if server.governed else "stock MLflow",
            "database": "PostgreSQL" if (server.database or "").startswith("postgresql") else "SQLite",
            "storage": "S3" if name == "s3" else "disk",
            "mlflow": server.call("GET", "/version", who="admin").body.decode(),
        }
    return table.column(outcomes, **told)


@contextmanager
def opened(name: str, asked: argparse.Namespace) -> Iterator:
    """A server of this kind in a scratch folder, or the one that is there."""
    import live as living

    from siege import servers

    with tempfile.TemporaryDirectory(prefix="siege-") as made:
        root = Path(made)
        if name == "address":
            yield remote(asked)
        elif name == "sqlite":
            with living.serving(root, fresh=True) as server:
                yield server, servers.ALL
        elif name == "s3":
            with living.s3() as endpoint:
                bucket = living.Bucket(endpoint, "shop", "siege")
                bucket.client.create_bucket(Bucket="shop")
                with living.serving(root, fresh=True, bucket=bucket) as server:
                    yield server, servers.ALL
        elif name == "postgresql":
            with living.postgresql() as cluster, servers.two_roles(root, cluster.database()) as server:
                yield server, servers.ALL
        else:
            with servers.stock(root) as server:
                yield server, servers.OF_STOCK


def remote(asked: argparse.Namespace):
    """The server at an address, made to play where it is one of ours."""
    import play

    from siege.client import Remote

    told = Path(asked.accounts).read_text() if asked.accounts else os.environ.get("TWINOPS_SIEGE_ACCOUNTS", "{}")
    folder = Path(asked.folder) if asked.folder else None
    server = Remote(asked.url.rstrip("/"), json.loads(told), not asked.stock, folder, asked.database)
    has = {"disk"} if folder else set()
    has |= {"database"} if asked.database else set()
    if server.governed:
        offices = {"kind": "offices", "text": play.OFFICES}
        server.post("/twinops/api/rules", offices, who="risk-officer")
        server.activate()
        has.add("judges")
    return server, frozenset(has)


if __name__ == "__main__":
    sys.exit(main())
