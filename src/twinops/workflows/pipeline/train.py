"""Fit the model that ships, on every household-day whose horizon is closed and whose household allows training."""

from dataclasses import dataclass

import pyarrow as pa

from twinops.data.vault.seal import write_sealed
from twinops.evaluation.accuracy.activity_picture import Period, activity, activity_picture
from twinops.evaluation.accuracy.choice import Choice
from twinops.evaluation.accuracy.coefficients import Weight, measure_weights
from twinops.evaluation.accuracy.coefficients_picture import coefficients_picture
from twinops.evaluation.accuracy.conclusions import weights_conclusion
from twinops.evaluation.canvas import save
from twinops.ports import KeyStore
from twinops.twin.model.model import TwinModel
from twinops.twin.model.model_file import from_text, to_text
from twinops.twin.state.examples import Examples
from twinops.workflows.learning import Learning
from twinops.workflows.places import Places, write


@dataclass(frozen=True)
class Trained:
    """What the notebook may show: the model, its weights with their doubt, and what households did."""

    model: TwinModel
    weights: dict[str, tuple[Weight, ...]]
    periods: tuple[Period, ...]
    choice: Choice

    @property
    def conclusion(self) -> str:
        """What the weights allow us to say."""
        return weights_conclusion(self.weights)


def train(learning: Learning) -> Trained:
    """Write `models/twin.json`, the sealed list of who was trained on, and two pictures.

    What ships may learn from the held-out days too, once everything was chosen without them: that is deployment.

    Raises:
        DataError: nobody was chosen, too few households, or nothing to tell apart.
    """
    places, recipe = learning.plane.places, learning.recipe
    known = learning.examples().all_closed()
    write(places.model, to_text(recipe.fit_with_intervals(known)))
    remember(known, places, learning.plane.keys)
    # what is shown is what was written
    model = from_text(places.model.read_text(encoding="utf-8"))
    return shown(model, known, learning)


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
    return Trained(model, weights, periods, learning.choice)
