"""The states of twins that are asked about by id, for a model loaded elsewhere; through the twin's own doors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from twinops.errors import DataError
from twinops.twin.state.features import STATE
from twinops.twin.support.support import Support
from twinops.workflows.twin.open import Opener, shipped


@dataclass(frozen=True)
class StatesById:
    """A row of state beside its `id`, of who allows the purpose today and has a basket; why not, of the others.

    `support` is told only to the very model it was measured with.
    """

    states: pa.Table
    refused: Mapping[str, str]
    support: Support | None


def asked_by_id(ids: Sequence[str], purpose: str, text: str, *, opener: Opener) -> StatesById:
    """Open each of them; `text` is the file of the model that will answer.

    Raises:
        DataError: nothing was collected yet.
    """
    parts, refused = [], {}
    for who in ids:
        try:
            consumer = opener.consumer(who)
        except DataError as nobody:
            refused[who] = nobody.what
            continue
        against = consumer.refusal(purpose)
        if against is not None:
            refused[who] = opener.words.told(against)
        elif not consumer.state.empty:
            parts.append({"id": who, **consumer.state.at(consumer.day), **consumer.own})
    columns = {"id": pa.string(), **dict.fromkeys(STATE, pa.int64())}
    own = {name: pa.float64() for part in parts[:1] for name in part if name not in columns}
    states = pa.Table.from_pylist(parts, schema=pa.schema({**columns, **own}))
    path = opener.places.model
    same = path.is_file() and path.read_text(encoding="utf-8") == text
    return StatesById(states, refused, shipped(opener.places).support if same else None)
