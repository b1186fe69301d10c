"""Messages that ask for a right: categories that say so, and words of texts that look like it and decide nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from twinops.data.own_sources.declared import DeclaredSource
from twinops.data.own_sources.declared_law import WHOLE
from twinops.data.own_sources.mapping import values_of
from twinops.data.own_sources.reading import cells_of
from twinops.data.own_sources.recognising import words
from twinops.data.reading.plain_letters import plain


@cache
def _signs() -> Mapping[str, tuple[str, ...]]:
    """Kind of request -> words that speak of it, in plain letters."""
    return {kind: tuple(plain(w) for w in told) for kind, told in words()["requests"].items()}


def kind_of(text: str) -> str | None:
    """Which right a category's words speak of; None: of none.

    A death is told as a restriction: nothing is done with the data until a person has looked.

    >>> kind_of("Usunięcie danych"), kind_of("Werbewiderspruch"), kind_of("Haláleset"), kind_of("Lieferung")
    ('erasure', 'unsubscribe', 'restriction', None)
    """
    told = plain(text)
    return next((kind for kind, signs in _signs().items() if any(s in told for s in signs)), None)


def unheard(source: DeclaredSource) -> tuple[int, ...]:
    """Records whose text looks like a request and whose category is none that opens a case; places in the file."""
    said = source.said
    if source.said.kind != "service" or "text" not in said.entering:
        return ()
    heard = {plain(word.strip()) for word in said.requests}
    found: list[int] = []
    for cells in cells_of(source, WHOLE):
        texts = cells.table[said.entering["text"]].to_pylist()
        categories: Iterable[str | None] = [None] * len(texts)
        if "category" in said.entering:
            categories = values_of(cells, said, "category").to_pylist()
        rows = zip(cells.table["place"].to_pylist(), texts, categories, strict=True)
        found += [
            place for place, text, of in rows if text and plain((of or "").strip()) not in heard and kind_of(text)
        ]
    return tuple(found)
