"""What a model is learned from and how: the rows of the panel, and the recipe, with what was chosen and kept of it."""

from dataclasses import dataclass, replace
from functools import cached_property

from twinops.evaluation.accuracy.choice import Choice, read_choice
from twinops.twin.model.recipe import Recipe
from twinops.twin.model.recipe_file import as_kept
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
    def chosen(self) -> Recipe:
        """The recipe as `choose` left it."""
        return replace(self.plain, speakers=self.choice.speakers, recalibrate=self.choice.recalibrate)

    @property
    def recipe(self) -> Recipe:
        """The recipe of the model that ships: what `train` kept, or what was chosen where nothing was trained yet.

        Raises:
            DataError: nobody was chosen.
            IntegrityError: what was kept is no recipe.
        """
        kept = self.plane.places.recipe
        return as_kept(self.chosen, kept.read_text(encoding="utf-8")) if kept.is_file() else self.chosen

    def examples(self) -> Examples:
        """Every row of the panel with its labels, as far as they are known; opened once."""
        return self._opened

    @cached_property
    def _opened(self) -> Examples:
        places = self.plane.places
        return open_examples(self.plane.engine, self.plane.keys, panel=places.panel, labels=places.labels)
