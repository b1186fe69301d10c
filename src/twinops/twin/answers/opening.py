"""One twin on one day, opened: its state, and what is computed of it once for everybody who asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pyarrow as pa

from twinops.twin.model.model import TwinModel
from twinops.twin.model.predictions import Predictions
from twinops.twin.state.streaming import StreamingState, rows
from twinops.twin.support.support import Support


@dataclass(frozen=True)
class Opening:
    """A state with the model and the support that answer for it; `day` is the first day that is not known.

    `support` is None where none was measured, or where too few households were seen.
    """

    model: TwinModel
    support: Support | None
    state: StreamingState
    day: int
    own: Mapping[str, float] = field(default_factory=dict)
    """The project's own features of this subject by column; whatever is imagined, they are held as they stand."""

    @cached_property
    def state_row(self) -> Mapping[str, int]:
        """The state as of the day, in the panel's units.

        Raises:
            DataError: no basket is known.
        """
        return self.state.at(self.day)

    @cached_property
    def table(self) -> pa.Table:
        """The same as a table of one row."""
        return rows([self.state_row], own=self.own)

    @cached_property
    def expected(self) -> Predictions:
        """What the model, which needs the state alone, expects of the horizon from the day on."""
        return self.model.predict(self.table)
