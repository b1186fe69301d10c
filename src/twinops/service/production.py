"""Which model answers: only what the registry vouches for, asked again every second, and nothing once it does not."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from twinops.adapters.mlflow import trial_load
from twinops.adapters.mlflow.described import data_file
from twinops.adapters.mlflow.twin_flavour import TwinPredictor
from twinops.adapters.registry_client import load
from twinops.adapters.registry_client.client import RefusedError
from twinops.errors import ServiceError, TwinopsError
from twinops.service.files import stamp_of
from twinops.twin.support import support
from twinops.workflows.places import Places
from twinops.workflows.twin.open import Shipped

STALE_S = 5.0
"""Seconds without a word of the registry after which nothing is answered."""
HALF = "models/support.json cannot be read ({}) and is tried every second; until then what-ifs are answered as before."
"""By the kind of fault alone: what a parser says may quote what it read."""


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
    approved: bytes = field(default=b"", repr=False)
    """The file of the model that answers."""
    trouble: str = ""
    """What of the project's files cannot be read, and is tried again; nothing: all of it can."""
    seen: tuple[object, ...] = field(default=(), repr=False)
    """How the project's own model and support stood when they were last looked at."""

    @property
    def live(self) -> Live | None:
        """The version that may answer at this moment."""
        if self.now is not None and time.monotonic() - self.vouched_at > STALE_S:
            return None
        return self.now

    def check(self) -> bool:
        """Ask the registry; load what it vouches for if that is another version. Answers whether answers may be others.

        A refusal cuts at once; a registry that does not answer cuts when its last word is too old.
        """
        try:
            asked = time.monotonic()
            vouched = load.vouched(self.uri, key=self.key)
            if self.now is not None and vouched == (self.now.version, self.now.digest):
                self.vouched_at = asked
                return self._supported_since()
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
            self.approved = (found.folder / data_file(found.folder)[1]).read_bytes()
            return Live(found.name, found.version, found.digest, Shipped(made.model, self._support_now()))

    def _support(self) -> support.Support | None:
        """Where the data can answer, if it was measured with this very model; without it no what-if is answered."""
        model, path = self.places.model, self.places.support
        if not (path.is_file() and model.is_file() and model.read_bytes() == self.approved):
            return None
        return support.from_text(path.read_text(encoding="utf-8"))

    def _support_now(self) -> support.Support | None:
        """The same; None where a file is half-written: that is said, and it is looked at again."""
        stands = self._stands()
        try:
            found = self._support()
        except (OSError, ValueError, TwinopsError) as problem:
            self.trouble, self.seen = HALF.format(type(problem).__name__), ()
            return None
        self.trouble, self.seen = "", stands
        return found

    def _supported_since(self) -> bool:
        """Whether it was measured anew with the model that answers, as where the project's files came after it.

        What was measured with it before stays, while the project's own model is another.
        """
        if self.now is None or self._stands() == self.seen:
            return False
        found = self._support_now()
        shipped = self.now.shipped
        if found is None or found == shipped.support:
            return False
        self.now = replace(self.now, shipped=Shipped(shipped.model, found))
        return True

    def _stands(self) -> tuple[object, ...]:
        return tuple(stamp_of(path) for path in (self.places.model, self.places.support))
