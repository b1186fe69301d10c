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


def move(seen: Seen, *, places: Places, params: Params, today: date | None = None) -> Moved:
    """Move to where the data reach now, and never beyond `today`. Doing it twice a day changes nothing.

    Raises:
        ParamsError: the windows do not go with what else `params.yaml` says; nothing is written then.
    """
    days = params.features.days
    known_until = min(_known_until(seen, days), days.number(today) if today else days.number(date.max))
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
