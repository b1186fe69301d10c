"""Measure what the tests behind the fairness and drift gates find, how often they cry wolf, what intervals hold.

Writes `bench/gates.json`, and from it `docs/gates.md` and its picture. Usage: python bench/gates.py [fairness] [drift]
[calm] [page], or `make power`; without a part all are measured, a part replaces its old rows, `page` only writes anew.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace

from calm import Held, calm
from gates_page import page
from gates_picture import power_picture
from moves import Pair, moves
from power import ROOT, Row, powers

from twinops.evaluation.canvas import save
from twinops.wiring import open_project

PARTS = {"before": Row, "powers": Row, "drift": Pair, "calm": Held}
RESULTS = ROOT / "bench" / "gates.json"


@dataclass(frozen=True)
class Known:
    """What was measured, part by part."""

    before: tuple[Row, ...]
    """What the rule of before did, in the same towns, as it was measured at revision bbe8c8e."""
    powers: tuple[Row, ...]
    drift: tuple[Pair, ...]
    calm: tuple[Held, ...]


def main() -> None:
    """Run what was asked for, and write all files."""
    known, asked = read(), set(sys.argv[1:]) or {"fairness", "drift", "calm"}
    if "fairness" in asked:
        known = replace(known, powers=tuple(powers()))
    if "drift" in asked:
        known = replace(known, drift=tuple(moves(open_project(ROOT))))
    if "calm" in asked:
        known = replace(known, calm=tuple(calm(open_project(ROOT))))
    told = {part: [row.to_json() for row in getattr(known, part)] for part in PARTS}
    RESULTS.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    (ROOT / "docs" / "gates.md").write_text(page(known.before, known.powers, known.drift, known.calm), encoding="utf-8")
    picture = power_picture(known.before, known.powers)
    save(picture, ROOT / "docs" / "images" / "power.png", open_project(ROOT).words.wording)


def read() -> Known:
    """What was measured before."""
    raw = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    return Known(*(tuple(map(kind.from_json, raw.get(part, ()))) for part, kind in PARTS.items()))


if __name__ == "__main__":
    main()
