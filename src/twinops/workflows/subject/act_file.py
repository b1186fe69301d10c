"""Take down a file of requests: one a line, all of them or none."""

from pathlib import Path

from twinops.workflows.subject.act import RightsAsked, RightsTaken, act
from twinops.workflows.subject.asked_file import rows_of
from twinops.workflows.subject.desk import Desk

COLUMNS = (
    "id", "act", "purpose", "reason", "notice", "proof", "given", "ground", "source", "field", "value",
)  # fmt: skip
NAMES = {"field": "column"}
"""Columns that go by another name in `RightsAsked`."""


def act_file(path: Path, *, by: str, desk: Desk) -> RightsTaken:
    """See `act`.

    Raises:
        ParamsError, DataError: the file, or a request in it, cannot be taken; nothing was written.
    """
    rows = rows_of(path, COLUMNS, needed=("id", "act"))
    asked = [
        RightsAsked(row["id"], row=line, **{NAMES.get(c, c): row[c].strip() for c in COLUMNS[1:]}) for line, row in rows
    ]
    return act(asked, by=by, desk=desk)
