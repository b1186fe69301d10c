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

    _asked: dict[Hashable, Any] = field(default_factory=dict)

    def seen(self) -> Seen:
        """What the log tells up to this moment, this transaction's own entries included."""
        if "size" not in self._asked:
            self.began(self.witness.caught_up(self.session))
        return Seen(self.witness.told, self._asked["size"], tuple(self.pending))

    def began(self, size: int) -> None:
        """The log's size in this transaction's snapshot; its own entries come after."""
        self._asked["size"] = size

    def once(self, what: Hashable, make: Callable[[], T]) -> T:
        """What the database says, asked once until this transaction adds an entry: nobody else changes it meanwhile."""
        key = (what, len(self.pending))
        if key not in self._asked:
            self._asked[key] = make()
        return cast(T, self._asked[key])
