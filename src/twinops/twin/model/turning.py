"""A recipe turned in a notebook: other families for a head, other terms for its regression, other penalties."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pydantic import TypeAdapter, ValidationError

from twinops.errors import ParamsError
from twinops.params import changed
from twinops.twin.model.families import HEADS, Speakers
from twinops.twin.model.recipe import Recipe
from twinops.twin.model.used_terms import UsedTerms
from twinops.twin.state.terms import TERMS

Names = Mapping[str, Sequence[str]]


def turned(recipe: Recipe, *, heads: Names, terms: Names, penalties: Mapping[str, float | None]) -> Recipe:
    """The recipe with what is said instead of what was chosen; a penalty of None stays.

    Raises:
        ParamsError: no such head, family, term or penalty.
    """
    _only_heads("heads", heads)
    _only_heads("terms", terms)
    return replace(
        recipe,
        speakers=_speakers(recipe.speakers, heads),
        terms=UsedTerms(**{h: _terms(h, terms[h]) if h in terms else recipe.terms.of(h) for h in HEADS}),
        penalties=changed(recipe.penalties, **penalties),
    )


def _only_heads(what: str, said: Names) -> None:
    strange = [head for head in said if head not in HEADS]
    if strange:
        raise ParamsError(f"{what}: {', '.join(strange)} is no head.", hint=f"Those are {', '.join(HEADS)}.")


def _speakers(before: Speakers, said: Names) -> Speakers:
    told = {head: list(said.get(head, before.of(head))) for head in HEADS}
    try:
        return TypeAdapter(Speakers).validate_json(json.dumps(told))
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"][:1])
        raise ParamsError(
            f"heads: {place + ': ' if place else ''}{first['msg']}.",
            hint="Name families in their order; an estimator of your own is a file of ideas/heads/ and has a name.",
        ) from None


def _terms(head: str, said: Sequence[str]) -> tuple[str, ...]:
    strange = sorted(set(said) - set(TERMS))
    if strange or not said:
        raise ParamsError(
            f"terms: {head} cannot use {', '.join(strange) or 'nothing at all'}.", hint=f"Terms are {', '.join(TERMS)}."
        )
    return tuple(term for term in TERMS if term in said)
