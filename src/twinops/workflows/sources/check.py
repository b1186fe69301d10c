"""Say what would become of a source of your own, before anything of it is stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from twinops.data.own_sources.declared import declared
from twinops.data.own_sources.declared_law import WHOLE
from twinops.data.own_sources.files.cells import printable
from twinops.data.own_sources.look import Crowd, Mistake, SourceLook, look
from twinops.data.own_sources.receipts.overlapping import IN_EARLIER, Overlap
from twinops.entities.small_cells import hidden, shown
from twinops.own_params import OwnParams
from twinops.params import Params
from twinops.workflows.places import Places


@dataclass(frozen=True)
class Checked:
    """What a dry run found. Small counts are null; then `taken` is rounded down to tens, and none follows from it.

    `not_collected` are months the files hold and `months` in params.yaml does not; `without_rows` the reverse.
    """

    name: str
    kind: str
    files: int
    records: int
    taken: int
    households: int
    quarantined: dict[str, int | None]
    dropped_columns: tuple[str, ...]
    filled_columns: tuple[str, ...]
    months: dict[str, int | None]
    not_collected: tuple[str, ...]
    without_rows: tuple[str, ...]
    left_out: dict[str, int | None]
    lost: dict[str, int | None]
    repeated: int | None
    mistakes: tuple[Mistake, ...]
    crowd: Crowd | None
    nothing: bool
    """Nothing at all could be taken, and nothing was understood either."""
    ignored: tuple[str, ...]
    """Files that lie in its folder and are not read."""
    overlaps: tuple[str, ...] = ()
    """Which files hold lines of an earlier one, and whether that is settled."""
    holes: tuple[str, ...] = ()
    """Months between the first and the last in which nothing lies."""


def check(name: str, *, places: Places, params: Params, own: OwnParams) -> Checked:
    """Read, map and judge all of a declared source; write nothing.

    Raises:
        ParamsError: no such source is declared, or the environment lacks its address.
        DataError: it cannot be read.
    """
    return told(look(declared(own, name, root=places.root, max_rows=params.sources.max_rows)), params)


def told(looked: SourceLook, params: Params) -> Checked:
    """What was found, with small counts hidden."""
    quarantined = hidden(looked.quarantined)
    small = None in quarantined.values()
    return Checked(
        name=looked.name,
        kind=looked.kind,
        files=looked.files,
        records=looked.records,
        taken=looked.taken // 10 * 10 if small else looked.taken,
        households=looked.households,
        quarantined=quarantined,
        dropped_columns=looked.dropped_columns,
        filled_columns=looked.filled_columns,
        months=hidden(looked.months),
        not_collected=_beyond(looked, params.months),
        left_out=hidden(looked.left_out),
        lost=hidden(looked.lost),
        repeated=hidden({"": looked.repeated})[""] if looked.repeated else 0,
        mistakes=looked.mistakes,
        crowd=looked.crowd,
        nothing=not looked.taken and not looked.left_out,
        ignored=looked.ignored,
        overlaps=tuple(_overlap(one, settled=IN_EARLIER in looked.left_out) for one in looked.overlaps),
        holes=_holes([m for m, n in looked.months.items() if n]),
        without_rows=tuple(m for m in params.months if looked.months and m not in {*looked.months, WHOLE}),
    )


def _overlap(found: Overlap, *, settled: bool) -> str:
    """Two files, the days from and to, and how many lines stand in both."""
    lines = f"{found.lines:,}" if shown(found.lines) else "a few"
    told = "taken once" if settled else "taken twice (repeated: across_files takes them once)"
    names = f"{printable(found.earlier)} and {printable(found.later)}"
    return f"{names}: {lines} lines of {found.first} to {found.last} stand in both, {told}"


def _holes(months: Sequence[str]) -> tuple[str, ...]:
    """Months that none of these is, between the first and the last.

    >>> _holes(["2025-11", "2026-02"])
    ('2025-12', '2026-01')
    """
    counted = sorted(12 * int(m[:4]) + int(m[5:]) - 1 for m in months)
    between = (n for before, after in pairwise(counted) for n in range(before + 1, after))
    return tuple(f"{n // 12:04}-{n % 12 + 1:02}" for n in between)


def _beyond(looked: SourceLook, months: tuple[str, ...]) -> tuple[str, ...]:
    return () if months == (WHOLE,) else tuple(m for m in looked.months if m not in months)
