"""What the rules see of one transaction: its rows, the server's folders, what is known already, and the time."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar, cast

from sqlalchemy.orm import Session

from twinops.server.registry.home import Home
from twinops.server.registry.witness import Seen, Witness

T = TypeVar("T")
KEPT = 256
_NEW = object()


@dataclass
class Memo:
    """What need not be worked out twice, because its key names everything it follows from."""

    _kept: dict[str, dict[Hashable, Any]] = field(default_factory=dict)

    def once(self, what: str, key: Hashable, make: Callable[[], T]) -> T:
        """What was made under this key before, or is made now."""
        kept = self._kept.setdefault(what, {})
        found: Any = kept.get(key, _NEW)
        if found is _NEW:
            found = make()
            if len(kept) >= KEPT:
                kept.clear()
            kept[key] = found
        return cast(T, found)


@dataclass(frozen=True)
class Transaction:
    """Handed down from the store, so that nothing below needs the store."""

    session: Session
    home: Home
    known: Memo
    now: datetime
    witness: Witness
    pending: list[dict[str, Any]] = field(default_factory=list)
    """Entries of this transaction, which nobody else sees yet."""

    def seen(self) -> Seen:
        """What the log tells up to this moment, this transaction's own entries included."""
        size = self.pending[0]["seq"] if self.pending else self.witness.caught_up(self.session)
        return Seen(self.witness.told, size, tuple(self.pending))
