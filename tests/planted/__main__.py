"""`make planted`: every fault planted into a copy of a promotable project; one table of which check found it."""

from __future__ import annotations

import argparse
import sys
import tempfile
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / part) for part in ("src", "tests")]
warnings.simplefilter("ignore")


def main() -> int:
    """0 when every fault was found."""
    from planted import kit, table
    from planted.desk import Desk
    from planted.trial import OPEN

    asked = arguments()
    keys = {k.name.replace("-", " "): k for k in asked.keys.iterdir() if k.is_file() and k.suffix == ""}
    with tempfile.TemporaryDirectory() as folder:
        copies = [Path(folder) / str(number) / "project" for number in range(asked.processes)]
        desks = [Desk.copied(asked.project.resolve(), keys, into=into) for into in copies]
        chosen = [f for f in kit.every(desks[0]) if asked.only in f"{f.kind} {f.where} {f.what}"][:: asked.each]
        found = kit.run(desks, chosen)
    sys.stdout.write(table.told(found))
    if asked.document:
        table.kept(found)
    return int(any(f.word == OPEN for f in found))


def arguments() -> argparse.Namespace:
    told = argparse.ArgumentParser(prog="make planted", description=__doc__)
    told.add_argument("--project", type=Path, required=True, help="a project whose state is promotable")
    told.add_argument("--keys", type=Path, required=True, help="a folder with a private key for each office")
    told.add_argument("--only", default="", help="part of a fault's kind, place or words")
    told.add_argument("--each", type=int, default=1, help="only each so many")
    told.add_argument("--processes", type=int, default=2)
    told.add_argument("--document", action="store_true", help="write docs/planted.md")
    return told.parse_args()


if __name__ == "__main__":
    sys.exit(main())
