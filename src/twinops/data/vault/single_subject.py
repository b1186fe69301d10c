"""Open one subject and nobody else: a key store that holds all other keys back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from twinops.ports import SubjectKeys


@dataclass(frozen=True)
class SingleSubject:
    """The keys of one subject's own `sids`, household and linked records; sealed frames of others stay closed."""

    keys: SubjectKeys
    sids: frozenset[str]

    def subject_keys(self, sids: Iterable[str]) -> dict[str, bytes]:
        """The keys of those among them that may be opened."""
        return self.keys.subject_keys([sid for sid in sids if sid in self.sids])
