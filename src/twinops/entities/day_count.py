"""Days as whole numbers, counted from a project's own first day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True)
class DayCount:
    """Day 0 is `features.first_day` of the project, in sealed tables and windows alike; days before it are negative."""

    first: date

    def number(self, day: date) -> int:
        """The number of a date.

        >>> DayCount(date(1997, 1, 1)).number(date(1996, 12, 31))
        -1
        """
        return (day - self.first).days

    def date_of(self, number: int) -> date:
        """The date of a number.

        >>> DayCount(date(1997, 1, 1)).date_of(364)
        datetime.date(1997, 12, 31)
        """
        return self.first + timedelta(days=number)
