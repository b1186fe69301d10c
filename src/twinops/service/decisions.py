"""What was answered and refused, under pseudonyms, one JSON line each: for monitoring and for whoever is asked why.

A pseudonym is keyed with a key of the key store: nobody without it can make one, and of the erased nobody has the sid.
"""

from __future__ import annotations

import os
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

from twinops.entities.canonical import to_json
from twinops.entities.event import stamp
from twinops.workflows.decision_lines import pseudonym

MOST_WAITING = 50_000


@dataclass
class DecisionLog:
    """Lines of one instance; `share` of the answers are kept, refusals always."""

    folder: Path
    key: bytes = field(repr=False)
    share: float = 1.0
    keep_days: int = 90
    waiting: list[str] = field(default_factory=list, repr=False)
    lost: int = 0
    _lock: Lock = field(default_factory=Lock, repr=False)

    def who(self, sid: str) -> str:
        """The consumer's name in these lines."""
        return pseudonym(self.key, sid)

    def tell(self, sid: str | None, line: Mapping[str, Any]) -> None:
        """Keep one line; it is on disk within half a second."""
        if "refused" not in line and self.share < 1 and random.random() >= self.share:  # noqa: S311  # a sample
            return
        told = {"at": stamp(datetime.now(UTC)), **line, **({} if sid is None else {"who": self.who(sid)})}
        with self._lock:
            if len(self.waiting) < MOST_WAITING:
                self.waiting.append(to_json(told))
            else:
                self.lost += 1

    def flush(self) -> None:
        """Write what waits, into the file of the day, and take old files away.

        Raises:
            OSError: it cannot be written now; then it waits on, and the next flush tries again.
        """
        with self._lock:
            lines, self.waiting = self.waiting, []
        if not lines:
            return
        today = datetime.now(UTC).date()
        try:
            self._append("\n".join(lines) + "\n", today)
        except OSError:
            self._wait_on(lines)
            raise
        self._expire(today)

    def _append(self, text: str, day: date) -> None:
        """All of it or nothing: the file is this process's own."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = os.open(self._file(day), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(file, "ab", buffering=0) as out:
            before, left = os.fstat(file).st_size, memoryview(text.encode())
            try:
                while left:
                    left = left[out.write(left) :]
            except OSError:
                out.truncate(before)
                raise

    def _wait_on(self, lines: list[str]) -> None:
        with self._lock:
            together = lines + self.waiting
            self.waiting = together[:MOST_WAITING]
            self.lost += len(together) - len(self.waiting)

    def _file(self, day: date) -> Path:
        return self.folder / f"{day.isoformat()}-{os.getpid()}.jsonl"

    def _expire(self, today: date) -> None:
        last = (today - timedelta(days=self.keep_days)).isoformat()
        for path in self.folder.glob("*.jsonl"):
            if path.name[:10] < last:
                path.unlink(missing_ok=True)
