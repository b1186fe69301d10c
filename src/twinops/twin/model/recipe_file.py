"""How the model that ships was made, as a file: whoever measures it makes it the same way, on other days."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Literal

from pydantic import Field

from twinops.entities.canonical import to_json
from twinops.params import TrainParams
from twinops.twin.model.families import Speakers
from twinops.twin.model.recipe import Recipe
from twinops.twin.model.used_terms import UsedTerms
from twinops.twin.strict_json import NotNegative, Positive, StrictRecord, parsed, refusing

SCHEMA: Literal["twinops.recipe/1"] = "twinops.recipe/1"
LARGEST = 20_000


class _RecipeFile(StrictRecord):
    schema_version: Literal["twinops.recipe/1"] = Field(alias="schema")
    activity_c: Positive
    spend_alpha: NotNegative
    speakers: Speakers
    recalibrate: bool
    terms: UsedTerms

    @property
    def penalties(self) -> TrainParams:
        return TrainParams(activity_c=self.activity_c, spend_alpha=self.spend_alpha)


def recipe_text(recipe: Recipe) -> str:
    """What of a recipe a data scientist may turn in the notebook, as sorted JSON."""
    body = {
        "schema": SCHEMA,
        **recipe.penalties.model_dump(),
        "speakers": asdict(recipe.speakers),
        "recalibrate": recipe.recalibrate,
        "terms": asdict(recipe.terms),
    }
    return to_json(body, indent=1) + "\n"


def as_kept(plain: Recipe, text: str) -> Recipe:
    """The recipe that `recipe_text` told of, on the grid and with the trees of `plain`.

    Raises:
        IntegrityError: the text is anything else.
    """
    with refusing("The file of the recipe is not one", "Run the train stage again."):
        said = parsed(_RecipeFile, text, at_most=LARGEST)
    return replace(
        plain,
        penalties=said.penalties,
        speakers=said.speakers,
        recalibrate=said.recalibrate,
        terms=said.terms,
    )
