"""A few quarantined rows for their owner's eyes, so that the mapping or the source can be mended."""

import json
from dataclasses import dataclass

from twinops.data.own_sources.files.cells import AS_CELLS, printable
from twinops.data.reading.reading import REFUSED_ROWS
from twinops.errors import ParamsError
from twinops.workflows.quarantine.expire import Quarantine

MOST = 100


@dataclass(frozen=True)
class ShownRows:
    """Lines for a terminal: cells are cut, without control characters, and nothing a spreadsheet would run."""

    lines: tuple[str, ...]
    rows: int


def show_rows(source: str, batch: str, today: str, *, most: int, quarantine: Quarantine) -> ShownRows:
    """The first rows of a batch, at most 100.

    Raises:
        ParamsError: the batch is not sealed under your own keys.
        DataError: nothing of it is held.
    """
    if quarantine.vault.keys != "store":
        raise ParamsError("Only rows sealed under your own keys are shown.", hint="Set vault.keys to `store`.")
    rows = quarantine.open(source, batch, today=today)
    own = set(rows.column_names) == set(REFUSED_ROWS.names)
    first = rows.slice(0, max(0, min(most, MOST))).to_pylist()
    return ShownRows(tuple(_refused(r) if own else _broken(r) for r in first), rows.num_rows)


def _refused(row: dict[str, str]) -> str:
    if row["encoding"] != AS_CELLS:
        return f"{row['reason']}: {printable(row['raw'])}"
    return _broken({**json.loads(row["raw"])["cells"], "reason": row["reason"]})


def _broken(row: dict[str, str]) -> str:
    cells = ", ".join(f"{printable(k)}={printable(v or '')}" for k, v in row.items() if k != "reason")
    return f"{row['reason']}: {cells}"
