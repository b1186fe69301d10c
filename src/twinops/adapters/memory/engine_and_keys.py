"""In-memory twins of the ports, for tests and trials: same behaviour, nothing on disk."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import date


class MemoryKeys:
    """A key store that lives as long as the object. Ids and keys follow from `seed`, so tests give the same bytes."""

    def __init__(self, seed: str = "memory") -> None:
        self._seed = seed.encode()
        self._sids: dict[str, str] = {}
        self._keys: dict[str, bytes] = {}
        self._epoch = 0
        self._same: dict[str, str] = {}
        self._batches: dict[str, tuple[bytes, date]] = {}
        self._forgotten: list[str] = []
        self.today = date(2018, 1, 1)
        """What new batch keys are dated."""
        self.suppress: set[str] = set()
        """Contacts of the forgotten."""

    def epoch(self) -> int:
        """How many subjects were forgotten."""
        return self._epoch

    def subject_ids(self, natural_ids: Sequence[str]) -> list[str]:
        """A sid per natural id; unknown ones are enrolled."""
        meant = [self._same.get(natural, natural) for natural in natural_ids]
        for natural in meant:
            if natural not in self._sids:
                self._sids[natural] = self._bytes("sid", natural)[:16].hex()
                self._keys[self._sids[natural]] = self._bytes("key", natural)
        return [self._sids[natural] for natural in meant]

    def known_sid(self, natural_id: str) -> str | None:
        """The sid, if it was enrolled and not forgotten."""
        sid = self._sids.get(self._same.get(natural_id, natural_id))
        return sid if sid in self._keys else None

    def known_sids(self, natural_ids: Iterable[str]) -> dict[str, str]:
        """Of these natural ids those that were enrolled and not forgotten."""
        return {natural: sid for natural in natural_ids if (sid := self.known_sid(natural)) is not None}

    def subject_keys(self, sids: Iterable[str]) -> dict[str, bytes]:
        """The keys of all that were not forgotten."""
        return {sid: self._keys[sid] for sid in sids if sid in self._keys}

    def batch_key(self, dataset: str, batch: str) -> bytes:
        """The key of a batch's quarantine."""
        name = f"{dataset}/{batch}"
        if name not in self._batches:
            self._batches[name] = (
                self._bytes("batch", dataset, batch, *["again"] * self._forgotten.count(name)),
                self.today,
            )
        return self._batches[name][0]

    def batch_since(self, dataset: str, batch: str) -> date | None:
        """The day the key was made."""
        return self._batches.get(f"{dataset}/{batch}", (b"", None))[1]

    def forget_batch(self, dataset: str, batch: str) -> None:
        """Destroy the key; the next one is another."""
        if self._batches.pop(f"{dataset}/{batch}", None):
            self._forgotten.append(f"{dataset}/{batch}")

    def forget(self, sid: str) -> None:
        """Destroy a subject's key; the natural id stays suppressed, so that collecting again does not bring it back."""
        self._keys.pop(sid)
        self._epoch += 1

    def suppressed(self, contacts: Iterable[str]) -> frozenset[str]:
        """Natural ids of the forgotten, and contacts that `suppress` was told."""
        gone = {natural for natural, sid in self._sids.items() if sid not in self._keys}
        return frozenset(contacts) & (gone | self.suppress)

    def keep_away(self, natural_ids: Iterable[str]) -> None:
        """Nobody is taken in under these natural ids; who is held under one already stays."""
        new = [natural for natural in natural_ids if natural not in self._sids]
        for sid in self.subject_ids(new):
            self._keys.pop(sid)

    def one_subject(self, numbers: Mapping[str, str]) -> None:
        """Each of these natural ids means the other's subject; one that was forgotten stays so."""
        gone = self.suppressed(numbers)
        self.subject_ids([now for old, now in numbers.items() if old not in gone])
        self._same = {old: now for old, now in numbers.items() if old not in gone}

    def moved(self) -> dict[str, str]:
        """Sids of replaced natural ids -> the sids they mean now."""
        return {self._sids[old]: self._sids[now] for old, now in self._same.items() if old in self._sids}

    def _bytes(self, *parts: str) -> bytes:
        return hmac.digest(self._seed, "\0".join(parts).encode(), hashlib.sha512)
