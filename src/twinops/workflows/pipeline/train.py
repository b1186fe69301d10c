"""Fit the model that ships, on every household-day whose horizon is closed and whose household allows training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from twinops.data.vault.seal import write_sealed
from twinops.evaluation.accuracy.activity_picture import Period, activity, activity_picture
from twinops.evaluation.accuracy.choice import Choice
from twinops.evaluation.accuracy.coefficients import Weight, measure_weights
from twinops.evaluation.accuracy.coefficients_picture import coefficients_picture
from twinops.evaluation.accuracy.conclusions import turned_conclusion, weights_conclusion
from twinops.evaluation.canvas import save
from twinops.ports import KeyStore
from twinops.twin.model.model import TwinModel
from twinops.twin.model.model_file import from_text, to_text
from twinops.twin.model.predictions import Predictions
from twinops.twin.model.recipe import Recipe
from twinops.twin.model.recipe_file import recipe_text
from twinops.twin.model.turning import turned
from twinops.twin.state.examples import Examples
from twinops.whole_files import write
from twinops.workflows.kept_penalties import keep_penalties
from twinops.workflows.learning import Learning
from twinops.workflows.panel import Panel
from twinops.workflows.places import Places


@dataclass(frozen=True)
class Trained:
    """What the notebook may show: the model, its weights with their doubt, and what households did."""

    model: TwinModel
    weights: dict[str, tuple[Weight, ...]]
    periods: tuple[Period, ...]
    choice: Choice
    size: int
    """Bytes of the model's file."""

    @property
    def conclusion(self) -> str:
        """What the weights allow us to say."""
        return weights_conclusion(self.weights)


@dataclass(frozen=True)
class Fitted:
    """A model that is not kept yet, and how it was made."""

    model: TwinModel
    recipe: Recipe
    choice: Choice
    said: str
    """What was made otherwise than chosen, in Markdown; nothing where all is as chosen."""

    def predict(self, panel: Panel) -> Predictions:
        """What it expects of each row of an opened panel."""
        return self.model.predict(panel.table)


@dataclass(frozen=True)
class TrainSteps:
    """The steps of training, in order: `fit`, then `keep`."""

    learning: Learning

    def fit(
        self,
        *,
        heads: Mapping[str, Sequence[str]] | None = None,
        terms: Mapping[str, Sequence[str]] | None = None,
        **penalties: float | None,
    ) -> Fitted:
        """Learn the model that ships from every closed row of whoever allows training.

        `heads` names for each head the families whose mean it says, `terms` what its regression reads; what is not said
        is as chosen. `activity_c` and `spend_alpha` are the penalties; None is what `params.yaml` says. What ships may
        learn from the held-out days too, once everything was chosen without them: that is deployment.

        Raises:
            ParamsError: no such head, family, term or penalty.
            DataError: nobody was chosen, too few households, or nothing to tell apart.
        """
        chosen = self.learning.chosen
        recipe = turned(chosen, heads=heads or {}, terms=terms or {}, penalties=penalties)
        model = recipe.fit_with_intervals(self.learning.examples().all_closed())
        # what is shown is what is written, and what cannot be written is refused before anything is kept
        return Fitted(from_text(to_text(model)), recipe, self.learning.choice, turned_conclusion(chosen, recipe))

    def keep(self, fitted: Fitted) -> Trained:
        """Write `models/twin.json`, how it was made, penalties, the sealed list of who was trained on, two pictures."""
        places, known = self.learning.plane.places, self.learning.examples().all_closed()
        write(places.model, to_text(fitted.model))
        write(places.recipe, recipe_text(fitted.recipe))
        keep_penalties(places, fitted.recipe.penalties)
        remember(known, places, self.learning.plane.keys)
        return shown(fitted.model, known, self.learning)


def train(learning: Learning) -> Trained:
    """Fit what was chosen, and keep it.

    Raises:
        DataError: nobody was chosen, too few households, or nothing to tell apart.
    """
    steps = TrainSteps(learning)
    return steps.keep(steps.fit())


def remember(known: Examples, places: Places, keys: KeyStore) -> None:
    """Seal who the model was trained on, and on how many rows: erasure needs to know."""
    counted = known.table.group_by("sid").aggregate([([], "count_all")]).sort_by("sid")
    table = pa.table({"sid": counted["sid"], "rows": counted["count_all"]})
    write_sealed(table, places.trained_subjects, dataset="trained", keys=keys, subject="sid")


def shown(model: TwinModel, known: Examples, learning: Learning) -> Trained:
    """Draw the pictures and keep the aggregates."""
    places, grid, wording = learning.plane.places, learning.plain.grid, learning.words.wording
    weights, periods = measure_weights(model, known), activity(known)
    save(coefficients_picture(model, weights), places.figure("coefficients"), wording)
    save(
        activity_picture(periods, first_day=grid.first_day, horizon_days=grid.horizon_days),
        places.figure("activity"),
        wording,
    )
    return Trained(model, weights, periods, learning.choice, places.model.stat().st_size)
