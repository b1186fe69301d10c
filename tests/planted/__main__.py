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
    from planted import table
    from planted.desk import Desk
    from planted.kit import every, run

    asked = arguments()
    keys = {k.name.replace("-", " "): k for k in asked.keys.iterdir() if k.is_file() and k.suffix == ""}
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk.copied(asked.project.resolve(), keys, into=Path(folder) / "project")
        chosen = [f for f in every(desk) if asked.only in f"{f.kind} {f.where} {f.what}"][:: asked.each]
        found = run(desk, chosen)
    print(table.told(found))
    if asked.document:
        table.kept(found)
    return int(any(f.word == "promotable" for f in found))


def arguments() -> argparse.Namespace:
    told = argparse.ArgumentParser(prog="make planted", description=__doc__)
    told.add_argument("--project", type=Path, required=True, help="a project whose state is promotable")
    told.add_argument("--keys", type=Path, required=True, help="a folder with a private key for each office")
    told.add_argument("--only", default="", help="part of a fault's kind, place or words")
    told.add_argument("--each", type=int, default=1, help="only each so many")
    told.add_argument("--document", action="store_true", help="write docs/planted.md")
    return told.parse_args()


if __name__ == "__main__":
    sys.exit(main())
