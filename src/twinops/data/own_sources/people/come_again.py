"""Customer numbers beside the addresses that a file of yours gives them: an erased person may come under a new one."""

from __future__ import annotations

from collections.abc import Iterator

from twinops.data.own_sources.declared import DeclaredSource
from twinops.data.own_sources.declared_law import WHOLE
from twinops.data.own_sources.mapping import values_of
from twinops.data.own_sources.reading import cells_of
from twinops.entities.erasure import contact
from twinops.own_params import OwnSource

COLUMNS = ("household_id", "email")


def tells(said: OwnSource) -> bool:
    """Whether its rows have both."""
    return {*COLUMNS} <= {*said.entering}


def numbers_and_addresses(source: DeclaredSource) -> Iterator[tuple[str, str]]:
    """Number and address of each row that has both, as they are filed and looked for."""
    for cells in cells_of(source, WHOLE):
        numbers, told = (values_of(cells, source.said, c).to_pylist() for c in COLUMNS)
        yield from ((n, mail) for n, t in zip(numbers, told, strict=True) if n and (mail := contact(t)))
