"""What a model is learned from and how: the rows of the panel, and the recipe, with what `choose` decided in it."""

from dataclasses import dataclass, replace
from functools import cached_property

from twinops.evaluation.accuracy.choice import Choice, read_choice
from twinops.twin.model.recipe import Recipe
from twinops.twin.state.examples import Examples, open_examples
from twinops.workflows.data_plane import DataPlane
from twinops.workflows.declared_words import UNDECLARED, DeclaredWords


@dataclass(frozen=True)
class Learning:
    """The opened rows and the recipe; `plain` is the recipe before anything was chosen."""

    plane: DataPlane
    plain: Recipe
    words: DeclaredWords = UNDECLARED

    @cached_property
    def choice(self) -> Choice:
        """What `choose` decided.

        Raises:
            DataError: it has not been run.
        """
        return read_choice(self.plane.places.measures("champion"))

    @property
    def recipe(self) -> Recipe:
        """The recipe of the model that ships."""
        return replace(self.plain, speakers=self.choice.speakers, recalibrate=self.choice.recalibrate)

    def examples(self) -> Examples:
        """Every row of the panel with its labels, as far as they are known."""
        places = self.plane.places
        return open_examples(self.plane.engine, self.plane.keys, panel=places.panel, labels=places.labels)
