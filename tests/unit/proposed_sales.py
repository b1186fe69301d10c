"""A shop's files as somebody wrote them, and what would be read of them by what is proposed."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from twinops.data.own_sources.declared import DeclaredSource, declared
from twinops.data.own_sources.declared_law import WHOLE
from twinops.data.own_sources.proposing.drafting import Said
from twinops.data.own_sources.proposing.proposal import Proposal
from twinops.data.own_sources.reading import read
from twinops.own_params import OwnParams

SAID = Said(synthetic=True, currency="EUR", zone="UTC")
Row = dict[str, Any]


def written(path: Path, rows: list[Row], *, above: str = "", separator: str = ",") -> Path:
    """A CSV file with all columns that any row has, and some lines of titles."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write(above)
        writer = csv.DictWriter(file, names, restval="", delimiter=separator)
        writer.writeheader()
        writer.writerows(rows)
    return path


def source(found: Proposal, root: Path) -> DeclaredSource:
    """The sales as they are proposed."""
    own = OwnParams.model_validate_json(json.dumps({"sales": found.own["sales"]}, default=str))
    return declared(own, "sales", root=root, max_rows=1_000_000)


def spend(found: Proposal, root: Path) -> float:
    """What all lines that are taken cost."""
    rows = read(source(found, root), WHOLE).rows
    return float(sum(rows["sales_value"].to_pylist())) / 100
