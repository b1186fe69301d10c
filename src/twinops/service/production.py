"""Which model answers: only what the registry vouches for, asked again every second, and nothing once it does not."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from twinops.adapters.mlflow import trial_load
from twinops.adapters.mlflow.described import data_file
from twinops.adapters.mlflow.twin_flavour import TwinPredictor
from twinops.adapters.registry_client import load
from twinops.adapters.registry_client.client import RefusedError
from twinops.errors import ServiceError, TwinopsError
from twinops.twin.support import support
from twinops.workflows.places import Places
from twinops.workflows.twin.open import Shipped

STALE_S = 5.0
"""Seconds without a word of the registry after which nothing is answered."""


@dataclass(frozen=True)
class Live:
    """A verified version, loaded."""

    name: str
    version: int
    digest: str
    shipped: Shipped


@dataclass
class Production:
    """What `uri` (name@alias, or an exported bundle) stands for."""

    uri: str
    places: Places
    key: str | Path | None = None
    now: Live | None = None
    vouched_at: float = field(default=float("-inf"))
    why: str = "No model was loaded yet."

    @property
    def live(self) -> Live | None:
        """The version that may answer at this moment."""
        if self.now is not None and time.monotonic() - self.vouched_at > STALE_S:
            return None
        return self.now

    def check(self) -> bool:
        """Ask the registry; load what it vouches for if that is another version. Answers whether it is another.

        A refusal cuts at once; a registry that does not answer cuts when its last word is too old.
        """
        try:
            asked = time.monotonic()
            vouched = load.vouched(self.uri, key=self.key)
            if self.now is not None and vouched == (self.now.version, self.now.digest):
                self.vouched_at = asked
                return False
            self.now = self._loaded()
            self.vouched_at = asked
        except ServiceError as problem:
            self.why = problem.what
            return False
        except TwinopsError as problem:
            self.now, self.why = None, problem.what
            return False
        return True

    def _loaded(self) -> Live:
        with load.verified(self.uri, key=self.key) as found:
            trial_load.try_out(found.folder)
            made = trial_load.load(found.folder)
            if not isinstance(made, TwinPredictor):
                raise RefusedError("The model behind the alias is no twin.")
            approved = (found.folder / data_file(found.folder)[1]).read_bytes()
            return Live(found.name, found.version, found.digest, Shipped(made.model, self._support(approved)))

    def _support(self, approved: bytes) -> support.Support | None:
        """Where the data can answer, if it was measured with this very model; without it no what-if is answered."""
        model, path = self.places.model, self.places.support
        if not (path.is_file() and model.is_file() and model.read_bytes() == approved):
            return None
        return support.from_text(path.read_text(encoding="utf-8"))
