"""Write months, clock and windows of an update into `params.yaml`; comments and order stay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from twinops.data.own_sources.declared_law import WHOLE
from twinops.data.windows import moved
from twinops.entities.day_count import DayCount
from twinops.params import Params
from twinops.workflows.params_file import put_sections
from twinops.workflows.places import Places
from twinops.workflows.update.look import Seen


@dataclass(frozen=True)
class Moved:
    """What `params.yaml` says otherwise now, by section or `section.name`; nothing where all stayed."""

    changed: dict[str, Any]


def move(seen: Seen, *, places: Places, params: Params) -> Moved:
    """Move to where the data reach now. Doing it twice changes nothing.

    Raises:
        ParamsError: the windows do not go with what else `params.yaml` says; nothing is written then.
    """
    known_until = _known_until(seen, params.features.days)
    wanted: dict[str, Any] = {} if seen.months == params.months else {"months": [*seen.months]}
    wanted |= moved(params, known_until=known_until)
    if wanted:
        put_sections(places, wanted)
    return Moved(wanted)


def _known_until(seen: Seen, days: DayCount) -> int:
    """The first day nothing is known of: after the newest month, or the newest receipt."""
    if seen.months == (WHOLE,):
        return (seen.newest_day or 0) + 1
    year, month = (int(part) for part in seen.months[-1].split("-"))
    return days.number(date(year + month // 12, month % 12 + 1, 1))
