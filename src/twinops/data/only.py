"""Open one subject and nobody else: the key store with all other keys held back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from twinops.ports import KeyStore


@dataclass(frozen=True)
class SingleSubject:
    """A key store that hands out the keys of one subject's own sids (household and linked records) and no others."""

    keys: KeyStore
    sids: frozenset[str]

    def epoch(self) -> int:
        """The store's own."""
        return self.keys.epoch()

    def subject_ids(self, natural_ids: Sequence[str]) -> list[str]:
        """The store's own."""
        return self.keys.subject_ids(natural_ids)

    def known_sid(self, natural_id: str) -> str | None:
        """The store's own."""
        return self.keys.known_sid(natural_id)

    def subject_keys(self, sids: Iterable[str]) -> dict[str, bytes]:
        """The keys of those among them that may be opened."""
        return self.keys.subject_keys([sid for sid in sids if sid in self.sids])

    def batch_key(self, dataset: str, batch: str) -> bytes:
        """The store's own."""
        return self.keys.batch_key(dataset, batch)

    def batch_since(self, dataset: str, batch: str) -> date | None:
        """The store's own."""
        return self.keys.batch_since(dataset, batch)

    def forget_batch(self, dataset: str, batch: str) -> None:
        """The store's own."""
        self.keys.forget_batch(dataset, batch)
